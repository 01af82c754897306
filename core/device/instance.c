/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Instances: created when a device is first found, freed with the last reference. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/stream.h>

#include "shared/error.h"
#include "shared/text.h"
#include "core/base/reason.h"
#include "core/device/instance.h"
#include "core/device/node.h"
#include "core/device/scan_lock.h"
#include "core/device/scan.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/registry/registry.h"

static void set_sysfs_paths(struct hf_device *device)
{
	const struct hf_search_root *root = &device->hf->roots[device->entry.root];

	hfi_join(device->sysfs.ibdev_path, sizeof(device->sysfs.ibdev_path), root->sysfs,
		 "/class/infiniband/", device->name);
}

/*
 * Programs read these members of a handle directly, so they may read a half-written name during a
 * rename; ibv_get_device_name() and hf_device_name() return complete names.
 */
static void publish_name(struct hf_device *device)
{
	struct verbs_device *handle = device->handle;

	if (!handle)
		return;
	memcpy(handle->device.name, device->sysfs.ibdev_name, sizeof(handle->device.name));
	memcpy(handle->device.ibdev_path, device->sysfs.ibdev_path,
	       sizeof(handle->device.ibdev_path));
}

int hfi_instance_rename(struct hf_device *device, const char *name)
{
	struct hf_past_name *past;

	past = malloc(sizeof(*past) + strlen(name) + 1);
	if (!past)
		return -ENOMEM;
	strcpy(past->name, name);
	past->next = device->past_names;
	device->past_names = past;
	device->name = past->name;
	hfi_copy(device->sysfs.ibdev_name, sizeof(device->sysfs.ibdev_name), name);
	set_sysfs_paths(device);
	publish_name(device);
	return 0;
}

static void fill_sysfs(struct hf_device *device)
{
	const struct hf_entry *entry = &device->entry;
	struct verbs_sysfs_dev *sysfs = &device->sysfs;

	hfi_copy(sysfs->sysfs_name, sizeof(sysfs->sysfs_name), entry->uverbs);
	sysfs->sysfs_cdev = entry->node_number;
	sysfs->node_guid = entry->node_guid;
	sysfs->driver_id = entry->driver_id;
	sysfs->node_type = (enum ibv_node_type)entry->node_type;
	sysfs->ibdev_idx = entry->index;
	sysfs->num_ports = entry->num_ports;
	sysfs->abi_ver = entry->kernel_abi;
	sysfs->time_created = entry->stamp;
}

uint32_t hfi_instance_update(struct hf_device *device, const struct hf_entry *entry)
{
	struct hf_entry old;
	uint32_t changes = 0;
	bool renamed = strcmp(device->entry.name, entry->name) != 0;

	if (renamed && hfi_instance_rename(device, entry->name) == 0)
		changes |= HF_CHANGED_NAME;
	old = device->entry;
	device->entry = *entry;
	/* Keep what only one source provides, if this time only the other one was read. */
	if (entry->index < 0)
		device->entry.index = old.index;
	if (!entry->node_guid)
		device->entry.node_guid = old.node_guid;
	if (entry->brief) {
		if (!entry->node_number)
			device->entry.node_number = old.node_number;
		if (!entry->device_inode)
			device->entry.device_inode = old.device_inode;
		if (!entry->life.inode) {
			device->entry.life = old.life;
			device->entry.stamp = old.stamp;
		}
	}
	if (renamed && !changes) /* no memory for the name: the next scan tries again */
		hfi_copy(device->entry.name, sizeof(device->entry.name), device->name);
	device->sysfs.node_guid = device->entry.node_guid;
	if (device->entry.node_guid)
		device->sysfs.flags |= HF_SYSFS_GUID_READ;
	device->sysfs.sysfs_cdev = device->entry.node_number;
	device->sysfs.ibdev_idx = device->entry.index;
	return changes;
}

static enum ibv_transport_type transport_of(int32_t node_type)
{
	switch (node_type) {
	case IBV_NODE_CA:
	case IBV_NODE_SWITCH:
	case IBV_NODE_ROUTER:
		return IBV_TRANSPORT_IB;
	case IBV_NODE_RNIC:
		return IBV_TRANSPORT_IWARP;
	case IBV_NODE_USNIC:
		return IBV_TRANSPORT_USNIC;
	case IBV_NODE_USNIC_UDP:
		return IBV_TRANSPORT_USNIC_UDP;
	case IBV_NODE_UNSPECIFIED:
		return IBV_TRANSPORT_UNSPECIFIED;
	default:
		return IBV_TRANSPORT_UNKNOWN;
	}
}

static void fill_handle(struct hf_device *device)
{
	struct verbs_device *handle = device->handle;

	handle->sysfs = &device->sysfs;
	__atomic_store_n(&handle->refcount, 1, __ATOMIC_RELAXED);
	handle->device._ops._dummy1 = NULL;
	handle->device._ops._dummy2 = NULL;
	handle->device.node_type = device->sysfs.node_type;
	handle->device.transport_type = transport_of(device->entry.node_type);
	hfi_copy(handle->device.dev_name, sizeof(handle->device.dev_name), device->entry.uverbs);
	/* Like libibverbs, use the class directory, not the node. */
	hfi_join(handle->device.dev_path, sizeof(handle->device.dev_path),
		 device->hf->roots[device->entry.root].sysfs, "/class/infiniband_verbs/",
		 device->entry.uverbs);
	publish_name(device);
}

/*
 * Called within a scan, which has the locks, before the device is in the table: no other thread
 * sees the entry.
 */
HF_UNCHECKED_LOCKS
static const char *read_modalias(void *arg)
{
	struct hf_device *device = arg;
	const struct hf_search_root *root = &device->hf->roots[device->entry.root];

	if (hfi_entry_bind(root, hfi_netlink(device->hf, root), &device->entry) == 0)
		hfi_entry_read_modalias(root, &device->entry, device->sysfs.modalias);
	device->sysfs.flags |= HF_SYSFS_MODALIAS_READ;
	return device->sysfs.modalias;
}

/* Asks the registry for a provider and the provider for its object. */
HF_REQUIRES(hfi_scan_kind)
static void let_provider_take(struct hf_device *device)
{
	struct hf *hf = device->hf;
	struct hf_match_key key = {
		.driver_id = device->entry.driver_id,
		.name = device->name,
		.kernel_abi = device->entry.kernel_abi,
		.read_modalias = read_modalias,
		.arg = device,
	};
	struct hf_provider *provider;
	struct hf_reason reason;
	bool released;

	if (device->entry.reason.code) {
		hfi_entry_format_reason(&device->entry, &reason);
		goto no_provider;
	}
	provider = hfi_registry_find(&hf->registry, &hf->log, &device->sysfs, &key, &reason);
	if (!provider)
		goto no_provider;
	released = hfi_scan_release(hf);
	device->handle = provider->ops->alloc_device(&device->sysfs);
	hfi_scan_reacquire(hf, released);
	if (!device->handle) {
		hfi_registry_no_object(&hf->registry, &hf->log, provider, &device->sysfs, key.name,
				       &reason);
		goto no_provider;
	}
	device->provider = provider;
	device->handle->ops = provider->ops;
	device->node_unchecked = hfi_postpone_node_check(hf, &device->entry);
	if (device->node_unchecked)
		return;
	device->node_checked = true;
	if (hfi_node_ready(&hf->roots[device->entry.root], &hf->look, &device->entry, &reason))
		return;
no_provider:
	hfi_instance_set_reason(device, &reason);
}

void hfi_instance_set_reason(struct hf_device *device, const struct hf_reason *reason)
{
	device->reason = reason->code;
	if (!reason->code) {
		free(device->details);
		device->details = NULL;
		return;
	}
	if (!device->details)
		device->details = malloc(sizeof(*device->details));
	if (device->details)
		*device->details = *reason;
}

void hfi_instance_get_reason(const struct hf_device *device, struct hf_reason *ret)
{
	if (device->reason && device->details)
		*ret = *device->details;
	else if (device->reason)
		hfi_reason_set(ret, device->reason, NULL, NULL, "no memory for the reason");
	else
		memset(ret, 0, sizeof(*ret));
}

static void free_instance(struct hf_device *device)
{
	struct hf_past_name *past = device->past_names;

	while (past) {
		struct hf_past_name *next = past->next;

		free(past);
		past = next;
	}
	free(device->details);
	free(device);
}

int hfi_instance_new(struct hf *hf, const struct hf_entry *entry, uint64_t generation,
		     struct hf_device **ret)
{
	struct hf_device *device = calloc(1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	device->hf = hf;
	device->entry = *entry;
	device->generation = generation;
	device->key.root = entry->root;
	hfi_copy(device->key.uverbs, sizeof(device->key.uverbs), entry->uverbs);
	fill_sysfs(device);
	if (hfi_instance_rename(device, entry->name) < 0)
		goto free_device;
	let_provider_take(device);
	if (!device->handle)
		device->handle = calloc(1, sizeof(*device->handle));
	if (!device->handle)
		goto free_device;
	fill_handle(device);
	*ret = device;
	return 0;

free_device:
	free_instance(device);
	return -ENOMEM;
}

/* Apart from hfi_instance_put(), which each list calls for each device. */
HF_NOINLINE
static void end_last_reference(struct hf_device *device)
{
	struct hf_provider *provider = device->provider;
	struct hf *hf = device->hf;

	if (provider) {
		/* A foreign provider may lack it; its object is then never freed. */
		bool released = hfi_scan_release(hf);

		if (device->handle->ops->uninit_device)
			device->handle->ops->uninit_device(device->handle);
		hfi_scan_reacquire(hf, released);
	} else {
		free(device->handle);
	}
	free_instance(device);
	if (provider)
		hfi_registry_put(&hf->registry, provider);
}

void hfi_instance_put(struct hf_device *device)
{
	if (__atomic_sub_fetch(&device->handle->refcount, 1, __ATOMIC_ACQ_REL) == 0)
		end_last_reference(device);
}

/* An entry without an inode is verified by its index. */
static int complete_by_index(struct hf *hf, struct hf_entry *entry)
{
	const struct hf_search_root *root = &hf->roots[entry->root];
	struct hf_nl *nl;
	int err;

	if (hfi_netlink_lock(hf)) {
		nl = hfi_netlink(hf, root);
		/* No descriptor for the socket: the caller may free some and try again. */
		err = nl || hf->nl_tried ? hfi_entry_complete(root, nl, entry) : -EMFILE;
		hfi_netlink_unlock(hf);
		return err;
	}
	/* A provider calls from within a scan, which uses the socket. */
	err = hfi_nl_open(&nl);
	if (err)
		return hfi_error_is_shortage(err) ? err : -EIO;
	err = hfi_entry_complete(root, nl, entry);
	hfi_nl_close(nl);
	return err;
}

int hfi_instance_complete(struct hf_device *device)
{
	struct hf *hf = device->hf;
	struct hf_entry entry = hfi_instance_entry(device);
	int err;

	if (!entry.brief)
		return 0;
	if (!entry.life.inode && entry.index >= 0)
		err = complete_by_index(hf, &entry);
	else
		err = hfi_entry_complete(&hf->roots[entry.root], NULL, &entry);
	if (err)
		return err;
	hfi_hf_lock(hf);
	/*
	 * Copy only what was missing: a scan reads the other members without the lock, and may have
	 * found another name meanwhile.
	 */
	if (device->entry.brief) {
		device->entry.node_number = entry.node_number;
		device->entry.node_guid = entry.node_guid;
		device->entry.device_inode = entry.device_inode;
		/* The inode is the same, but its time stamp may not have been settled. */
		device->entry.life = entry.life;
		device->entry.stamp = entry.stamp;
		device->sysfs.time_created = entry.stamp;
		device->entry.brief = entry.brief;
		device->sysfs.sysfs_cdev = entry.node_number;
		device->sysfs.node_guid = entry.node_guid;
		if (!entry.brief)
			device->sysfs.flags |= HF_SYSFS_GUID_READ;
	}
	hfi_hf_unlock(hf);
	return 0;
}

int hfi_instance_bind(struct hf_device *device)
{
	struct hf_entry entry = hfi_instance_entry(device);

	return entry.brief && !entry.life.inode ? hfi_instance_complete(device) : 0;
}

struct hf_entry hfi_instance_entry(struct hf_device *device)
{
	struct hf_entry entry;

	hfi_hf_lock(device->hf);
	entry = device->entry;
	hfi_hf_unlock(device->hf);
	return entry;
}
