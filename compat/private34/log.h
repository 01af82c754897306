/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: messages of providers, and the file that VERBS_LOG_FILE names. */
#ifndef HF_COMPAT_PRIVATE34_LOG_H
#define HF_COMPAT_PRIVATE34_LOG_H

#include "compat/private34/private34.h"

/* Opens it, once, if the environment asks for a log. */
void hfi_verbs_log_open(void);

void __verbs_log(struct verbs_context *context, uint32_t level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
