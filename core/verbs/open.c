/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens and closes contexts: hf_device_open(), ibv_open_device() and their counterparts. */
#include <errno.h>
#include <stddef.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/compat.h"
#include "core/device/open.h"
#include "core/verbs/context.h"

static const struct hf_open_steps steps = {
	.fault = hfi_context_fault,
	.prepare = hfi_context_prepare,
	.undo = hfi_context_free,
};

HF_EXPORT int hf_device_open(struct ibv_device *device, struct ibv_context **ret)
{
	return hfi_open(hfi_device_of(device), &steps, NULL, ret);
}

int hfi_compat_open_device(struct ibv_device *device, void *private_data, struct ibv_context **ret)
{
	return hfi_open(hfi_device_of(device), &steps, private_data, ret);
}

HF_EXPORT int hf_device_close(struct ibv_context *context)
{
	struct hf_device *device;

	if (!hfi_is_live(context))
		return -EBADF;
	device = hfi_device_of(context->device);
	/*
	 * Keeps a reference to the device besides the context's own: if that were the last one, the
	 * provider would be unloaded while its free_context is still on the stack.
	 */
	hfi_device_hold(device);
	hfi_context_free(hfi_context_of(context));
	hfi_device_drop(device);
	return 0;
}

HF_EXPORT struct ibv_context *ibv_open_device(struct ibv_device *device)
{
	struct ibv_context *context;
	int err = hf_device_open(device, &context);

	if (!err)
		return context;
	errno = -err;
	return NULL;
}

HF_EXPORT int ibv_close_device(struct ibv_context *context)
{
	const int err = hf_device_close(context);

	if (!err)
		return 0;
	errno = -err;
	return -1;
}
