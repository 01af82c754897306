/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists of device handles, in libibverbs' order. */
#ifndef HF_DEVICE_LIST_H
#define HF_DEVICE_LIST_H

#include <stdbool.h>

#include "core/device/hf.h"

/*
 * Updates the table. If nothing has changed, this costs one change check (see change_check.h), and
 * a check of the provider directories if a device is not ready. With `nodes_later` it is enough that
 * a node exists, see struct hf_table.
 */
int hfi_refresh(struct hf *hf, bool nodes_later) HF_MUST_CHECK HF_NONNULL;

/*
 * Returns an array of the devices that `wanted` picks, each with a reference, with NULL at the end;
 * the caller frees it with hf_device_list_free(). `wanted` is called with hf->lock held. Devices
 * found since the last list come first. Returns their number.
 */
int hfi_list(struct hf *hf, bool (*wanted)(const struct hf_device *device), bool nodes_later,
	     struct ibv_device ***ret) HF_MUST_CHECK HF_NONNULL;

/*
 * True if a machine without RDMA support would look like this: ibv_get_device_list() then returns
 * ENOSYS.
 */
bool hfi_no_kernel_support(struct hf *hf) HF_MUST_CHECK HF_NONNULL;

#endif
