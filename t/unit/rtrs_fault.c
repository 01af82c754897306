/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RTRS, the library while each of its allocations and system calls fails once: whatever comes of it, nothing is lost
 * or left, and what is asked for later works. The linker has the library call the functions below.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>
#include <rtrs/rtrs.h>

#include "t/lib/process.h"
#include "t/lib/rtrs_fails.h"

/* --- what fails ---------------------------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses,cert-*) */
RTRS_WRAP(void *, malloc, ENOMEM, NULL, (size_t size), (size))
RTRS_WRAP(void *, calloc, ENOMEM, NULL, (size_t count, size_t size), (count, size))
RTRS_WRAP(void *, reallocarray, ENOMEM, NULL, (void *old, size_t count, size_t size),
	  (old, count, size))
RTRS_WRAP(void *, mmap, ENOMEM, MAP_FAILED,
	  (void *at, size_t size, int protection, int flags, int fd, off_t offset),
	  (at, size, protection, flags, fd, offset))
RTRS_WRAP(int, socket, EMFILE, -1, (int family, int type, int protocol), (family, type, protocol))
RTRS_WRAP(int, bind, EACCES, -1, (int fd, const struct sockaddr *to, socklen_t size),
	  (fd, to, size))
RTRS_WRAP(int, listen, EADDRINUSE, -1, (int fd, int backlog), (fd, backlog))
RTRS_WRAP(int, connect, ECONNREFUSED, -1, (int fd, const struct sockaddr *to, socklen_t size),
	  (fd, to, size))
RTRS_WRAP(int, accept4, EMFILE, -1, (int fd, struct sockaddr *from, socklen_t *size, int flags),
	  (fd, from, size, flags))
RTRS_WRAP(int, setsockopt, ENOPROTOOPT, -1,
	  (int fd, int level, int name, const void *value, socklen_t size),
	  (fd, level, name, value, size))
RTRS_WRAP(int, getsockopt, EIO, -1, (int fd, int level, int name, void *value, socklen_t *size),
	  (fd, level, name, value, size))
RTRS_WRAP(int, epoll_create1, EMFILE, -1, (int flags), (flags))
RTRS_WRAP(int, epoll_ctl, ENOSPC, -1, (int epoll, int op, int fd, struct epoll_event *event),
	  (epoll, op, fd, event))
RTRS_WRAP(int, eventfd, EMFILE, -1, (unsigned int value, int flags), (value, flags))
RTRS_WRAP(int, timerfd_create, EMFILE, -1, (int clock, int flags), (clock, flags))
RTRS_WRAP(ssize_t, getrandom, EINTR, -1, (void *to, size_t size, unsigned int flags),
	  (to, size, flags))
RTRS_WRAP(ssize_t, readv, ECONNRESET, -1, (int fd, const struct iovec *to, int count),
	  (fd, to, count))
RTRS_WRAP(ssize_t, sendmsg, EPIPE, -1, (int fd, const struct msghdr *message, int flags),
	  (fd, message, flags))
RTRS_WRAP(ssize_t, recv, ECONNRESET, -1, (int fd, void *to, size_t size, int flags),
	  (fd, to, size, flags))
RTRS_WRAP(ssize_t, send, EPIPE, -1, (int fd, const void *from, size_t size, int flags),
	  (fd, from, size, flags))
RTRS_WRAP(int, epoll_wait, EINTR, -1, (int epoll, struct epoll_event *ret, int count, int wait_ms),
	  (epoll, ret, count, wait_ms))
RTRS_WRAP(int, flock, ENOLCK, -1, (int fd, int operation), (fd, operation))
RTRS_WRAP(int, fstat, EIO, -1, (int fd, struct stat *ret), (fd, ret))
RTRS_WRAP(int, lstat, EIO, -1, (const char *path, struct stat *ret), (path, ret))
RTRS_WRAP(int, getsockname, ENOBUFS, -1, (int fd, struct sockaddr *ret, socklen_t *size),
	  (fd, ret, size))
RTRS_WRAP(int, getpeername, ENOTCONN, -1, (int fd, struct sockaddr *ret, socklen_t *size),
	  (fd, ret, size))
/* NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses,cert-*) */

/* --- what is done -------------------------------------------------------------------------------- */

enum {
	BLOCK = 2048,
	REQUESTS = 6,
	ROUNDS_MAX = 3000,
	STEP_WITH_DEVICES = 31,
	CONNECT_ROUNDS = 300,
	DEPTH = 4
};

static char directory[] = "/tmp/hf-rtrs-fault-XXXXXX";
static char address[64];  /* of the service */
static char paths[2][64]; /* a client's */

static struct {
	struct rtrs_service *service;
	struct rtrs_session *session;
	uint8_t disk[REQUESTS][BLOCK];
	uint8_t data[REQUESTS][BLOCK];
	bool is_written[REQUESTS];
	unsigned int outcomes[REQUESTS];
	int errors[REQUESTS];
	unsigned int ups, downs, paths_up, path_failures;
} bed;

static void carry_out_job(struct rtrs_job *job, void *user)
{
	size_t length, header_length;
	uint8_t *data = rtrs_job_data(job, &length);
	const uint8_t *header = rtrs_job_header(job, &header_length);

	(void)user;
	assert_int_equal(header_length, 1);
	assert_int_equal(length, BLOCK);
	assert_true(*header < REQUESTS);
	if (rtrs_job_is_read(job))
		memcpy(data, bed.disk[*header], BLOCK);
	else
		memcpy(bed.disk[*header], data, BLOCK);
	rtrs_job_answer(job, 0);
}

static void of_service(struct rtrs_service *service, const struct rtrs_service_event *event,
		       void *user)
{
	(void)service;
	(void)user;
	bed.ups += event->type == RTRS_SERVICE_SESSION_UP;
	bed.downs += event->type == RTRS_SERVICE_SESSION_DOWN;
}

static void of_session(struct rtrs_session *session, const struct rtrs_session_event *event,
		       void *user)
{
	(void)session;
	(void)user;
	bed.paths_up += event->type == RTRS_SESSION_PATH_UP;
	bed.path_failures += event->type == RTRS_SESSION_PATH_FAILED;
}

static void has_outcome(int error, void *user)
{
	unsigned int number = (unsigned int)(uintptr_t)user;

	bed.outcomes[number]++;
	bed.errors[number] = error;
}

/* Once it has failed for good there is nothing to wait for. */
static bool serve_both(int wait_ms)
{
	struct pollfd fds[] = {{.fd = rtrs_service_fd(bed.service), .events = POLLIN},
			       {.fd = rtrs_session_fd(bed.session), .events = POLLIN}};

	(void)poll(fds, 2, wait_ms);
	return !rtrs_service_dispatch(bed.service) && !rtrs_session_dispatch(bed.session);
}

static bool open_ends(void)
{
	const struct rtrs_service_options of_the_service = {.size = sizeof(of_the_service),
							    .job = carry_out_job,
							    .event = of_service,
							    .queue_depth = DEPTH,
							    .max_io = 4096,
							    .invalidate = 1};
	const struct rtrs_session_options of_the_session = {.size = sizeof(of_the_session),
							    .name = "fault",
							    .event = of_session,
							    .permits = DEPTH,
							    .reconnect_delay_ms = 1};

	memset(&bed, 0, sizeof(bed));
	if (rtrs_service_open(&of_the_service, &bed.service)) {
		bed.service = NULL;
		return false;
	}
	if (rtrs_service_listen(bed.service, address))
		return false;
	if (rtrs_session_open(&of_the_session, &bed.session)) {
		bed.session = NULL;
		return false;
	}
	return true;
}

static bool is_connected(void)
{
	struct rtrs_path_info info = {.size = sizeof(info)};

	for (unsigned int i = 0; i < 2; i++) {
		if (!rtrs_session_path_info(bed.session, i, &info) && info.is_connected)
			return true;
	}
	return false;
}

/* A path that failed is asked for again: what failed once does not fail again. */
static bool connect_paths(void)
{
	unsigned int failures = 0;

	for (unsigned int i = 0; i < 2; i++) {
		if (rtrs_session_add_path(bed.session, paths[i]) < 0 &&
		    rtrs_session_add_path(bed.session, paths[i]) < 0)
			return false;
	}
	for (int round = 0;
	     round < CONNECT_ROUNDS && !(is_connected() && bed.paths_up + failures >= 2); round++) {
		if (!serve_both(1))
			return false;
		for (unsigned int i = 0; i < 2 && bed.path_failures > failures; i++)
			(void)!rtrs_session_reconnect_path(bed.session, i);
		failures = bed.path_failures;
	}
	return is_connected();
}

static bool do_one(unsigned int number, bool is_read)
{
	const uint8_t header = (uint8_t)number;
	struct iovec part = {bed.data[number], BLOCK};
	const struct rtrs_transfer transfer = {.size = sizeof(transfer),
					       .header = &header,
					       .header_length = 1,
					       .data = &part,
					       .data_count = 1,
					       .done = has_outcome,
					       .user = (void *)(uintptr_t)number};
	struct rtrs_permit *permit;

	bed.outcomes[number] = 0;
	if (rtrs_permit_get(bed.session, &permit))
		return false;
	if ((is_read ? rtrs_read : rtrs_write)(permit, &transfer)) {
		rtrs_permit_put(permit);
		return false;
	}
	for (int round = 0; round < ROUNDS_MAX && !bed.outcomes[number]; round++) {
		if (!serve_both(1))
			return false;
	}
	assert_int_equal(bed.outcomes[number], 1);
	return !bed.errors[number];
}

static void transfer_all(void)
{
	for (unsigned int i = 0; i < REQUESTS; i++) {
		memset(bed.data[i], 'a' + (int)i, BLOCK);
		bed.is_written[i] = do_one(i, false);
	}
	for (unsigned int i = 0; i < REQUESTS; i++) {
		memset(bed.data[i], 0, BLOCK);
		if (!bed.is_written[i] || !do_one(i, true))
			continue;
		for (unsigned int k = 0; k < BLOCK; k++)
			assert_int_equal(bed.data[i][k], 'a' + i);
	}
}

/* The other path takes what the first one had; that comes back. */
static void lose_a_path(void)
{
	(void)!rtrs_session_disconnect_path(bed.session, 0);
	(void)do_one(0, true);
	for (int round = 0; round < 50; round++) {
		if (!serve_both(0))
			return;
	}
	(void)!rtrs_session_reconnect_path(bed.session, 0);
	for (int round = 0; round < 50; round++) {
		if (!serve_both(0))
			return;
	}
}

static void go_through(void)
{
	if (open_ends() && connect_paths()) {
		transfer_all();
		lose_a_path();
	}
	rtrs_session_close(bed.session);
	rtrs_service_close(bed.service);
	assert_int_equal(bed.ups, bed.downs);
}

static bool is_of_file(void)
{
	return strncmp(address, "unix:", strlen("unix:")) == 0;
}

static void check_what_is_left(int fds)
{
	if (count_open_fds() != fds)
		fail_msg("call %lu, %s: a descriptor is left", rtrs_fails_at, rtrs_failed);
	if (rtrs_verbs_objects)
		fail_msg("call %lu, %s: %ld objects of verbs are left", rtrs_fails_at, rtrs_failed,
			 rtrs_verbs_objects);
	/* Where it could not be seen to be the listener's own it stays. */
	if (is_of_file() && !access(address + strlen("unix:"), F_OK)) {
		assert_string_equal(rtrs_failed, "lstat");
		unlink(address + strlen("unix:"));
	}
}

/* Some of them, where each takes long. */
static unsigned long step_to_next(void)
{
	const char *is_long = getenv("long");

	if (getenv("HF_VALGRIND"))
		return is_of_file() ? 9 : 67;
	return is_of_file() || (is_long && !strcmp(is_long, "1")) ? 1 : STEP_WITH_DEVICES;
}

static void each_call_fails_once(void **state)
{
	unsigned long failed_calls = 0;
	int before;

	(void)state;
	rtrs_fails_at = 0;
	go_through();
	before = count_open_fds();
	rtrs_failed = "the first one";
	/* In each run others. */
	for (rtrs_fails_at = 1 + (unsigned long)getpid() % step_to_next(); rtrs_failed;
	     rtrs_fails_at += step_to_next()) {
		rtrs_calls = 0;
		rtrs_failed = NULL;
		go_through();
		failed_calls += rtrs_failed != NULL;
		check_what_is_left(before);
	}
	printf("%lu calls failed\n", failed_calls);
	assert_true(failed_calls > 20);
	/* Afterwards all is well. */
	rtrs_fails_at = 0;
	assert_true(open_ends() && connect_paths());
	transfer_all();
	for (unsigned int i = 0; i < REQUESTS; i++)
		assert_true(bed.is_written[i]);
	rtrs_session_close(bed.session);
	rtrs_service_close(bed.service);
}

/* A Unix socket, or the first two of the soft devices. */
static void choose_addresses(void)
{
	const char *devices = getenv("HF_RTRS_DEVICES");
	unsigned int port = 20000 + (unsigned int)getpid() % 10000;

	snprintf(address, sizeof(address), "unix:%s/s", directory);
	if (devices)
		snprintf(address, sizeof(address), "soft:0.0.0.0:%u", port);
	for (size_t i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s", address);
		if (!devices)
			continue;
		snprintf(paths[i], sizeof(paths[i]), "soft:%.*s:%u", (int)strcspn(devices, " "),
			 devices, port);
		devices += strcspn(devices, " ") + 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_once),
	};
	int failures;

	setenv("HOLDFAST_RTRS_CONTROL", "off", 1);
	if (!mkdtemp(directory))
		return 1;
	choose_addresses();
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	if (rmdir(directory))
		failures++;
	return failures;
}
