/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prints into the text of a small file, and reads what is written to one. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/control/text.h"
#include "shared/text.h"

void rtrsi_control_print(struct control_text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->to + text->length, text->size - text->length, format, args);
	va_end(args);
	if (length < 0)
		return;
	text->length += (size_t)length;
	if (text->length >= text->size)
		text->length = text->size - 1;
}

int rtrsi_control_line(const char *value, char to[RTRS_CONTROL_VALUE_MAX + 1])
{
	size_t length;

	if (hfi_copy(to, RTRS_CONTROL_VALUE_MAX + 1, value))
		return -EINVAL;
	length = strlen(to);
	if (length && to[length - 1] == '\n')
		to[length - 1] = '\0';
	return 0;
}

void rtrsi_control_show_usage(const char *name, struct control_text *text)
{
	rtrsi_control_print(text, "Usage: echo 1 > %s\n", name);
}

bool rtrsi_control_is_one(const char *value)
{
	return !strcmp(value, "1");
}

int rtrsi_control_integer(const char *value, int *ret)
{
	const char *digits = *value == '-' || *value == '+' ? value + 1 : value;
	long number;

	if (!*digits || digits[strspn(digits, "0123456789")])
		return -EINVAL;
	errno = 0;
	number = strtol(value, NULL, 10);
	if (errno || number > INT_MAX || number < INT_MIN)
		return -ERANGE;
	*ret = (int)number;
	return 0;
}
