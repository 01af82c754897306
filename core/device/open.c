/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens a device: verifies the instance before and after the node is opened. */
#include <errno.h>
#include <string.h>

#include "shared/file.h"
#include "core/base/reason.h"
#include "core/device/instance.h"
#include "core/device/node.h"
#include "core/device/open.h"
#include "core/device/scan.h"
#include "core/device/scan_lock.h"
#include "core/device/spare_descriptors.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/entry.h"
#include "core/registry/registry.h"
#include "shared/text.h"

int hfi_verify(struct hf_device *device, const struct hf_entry *entry)
{
	struct hf *hf = device->hf;
	const struct hf_search_root *root = &hf->roots[entry->root];
	/* Netlink needs a descriptor; when descriptors are short, rely on the inode. */
	const bool asks = entry->index >= 0 &&
			  !(entry->life.inode && atomic_load(&hf->few_descriptors));
	int err;

	if (atomic_load(&device->gone))
		return -ENODEV;
	/* A provider that opens a device from within a scan verifies it without netlink. */
	if (!asks || !hfi_netlink_lock(hf))
		return hfi_entry_verify(root, NULL, entry);
	err = hfi_entry_verify(root, hfi_netlink(hf, root), entry);
	hfi_netlink_unlock(hf);
	return err;
}

/* Maps errors to those that the header documents; a device cgroup, for example, returns EPERM. */
static int open_error(int err)
{
	switch (err) {
	case 0:
	case -ENODEV:
	case -EACCES:
	case -ENOENT:
	case -ENXIO:
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return err;
	case -EPERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int refuse_context(struct hf_device *device, const char *fault)
{
	char name[sizeof(device->entry.name)];
	struct hf_reason reason;

	hfi_hf_lock(device->hf);
	hfi_copy(name, sizeof(name), device->name);
	hfi_hf_unlock(device->hf);
	hfi_reason_set(&reason, HF_REASON_PROVIDER_FAILED, "a complete context", fault,
		       "provider %s opened device %s as a context that %s", device->provider->name,
		       name, fault);
	hfi_registry_fault(&device->hf->log, device->provider, &reason);
	return -reason.error;
}

/*
 * The last verification: `held` is no longer needed, and the process may have no other free
 * descriptor.
 */
static int verify_last(struct hf_device *device, const struct hf_entry *entry, int *held)
{
	int err = hfi_verify(device, entry);

	if ((err != -EMFILE && err != -ENFILE) || *held < 0)
		return err;
	hfi_close(held);
	return hfi_verify(device, entry);
}

/* Checks the provider's context, then verifies the instance once more. */
static int finish_open(struct hf_device *device, const struct hf_entry *entry, int *held,
		       const struct hf_open_steps *steps, struct verbs_context *context,
		       struct verbs_context **ret)
{
	int err, provider_error = errno > 0 ? -errno : -EIO;
	const char *fault;

	if (!context)
		return hfi_verify(device, entry) == -ENODEV ? -ENODEV : provider_error;
	fault = steps->fault(context, device);
	if (fault)
		return refuse_context(device, fault);
	provider_error = steps->prepare(context);
	err = open_error(verify_last(device, entry, held));
	if (!err)
		err = provider_error;
	if (err) {
		steps->undo(context);
		return err;
	}
	*ret = context;
	return 0;
}

/* What alloc_context and import_context return is the provider's context, which can begin before ours. */
static struct verbs_context *ours_of(const struct hf_device *device, struct verbs_context *theirs)
{
	if (!theirs)
		return NULL;
	return (struct verbs_context *)(void *)((char *)theirs + device->provider->context_front);
}

static int try_to_open(struct hf_device *device, const struct hf_open_steps *steps,
		       void *private_data, struct ibv_context **ret)
{
	struct hf *hf = device->hf;
	const struct verbs_device_ops *ops = device->handle->ops;
	const struct hf_search_root *root;
	struct verbs_context *context = NULL;
	struct hf_entry entry;
	int err, node, held;

	if (atomic_load(&device->gone))
		return -ENODEV;
	if (!device->provider) {
		hfi_hf_lock(hf);
		err = -hfi_reason_error(device->reason);
		hfi_hf_unlock(hf);
		return err ? err : -ENOSYS;
	}
	/* Without the device number another device's node could be opened. */
	entry = hfi_instance_entry(device);
	if (entry.brief) {
		err = open_error(hfi_instance_complete(device));
		if (err)
			return err;
		entry = hfi_instance_entry(device);
	}
	root = &hf->roots[entry.root];
	/*
	 * The first verification. The directory stays open until the end, so that everything is
	 * read from this instance.
	 */
	held = hfi_entry_open_uverbs(root, &entry);
	if (held < 0 && held != -EOPNOTSUPP)
		return open_error(held);
	node = hfi_node_open(root, &entry, hf->node_wait_ms);
	if (node < 0) {
		err = open_error(node);
		/* If the device is gone, report that and not the missing node. */
		if (hfi_verify(device, &entry) == -ENODEV)
			err = -ENODEV;
		goto close_held;
	}
	/* A device known from netlink alone has no directory to verify. */
	err = held < 0 ? open_error(hfi_verify(device, &entry)) : 0;
	if (err) {
		hfi_close(&node);
		goto close_held;
	}
	errno = 0;
	err = finish_open(device, &entry, &held, steps,
			  ours_of(device,
				  ops->alloc_context(&device->handle->device, node, private_data)),
			  &context);
	if (!err)
		*ret = &context->context;
close_held:
	hfi_close(&held);
	return err;
}

int hfi_open(struct hf_device *device, const struct hf_open_steps *steps, void *private_data,
	     struct ibv_context **ret)
{
	int err = try_to_open(device, steps, private_data, ret);

	if (hfi_give_up_spare(device->hf, err))
		err = try_to_open(device, steps, private_data, ret);
	return err;
}

int hfi_import(struct hf_device *device, int cmd_fd, const struct hf_open_steps *steps,
	       struct ibv_context **ret)
{
	const struct verbs_device_ops *ops = device->provider ? device->handle->ops : NULL;
	struct verbs_context *context = NULL;
	struct hf_entry entry;
	int err, held;

	if (!ops || !ops->import_context)
		return -EOPNOTSUPP;
	err = open_error(hfi_instance_bind(device));
	if (err)
		return err;
	entry = hfi_instance_entry(device);
	held = hfi_entry_open_uverbs(&device->hf->roots[entry.root], &entry);
	if (held < 0 && held != -EOPNOTSUPP)
		return open_error(held);
	err = open_error(hfi_verify(device, &entry));
	if (err)
		goto close_held;
	errno = 0;
	err = finish_open(device, &entry, &held, steps,
			  ours_of(device, ops->import_context(&device->handle->device, cmd_fd)),
			  &context);
	if (!err)
		*ret = &context->context;
close_held:
	hfi_close(&held);
	return err;
}
