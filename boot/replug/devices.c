/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA devices and their nodes, and the names of their units. */
#include <dirent.h>
#include <errno.h>
#include <libudev.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/replug/devices.h"

/* The longest name of a unit, with the NUL. systemd replaces the end of longer ones by a hash. */
enum { UNIT_NAME_SIZE = 256 };

bool replug_any_device(void)
{
	DIR *dir = opendir("/sys/class/infiniband");
	const struct dirent *entry;
	bool any = false;

	if (!dir)
		return false;
	while (!any && (entry = readdir(dir)))
		any = entry->d_name[0] != '.';
	closedir(dir);
	return any;
}

int replug_add_name(struct replug_names *names, const char *name)
{
	char **more = reallocarray(names->v, names->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	names->v = more;
	names->v[names->count] = strdup(name);
	if (!names->v[names->count])
		return -ENOMEM;
	names->count++;
	return 0;
}

void replug_free_names(struct replug_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct replug_names){0};
}

static bool stays_in_unit_name(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(":_.", c));
}

int replug_add_unit_of_path(struct replug_names *units, const char *path)
{
	static const char suffix[] = ".device";
	char name[UNIT_NAME_SIZE];
	size_t used = 0;

	if (path[0] != '/')
		return 0;
	while (*path) {
		unsigned char c = (unsigned char)*path++;

		if (used + sizeof("\\x00") + sizeof(suffix) > sizeof(name))
			return 0;
		if (c == '/') {
			while (*path == '/')
				path++;
			if (used && *path)
				name[used++] = '-';
		} else if (stays_in_unit_name(c) && (used || c != '.')) {
			name[used++] = (char)c;
		} else {
			used += (size_t)snprintf(name + used, sizeof(name) - used, "\\x%02x", c);
		}
	}
	if (!used)
		return 0;
	memcpy(name + used, suffix, sizeof(suffix));
	return replug_add_name(units, name);
}

/* Paths separated by blanks. */
static int add_units_of_paths(struct replug_names *units, const char *paths)
{
	char *copy = paths ? strdup(paths) : NULL, *rest = NULL;
	int err = 0;

	if (!paths)
		return 0;
	if (!copy)
		return -ENOMEM;
	for (char *path = strtok_r(copy, " ", &rest); path && !err;
	     path = strtok_r(NULL, " ", &rest))
		err = replug_add_unit_of_path(units, path);
	free(copy);
	return err;
}

static int add_units_of_device(struct replug_names *units, struct udev_device *device)
{
	int err = replug_add_unit_of_path(units, udev_device_get_syspath(device));

	if (!err)
		err = add_units_of_paths(units, udev_device_get_property_value(device, "DEVNAME"));
	if (!err)
		err = add_units_of_paths(units, udev_device_get_property_value(device, "DEVLINKS"));
	if (!err)
		err = add_units_of_paths(units,
					 udev_device_get_property_value(device, "SYSTEMD_ALIAS"));
	return err;
}

int replug_units_of(const char *subsystem, const char *name, struct replug_names *units)
{
	struct udev *udev = udev_new();
	struct udev_device *device;
	int err = 0;

	if (!udev)
		return -ENOMEM;
	device = udev_device_new_from_subsystem_sysname(udev, subsystem, name);
	if (device)
		err = add_units_of_device(units, device);
	udev_device_unref(device);
	udev_unref(udev);
	return err;
}

int replug_units_of_all(struct replug_names *units)
{
	struct udev *udev = udev_new();
	struct udev_enumerate *found = udev ? udev_enumerate_new(udev) : NULL;
	struct udev_list_entry *entry;
	int err = -ENOMEM;

	if (!found)
		goto out;
	err = udev_enumerate_add_match_subsystem(found, "infiniband");
	if (!err)
		err = udev_enumerate_add_match_subsystem(found, "infiniband_verbs");
	if (!err)
		err = udev_enumerate_add_match_subsystem(found, "infiniband_mad");
	if (!err)
		err = udev_enumerate_scan_devices(found);
	if (err < 0)
		goto out;
	err = 0;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(found))
	{
		struct udev_device *device =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));

		if (device && !err)
			err = add_units_of_device(units, device);
		udev_device_unref(device);
	}
out:
	udev_enumerate_unref(found);
	udev_unref(udev);
	return err;
}
