/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rtrs-server ADDRESS: a board of 1024 notes that clients read and write. The user header of a request is the
 * note's number. Ends with SIGINT or SIGTERM.
 */
#include <rtrs/rtrs.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { NOTES = 1024, NOTE_SIZE = 256 };

static char notes[NOTES][NOTE_SIZE];

static int do_job(struct rtrs_job *job)
{
	size_t data_length, header_length;
	void *data = rtrs_job_data(job, &data_length);
	const void *header = rtrs_job_header(job, &header_length);
	uint32_t number;

	/* A client may send anything. */
	if (header_length != sizeof(number) || data_length > NOTE_SIZE)
		return -EINVAL;
	memcpy(&number, header, sizeof(number));
	if (number >= NOTES)
		return -ENOENT;
	if (rtrs_job_is_read(job))
		memcpy(data, notes[number], data_length);
	else
		memcpy(notes[number], data, data_length);
	return 0;
}

static void job_came(struct rtrs_job *job, void *user)
{
	(void)user;
	rtrs_job_answer(job, do_job(job));
}

static void print_visit(struct rtrs_service *service, const struct rtrs_service_event *event,
			void *user)
{
	(void)service;
	(void)user;
	if (event->type == RTRS_SERVICE_SESSION_UP)
		printf("%s is here\n", event->name);
	else if (event->type == RTRS_SERVICE_SESSION_DOWN)
		printf("%s has gone\n", event->name);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct rtrs_service_options options = {
		.size = sizeof(options), .job = job_came, .event = print_visit};
	struct rtrs_service *service;
	sigset_t signals;
	int err, number;

	if (argc != 2) {
		fprintf(stderr, "usage: %s ADDRESS\n", argv[0]);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = rtrs_service_open(&options, &service);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-err));
		return 1;
	}
	err = rtrs_service_listen(service, argv[1]);
	if (!err)
		err = rtrs_service_run(service);
	if (err)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
	else
		sigwait(&signals, &number);
	rtrs_service_close(service);
	return err ? 1 : 0;
}
