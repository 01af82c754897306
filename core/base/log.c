/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes log messages to the program's log function or to standard error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/base/log.h"

static const char *const level_names[] = {
	[HF_LOG_ERROR] = "error",
	[HF_LOG_WARNING] = "warning",
	[HF_LOG_INFO] = "info",
	[HF_LOG_DEBUG] = "debug",
};

struct held {
	hf_log_fn fn;
	void *arg;
	enum hf_log_level level;
	struct held *next, *prev; /* utlist */
	char message[];
};

/* Static: locks of several contexts may be held, and held messages belong to the thread. */
static _Thread_local struct {
	unsigned int depth;
	struct held *messages;
} held;

void hfi_log_hold(void)
{
	held.depth++;
}

void hfi_log_release(void)
{
	struct held *messages, *message, *next;

	if (--held.depth)
		return;
	messages = held.messages;
	held.messages = NULL;
	DL_FOREACH_SAFE (messages, message, next) {
		message->fn(message->arg, message->level, message->message);
		free(message);
	}
}

/* Without memory the message is lost: the user's function must not be called now. */
static void hold_message(const struct hf_log *log, enum hf_log_level level, const char *message)
{
	struct held *kept = malloc(sizeof(*kept) + strlen(message) + 1);

	if (!kept)
		return;
	*kept = (struct held){.fn = log->fn, .arg = log->arg, .level = level};
	strcpy(kept->message, message);
	DL_APPEND(held.messages, kept);
}

void hfi_log_message(const struct hf_log *log, enum hf_log_level level, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	/* Paths and the loader's messages may hold control characters, which a terminal would obey. */
	for (char *c = message; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (log->fn && held.depth)
		hold_message(log, level, message);
	else if (log->fn)
		log->fn(log->arg, level, message);
	else
		fprintf(stderr, "holdfast: %s: %s\n", level_names[level], message);
}
