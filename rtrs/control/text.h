/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a small file shows, and how what is written to it is read: as the kernel does both. */
#ifndef RTRS_CONTROL_TEXT_H
#define RTRS_CONTROL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "rtrs/control/wire.h"
#include "shared/attr.h"

struct control_text {
	char *to;
	size_t size, length;
};

/* What does not fit is left out. */
void rtrsi_control_print(struct control_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is written, without a newline at its end. -EINVAL: no file takes so much. */
int rtrsi_control_line(const char *value,
		       char to[RTRS_CONTROL_VALUE_MAX + 1]) HF_MUST_CHECK HF_NONNULL;
/* Of files that show their usage, or nothing but take "1". */
void rtrsi_control_show_usage(const char *name, struct control_text *text) HF_NONNULL;
bool rtrsi_control_is_one(const char *value) HF_MUST_CHECK HF_NONNULL;
/* As the kernel reads a decimal number: -EINVAL, -ERANGE. */
int rtrsi_control_integer(const char *value, int *ret) HF_MUST_CHECK HF_NONNULL;

#endif
