/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages to standard error, with severities for systemd's journal, or to syslog. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "boot/ndd/log.h"

/* Static: this is a program, not a library. */
static int level = LOG_NOTICE;
static bool to_syslog;

void ndd_log_level(int severity)
{
	level = severity;
}

void ndd_log_to_syslog(void)
{
	to_syslog = true;
	openlog("rdma-ndd", LOG_PID, LOG_DAEMON);
}

void ndd_log(int severity, const char *format, ...)
{
	char message[512];
	va_list args;

	if (severity > level)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	/* A host name may contain a newline and text that looks like another message. */
	for (char *at = message; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	if (to_syslog)
		syslog(severity, "%s", message);
	else if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", severity, message); /* sd-daemon(3) */
	else
		fprintf(stderr, "rdma-ndd: %s\n", message);
}
