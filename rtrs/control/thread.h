/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A control socket with a thread of its own and a small tree, for those who have no descriptor to dispatch. */
#ifndef RTRS_CONTROL_THREAD_H
#define RTRS_CONTROL_THREAD_H

#include <pthread.h>

#include "rtrs/control/visit.h"
#include "shared/attr.h"

struct rtrs_control_thread;

/* The tree is visited, read and written with the lock held. NULL: it is done without; see rtrsi_control_open(). */
struct rtrs_control_thread *rtrsi_control_thread_start(rtrs_visit_fn visit_all, void *user,
						       pthread_mutex_t *lock) HF_MUST_CHECK
	HF_NONNULL_OF(1, 3);
/* Without the lock, and not from a file of the tree. NULL is allowed. */
void rtrsi_control_thread_end(struct rtrs_control_thread *thread);
/* With the lock. As rtrsi_control_done(). */
void rtrsi_control_thread_done(struct rtrs_control_thread *thread, uint64_t number, int error);
/* Of the socket. Empty: there is none. */
const char *rtrsi_control_thread_name(const struct rtrs_control_thread *thread);

#endif
