/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads files below a device's directory. */
#ifndef HF_DEVICE_ATTRIBUTES_H
#define HF_DEVICE_ATTRIBUTES_H

#include "shared/attr.h"
#include "core/device/device.h"

/*
 * Calls `read` with a directory that is verified to be the device's, and returns its result;
 * -ENODEV if the device turns out to be gone.
 */
int hfi_with_dir(struct hf_device *device,
		 int (*read)(int dir, const struct hf_entry *entry, void *arg),
		 void *arg) HF_MUST_CHECK HF_NONNULL_OF(1, 2);

#endif
