/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hf-watch [COUNT]: prints each event of a stream on a line of its own, from an epoll loop, until
 * COUNT events were printed or SIGINT or SIGTERM arrives.
 */
#include <holdfast/holdfast.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void print_stream_event(const struct hf_event *event)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} changes[] = {
		{HF_CHANGED_NAME, "name"},
		{HF_CHANGED_GID, "gid"},
		{HF_CHANGED_PORT, "port"},
		{HF_CHANGED_NETDEV, "netdev"},
	};
	size_t i;

	printf("%llu %s", (unsigned long long)hf_event_sequence(event),
	       hf_event_type_name(hf_event_type(event)));
	if (hf_event_device(event))
		printf(" %s generation %llu", hf_event_name(event),
		       (unsigned long long)hf_event_generation(event));
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (hf_event_changes(event) & changes[i].bit)
			printf(" %s", changes[i].name);
	}
	printf("\n");
}

/* Takes what there is. Returns 1 once `*left` events were printed, 0 to go on, or -errno. */
static int drain_events(struct hf_stream *stream, unsigned long *left)
{
	struct hf_event *event;
	int ret;

	while (*left) {
		ret = hf_stream_next(stream, &event);
		if (ret < 0)
			return ret;
		if (ret == 0) {
			/* A program that reads our pipe gets the events now. */
			if (fflush(stdout) != 0)
				return -errno;
			return 0;
		}
		print_stream_event(event);
		hf_event_unref(event);
		--*left;
	}
	return fflush(stdout) != 0 ? -errno : 1;
}

static int add_to_watch_poll(int poll_fd, int fd)
{
	struct epoll_event item = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &item) == 0 ? 0 : -errno;
}

static int watch_devices(int poll_fd, int signal_fd, struct hf_stream *stream, unsigned long left)
{
	struct epoll_event item;
	int ret;

	for (;;) {
		/* The first time through this takes the devices that are there already. */
		ret = drain_events(stream, &left);
		if (ret != 0)
			return ret < 0 ? ret : 0;
		ret = epoll_wait(poll_fd, &item, 1, -1);
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ret > 0 && item.data.fd == signal_fd)
			return 0;
	}
}

int main(int argc, char **argv)
{
	struct hf_stream *stream = NULL;
	unsigned long left = (unsigned long)-1;
	struct hf *hf = NULL;
	int signal_fd = -1;
	int poll_fd = -1;
	sigset_t signals;
	char *end;
	int ret;

	if (argc == 2) {
		errno = 0;
		left = strtoul(argv[1], &end, 10);
	}
	if (argc > 2 || (argc == 2 && (errno || *end || end == argv[1] || left == 0))) {
		fprintf(stderr, "usage: hf-watch [COUNT]\n");
		return 2;
	}

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ||
	    (signal_fd = signalfd(-1, &signals, SFD_CLOEXEC)) < 0 ||
	    (poll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0) {
		ret = -errno;
		goto out;
	}
	ret = hf_new(NULL, &hf);
	if (ret < 0)
		goto out;
	ret = hf_stream_new(hf, NULL, &stream);
	if (ret < 0)
		goto out;
	ret = add_to_watch_poll(poll_fd, signal_fd);
	if (ret < 0)
		goto out;
	ret = add_to_watch_poll(poll_fd, hf_stream_fd(stream));
	if (ret < 0)
		goto out;
	ret = watch_devices(poll_fd, signal_fd, stream, left);
out:
	if (ret < 0)
		fprintf(stderr, "hf-watch: %s\n", strerror(-ret));
	hf_stream_unref(stream);
	hf_unref(hf);
	if (poll_fd >= 0)
		close(poll_fd);
	if (signal_fd >= 0)
		close(signal_fd);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
