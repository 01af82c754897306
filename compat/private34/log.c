/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: messages of providers, written to the file of VERBS_LOG_FILE. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compat/private34/log.h"

/* Static because __verbs_log() gets nothing that leads to a Holdfast context. */
static struct {
	pthread_once_t once;
	pthread_mutex_t lock;
	unsigned long level; /* 0: log nothing */
	const char *name;
	FILE *file;
	struct stat is; /* the file: the program may close its number, and have another one there */
} verbs_log = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void open_log(void)
{
	/* For reading too, like libibverbs: opening a FIFO without a reader then does not wait. */
	verbs_log.file = fopen(verbs_log.name, "a+e");
	if (!verbs_log.file)
		return;
	setvbuf(verbs_log.file, NULL, _IOLBF, 0);
	if (fstat(fileno(verbs_log.file), &verbs_log.is) < 0)
		verbs_log.is = (struct stat){0};
}

/* One that is not ours any more is left alone, and its memory with it: to close it would close the number. */
static FILE *log_file(void)
{
	struct stat now;

	if (verbs_log.file &&
	    (fstat(fileno(verbs_log.file), &now) < 0 || now.st_dev != verbs_log.is.st_dev ||
	     now.st_ino != verbs_log.is.st_ino))
		open_log();
	return verbs_log.file;
}

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
	verbs_log.name = strdup(file);
	if (verbs_log.name)
		open_log();
	if (!verbs_log.file)
		verbs_log.level = 0;
}

void hfi_verbs_log_open(void)
{
	pthread_once(&verbs_log.once, read_log_environment);
}

HF_IN_ALL(__verbs_log)
void __verbs_log(struct verbs_context *context, uint32_t level, const char *format, ...)
{
	int saved = errno;
	va_list args;

	(void)context;
	hfi_verbs_log_open();
	if (level <= verbs_log.level) {
		FILE *file = NULL;
		int cancel_state;

		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
		/*
		 * A fork may leave the lock held by a thread that does not exist in the child:
		 * never wait for it.
		 */
		if (pthread_mutex_trylock(&verbs_log.lock) == 0) {
			file = log_file();
			pthread_mutex_unlock(&verbs_log.lock);
		}
		pthread_setcancelstate(cancel_state, NULL);
		va_start(args, format);
		if (file)
			vfprintf(file, format, args);
		va_end(args);
	}
	errno = saved;
}
