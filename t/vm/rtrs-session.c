/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-rtrs-session serve ADDRESS...: a disk in memory, until SIGTERM.
 * vm-rtrs-session work ADDRESS...: writes and reads it over one path for each address, verified, until SIGTERM; says
 * what happens to the paths, and how long after a loss the next request ended.
 */
#include <rtrs/rtrs.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 4096, BLOCKS = 32, DEPTH = 16 };

static volatile sig_atomic_t is_over;
static uint8_t disk[BLOCKS][BLOCK];

struct request {
	uint32_t block;
	bool is_read;
	uint8_t data[BLOCK], last;
	struct iovec part;
};

static struct request requests[BLOCKS];
static unsigned int busy;
static unsigned long ended, failures;
static int64_t lost_ms; /* 0: a request has ended since */

static void stop_soon(int signal_number)
{
	(void)signal_number;
	is_over = 1;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(const char *what, unsigned int path, int error)
{
	printf("path %u %s: %s\n", path, what, error ? strerror(-error) : "no error");
	fflush(stdout);
}

/* --- serve --------------------------------------------------------------------------------------- */

static void serve_job(struct rtrs_job *job, void *user)
{
	size_t length, header_length;
	uint8_t *data = rtrs_job_data(job, &length);
	const void *header = rtrs_job_header(job, &header_length);
	uint32_t block = BLOCKS;

	(void)user;
	if (header_length == sizeof(block))
		memcpy(&block, header, sizeof(block));
	if (block >= BLOCKS || length != BLOCK) {
		rtrs_job_answer(job, -EINVAL);
		return;
	}
	if (rtrs_job_is_read(job))
		memcpy(data, disk[block], BLOCK);
	else
		memcpy(disk[block], data, BLOCK);
	rtrs_job_answer(job, 0);
}

static int serve_disk(char **addresses)
{
	const struct rtrs_service_options options = {
		.size = sizeof(options), .job = serve_job, .invalidate = 1, .queue_depth = 64};
	struct rtrs_service *service;
	struct pollfd poll_fd = {.events = POLLIN};
	int err = rtrs_service_open(&options, &service);

	if (err)
		return err;
	for (; *addresses && !err; addresses++)
		err = rtrs_service_listen(service, *addresses);
	poll_fd.fd = rtrs_service_fd(service);
	while (!err && !is_over) {
		if (poll(&poll_fd, 1, -1) > 0)
			err = rtrs_service_dispatch(service);
	}
	rtrs_service_close(service);
	return err;
}

/* --- work ---------------------------------------------------------------------------------------- */

static void request_ended(int error, void *user)
{
	struct request *request = user;

	busy--;
	ended++;
	if (error) {
		failures++;
		printf("block %u: %s\n", request->block, strerror(-error));
	} else if (request->is_read) {
		for (unsigned int i = 0; i < BLOCK; i++)
			failures += request->data[i] != request->last;
	} else {
		request->last = request->data[0];
	}
	if (!error && lost_ms) {
		printf("figure: the next request ended %lld ms after the loss was known\n",
		       (long long)(monotonic_ms() - lost_ms));
		fflush(stdout);
		lost_ms = 0;
	}
	request->is_read = !error && !request->is_read;
	request->part.iov_base = NULL;
}

static int start_one(struct rtrs_session *session, struct request *request)
{
	struct rtrs_transfer transfer = {.size = sizeof(transfer),
					 .header = &request->block,
					 .header_length = sizeof(request->block),
					 .data = &request->part,
					 .data_count = 1,
					 .done = request_ended,
					 .user = request};
	struct rtrs_permit *permit;
	int err = rtrs_permit_get(session, &permit);

	if (err)
		return err;
	request->part = (struct iovec){request->data, BLOCK};
	if (!request->is_read)
		memset(request->data, request->last + 1, BLOCK);
	err = (request->is_read ? rtrs_read : rtrs_write)(permit, &transfer);
	if (err) {
		rtrs_permit_put(permit);
		request->part.iov_base = NULL;
		return err;
	}
	busy++;
	return 0;
}

static void path_says(struct rtrs_session *session, const struct rtrs_session_event *event,
		      void *user)
{
	(void)user;
	if (event->type == RTRS_SESSION_PATH_UP)
		say("up", event->path, event->error);
	/* The server may not listen yet. */
	if (event->type == RTRS_SESSION_PATH_FAILED) {
		say("failed", event->path, event->error);
		poll(NULL, 0, 200);
		(void)!rtrs_session_reconnect_path(session, event->path);
	}
	if (event->type != RTRS_SESSION_PATH_DOWN)
		return;
	say("down", event->path, event->error);
	lost_ms = monotonic_ms();
}

static void begin_idle(struct rtrs_session *session)
{
	for (uint32_t i = 0; i < BLOCKS && busy < DEPTH; i++) {
		requests[i].block = i;
		if (!requests[i].part.iov_base && start_one(session, &requests[i]))
			break;
	}
}

static int work(char **addresses)
{
	const struct rtrs_session_options options = {.size = sizeof(options),
						     .name = "vm-rtrs-session",
						     .event = path_says,
						     .permits = DEPTH};
	struct rtrs_session *session;
	struct pollfd poll_fd = {.events = POLLIN};
	int err = rtrs_session_open(&options, &session);

	if (err)
		return err;
	for (; *addresses && err >= 0; addresses++)
		err = rtrs_session_add_path(session, *addresses);
	poll_fd.fd = rtrs_session_fd(session);
	while (err >= 0 && (!is_over || busy)) {
		if (!is_over)
			begin_idle(session);
		if (poll(&poll_fd, 1, -1) > 0)
			err = rtrs_session_dispatch(session);
	}
	rtrs_session_close(session);
	printf("%lu requests, %lu failures\n", ended, failures);
	return failures ? -EIO : err;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = stop_soon};
	int err = -EINVAL;

	sigaction(SIGTERM, &action, NULL);
	if (argc > 2 && !strcmp(argv[1], "serve"))
		err = serve_disk(argv + 2);
	else if (argc > 2 && !strcmp(argv[1], "work"))
		err = work(argv + 2);
	if (err >= 0)
		return 0;
	fprintf(stderr, "vm-rtrs-session: %s\n", strerror(-err));
	return 1;
}
