/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Closes every descriptor, opens others under their numbers, and tells whether anybody touched those. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "t/lib/others.h"

enum { FIRST = 3, NUMBERS = 128, HIGH = 300, MESSAGES = 3, MEMBER_DATA = 4711, ALARM_S = 1000000 };

static const char message[] = "for the program alone";

static struct {
	enum others_kind kind;
	int last;
	struct stat is[NUMBERS];
	int far[NUMBERS]; /* the other end, or the member */
} others;

static void must_work(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static int move_high(int fd)
{
	const int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	must_work(high >= 0, "F_DUPFD");
	close(fd);
	return high;
}

static int open_kind_pair(int fds[2])
{
	if (others.kind == OTHERS_SOCKETS)
		return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds);
	return pipe2(fds, O_NONBLOCK);
}

static int take_pair(int *far)
{
	int fds[2];

	must_work(open_kind_pair(fds) == 0, "a pair");
	*far = move_high(fds[1]);
	for (int i = 0; i < MESSAGES; i++)
		must_work(write(*far, message, sizeof(message)) == sizeof(message), "write");
	return fds[0];
}

static int take_epoll(int *far)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = MEMBER_DATA};
	const int fd = epoll_create1(0);

	*far = move_high(eventfd(1, EFD_NONBLOCK));
	must_work(fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, *far, &event) == 0, "an epoll set");
	return fd;
}

static int take_timer(void)
{
	const struct itimerspec far_away = {.it_value = {.tv_sec = ALARM_S}};
	const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	must_work(fd >= 0 && timerfd_settime(fd, 0, &far_away, NULL) == 0, "a timer");
	return fd;
}

static int take_inotify(void)
{
	const int fd = inotify_init1(IN_NONBLOCK);

	must_work(fd >= 0 && inotify_add_watch(fd, "/", IN_DELETE_SELF) >= 0, "inotify");
	return fd;
}

static int take_one(int *far)
{
	switch (others.kind) {
	case OTHERS_SOCKETS:
	case OTHERS_PIPES:
		return take_pair(far);
	case OTHERS_EVENTFDS:
		return eventfd(1, EFD_NONBLOCK);
	case OTHERS_EPOLLS:
		return take_epoll(far);
	case OTHERS_TIMERS:
		return take_timer();
	case OTHERS_INOTIFIES:
		return take_inotify();
	case OTHERS_NULLS:
		return open("/dev/null", O_RDWR);
	default:
		return memfd_create("the program's", 0);
	}
}

void others_take(enum others_kind kind, int last)
{
	others.kind = kind;
	others.last = last < NUMBERS ? last : NUMBERS - 1;
	closefrom(FIRST);
	for (int i = FIRST; i <= others.last; i++) {
		others.far[i] = -1;
		must_work(take_one(&others.far[i]) == i, "the number");
		must_work(fstat(i, &others.is[i]) == 0, "fstat");
	}
}

static const char *read_wrong(int fd)
{
	char got[sizeof(message) * MESSAGES];
	ssize_t size = 0, one;

	while ((one = read(fd, got + size, sizeof(message))) > 0)
		size += one;
	return size == sizeof(got) ? NULL : "was read";
}

static const char *epoll_wrong(int i)
{
	struct epoll_event event = {0};

	if (epoll_wait(i, &event, 1, 0) != 1 || event.data.u64 != MEMBER_DATA ||
	    event.events != (EPOLLIN | EPOLLOUT))
		return "was changed";
	return epoll_ctl(i, EPOLL_CTL_DEL, others.far[i], &event) < 0 ? "lost its member" : NULL;
}

static const char *timer_wrong(int fd)
{
	struct itimerspec left;

	if (timerfd_gettime(fd, &left) < 0)
		return "is no timer";
	/* clock: set to a week and a half; no machine is so slow. */
	return left.it_value.tv_sec < ALARM_S / 2 || left.it_interval.tv_sec ? "was set" : NULL;
}

static const char *what_is_wrong(int i)
{
	struct stat now;
	uint64_t count = 0;

	if (fstat(i, &now) < 0)
		return "was closed";
	if (now.st_dev != others.is[i].st_dev || now.st_ino != others.is[i].st_ino)
		return "was replaced";
	if (fcntl(i, F_GETSIG) != 0)
		return "was marked";
	switch (others.kind) {
	case OTHERS_SOCKETS:
	case OTHERS_PIPES:
		return read_wrong(i);
	case OTHERS_EVENTFDS:
		return read(i, &count, sizeof(count)) != sizeof(count) || count != 1
			       ? "was read or written"
			       : NULL;
	case OTHERS_EPOLLS:
		return epoll_wrong(i);
	case OTHERS_TIMERS:
		return timer_wrong(i);
	case OTHERS_INOTIFIES:
		return inotify_rm_watch(i, 1) < 0 ? "lost its watch" : NULL;
	case OTHERS_NULLS:
		return now.st_rdev != others.is[i].st_rdev ? "was replaced" : NULL;
	default:
		return now.st_size || lseek(i, 0, SEEK_CUR) ? "was read or written" : NULL;
	}
}

int others_check(void)
{
	for (int i = FIRST; i <= others.last; i++) {
		const char *wrong = what_is_wrong(i);

		if (!wrong)
			continue;
		fprintf(stderr, "descriptor %d, kind %d: %s\n", i, (int)others.kind, wrong);
		return i;
	}
	return 0;
}

void others_end(void)
{
	closefrom(FIRST);
}
