/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reading what is below the directory of a device. */
#ifndef HF_DEVICE_ATTRIBUTES_H
#define HF_DEVICE_ATTRIBUTES_H

#include "shared/attr.h"
#include "core/device/device.h"

/*
 * Calls `read` with a directory that is proven to be the device's and returns what it returns,
 * unless the device turns out to be gone: then -ENODEV.
 */
int hfi_with_dir(struct hf_device *device,
		 int (*read)(int dir, const struct hf_entry *entry, void *arg),
		 void *arg) HF_MUST_CHECK HF_NONNULL_OF(1, 2);

#endif
