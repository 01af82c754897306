/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From an RDMA device to the hardware below it. */
#ifndef HF_NAMING_HARDWARE_H
#define HF_NAMING_HARDWARE_H

#include <stdbool.h>

#include "naming/naming.h"

/*
 * Reads the hardware of class/infiniband/NAME, through directories that are held open. `sysfs` is a
 * descriptor of the tree's top. -ENODEV: there is no such device.
 */
int hfi_name_look(int sysfs, const char *name, struct hf_name_hardware *ret);
/* True if the name still refers to the device that was read. */
bool hfi_name_is_still(int sysfs, const char *name, const struct hf_name_hardware *hardware);

/* Reads a decimal number. If the file is missing, ret->there is false and 0 is returned. */
int hfi_name_read_number(int dir, const char *path, struct hf_name_number *ret);

#endif
