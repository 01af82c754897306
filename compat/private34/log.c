/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What providers have to say, in the file that VERBS_LOG_FILE names and nowhere else. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "compat/private34/steering.h"

/* Static: the variables are the process's, and a provider's library is given nothing to find them by. */
static struct {
	pthread_once_t once;
	unsigned long level; /* 0: nothing is said */
	FILE *file;
} verbs_log = {.once = PTHREAD_ONCE_INIT};

/* Not in a set-uid program: it would write where its user may not. */
static void read_environment(void)
{
	const char *level = secure_getenv("VERBS_LOG_LEVEL");
	const char *file = secure_getenv("VERBS_LOG_FILE");

	if (!level || !file)
		return;
	verbs_log.level = strtoul(level, NULL, 0);
	if (!verbs_log.level)
		return;
	verbs_log.file = fopen(file, "ae");
	if (verbs_log.file)
		setvbuf(verbs_log.file, NULL, _IOLBF, 0);
	else
		verbs_log.level = 0;
}

HF_PRIVATE34 void __verbs_log(struct verbs_context *context, uint32_t level, const char *format,
			      ...)
{
	int saved = errno;
	va_list args;

	(void)context;
	pthread_once(&verbs_log.once, read_environment);
	if (level <= verbs_log.level && verbs_log.file) {
		va_start(args, format);
		vfprintf(verbs_log.file, format, args);
		va_end(args);
	}
	errno = saved;
}
