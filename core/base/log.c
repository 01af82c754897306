/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/log.h"

static const char *const level_names[] = {
	[HF_LOG_ERROR] = "error",
	[HF_LOG_WARNING] = "warning",
	[HF_LOG_INFO] = "info",
	[HF_LOG_DEBUG] = "debug",
};

void hf_log_message(const struct hf_log *log, enum hf_log_level level, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	/* Paths and the loader's words may hold anything, and a terminal obeys it. */
	for (char *c = message; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (log->fn)
		log->fn(log->arg, level, message);
	else
		fprintf(stderr, "holdfast: %s: %s\n", level_names[level], message);
}
