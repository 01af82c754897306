/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A process with sessions of RTRS, for the tests of the control programs: control_bed [-l ADDRESS] [-c NAME]
 * [-p PATH]... [-d MS] serves at an address, or connects a session with its paths, or both. MS is the delay of
 * reconnection. Then each line of its input is an order, and is answered with a line:
 *	write BYTES, read BYTES	a request with a header of 8 bytes; "ok", or its error
 *	hang			dispatches no more until the next order
 *	quit			ends in order, as the end of the input does
 */
#include <errno.h>
#include <poll.h>
#include <rtrs/rtrs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/lib/hang.h"

enum { HEADER = 8, DATA_MAX = 65536 };

static struct rtrs_service *service;
static struct rtrs_session *session;
static unsigned int waits; /* for paths */
static int failed;
static uint8_t data[DATA_MAX];

static void answer_job(struct rtrs_job *job, void *user)
{
	(void)user;
	rtrs_job_answer(job, 0);
}

static void take_event(struct rtrs_session *of, const struct rtrs_session_event *event, void *user)
{
	(void)of;
	(void)user;
	if (waits &&
	    (event->type == RTRS_SESSION_PATH_UP || event->type == RTRS_SESSION_PATH_FAILED))
		waits--;
	if (event->type == RTRS_SESSION_PATH_FAILED)
		failed = event->error;
}

/* Until one of them, or the input where it is wanted, has something to say. */
static bool serve_once(bool with_input)
{
	struct pollfd fds[] = {
		{.fd = service ? rtrs_service_fd(service) : -1, .events = POLLIN},
		{.fd = session ? rtrs_session_fd(session) : -1, .events = POLLIN},
		{.fd = with_input ? STDIN_FILENO : -1, .events = POLLIN},
	};

	if (poll(fds, 3, HF_TEST_HANG_SECONDS * 1000) == 0)
		abort();
	if ((fds[0].revents && rtrs_service_dispatch(service)) ||
	    (fds[1].revents && rtrs_session_dispatch(session)))
		exit(3);
	return fds[2].revents;
}

static int do_transfer(bool is_read, size_t length)
{
	struct iovec part = {data, length};
	const char header[HEADER] = {0};
	struct rtrs_transfer how = {.size = sizeof(how),
				    .header = header,
				    .header_length = HEADER,
				    .data = &part,
				    .data_count = 1};
	struct rtrs_completion completion;
	struct rtrs_permit *permit;
	int err;

	if (length > DATA_MAX)
		return -EMSGSIZE;
	err = rtrs_permit_get(session, &permit);
	if (err)
		return err;
	err = is_read ? rtrs_read(permit, &how) : rtrs_write(permit, &how);
	if (err) {
		rtrs_permit_put(permit);
		return err;
	}
	while (!rtrs_session_completion(session, &completion))
		serve_once(false);
	return completion.error;
}

/* False: it was the last one. */
static bool take_order(void)
{
	char line[64];
	size_t length = 0;
	int err = 0;

	/* Byte by byte: what follows is seen by the next poll. */
	do {
		if (length == sizeof(line) - 1 || read(STDIN_FILENO, line + length, 1) != 1)
			return false;
	} while (line[length++] != '\n');
	line[length - 1] = '\0';
	if (!strcmp(line, "quit"))
		return false;
	if (!strncmp(line, "write ", 6)) {
		err = do_transfer(false, strtoul(line + 6, NULL, 10));
	} else if (!strncmp(line, "read ", 5)) {
		err = do_transfer(true, strtoul(line + 5, NULL, 10));
	} else if (!strcmp(line, "hang")) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

		puts("ok");
		fflush(stdout);
		poll(&input, 1, -1);
		return true;
	} else {
		err = -EINVAL;
	}
	puts(err ? strerrorname_np(-err) : "ok");
	fflush(stdout);
	return true;
}

static int open_bed_session(const char *name, uint32_t delay_ms)
{
	const struct rtrs_session_options options = {.size = sizeof(options),
						     .name = name,
						     .event = take_event,
						     .permits = 4,
						     .reconnect_delay_ms = delay_ms};

	return rtrs_session_open(&options, &session);
}

int main(int argc, char **argv)
{
	const struct rtrs_service_options of_service = {.size = sizeof(of_service),
							.job = answer_job,
							.queue_depth = 8,
							.max_io = 131072 - 4096};
	const char *name = NULL;
	uint32_t delay_ms = 0;
	int option, err = 0;

	while (!err && (option = getopt(argc, argv, "l:c:p:d:")) != -1) {
		if (option == 'd') {
			delay_ms = (uint32_t)strtoul(optarg, NULL, 10);
		} else if (option == 'l') {
			err = service ? 0 : rtrs_service_open(&of_service, &service);
			if (!err)
				err = rtrs_service_listen(service, optarg);
		} else if (option == 'c') {
			name = optarg;
			err = open_bed_session(name, delay_ms);
		} else if (option == 'p') {
			err = rtrs_session_add_path(session, optarg);
			waits += err >= 0;
			err = err < 0 ? err : 0;
		} else {
			return 2;
		}
	}
	while (!err && waits)
		serve_once(false);
	if (!err)
		err = failed;
	puts(err ? strerrorname_np(-err) : "ready");
	fflush(stdout);
	while (!err && (!serve_once(true) || take_order()))
		;
	rtrs_session_close(session);
	rtrs_service_close(service);
	return err ? 1 : 0;
}
