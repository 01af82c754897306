/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages to standard error, with severities for systemd's journal, or to syslog. */
#ifndef NDD_LOG_H
#define NDD_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Sets the least severity that is logged, LOG_ERR to LOG_DEBUG. */
void ndd_log_level(int level);
/* Logs to syslog from now on, for a daemon in the background. */
void ndd_log_to_syslog(void);

__attribute__((format(printf, 2, 3))) void ndd_log(int severity, const char *format, ...);

#endif
