/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory and complaints of the control programs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/tools/tool.h"
#include "shared/printed.h"

void rtrsi_complain(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	hfi_put_safe(stderr, text);
	putc('\n', stderr);
}

static void *or_end(void *memory)
{
	if (memory)
		return memory;
	rtrsi_complain("out of memory");
	exit(EXIT_FAILURE);
}

void *rtrsi_grow(void *old, size_t count, size_t size)
{
	return or_end(reallocarray(old, count, size));
}

char *rtrsi_copy_text(const char *text, size_t length)
{
	return or_end(strndup(text, length));
}
