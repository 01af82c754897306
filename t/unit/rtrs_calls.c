/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How many system calls a request over a Unix socket costs both ends together, apart from the callers' own waits. */
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include <rtrs/rtrs.h>

enum { REQUESTS = 2000, BLOCK = 4096, DEPTH_MAX = 32 };

static unsigned long calls;

/* The linker has everybody call these. */
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int ms);
int __real_epoll_wait(int epoll, struct epoll_event *events, int count, int ms);
ssize_t __wrap_readv(int fd, const struct iovec *vectors, int count);
ssize_t __real_readv(int fd, const struct iovec *vectors, int count);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_read(int fd, void *to, size_t size);
ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_write(int fd, const void *from, size_t size);
ssize_t __real_write(int fd, const void *from, size_t size);

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int ms)
{
	calls++;
	return __real_epoll_wait(epoll, events, count, ms);
}

ssize_t __wrap_readv(int fd, const struct iovec *vectors, int count)
{
	calls++;
	return __real_readv(fd, vectors, count);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	calls++;
	return __real_sendmsg(fd, message, flags);
}

ssize_t __wrap_read(int fd, void *to, size_t size)
{
	calls++;
	return __real_read(fd, to, size);
}

ssize_t __wrap_write(int fd, const void *from, size_t size)
{
	calls++;
	return __real_write(fd, from, size);
}

struct load {
	struct rtrs_session *session;
	unsigned int left, under_way;
	int error;
	char data[DEPTH_MAX][BLOCK];
	struct iovec parts[DEPTH_MAX];
	unsigned int next;
	bool is_read, is_up;
};

static void counted_request_ended(int error, void *user);

static void begin_counted_request(struct load *load)
{
	unsigned int place = load->next++ % DEPTH_MAX;
	const struct rtrs_transfer transfer = {.size = sizeof(transfer),
					       .header = "12345678",
					       .header_length = 8,
					       .data = &load->parts[place],
					       .data_count = 1,
					       .done = counted_request_ended,
					       .user = load};
	struct rtrs_permit *permit;

	load->parts[place] = (struct iovec){load->data[place], BLOCK};
	assert_return_code(rtrs_permit_get(load->session, &permit), 0);
	assert_return_code(
		load->is_read ? rtrs_read(permit, &transfer) : rtrs_write(permit, &transfer), 0);
	load->left--;
	load->under_way++;
}

static void counted_request_ended(int error, void *user)
{
	struct load *load = user;

	load->under_way--;
	load->error = load->error ? load->error : error;
	if (load->left)
		begin_counted_request(load);
}

static void answer_counted_job(struct rtrs_job *job, void *user)
{
	(void)user;
	rtrs_job_answer(job, 0);
}

static void note_counted_path(struct rtrs_session *session, const struct rtrs_session_event *event,
			      void *user)
{
	(void)session;
	if (event->type == RTRS_SESSION_PATH_UP)
		((struct load *)user)->is_up = true;
}

/* Both ends by turns, each as soon as it says that it has something to do. */
static void pump_both_ends(struct rtrs_service *service, struct rtrs_session *session)
{
	struct pollfd ends[] = {{.fd = rtrs_service_fd(service), .events = POLLIN},
				{.fd = rtrs_session_fd(session), .events = POLLIN}};

	assert_true(poll(ends, 2, -1) > 0);
	if (ends[0].revents)
		assert_return_code(rtrs_service_dispatch(service), 0);
	if (ends[1].revents)
		assert_return_code(rtrs_session_dispatch(session), 0);
}

/* Of one request, in hundredths. */
static unsigned long cost_of(bool is_read, unsigned int depth)
{
	static const struct rtrs_service_options of_service = {.size = sizeof(of_service),
							       .job = answer_counted_job};
	struct load *load = calloc(1, sizeof(*load));
	const struct rtrs_session_options of_session = {.size = sizeof(of_session),
							.name = "calls",
							.event = note_counted_path,
							.user = load};
	char directory[] = "/tmp/hf-rtrs-calls-XXXXXX", address[64];
	struct rtrs_service *service;

	assert_non_null(load);
	assert_non_null(mkdtemp(directory));
	snprintf(address, sizeof(address), "unix:%s/s", directory);
	assert_return_code(rtrs_service_open(&of_service, &service), 0);
	assert_return_code(rtrs_service_listen(service, address), 0);
	assert_return_code(rtrs_session_open(&of_session, &load->session), 0);
	assert_return_code(rtrs_session_add_path(load->session, address), 0);
	while (!load->is_up)
		pump_both_ends(service, load->session);
	load->is_read = is_read;
	load->left = REQUESTS;
	calls = 0;
	for (unsigned int i = 0; i < depth; i++)
		begin_counted_request(load);
	while (load->under_way)
		pump_both_ends(service, load->session);
	assert_int_equal(load->error, 0);
	printf("%s, depth %u: %.2f calls a request\n", is_read ? "read" : "write", depth,
	       (double)calls / REQUESTS);
	rtrs_session_close(load->session);
	rtrs_service_close(service);
	rmdir(directory);
	free(load);
	return calls * 100 / REQUESTS;
}

/* At each end: what is there, it is received, it is sent. What is looked at now and then is not a whole call. */
static void one_at_a_time_costs_three_at_each_end(void **state)
{
	(void)state;
	assert_in_range(cost_of(true, 1), 1, 640);
	assert_in_range(cost_of(false, 1), 1, 640);
}

static void many_at_a_time_share_them(void **state)
{
	(void)state;
	assert_in_range(cost_of(true, DEPTH_MAX), 1, 250);
	assert_in_range(cost_of(false, DEPTH_MAX), 1, 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time_costs_three_at_each_end),
		cmocka_unit_test(many_at_a_time_share_them),
	};

	setenv("HOLDFAST_RTRS_CONTROL", "off", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
