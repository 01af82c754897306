/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rdma-ndd(8): keeps the node descriptions of RDMA devices up to date. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>
#include <holdfast/holdfast.h>

#include "shared/clock.h"
#include "boot/ndd/background.h"
#include "boot/ndd/devices.h"
#include "boot/ndd/host.h"
#include "boot/ndd/log.h"
#include "boot/ndd/options.h"

enum { STREAM, HOST, SIGNALS, NUM_FDS };
enum { EVENTS_MAX = 64 };

struct ndd {
	struct ndd_options options;
	struct ndd_devices devices;
	struct hf *hf;
	struct hf_stream *stream;
	struct pollfd fds[NUM_FDS];
	int background;	     /* descriptor that the parent waits at, or -1 */
	int64_t retry_at;    /* ms; 0: nothing to retry */
	uint64_t watchdog;   /* systemd's watchdog timeout in us; 0: none */
	int64_t watchdog_at; /* ms; when to answer the watchdog */
	int stream_error;    /* the error that was logged last; 0: none */
	bool synced, ready, end;
};

static void log_library_message(void *arg, enum hf_log_level level, const char *message)
{
	static const int severities[] = {
		[HF_LOG_ERROR] = LOG_ERR,
		[HF_LOG_WARNING] = LOG_WARNING,
		[HF_LOG_INFO] = LOG_INFO,
		[HF_LOG_DEBUG] = LOG_DEBUG,
	};

	(void)arg;
	ndd_log(severities[level], "%s", message);
}

static int start_ndd(struct ndd *ndd)
{
	/* Only attributes are written and no device is opened, so no provider is needed. */
	static const char *const no_providers[] = {NULL};
	const struct hf_options options = {
		.size = sizeof(options),
		.provider_dirs = no_providers,
		.log_level = ndd->options.debug ? HF_LOG_DEBUG : HF_LOG_WARNING,
		.log = log_library_message,
	};
	const struct hf_stream_options stream = {
		.size = sizeof(stream),
		.flags = HF_STREAM_ALL | HF_STREAM_NAMES,
	};
	char host[NDD_HOST_SIZE];
	int err;

	/* Watch before the first read, so that no change is missed. */
	ndd->fds[HOST].fd = ndd_host_watch();
	if (ndd->fds[HOST].fd < 0)
		ndd_log(LOG_WARNING, "/proc/sys/kernel/hostname: %s; changes will not be noticed",
			strerrordesc_np(-ndd->fds[HOST].fd));
	ndd_host_name(host, sizeof(host));
	ndd_devices_set_host(&ndd->devices, host);
	err = hf_new(&options, &ndd->hf);
	if (!err)
		err = hf_stream_new(ndd->hf, &stream, &ndd->stream);
	if (err) {
		ndd_log(LOG_ERR, "devices cannot be watched: %s", strerrordesc_np(-err));
		return err;
	}
	ndd->fds[STREAM].fd = hf_stream_fd(ndd->stream);
	return 0;
}

static int watch_signals(struct ndd *ndd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ndd->fds[SIGNALS].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ndd->fds[SIGNALS].fd >= 0)
		return 0;
	ndd_log(LOG_ERR, "signals cannot be watched: %s", strerrordesc_np(errno));
	return -errno;
}

/*
 * Handles up to EVENTS_MAX events, so that many events do not delay a change of the host name. The
 * stream's descriptor stays readable if there are more. After an error the stream delivers its events
 * later, and none is lost.
 */
static int handle_stream(struct ndd *ndd)
{
	struct hf_event *event;
	int err, got = 1;

	for (int i = 0; i < EVENTS_MAX; i++) {
		got = hf_stream_next(ndd->stream, &event);
		if (got <= 0)
			break;
		if (hf_event_type(event) == HF_EVENT_SYNCED)
			ndd->synced = true;
		err = ndd_devices_handle_event(&ndd->devices, event);
		hf_event_unref(event);
		if (err) {
			ndd_log(LOG_ERR, "no memory for a device");
			return err;
		}
	}
	if (got < 0 && got != ndd->stream_error)
		ndd_log(LOG_WARNING, "cannot read device events now: %s", strerrordesc_np(-got));
	ndd->stream_error = got < 0 ? got : 0;
	return 0;
}

static void handle_host(struct ndd *ndd)
{
	char host[NDD_HOST_SIZE];

	ndd_host_name(host, sizeof(host));
	ndd_devices_set_host(&ndd->devices, host);
}

static void handle_signals(struct ndd *ndd)
{
	struct signalfd_siginfo signal;

	while (read(ndd->fds[SIGNALS].fd, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo != SIGHUP) {
			ndd->end = true;
			continue;
		}
		ndd_log(LOG_INFO, "writing all descriptions: %zu devices, %zu bytes of memory",
			ndd->devices.count, mallinfo2().uordblks);
		handle_host(ndd);
		ndd_devices_renew(&ndd->devices);
	}
}

static void set_retry(struct ndd *ndd)
{
	if (!ndd->devices.num_pending)
		ndd->retry_at = 0;
	else if (!ndd->retry_at)
		ndd->retry_at = hfi_now_ms() + (int64_t)ndd->options.retry_seconds * 1000;
}

static void run_retry(struct ndd *ndd)
{
	if (!ndd->retry_at || hfi_now_ms() < ndd->retry_at)
		return;
	ndd->retry_at = 0;
	ndd_devices_retry(&ndd->devices);
}

/* Not in every pass of the loop: sd_notify() blocks while systemd is busy. */
static void answer_watchdog(struct ndd *ndd)
{
	int64_t now = hfi_now_ms();

	if (!ndd->watchdog || now < ndd->watchdog_at)
		return;
	sd_notify(0, "WATCHDOG=1");
	ndd->watchdog_at = now + (int64_t)(ndd->watchdog / 2000);
}

/* Reports readiness once every existing device is described, as units ordered after us expect. */
static void notify_ready(struct ndd *ndd)
{
	if (!ndd->synced || ndd->ready)
		return;
	sd_notify(0, "READY=1");
	ndd_background_ready(&ndd->background);
	ndd->ready = true;
}

/* The shorter wait in ms: `left` (-1: for ever) or until the time `at`. */
static int64_t sooner(int64_t left, int64_t at)
{
	int64_t other = at - hfi_now_ms();

	if (other < 0)
		other = 0;
	return left < 0 || other < left ? other : left;
}

static int timeout(const struct ndd *ndd)
{
	int64_t left = -1;

	if (ndd->retry_at)
		left = sooner(left, ndd->retry_at);
	if (ndd->watchdog)
		left = sooner(left, ndd->watchdog_at);
	return (int)left;
}

static int run_ndd(struct ndd *ndd)
{
	int err;

	for (;;) {
		err = handle_stream(ndd);
		if (err)
			return err;
		set_retry(ndd);
		notify_ready(ndd);
		answer_watchdog(ndd);
		if (ndd->end || (ndd->options.once && ndd->synced && !ndd->retry_at))
			return 0;
		if (poll(ndd->fds, NUM_FDS, timeout(ndd)) < 0) {
			if (errno != EINTR)
				return -errno;
			/* The kernel may have cleared POLLPRI although poll() did not return it. */
			ndd->fds[HOST].revents = POLLPRI;
			ndd->fds[SIGNALS].revents = POLLIN;
		}
		if (ndd->fds[HOST].revents)
			handle_host(ndd);
		if (ndd->fds[SIGNALS].revents)
			handle_signals(ndd);
		run_retry(ndd);
	}
}

static void stop_ndd(struct ndd *ndd)
{
	ndd_devices_clear(&ndd->devices);
	hf_stream_unref(ndd->stream);
	hf_unref(ndd->hf);
	for (int i = HOST; i < NUM_FDS; i++)
		if (ndd->fds[i].fd >= 0)
			close(ndd->fds[i].fd);
}

static int go_to_background(struct ndd *ndd)
{
	if (ndd->options.foreground || ndd->options.once)
		return 0;
	ndd->background = ndd_background();
	if (ndd->background < 0) {
		ndd_log(LOG_ERR, "cannot go into the background: %s",
			strerrordesc_np(-ndd->background));
		return ndd->background;
	}
	ndd_log_to_syslog();
	return 0;
}

int main(int argc, char **argv)
{
	struct ndd ndd = {
		.background = -1,
		.fds = {{-1, POLLIN, 0}, {-1, POLLPRI, 0}, {-1, POLLIN, 0}},
	};
	int err, status;

	if (!ndd_options_parse(argc, argv, &ndd.options, &status))
		return status;
	if (ndd.options.debug)
		ndd_log_level(LOG_DEBUG);
	ndd.devices.template = ndd.options.template;
	ndd.devices.max_tries = ndd.options.retry_count;
	sd_watchdog_enabled(0, &ndd.watchdog);
	err = go_to_background(&ndd);
	if (err)
		return EXIT_FAILURE;
	err = watch_signals(&ndd);
	if (!err)
		err = start_ndd(&ndd);
	if (!err)
		err = run_ndd(&ndd);
	sd_notify(0, "STOPPING=1");
	stop_ndd(&ndd);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
