/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One descriptor to wait on, and a thread that waits on it. */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rtrs/lib/wait.h"
#include "shared/thread.h"

enum { NS_PER_SECOND = 1000000000 };

int rtrsi_wait_add(struct rtrs_wait *wait, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(wait->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int rtrsi_wait_init(struct rtrs_wait *wait)
{
	int err;

	*wait = (struct rtrs_wait){.armed_ns = INT64_MAX};
	wait->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (wait->epoll < 0)
		return -errno;
	wait->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (wait->timer < 0) {
		err = -errno;
		goto no_timer;
	}
	wait->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wait->wake < 0) {
		err = -errno;
		goto no_wake;
	}
	err = rtrsi_wait_add(wait, wait->timer);
	if (!err)
		err = rtrsi_wait_add(wait, wait->wake);
	if (err)
		goto not_added;
	return 0;
not_added:
	close(wait->wake);
no_wake:
	close(wait->timer);
no_timer:
	close(wait->epoll);
	return err;
}

void rtrsi_wait_free(struct rtrs_wait *wait)
{
	close(wait->wake);
	close(wait->timer);
	close(wait->epoll);
}

void rtrsi_wait_wake(struct rtrs_wait *wait)
{
	const uint64_t one = 1;

	if (!wait->is_woken)
		wait->is_woken = write(wait->wake, &one, sizeof(one)) == sizeof(one);
}

void rtrsi_wait_clear(struct rtrs_wait *wait)
{
	uint64_t count;

	if (wait->is_woken && read(wait->wake, &count, sizeof(count)) == sizeof(count))
		wait->is_woken = false;
}

/* Setting the time also takes back that it was readable. */
void rtrsi_wait_until(struct rtrs_wait *wait, int64_t deadline_ns)
{
	struct itimerspec when = {0};

	if (deadline_ns == wait->armed_ns)
		return;
	if (deadline_ns < 1)
		deadline_ns = 1;
	if (deadline_ns != INT64_MAX)
		when.it_value = (struct timespec){.tv_sec = deadline_ns / NS_PER_SECOND,
						  .tv_nsec = deadline_ns % NS_PER_SECOND};
	if (!timerfd_settime(wait->timer, TFD_TIMER_ABSTIME, &when, NULL))
		wait->armed_ns = deadline_ns;
}

static void *run_dispatch(void *arg)
{
	struct rtrs_wait *wait = arg;
	struct pollfd poll_fd = {.fd = wait->epoll, .events = POLLIN};

	while (!__atomic_load_n(&wait->is_stopped, __ATOMIC_ACQUIRE)) {
		if (poll(&poll_fd, 1, -1) < 0 && errno != EINTR)
			break;
		if (wait->dispatch(wait->object) < 0)
			break;
	}
	return NULL;
}

int rtrsi_wait_run(struct rtrs_wait *wait, int (*dispatch)(void *object), void *object)
{
	int err;

	if (wait->has_thread)
		return -EALREADY;
	wait->dispatch = dispatch;
	wait->object = object;
	err = hfi_thread_start(&wait->thread, run_dispatch, wait);
	wait->has_thread = !err;
	return err;
}

void rtrsi_wait_stop(struct rtrs_wait *wait)
{
	const uint64_t one = 1;

	if (!wait->has_thread)
		return;
	__atomic_store_n(&wait->is_stopped, true, __ATOMIC_RELEASE);
	while (write(wait->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(wait->thread, NULL);
	wait->has_thread = false;
}
