/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The one descriptor of a session or service: its links, its time-out, and a way to wake whoever waits. */
#ifndef RTRS_LIB_WAIT_H
#define RTRS_LIB_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

struct rtrs_wait {
	int epoll, timer, wake;
	int64_t armed_ns; /* INT64_MAX: not */
	bool is_woken;
	int (*dispatch)(void *object); /* of the thread */
	void *object;
	pthread_t thread;
	bool has_thread;
	bool is_stopped; /* atomic */
};

int rtrsi_wait_init(struct rtrs_wait *wait) HF_MUST_CHECK HF_NONNULL;
/* After its thread has ended. */
void rtrsi_wait_free(struct rtrs_wait *wait) HF_NONNULL;
int rtrsi_wait_add(struct rtrs_wait *wait, int fd) HF_MUST_CHECK HF_NONNULL;
/* The descriptor becomes readable. */
void rtrsi_wait_wake(struct rtrs_wait *wait) HF_NONNULL;
/* Takes that back. */
void rtrsi_wait_clear(struct rtrs_wait *wait) HF_NONNULL;
/* It becomes readable at that time, if not earlier; INT64_MAX: the time does not matter. */
void rtrsi_wait_until(struct rtrs_wait *wait, int64_t deadline_ns) HF_NONNULL;
/* A thread that dispatches until it is stopped. -EALREADY, or -errno of the system. */
int rtrsi_wait_run(struct rtrs_wait *wait, int (*dispatch)(void *object),
		   void *object) HF_MUST_CHECK HF_NONNULL;
void rtrsi_wait_stop(struct rtrs_wait *wait) HF_NONNULL;

#endif
