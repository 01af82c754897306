/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Serves a control socket until it is told to end. */
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rtrs/control/endpoint.h"
#include "rtrs/control/thread.h"
#include "shared/thread.h"

struct rtrs_control_thread {
	struct rtrs_control *control;
	rtrs_visit_fn visit_all;
	void *user;
	pthread_mutex_t *lock;
	pthread_t thread;
	int ending; /* readable: it is to end */
};

static void *serve_control(void *arg)
{
	struct rtrs_control_thread *thread = arg;
	struct pollfd waits[] = {
		{.fd = thread->control->epoll, .events = POLLIN},
		{.fd = thread->ending, .events = POLLIN},
	};

	for (;;) {
		(void)poll(waits, 2, -1);
		if (waits[1].revents)
			return NULL;
		pthread_mutex_lock(thread->lock);
		rtrsi_control_dispatch(thread->control);
		pthread_mutex_unlock(thread->lock);
	}
}

static void list_visited(void *user, struct rtrs_control_cursor *cursor, bool with_values,
			 struct rtrs_control_page *page)
{
	const struct rtrs_control_thread *thread = user;

	rtrsi_visit_list(thread->visit_all, thread->user, cursor, with_values, page);
}

static int read_visited(void *user, const char *path, char *to, size_t size)
{
	const struct rtrs_control_thread *thread = user;

	return rtrsi_visit_read(thread->visit_all, thread->user, path, to, size);
}

static int write_visited(void *user, const char *path, const char *value, size_t length,
			 uint64_t *number)
{
	const struct rtrs_control_thread *thread = user;

	(void)length;
	return rtrsi_visit_write(thread->visit_all, thread->user, path, value, number);
}

static const struct rtrs_control_ops tree_ops = {
	.list = list_visited,
	.read = read_visited,
	.write = write_visited,
};

struct rtrs_control_thread *rtrsi_control_thread_start(rtrs_visit_fn visit_all, void *user,
						       pthread_mutex_t *lock)
{
	struct rtrs_control_thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->visit_all = visit_all;
	thread->user = user;
	thread->lock = lock;
	thread->ending = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->ending < 0)
		goto no_event;
	thread->control = rtrsi_control_open(&tree_ops, thread);
	if (!thread->control)
		goto no_control;
	if (hfi_thread_start(&thread->thread, serve_control, thread))
		goto no_thread;
	return thread;
no_thread:
	rtrsi_control_close(thread->control);
no_control:
	close(thread->ending);
no_event:
	free(thread);
	return NULL;
}

void rtrsi_control_thread_end(struct rtrs_control_thread *thread)
{
	if (!thread)
		return;
	(void)eventfd_write(thread->ending, 1);
	pthread_join(thread->thread, NULL);
	rtrsi_control_close(thread->control);
	close(thread->ending);
	free(thread);
}

void rtrsi_control_thread_done(struct rtrs_control_thread *thread, uint64_t number, int error)
{
	if (thread)
		rtrsi_control_done(thread->control, number, error);
}

const char *rtrsi_control_thread_name(const struct rtrs_control_thread *thread)
{
	return thread ? thread->control->name : "";
}
