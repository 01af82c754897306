/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files that every device of a class has in sysfs: uevent, and those of its power, which here has no effect. */
#ifndef RTRS_TOOLS_DEVICE_FILES_H
#define RTRS_TOOLS_DEVICE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "shared/attr.h"

/* What was written to a device's files, where that is not as it was. */
struct device_power {
	struct device_power *next;
	char *directory; /* the device's */
	bool is_async, is_on;
};

/* Each file and directory, by its path below the device's. */
void rtrsi_device_files_each(void (*each)(void *arg, const char *name, mode_t mode), void *arg)
	HF_NONNULL_OF(1);
/* `path` is that of the device and one of the names; the length of the text, or an errno as the kernel's file has it. */
int rtrsi_device_file_read(const struct device_power *list, const char *path, char *to,
			   size_t size) HF_MUST_CHECK HF_NONNULL_OF(2, 3);
int rtrsi_device_file_write(struct device_power **list, const char *path, const char *value,
			    size_t length) HF_MUST_CHECK HF_NONNULL;
/* Forgets the devices that are not there. */
void rtrsi_device_power_keep(struct device_power **list,
			     bool (*is_there)(const void *arg, const char *directory),
			     const void *arg) HF_NONNULL_OF(1, 2);
void rtrsi_device_power_free(struct device_power *list);

#endif
