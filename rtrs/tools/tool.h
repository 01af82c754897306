/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory and complaints of the control programs. */
#ifndef RTRS_TOOLS_TOOL_H
#define RTRS_TOOLS_TOOL_H

#include <stddef.h>

#include "shared/attr.h"

/* "rtrsctl: ..." on standard error. What is not printable in it is shown as \xNN. */
void rtrsi_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Or the program ends. */
void *rtrsi_grow(void *old, size_t count, size_t size) HF_MUST_CHECK;
char *rtrsi_copy_text(const char *text, size_t length) HF_MUST_CHECK HF_NONNULL;

#endif
