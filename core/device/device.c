/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reference counts of devices, and the attributes that every handle has. */
#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/device/device.h"
#include "core/device/instance.h"

struct hf_device *hfi_device_of(const struct ibv_device *handle)
{
	const struct verbs_device *device = (const struct verbs_device *)(const void *)handle;

	return (struct hf_device *)(void *)device->sysfs;
}

void hfi_device_hold(struct hf_device *device)
{
	hf_ref(device->hf);
	__atomic_add_fetch(&device->handle->refcount, 1, __ATOMIC_RELAXED);
}

void hfi_device_drop(struct hf_device *device)
{
	struct hf *hf = device->hf;

	hfi_instance_put(device);
	hf_unref(hf);
}

HF_EXPORT struct ibv_device *hf_device_ref(struct ibv_device *device)
{
	hfi_device_hold(hfi_device_of(device));
	return device;
}

HF_EXPORT struct ibv_device *hf_device_unref(struct ibv_device *device)
{
	if (device)
		hfi_device_drop(hfi_device_of(device));
	return NULL;
}

HF_EXPORT uint64_t hf_device_generation(const struct ibv_device *device)
{
	return hfi_device_of(device)->generation;
}

HF_EXPORT int hf_device_is_gone(const struct ibv_device *device)
{
	return atomic_load(&hfi_device_of(device)->gone);
}
