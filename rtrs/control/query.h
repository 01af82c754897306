/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The other end of control sockets: finds the processes, and asks them. */
#ifndef RTRS_CONTROL_QUERY_H
#define RTRS_CONTROL_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "rtrs/control/place.h"
#include "rtrs/control/wire.h"
#include "shared/attr.h"

/* How long a process may take, but for writes, which end when they end, or with -EINTR. */
enum { RTRS_QUERY_MS = 5000 };

/*
 * Calls `each` for the name of every socket, in no order, until it returns other than 0, and returns that. Sockets
 * of processes that have ended are removed.
 */
int rtrsi_query_each(int place, int (*each)(void *arg, const char *name), void *arg) HF_MUST_CHECK
	HF_NONNULL_OF(2);

/*
 * Asks one process, and puts the answer's page at `page`, which holds RTRS_CONTROL_PAGE bytes. *pid, unless NULL, is
 * the process's. The answer's error, or -ETIMEDOUT; -ENXIO: it has ended; -EBUSY: too many ask it; -EBADMSG: what it
 * says is no answer; and others of the system.
 */
int rtrsi_query(int place, const char *name, const struct rtrs_control_request *request,
		struct rtrs_control_cursor *next, struct rtrs_control_page *page,
		pid_t *pid) HF_MUST_CHECK HF_NONNULL_OF(2, 3);

#endif
