/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Jobs of systemd: starts that it has refused, and the stop of rdma-hw.target. */
#ifndef BOOT_REPLUG_JOBS_H
#define BOOT_REPLUG_JOBS_H
#include <systemd/sd-bus.h>

#include "boot/replug/devices.h"

/* Connects to systemd, also if no message bus runs. 0 or -errno. */
int replug_connect(sd_bus **bus);

/* Starts the units that these device units want and systemd has refused to start. 0 or -errno. */
int replug_start_refused(sd_bus *bus, const struct replug_names *device_units);

/* Stops rdma-hw.target unless a unit that is not a device keeps it active. 0 or -errno. */
int replug_stop_target(sd_bus *bus);
#endif
