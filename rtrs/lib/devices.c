/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The library that watches devices, loaded; and a watch as long as somebody waits for a device. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "rtrs/lib/devices.h"

int rtrsi_devices_load(struct rtrs_devices *devices)
{
	const struct rtrs_device_watch_ops *(*ops_of_library)(void);
	void *library;

	if (devices->ops)
		return 0;
	library = dlopen(HF_RTRS_DEVICES_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		return -EOPNOTSUPP;
	*(void **)&ops_of_library = dlsym(library, "rtrsi_devices_module");
	if (!ops_of_library)
		return -EOPNOTSUPP;
	devices->ops = ops_of_library();
	return 0;
}

int rtrsi_devices_watch(struct rtrs_devices *devices, struct rtrs_wait *wait, bool is_needed)
{
	int err;

	if (is_needed == (devices->watch != NULL))
		return 0;
	if (!is_needed) {
		rtrsi_devices_close(devices);
		return 0;
	}
	if (!devices->ops)
		return -EOPNOTSUPP;
	err = devices->ops->open(&devices->watch);
	if (err)
		return err;
	err = rtrsi_wait_add(wait, devices->ops->fd(devices->watch));
	if (err)
		rtrsi_devices_close(devices);
	return err;
}

int rtrsi_devices_next(const struct rtrs_devices *devices)
{
	return devices->watch ? devices->ops->next(devices->watch) : 0;
}

void rtrsi_devices_close(struct rtrs_devices *devices)
{
	if (devices->watch)
		devices->ops->close(devices->watch);
	devices->watch = NULL;
}
