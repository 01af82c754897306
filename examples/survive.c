/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hf-survive [-v] DEVICE: works on the device of that name for as long as it runs, through unplug
 * and re-plug. One flushed line per change of state, for scripts that follow it:
 *
 *	opened rxe0 generation 3
 *	working rxe0 generation 3 port 1 state 4 gids 2
 *	closed rxe0 generation 3
 *
 * With -v "working" comes at each round, else only when it says something new. Other lines: "waiting
 * for rxe0", "renamed foo7 generation 3", "failed rxe0 generation 3". SIGINT and SIGTERM end it.
 */
#include <holdfast/holdfast.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { ROUND_MS = 250, PORT = 1 };

struct survivor {
	const char *name;
	bool verbose;
	struct hf *hf;
	struct hf_stream *stream;
	int poll_fd;
	int signal_fd;
	int timer_fd;

	struct ibv_device *device;   /* the instance we work on, or NULL while there is none */
	struct ibv_context *context; /* NULL while it is not open */
	bool fatal;		     /* the device has failed: wait for its removal */
	char said[256];		     /* the last "working" line */
	int complained;		     /* the last error printed, to print it once */
};

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void print_error_once(struct survivor *s, const char *what, int error)
{
	if (s->complained == error)
		return;
	s->complained = error;
	fprintf(stderr, "hf-survive: %s: %s\n", what, strerror(error));
}

static int add_to_survivor_poll(struct survivor *s, int fd)
{
	struct epoll_event item = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(s->poll_fd, EPOLL_CTL_ADD, fd, &item) == 0 ? 0 : -errno;
}

/* A stream in trouble stays readable: leave it alone until the next round. */
static void listen_to_stream(struct survivor *s, bool on)
{
	struct epoll_event item = {.events = on ? EPOLLIN : 0, .data.fd = hf_stream_fd(s->stream)};

	epoll_ctl(s->poll_fd, EPOLL_CTL_MOD, item.data.fd, &item);
}

static void say_device(struct survivor *s, const char *what)
{
	char name[64];

	if (hf_device_name(s->device, name, sizeof(name)) < 0)
		name[0] = '\0';
	say("%s %s generation %llu", what, name,
	    (unsigned long long)hf_device_generation(s->device));
}

static void close_device(struct survivor *s)
{
	if (!s->context)
		return;
	epoll_ctl(s->poll_fd, EPOLL_CTL_DEL, s->context->async_fd, NULL);
	hf_device_close(s->context);
	s->context = NULL;
	say_device(s, "closed");
}

/* Releases the instance; the next device with this name has another handle. */
static void drop_device(struct survivor *s)
{
	close_device(s);
	s->device = hf_device_unref(s->device);
	s->fatal = false;
	s->said[0] = '\0';
}

/* The async descriptor must not block: a thread asleep in it would keep the device from going. */
static int watch_async(struct survivor *s)
{
	int flags;

	if (s->context->async_fd < 0)
		return 0; /* a device that has no such events */
	flags = fcntl(s->context->async_fd, F_GETFL);
	if (flags < 0 || fcntl(s->context->async_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return add_to_survivor_poll(s, s->context->async_fd);
}

/* Opens the instance we hold; tried again at each round until it works or the instance is gone. */
static void open_survivor(struct survivor *s)
{
	int ret;

	ret = hf_device_open(s->device, &s->context);
	if (ret == -ENODEV) {
		/* Unplugged since: its REMOVED and the next ADDED are on their way. */
		drop_device(s);
		return;
	}
	if (ret < 0) {
		print_error_once(s, "cannot open the device", -ret);
		return;
	}
	s->complained = 0;
	say_device(s, "opened");
	ret = watch_async(s);
	if (ret < 0) {
		print_error_once(s, "cannot watch the device", -ret);
		close_device(s);
	}
}

/* The work: what a real program would do with its queues. */
static void use_context(struct survivor *s)
{
	struct ibv_port_attr port;
	struct hf_gid *gids;
	char line[256];
	char name[64];
	int count;
	int ret;

	if (!s->context)
		return;
	ret = ibv_query_port(s->context, PORT, &port);
	if (ret != 0) {
		/* While an unplug is on its way this is expected. */
		if (!hf_device_is_gone(s->device))
			print_error_once(s, "cannot query the port", ret);
		return;
	}
	count = hf_device_get_gids(s->device, PORT, sizeof(*gids), &gids);
	if (count < 0) {
		if (count != -ENODEV)
			print_error_once(s, "cannot read the GIDs", -count);
		return;
	}
	free(gids);
	if (hf_device_name(s->device, name, sizeof(name)) < 0)
		return;
	snprintf(line, sizeof(line), "working %s generation %llu port %d state %d gids %d", name,
		 (unsigned long long)hf_device_generation(s->device), PORT, port.state, count);
	if (s->verbose || strcmp(line, s->said) != 0)
		say("%s", line);
	memcpy(s->said, line, sizeof(line));
	s->complained = 0;
}

static void adopt(struct survivor *s, struct ibv_device *device)
{
	s->device = hf_device_ref(device);
	open_survivor(s);
	use_context(s);
}

/* Another device may carry the name already, if ours was renamed before it went. */
static void look_for_successor(struct survivor *s)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device *device;

	if (hf_device_by_name(s->hf, s->name, &device) < 0)
		return;
	if (hf_device_get_info(device, &info) == 0 && info.state == HF_DEVICE_READY)
		adopt(s, device);
	hf_device_unref(device);
}

static void handle_event(struct survivor *s, const struct hf_event *event)
{
	struct ibv_device *device = hf_event_device(event);
	bool ours = s->device && hf_event_generation(event) == hf_device_generation(s->device);
	bool named = device && strcmp(hf_event_name(event), s->name) == 0;

	switch (hf_event_type(event)) {
	case HF_EVENT_ADDED:
		if (!s->device && named)
			adopt(s, device);
		break;
	case HF_EVENT_CHANGED:
		if (!s->device && named)
			adopt(s, device);
		else if (ours && hf_event_changes(event) & HF_CHANGED_NAME)
			say_device(s, "renamed");
		if (ours)
			use_context(s);
		break;
	case HF_EVENT_REMOVED:
		/*
		 * Close at once. If the kernel driver cannot remove a device with open contexts
		 * (soft-RoCE), the unplug waits for us.
		 */
		if (ours) {
			drop_device(s);
			look_for_successor(s);
		}
		break;
	case HF_EVENT_SYNCED:
		if (!s->device)
			say("waiting for %s", s->name);
		break;
	case HF_EVENT_RESYNC:
		break; /* what was missed follows as ordinary events */
	}
}

static int drain_stream(struct survivor *s)
{
	struct hf_event *event;
	int ret;

	while ((ret = hf_stream_next(s->stream, &event)) > 0) {
		handle_event(s, event);
		hf_event_unref(event);
	}
	return ret;
}

static void drain_async(struct survivor *s)
{
	struct ibv_async_event event;
	bool fatal = false;

	while (ibv_get_async_event(s->context, &event) == 0) {
		fatal |= event.event_type == IBV_EVENT_DEVICE_FATAL;
		ibv_ack_async_event(&event);
	}
	/* A device that was taken away answers an error for ever after. */
	fatal |= errno != EAGAIN && errno != EINTR;
	if (fatal) {
		say_device(s, "failed");
		close_device(s);
		s->fatal = true;
	}
}

static int run_survivor(struct survivor *s)
{
	struct epoll_event item;
	uint64_t rounds;
	int ret;

	for (;;) {
		/* Removal before anything else: it is what others wait for. */
		ret = drain_stream(s);
		if (ret < 0)
			print_error_once(s, "cannot read the stream", -ret);
		listen_to_stream(s, ret == 0);
		ret = epoll_wait(s->poll_fd, &item, 1, -1);
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ret <= 0)
			continue;
		if (item.data.fd == s->signal_fd)
			return 0;
		if (item.data.fd == s->timer_fd) {
			if (read(s->timer_fd, &rounds, sizeof(rounds)) < 0 && errno != EINTR)
				return -errno;
			if (s->device && !s->context && !s->fatal)
				open_survivor(s);
			use_context(s);
			if (ferror(stdout))
				return -EPIPE;
		} else if (s->context && item.data.fd == s->context->async_fd) {
			drain_async(s);
		}
	}
}

static int start_survivor(struct survivor *s)
{
	const struct itimerspec every = {
		.it_interval.tv_nsec = ROUND_MS * 1000000L,
		.it_value.tv_nsec = ROUND_MS * 1000000L,
	};
	sigset_t signals;
	int ret;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (s->signal_fd < 0)
		return -errno;
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (s->timer_fd < 0 || timerfd_settime(s->timer_fd, 0, &every, NULL) < 0)
		return -errno;
	s->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->poll_fd < 0)
		return -errno;
	ret = hf_new(NULL, &s->hf);
	if (ret < 0)
		return ret;
	ret = hf_stream_new(s->hf, NULL, &s->stream);
	if (ret < 0)
		return ret;
	ret = add_to_survivor_poll(s, s->signal_fd);
	if (ret == 0)
		ret = add_to_survivor_poll(s, s->timer_fd);
	if (ret == 0)
		ret = add_to_survivor_poll(s, hf_stream_fd(s->stream));
	return ret;
}

static void stop_survivor(struct survivor *s)
{
	if (s->device)
		drop_device(s);
	hf_stream_unref(s->stream);
	hf_unref(s->hf);
	if (s->poll_fd >= 0)
		close(s->poll_fd);
	if (s->timer_fd >= 0)
		close(s->timer_fd);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
}

int main(int argc, char **argv)
{
	struct survivor s = {.poll_fd = -1, .signal_fd = -1, .timer_fd = -1};
	int option;
	int ret;

	while ((option = getopt(argc, argv, "v")) == 'v')
		s.verbose = true;
	if (option != -1 || optind + 1 != argc) {
		fprintf(stderr, "usage: hf-survive [-v] DEVICE\n");
		return 2;
	}
	s.name = argv[optind];
	ret = start_survivor(&s);
	if (ret == 0)
		ret = run_survivor(&s);
	stop_survivor(&s);
	if (ret < 0)
		fprintf(stderr, "hf-survive: %s\n", strerror(-ret));
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
