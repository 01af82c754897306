/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_SHARED_USERNS_H
#define HF_SHARED_USERNS_H

#include <stdbool.h>

/*
 * Are the kernel's uevents heard here? Not in a user namespace other than the first: kernels from
 * 4.18 on send there only what belongs to network namespaces. What cannot be read is no.
 */
bool hfi_uevents_are_heard(void);

#endif
