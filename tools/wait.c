/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast wait: waits until a device can be opened. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "tools/bounded.h"
#include "tools/common.h"
#include "shared/json.h"
#include "tools/names.h"

enum { OPT_TIMEOUT = HF_OPT_OWN };

/*
 * RETRY_MS: how often to retry a device that exists but cannot be opened. A node's permissions, and
 * what its driver answers, change without an event.
 */
enum { RETRY_MS = 500, NODE_WAIT_MS = 1, TIMEOUT_MAX_S = 1000000000 };

struct waiting {
	const struct hf_tool *tool;
	struct hf *hf;
	struct hf_stream *stream;
	const char *device;	      /* the name to wait for; NULL: any */
	int64_t end_ms;		      /* -1: no limit */
	struct hf_progress *progress; /* NULL: nobody ends it in time */
	/* The last device that exists but could not be opened. */
	char name[64];
	struct hf_reason reason;
	int error; /* 0: no such device */
};

static void store_failure(struct waiting *waiting, struct ibv_device *device, int err)
{
	struct hf_device_info info = {.size = sizeof(info)};

	if (hf_device_get_info(device, &info) || info.state == HF_DEVICE_GONE)
		return;
	/* One that is being made, or unplugged, is none; one that cannot be read is there. */
	if (err == -ENODEV && !hfi_tool_is_unreadable(&info.reason))
		return;
	waiting->error = err;
	waiting->reason = info.reason;
	snprintf(waiting->name, sizeof(waiting->name), *info.name ? "%.63s" : "(%.61s)",
		 *info.name ? info.name : info.uverbs);
}

/* Opens the device, as a program would, and closes it. */
static bool can_open(struct waiting *waiting, struct ibv_device *device)
{
	struct ibv_context *context;
	char name[sizeof(waiting->name)];
	int err;

	if (hf_device_name(device, name, sizeof(name)) < 0)
		name[0] = '\0';
	hfi_progress_enter(waiting->progress, name);
	err = hf_device_open(device, &context);
	if (!err)
		hf_device_close(context);
	hfi_progress_enter(waiting->progress, "");
	if (err)
		store_failure(waiting, device, err);
	else if (hf_device_name(device, waiting->name, sizeof(waiting->name)) < 0)
		waiting->name[0] = '\0';
	return !err;
}

/* Returns 1 if a device can be opened, 0 if none can, or -errno if the devices cannot be listed. */
static int try_devices(struct waiting *waiting)
{
	struct ibv_device **list, *device;
	int count, found = 0;

	waiting->error = 0;
	if (waiting->device) {
		int err = hf_device_by_name(waiting->hf, waiting->device, &device);

		if (err)
			return err == -ENODEV ? 0 : err;
		found = can_open(waiting, device);
		hf_device_unref(device);
		return found;
	}
	count = hf_device_list(waiting->hf, HF_LIST_ALL, &list);
	if (count < 0)
		return count;
	for (int i = 0; i < count && !found; i++)
		found = can_open(waiting, list[i]);
	hf_device_list_free(list);
	return found;
}

/* Discards the pending events: they only say to try again. True if the stream failed. */
static bool drop_pending_events(struct waiting *waiting)
{
	struct hf_event *event;
	int err;

	while ((err = hf_stream_next(waiting->stream, &event)) > 0)
		hf_event_unref(event);
	return err < 0;
}

static int timed_out(const struct waiting *waiting)
{
	char text[HF_REASON_TEXT];

	if (!waiting->error) {
		if (waiting->device && hfi_tool_has_unreadable_name(waiting->hf, text))
			hfi_complain("%s: no device is known to have that name, but %s",
				     waiting->device, text);
		else if (waiting->device)
			hfi_complain("%s: there is no such device yet", waiting->device);
		else
			hfi_complain("there is no device yet");
		return HF_EXIT_TIMEOUT;
	}
	hfi_format_reason(&waiting->reason, text);
	hfi_complain("%s exists, but cannot be opened: %s", waiting->name,
		     *text ? text : strerror(-waiting->error));
	return HF_EXIT_TIMEOUT;
}

static int print_ready(const struct waiting *waiting)
{
	struct hf_json json;

	if (waiting->tool->json) {
		hfi_json_begin(&json, stdout, false);
		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "device", waiting->name);
		hfi_json_close(&json);
	} else if (!waiting->device) {
		printf("%s\n", waiting->name);
	}
	return HF_EXIT_OK;
}

static int wait_until_ready(struct waiting *waiting)
{
	const int64_t end = waiting->end_ms;
	int err;

	for (;;) {
		struct pollfd fd = {.fd = hf_stream_fd(waiting->stream), .events = POLLIN};
		int64_t left = -1;
		bool failed;

		hfi_progress_enter(waiting->progress, "");
		failed = drop_pending_events(waiting);
		err = try_devices(waiting);
		hfi_progress_leave(waiting->progress);
		if (err > 0)
			return print_ready(waiting);
		if (end >= 0) {
			left = end - hfi_now_ms();
			if (left <= 0)
				break;
		}
		if ((err < 0 || failed || waiting->error) && (left < 0 || left > RETRY_MS))
			left = RETRY_MS;
		/* A stream that failed stays readable: do not poll it until the retry. */
		if (poll(&fd, failed ? 0 : 1, left > INT32_MAX ? INT32_MAX : (int)left) < 0 &&
		    errno != EINTR) {
			hfi_complain("cannot wait: %s", strerror(errno));
			return HF_EXIT_FAILED;
		}
	}
	if (err < 0) {
		hfi_complain("cannot list the devices: %s", strerror(-err));
		return HF_EXIT_FAILED;
	}
	return timed_out(waiting);
}

static int look_and_wait(struct waiting *waiting)
{
	const struct hf_stream_options options = {.size = sizeof(options),
						  .flags = HF_STREAM_NAMES};
	int err, status = HF_EXIT_FAILED;

	hfi_progress_enter(waiting->progress, "");
	waiting->hf = hfi_tool_context(waiting->tool, 0, NODE_WAIT_MS);
	if (!waiting->hf)
		return HF_EXIT_FAILED;
	/* Before the first try, so that no event in between is missed. */
	err = hf_stream_new(waiting->hf, &options, &waiting->stream);
	hfi_progress_leave(waiting->progress);
	if (err < 0)
		hfi_complain("cannot start the event stream: %s; \"holdfast doctor\" may know why",
			     strerror(-err));
	else
		status = wait_until_ready(waiting);
	hfi_progress_result(waiting->progress, status);
	hf_stream_unref(waiting->stream);
	hf_unref(waiting->hf);
	return status;
}

/* The parent of a child that stays in a call. */
static int given_up(const struct waiting *waiting)
{
	const char *device = waiting->progress->device;

	if (*device)
		hfi_complain("%s: opening it takes longer than that", device);
	else
		hfi_complain("looking for devices takes longer than that");
	return HF_EXIT_TIMEOUT;
}

static int run_wait(struct hf_tool *tool, char **args)
{
	struct waiting waiting = {.tool = tool, .device = args[0], .end_ms = -1};
	int ret, status = HF_EXIT_FAILED;

	/* Reject impossible names: a script with an empty variable would wait for ever. */
	if (args[0] &&
	    (!*args[0] || strlen(args[0]) >= sizeof(waiting.name) || strchr(args[0], '/'))) {
		hfi_complain("wait: no device can have the name \"%s\"", args[0]);
		return HF_EXIT_USAGE;
	}
	if (tool->timeout_ms >= 0)
		waiting.end_ms = hfi_now_ms() + tool->timeout_ms;
	/* One look takes the time that it takes. */
	if (tool->timeout_ms <= 0)
		return look_and_wait(&waiting);
	ret = hfi_bounded(waiting.end_ms, &waiting.progress, &status);
	if (ret < 0) {
		hfi_complain("cannot start: %s", strerror(-ret));
		return HF_EXIT_FAILED;
	}
	if (ret == HF_BOUNDED_CHILD)
		return look_and_wait(&waiting);
	return ret == HF_BOUNDED_ENDED ? status : given_up(&waiting);
}

/* Parses seconds, with an optional fraction, independently of the locale. -1 if it is not valid. */
static int64_t parse_seconds(const char *text)
{
	int64_t value = 0, unit = 1000;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (*text - '0');
		if (value > TIMEOUT_MAX_S)
			return -1;
	}
	value *= unit;
	if (*text == '.')
		while (*++text >= '0' && *text <= '9') {
			unit /= 10;
			value += unit * (*text - '0');
		}
	return *text ? -1 : value;
}

static int set_wait_option(struct hf_tool *tool, int option, const char *value)
{
	(void)option;
	tool->timeout_ms = parse_seconds(value);
	if (tool->timeout_ms >= 0)
		return 0;
	hfi_complain("--timeout: expected seconds, not \"%s\"", value);
	return -EINVAL;
}

static const struct option options[] = {
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{0},
};

const struct hf_command hf_command_wait = {
	.name = "wait",
	.args = "[DEV]",
	.summary = "wait until a device can be opened",
	.about = "Returns when the device DEV, or without DEV any device, can be opened. The "
		 "device is opened and closed once. Without DEV its name is printed. A device that "
		 "exists but cannot be opened is tried again every half second.",
	.options_help = "      --timeout S         give up after S seconds, with exit status 5;\n"
			"                          0: try once; default: wait for ever\n",
	.options = options,
	.set = set_wait_option,
	.max_args = 1,
	.run = run_wait,
};
