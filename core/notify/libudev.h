/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loads libudev when a program first listens to uevents: mapping it would take a program that only
 * lists devices longer than the list itself.
 */
#ifndef HF_NOTIFY_LIBUDEV_H
#define HF_NOTIFY_LIBUDEV_H

#include <libudev.h>

#include "shared/attr.h"

#define HF_UDEV_CALLS(CALL)             \
	CALL(new)                       \
	CALL(unref)                     \
	CALL(monitor_new_from_netlink)  \
	CALL(monitor_unref)             \
	CALL(monitor_enable_receiving)  \
	CALL(monitor_get_fd)            \
	CALL(monitor_receive_device)    \
	CALL(device_unref)              \
	CALL(device_get_action)         \
	CALL(device_get_devpath)        \
	CALL(device_get_subsystem)      \
	CALL(device_get_sysname)        \
	CALL(device_get_property_value) \
	CALL(monitor_filter_add_match_subsystem_devtype)

struct hf_udev_calls {
#define HF_UDEV_MEMBER(name) __typeof__(udev_##name) *(name);
	HF_UDEV_CALLS(HF_UDEV_MEMBER)
#undef HF_UDEV_MEMBER
};

/*
 * 0, or -errno and the loader's message in `why` (valid until its next call): -ELIBACC without
 * libudev.
 */
int hfi_udev_calls_get(struct hf_udev_calls *ret, const char **why) HF_MUST_CHECK HF_NONNULL;

#endif
