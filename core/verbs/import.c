/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes a context on a descriptor that another process has opened. */
#include <errno.h>
#include <sys/stat.h>

#include <holdfast/context.h>
#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/device/instance.h"
#include "core/device/list.h"
#include "core/device/open.h"
#include "core/verbs/context.h"

static int prepare_imported(struct verbs_context *context)
{
	/*
	 * The other process made the kernel's context, unless the provider declared that there is
	 * none.
	 */
	if (context->priv->calls == &hfi_default_calls)
		context->priv->calls = &hfi_kernel_calls;
	return hfi_context_prepare(context);
}

static const struct hf_open_steps steps = {
	.fault = hfi_context_fault,
	.prepare = prepare_imported,
	.undo = hfi_context_free,
};

static bool has_provider(const struct hf_device *device)
{
	return device->provider != NULL;
}

/* The device whose node this is; with a reference, or NULL. */
static struct hf_device *find_node(struct ibv_device **list, dev_t node)
{
	for (; *list; list++) {
		struct hf_device *device = hfi_device_of(*list);

		if (hfi_instance_complete(device) || hfi_instance_entry(device).node_number != node)
			continue;
		hfi_device_hold(device);
		return device;
	}
	return NULL;
}

static int import_context(struct hf *hf, int cmd_fd, struct ibv_context **ret)
{
	struct hf_device *device;
	struct ibv_device **list;
	struct stat status;
	int err;

	if (fstat(cmd_fd, &status) < 0)
		return -errno;
	if (!S_ISCHR(status.st_mode) || !status.st_rdev)
		return -ENODEV;
	err = hfi_list(hf, has_provider, true, &list);
	if (err < 0)
		return err;
	device = find_node(list, status.st_rdev);
	hf_device_list_free(list);
	if (!device)
		return -ENODEV;
	err = hfi_import(device, cmd_fd, &steps, ret);
	hfi_device_drop(device);
	return err;
}

HF_EXPORT struct ibv_context *ibv_import_device(int cmd_fd)
{
	struct ibv_context *context = NULL;
	struct hf *hf;
	int err;

	err = hf_default(&hf);
	if (!err) {
		err = import_context(hf, cmd_fd, &context);
		hf_unref(hf);
	}
	if (!err)
		return context;
	errno = -err;
	return NULL;
}
