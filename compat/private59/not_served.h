/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Commands that are new in private ABIs 59 to 65, by what they answer. None of them looks at its arguments. */
#ifndef HF_COMPAT_PRIVATE59_NOT_SERVED_H
#define HF_COMPAT_PRIVATE59_NOT_SERVED_H

#include "compat/private34/private34.h"

int hfi_not_served(void);
int hfi_no_descriptor(void);
void *hfi_no_heap(void);
void hfi_nothing_to_free(void);

#endif
