/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The functions that librtrs loads from this library, which watches devices with a stream of
 * Holdfast.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <holdfast/holdfast.h>

#include "rtrs/lib/devices.h"

struct rtrs_device_watch {
	struct hf *hf;
	struct hf_stream *stream;
};

/* Report devices without a provider of Holdfast's as well: it is not Holdfast that opens them. */
static int open_device_watch(struct rtrs_device_watch **ret)
{
	const struct hf_stream_options options = {.size = sizeof(options), .flags = HF_STREAM_ALL};
	struct rtrs_device_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	err = hf_new(NULL, &watch->hf);
	if (err)
		goto no_hf;
	err = hf_stream_new(watch->hf, &options, &watch->stream);
	if (err)
		goto no_stream;
	*ret = watch;
	return 0;
no_stream:
	hf_unref(watch->hf);
no_hf:
	free(watch);
	return err;
}

static int device_watch_fd(const struct rtrs_device_watch *watch)
{
	return hf_stream_fd(watch->stream);
}

/* Report changes as well: an address or a link may come later than its device. */
static bool is_arrival(const struct hf_event *event)
{
	const uint32_t changes = HF_CHANGED_GID | HF_CHANGED_PORT | HF_CHANGED_NETDEV;

	return hf_event_type(event) == HF_EVENT_ADDED || hf_event_changes(event) & changes;
}

static int next_arrival(struct rtrs_device_watch *watch)
{
	struct hf_event *event;
	int result, has_come = 0;

	while ((result = hf_stream_next(watch->stream, &event)) > 0) {
		has_come |= is_arrival(event);
		hf_event_unref(event);
	}
	return result < 0 ? result : has_come;
}

static void close_device_watch(struct rtrs_device_watch *watch)
{
	hf_stream_unref(watch->stream);
	hf_unref(watch->hf);
	free(watch);
}

/* For dlsym() alone, so no header declares it. */
HF_EXPORT const struct rtrs_device_watch_ops *rtrsi_devices_module(void);

const struct rtrs_device_watch_ops *rtrsi_devices_module(void)
{
	static const struct rtrs_device_watch_ops ops = {
		.open = open_device_watch,
		.fd = device_watch_fd,
		.next = next_arrival,
		.close = close_device_watch,
	};

	return &ops;
}
