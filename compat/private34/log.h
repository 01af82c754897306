/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The file that VERBS_LOG_FILE names. */
#ifndef HF_COMPAT_PRIVATE34_LOG_H
#define HF_COMPAT_PRIVATE34_LOG_H

/* Opens it, once, if the environment asks for a log. */
void hfi_verbs_log_open(void);

#endif
