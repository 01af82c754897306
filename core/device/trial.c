/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tries a library on a device that does not exist. */
#include <stdlib.h>

#include "shared/text.h"
#include "core/device/table.h"
#include "core/device/trial.h"

static void fill_trial(struct verbs_sysfs_dev *sysfs, const struct verbs_device_ops *ops)
{
	hfi_copy(sysfs->sysfs_name, sizeof(sysfs->sysfs_name), "uverbs0");
	hfi_copy(sysfs->ibdev_name, sizeof(sysfs->ibdev_name), "none0");
	hfi_copy(sysfs->ibdev_path, sizeof(sysfs->ibdev_path), "/sys/class/infiniband/none0");
	sysfs->ibdev_idx = -1;
	sysfs->abi_ver = ops->match_max_abi_version;
	if (ops->match_table && ops->match_table->kind != HF_MATCH_END)
		sysfs->match = ops->match_table;
}

void hfi_trial_run(const struct verbs_device_ops *ops)
{
	/* Allocate it completely: the shim finds the other members from the first one. */
	struct hf_device *device = calloc(1, sizeof(*device));
	struct verbs_device *handle;

	if (!device)
		return;
	fill_trial(&device->sysfs, ops);
	handle = ops->alloc_device(&device->sysfs);
	if (handle) {
		handle->ops = ops;
		handle->sysfs = &device->sysfs;
		if (ops->uninit_device)
			ops->uninit_device(handle);
	}
	free(device);
}
