/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists of handles, in libibverbs' order. */
#ifndef HF_DEVICE_LIST_H
#define HF_DEVICE_LIST_H

#include <stdbool.h>

#include "core/device/hf.h"

/*
 * Brings the table up to date. When nothing has changed that costs what the change check does, see
 * change_check.h, besides a look at the provider directories if a device is not ready.
 */
int hfi_refresh(struct hf *hf) HF_MUST_CHECK HF_NONNULL;

/*
 * An array of the devices that `wanted` picks, each with a reference, NULL at the end; the caller
 * gives it back with hf_device_list_free(). `wanted` is called with hf->lock held. Picked devices
 * found since the last list come first. Returns the number.
 */
int hfi_list(struct hf *hf, bool (*wanted)(const struct hf_device *device),
	     struct ibv_device ***ret) HF_MUST_CHECK HF_NONNULL;

/* Would a machine without RDMA support look like this? For ibv_get_device_list()'s ENOSYS. */
bool hfi_no_kernel_support(struct hf *hf) HF_MUST_CHECK HF_NONNULL;

#endif
