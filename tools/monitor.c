/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast monitor: shows the events of a stream as they happen. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/monitor.h"

enum { OPT_EXEC = HF_OPT_OWN, OPT_COUNT, OPT_UNTIL_SYNCED };

/* How long to wait before a stream that failed is read again. */
enum { RETRY_MS = 1000 };

struct monitor {
	struct hf_tool *tool;
	struct hf_stream *stream;
	struct hf_past_names past;
	int signals;
	uint64_t num_events;
	int last_error; /* reported last; 0: none */
	int status;
	bool stop;
};

/* Flushes after each event, and stops when the reader of standard output has closed it. */
static void flush(struct monitor *monitor)
{
	if (!fflush(stdout))
		return;
	if (errno != EPIPE) {
		hfi_complain("cannot write the output: %s", strerror(errno));
		monitor->status = HF_EXIT_FAILED;
	}
	monitor->stop = true;
	clearerr(stdout);
}

static void handle_monitor_event(struct monitor *monitor, struct hf_event *event)
{
	const struct hf_tool *tool = monitor->tool;

	hfi_event_print(tool, &monitor->past, event);
	flush(monitor);
	if (tool->exec && !monitor->stop &&
	    hfi_event_exec(tool->exec, event, monitor->signals, &monitor->stop))
		monitor->status = HF_EXIT_FAILED;
	if (++monitor->num_events == tool->count)
		monitor->stop = true;
	if (tool->until_synced && hf_event_type(event) == HF_EVENT_SYNCED)
		monitor->stop = true;
}

/* Handles the pending events. Returns the time in ms after which to retry, or -1: wait for events. */
static int print_pending_events(struct monitor *monitor)
{
	struct hf_event *event;
	int err;

	while (!monitor->stop) {
		err = hf_stream_next(monitor->stream, &event);
		if (!err) {
			monitor->last_error = 0;
			return -1;
		}
		if (err < 0) {
			if (err != monitor->last_error)
				hfi_complain("cannot read the next event: %s", strerror(-err));
			monitor->last_error = err;
			if (err == -ECHILD)
				break;
			return RETRY_MS;
		}
		handle_monitor_event(monitor, event);
		hf_event_unref(event);
	}
	return -1;
}

static void read_signals(struct monitor *monitor)
{
	struct signalfd_siginfo info;

	while (read(monitor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			monitor->stop = true;
}

static int monitor_events(struct monitor *monitor)
{
	struct pollfd fds[] = {
		{.fd = monitor->signals, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* POLLERR when the reader has closed the pipe */
		{.fd = hf_stream_fd(monitor->stream), .events = POLLIN},
	};

	while (!monitor->stop) {
		int timeout = print_pending_events(monitor);

		if (monitor->last_error == -ECHILD)
			return HF_EXIT_FAILED;
		if (monitor->stop)
			break;
		/* A stream that failed stays readable: do not poll it until the retry. */
		if (poll(fds, timeout < 0 ? 3 : 2, timeout) < 0 && errno != EINTR) {
			hfi_complain("cannot wait: %s", strerror(errno));
			return HF_EXIT_FAILED;
		}
		if (fds[0].revents)
			read_signals(monitor);
		if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			monitor->stop = true;
	}
	return monitor->status;
}

/* Leaves a signal alone that the parent set to be ignored, as nohup(1) does. */
static void add_signal(sigset_t *set, int number)
{
	struct sigaction action;

	if (!sigaction(number, NULL, &action) && action.sa_handler != SIG_IGN)
		sigaddset(set, number);
}

static int open_signals(void)
{
	sigset_t set;
	int fd;

	/* A write to a closed pipe then fails with EPIPE, which flush() handles. */
	signal(SIGPIPE, SIG_IGN);
	/* If it were ignored, waitpid() could not return a command's status. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	add_signal(&set, SIGINT);
	add_signal(&set, SIGTERM);
	add_signal(&set, SIGHUP);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0) {
		hfi_complain("cannot receive signals: %s", strerror(errno));
		return -1;
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

static int run_monitor(struct hf_tool *tool, char **args)
{
	struct monitor monitor = {.tool = tool};
	struct hf *hf;
	int err;

	(void)args;
	monitor.signals = open_signals();
	if (monitor.signals < 0)
		return HF_EXIT_FAILED;
	hf = hfi_tool_context(tool, 0, 0);
	if (!hf) {
		monitor.status = HF_EXIT_FAILED;
		goto close_signals;
	}
	err = hf_stream_new(hf, NULL, &monitor.stream);
	if (err < 0) {
		hfi_complain("cannot start the event stream: %s; \"holdfast doctor\" may know why",
			     strerror(-err));
		monitor.status = HF_EXIT_FAILED;
		goto unref;
	}
	monitor.status = monitor_events(&monitor);
	hf_stream_unref(monitor.stream);
	free(monitor.past.v);
unref:
	hf_unref(hf);
close_signals:
	close(monitor.signals);
	return monitor.status;
}

static int set_monitor_option(struct hf_tool *tool, int option, const char *value)
{
	char *end;

	switch (option) {
	case OPT_EXEC:
		tool->exec = value;
		return 0;
	case OPT_UNTIL_SYNCED:
		tool->until_synced = true;
		return 0;
	default:
		break;
	}
	errno = 0;
	tool->count = strtoull(value, &end, 10);
	if (*value >= '1' && *value <= '9' && !*end && !errno)
		return 0;
	hfi_complain("--count: expected a number from 1, not \"%s\"", value);
	return -EINVAL;
}

static const struct option options[] = {
	{"exec", required_argument, NULL, OPT_EXEC},
	{"count", required_argument, NULL, OPT_COUNT},
	{"until-synced", no_argument, NULL, OPT_UNTIL_SYNCED},
	{0},
};

const struct hf_command hf_command_monitor = {
	.name = "monitor",
	.args = "",
	.summary = "show when devices are added, changed and removed",
	.about =
		"Shows the devices that exist as \"added\", then \"synced\", then each event as it "
		"happens, until it is interrupted or its output is closed. Each line has the time, "
		"the event, the device's name and #INSTANCE, and what changed. \"resync\" means "
		"that notifications were lost: the difference follows, then \"synced\". With "
		"--json each event is an object on one line.\n"
		"\n"
		"--exec runs \"sh -c CMD\" for each event, one at a time and in order, with "
		"standard input from /dev/null and these variables:\n"
		"  HOLDFAST_EVENT       added, synced, changed, removed or resync\n"
		"  HOLDFAST_DEVICE      the device's name; empty for synced and resync\n"
		"  HOLDFAST_GENERATION  the instance's number; 0 for synced and resync\n"
		"  HOLDFAST_CHANGES     for changed: some of name,gid,port,netdev\n"
		"  HOLDFAST_SEQUENCE    the event's number, counted from 1 without gaps\n"
		"If a command fails, that is reported, and the monitor's exit status is 1.",
	.options_help = "      --exec CMD          run a shell command for each event\n"
			"      --count N           end after N events\n"
			"      --until-synced      end after the devices that exist\n",
	.options = options,
	.set = set_monitor_option,
	.run = run_monitor,
};
