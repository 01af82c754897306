/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages: to standard error, for systemd's journal with their severity, or to syslog. */
#ifndef NDD_LOG_H
#define NDD_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Up to which severity, LOG_ERR to LOG_DEBUG. */
void ndd_log_level(int level);
/* From here on to syslog: nobody reads standard error. */
void ndd_log_to_syslog(void);

__attribute__((format(printf, 2, 3))) void ndd_log(int severity, const char *format, ...);

#endif
