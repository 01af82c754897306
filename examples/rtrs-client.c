/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rtrs-client ADDRESS... NUMBER [TEXT]: reads a note from the board of rtrs-server, or writes it. Each address is
 * a path to the server.
 */
#include <rtrs/rtrs.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_SIZE = 256 };

/* Where a path or request has got to: 1 while there is no outcome. */
static void path_event(struct rtrs_session *session, const struct rtrs_session_event *event,
		       void *user)
{
	int *outcome = user;

	(void)session;
	if (event->type == RTRS_SESSION_PATH_UP)
		*outcome = 0;
	else if (event->type == RTRS_SESSION_PATH_FAILED)
		*outcome = event->error;
}

static void note_done(int error, void *user)
{
	*(int *)user = error;
}

static int wait_for_outcome(struct rtrs_session *session, const int *outcome)
{
	struct pollfd poll_fd = {.fd = rtrs_session_fd(session), .events = POLLIN};

	while (*outcome > 0) {
		int err;

		if (poll(&poll_fd, 1, -1) < 0)
			continue;
		err = rtrs_session_dispatch(session);
		if (err < 0)
			return err;
	}
	return *outcome;
}

static int use_note(struct rtrs_session *session, uint32_t number, char note[NOTE_SIZE],
		    int is_write)
{
	int outcome = 1, err;
	struct iovec data = {note, NOTE_SIZE};
	const struct rtrs_transfer transfer = {.size = sizeof(transfer),
					       .header = &number,
					       .header_length = sizeof(number),
					       .data = &data,
					       .data_count = 1,
					       .done = note_done,
					       .user = &outcome};
	struct rtrs_permit *permit;

	err = rtrs_permit_get(session, &permit);
	if (err)
		return err;
	err = is_write ? rtrs_write(permit, &transfer) : rtrs_read(permit, &transfer);
	if (err) {
		rtrs_permit_put(permit);
		return err;
	}
	return wait_for_outcome(session, &outcome);
}

static int is_address(const char *text)
{
	return strchr(text, ':') != NULL;
}

int main(int argc, char **argv)
{
	int outcome = 1, err = 0, i = 1;
	const struct rtrs_session_options options = {.size = sizeof(options),
						     .name = "rtrs-client",
						     .event = path_event,
						     .user = &outcome};
	struct rtrs_session *session;
	char note[NOTE_SIZE] = "";

	if (argc < 3 || !is_address(argv[1]) || is_address(argv[argc - 1])) {
		fprintf(stderr, "usage: %s ADDRESS... NUMBER [TEXT]\n", argv[0]);
		return 2;
	}
	err = rtrs_session_open(&options, &session);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-err));
		return 1;
	}
	for (; i < argc && is_address(argv[i]) && !err; i++) {
		outcome = 1;
		err = rtrs_session_add_path(session, argv[i]);
		if (err >= 0)
			err = wait_for_outcome(session, &outcome);
	}
	if (!err && i + 1 < argc)
		snprintf(note, sizeof(note), "%s", argv[i + 1]);
	if (!err)
		err = use_note(session, (uint32_t)strtoul(argv[i], NULL, 0), note, i + 1 < argc);
	if (err)
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-err));
	else if (i + 1 == argc)
		printf("%.*s\n", NOTE_SIZE, note);
	rtrs_session_close(session);
	return err ? 1 : 0;
}
