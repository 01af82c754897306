/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: messages of providers, written to the file of VERBS_LOG_FILE. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "compat/private34/log.h"
#include "compat/private34/steering.h"

/* Static because __verbs_log() gets nothing that leads to a Holdfast context. */
static struct {
	pthread_once_t once;
	unsigned long level; /* 0: log nothing */
	FILE *file;
} verbs_log = {.once = PTHREAD_ONCE_INIT};

/* secure_getenv(): a set-uid program must not write to a file that its user chooses. */
static void read_log_environment(void)
{
	const char *level = secure_getenv("VERBS_LOG_LEVEL");
	const char *file = secure_getenv("VERBS_LOG_FILE");

	if (!level || !file)
		return;
	verbs_log.level = strtoul(level, NULL, 0);
	if (!verbs_log.level)
		return;
	/* For reading too, as libibverbs opens it: the open of a FIFO that nobody reads does not wait then. */
	verbs_log.file = fopen(file, "a+e");
	if (verbs_log.file)
		setvbuf(verbs_log.file, NULL, _IOLBF, 0);
	else
		verbs_log.level = 0;
}

void hfi_verbs_log_open(void)
{
	pthread_once(&verbs_log.once, read_log_environment);
}

HF_PRIVATE34 void __verbs_log(struct verbs_context *context, uint32_t level, const char *format,
			      ...)
{
	int saved = errno;
	va_list args;

	(void)context;
	hfi_verbs_log_open();
	if (level <= verbs_log.level && verbs_log.file) {
		va_start(args, format);
		vfprintf(verbs_log.file, format, args);
		va_end(args);
	}
	errno = saved;
}
