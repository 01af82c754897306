/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA devices and their nodes, and the names of their units. */
#ifndef BOOT_REPLUG_DEVICES_H
#define BOOT_REPLUG_DEVICES_H
#include <stdbool.h>
#include <stddef.h>

struct replug_names {
	char **v;
	size_t count;
};

/*
 * Whether there is an RDMA device. This is the kernel's view: systemd is notified of a device
 * later.
 */
bool replug_any_device(void);

/*
 * Adds the device units of a device or node: of its path in /sys, of its node, and of their further names. Nothing
 * if it is gone. 0 or -errno.
 */
int replug_units_of(const char *subsystem, const char *name, struct replug_names *units);

/* The same of all RDMA devices and nodes. */
int replug_units_of_all(struct replug_names *units);

/* Adds the device unit of a path, as `systemd-escape --path --suffix=device` names it, unless that is too long. */
int replug_add_unit_of_path(struct replug_names *units, const char *path);

int replug_add_name(struct replug_names *names, const char *name);
void replug_free_names(struct replug_names *names);
#endif
