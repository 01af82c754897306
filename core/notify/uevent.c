/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's uevents, read through libudev; no udevd is needed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/notify/libudev.h"
#include "core/notify/netlink.h"
#include "core/notify/uevent.h"

struct hf_uevent {
	struct hf_udev_calls call;
	struct udev *udev;
	struct udev_monitor *monitor;
};

/* libudev returns NULL and sets errno to the reason, or to 0. */
static int reason(void)
{
	return errno > 0 ? -errno : -ENOMEM;
}

int hfi_uevent_open(size_t receive_buffer, const struct hf_log *log, struct hf_uevent **ret)
{
	struct hf_uevent *uevent = calloc(1, sizeof(*uevent));
	const char *why;
	int err;

	if (!uevent)
		return -ENOMEM;
	err = hfi_udev_calls_get(&uevent->call, &why);
	if (err) {
		if (err == -ELIBACC)
			hf_warn(log, "no uevents, polling every second instead: %s", why);
		free(uevent);
		return err;
	}
	errno = 0;
	uevent->udev = uevent->call.new();
	if (!uevent->udev) {
		err = reason();
		goto failed;
	}
	uevent->monitor = uevent->call.monitor_new_from_netlink(uevent->udev, "kernel");
	if (!uevent->monitor) {
		err = reason();
		goto failed;
	}
	err = uevent->call.monitor_filter_add_match_subsystem_devtype(uevent->monitor, "infiniband",
								      NULL);
	if (err >= 0)
		err = uevent->call.monitor_filter_add_match_subsystem_devtype(
			uevent->monitor, "infiniband_verbs", NULL);
	if (err >= 0)
		err = uevent->call.monitor_enable_receiving(uevent->monitor);
	if (err < 0)
		goto failed;
	hfi_set_receive_buffer(uevent->call.monitor_get_fd(uevent->monitor), receive_buffer);
	*ret = uevent;
	return 0;

failed:
	hfi_uevent_close(uevent);
	return err;
}

int hfi_uevent_fd(const struct hf_uevent *uevent)
{
	return uevent->call.monitor_get_fd(uevent->monitor);
}

static void handle_uevent(const struct hf_udev_calls *call, const struct hf_hint_sink *sink,
			  struct udev_device *device)
{
	struct hf_hint hint;

	if (hfi_uevent_classify(call->device_get_action(device), call->device_get_subsystem(device),
				call->device_get_devpath(device),
				call->device_get_property_value(device, "DEVPATH_OLD"),
				call->device_get_sysname(device), &hint) > 0)
		sink->take(sink->arg, &hint);
}

void hfi_uevent_drain(struct hf_uevent *uevent, const struct hf_hint_sink *sink)
{
	for (int i = 0; i < HF_DRAIN_MAX; i++) {
		struct udev_device *device;

		errno = 0;
		device = uevent->call.monitor_receive_device(uevent->monitor);
		if (device) {
			handle_uevent(&uevent->call, sink, device);
			uevent->call.device_unref(device);
			continue;
		}
		if (errno == EAGAIN)
			return;
		/* libudev rejected a message, which it has already consumed: read the next one. */
		if (errno == ENOBUFS || errno == ENOMEM)
			hfi_hint_send(sink, HF_HINT_LOST, HF_ROOT_KERNEL, NULL);
	}
}

void hfi_uevent_close(struct hf_uevent *uevent)
{
	uevent->call.monitor_unref(uevent->monitor);
	uevent->call.unref(uevent->udev);
	free(uevent);
}
