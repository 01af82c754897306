/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attributes of a device and of its ports. */
#include <errno.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/base/reason.h"
#include "core/device/attributes.h"
#include "core/device/instance.h"
#include "core/device/node.h"
#include "core/device/open.h"
#include "core/device/scan.h"
#include "core/device/scan_lock.h"
#include "core/discovery/attrs.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/entry.h"
#include "core/discovery/port_tables.h"

HF_EXPORT int hf_device_name(struct ibv_device *handle, char *name, size_t size)
{
	struct hf_device *device = hfi_device_of(handle);
	int err;

	hfi_hf_lock(device->hf);
	err = hfi_copy(name, size, device->name) ? -ERANGE : (int)strlen(device->name);
	hfi_hf_unlock(device->hf);
	return err;
}

static void fill_device_info(struct hf_device *device, struct hf_device_info *info)
{
	const struct hf_entry *entry = &device->entry;
	const struct hf_search_root *root = &device->hf->roots[entry->root];
	const struct hf_reason *fault;

	info->generation = device->generation;
	hfi_instance_get_reason(device, &info->reason);
	fault = device->provider ? atomic_load(&device->provider->fault) : NULL;
	if (!device->reason && fault)
		info->reason = *fault;
	info->state = info->reason.code ? HF_DEVICE_UNUSABLE : HF_DEVICE_READY;
	if (atomic_load(&device->gone)) {
		info->state = HF_DEVICE_GONE;
		hfi_reason_set(&info->reason, HF_REASON_GONE, NULL, NULL,
			       "the device was unplugged");
	}
	info->protocol = entry->protocol;
	hfi_copy(info->name, sizeof(info->name), device->name);
	hfi_copy(info->uverbs, sizeof(info->uverbs), entry->uverbs);
	hfi_entry_node_path(root, entry, info->node);
	hfi_copy(info->root, sizeof(info->root), root->sysfs);
	if (device->provider) {
		snprintf(info->provider, sizeof(info->provider), "%s", device->provider->name);
		hfi_copy(info->provider_file, sizeof(info->provider_file), device->provider->file);
	}
	info->index = entry->index;
	info->driver_id = entry->driver_id;
	info->kernel_abi = entry->kernel_abi;
	info->num_ports = entry->num_ports;
	info->node_number = entry->node_number;
	info->inode = entry->life.inode;
	info->stamp = entry->stamp;
	info->node_guid = be64toh(entry->node_guid);
	info->node_type = device->handle->device.node_type;
	info->transport = device->handle->device.transport_type;
}

enum { WRITE_MAX = 4096 };

/* Maps errors to those that the header documents. */
static int attribute_error(int err)
{
	switch (err) {
	case -ENODEV:
	case -ENOENT:
	case -EINVAL:
	case -ERANGE:
	case -EACCES:
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -EOPNOTSUPP:
		return err;
	case -EPERM:
	case -EROFS:
		return -EACCES;
	case -ENOTDIR: /* a path that continues below a file, or is too long to exist */
	case -ENAMETOOLONG:
		return -ENOENT;
	default:
		return -EIO;
	}
}

/* A read error may only mean that the device was removed: return -ENODEV then. */
static int error_or_gone(struct hf_device *device, const struct hf_entry *entry, int err)
{
	if (!hfi_error_is_shortage(err) && hfi_verify(device, entry) == -ENODEV)
		return -ENODEV;
	return err;
}

int hfi_with_dir(struct hf_device *device,
		 int (*read)(int dir, const struct hf_entry *entry, void *arg), void *arg)
{
	struct hf_entry entry;
	int dir, ret;

	if (atomic_load(&device->gone))
		return -ENODEV;
	ret = hfi_instance_bind(device);
	if (ret)
		return attribute_error(ret);
	entry = hfi_instance_entry(device);
	dir = hfi_entry_open_dir(&device->hf->roots[entry.root], &entry, NULL);
	if (dir < 0)
		return attribute_error(dir);
	ret = read(dir, &entry, arg);
	hfi_close(&dir);
	return ret < 0 ? attribute_error(error_or_gone(device, &entry, ret)) : ret;
}

static int count_device_ports(int dir, const struct hf_entry *entry, void *arg)
{
	(void)entry;
	(void)arg;
	return (int)hfi_count_ports(dir);
}

/* No scan has done it yet, and none is needed to. */
static void look_at_node(struct hf_device *device, struct hf_device_info *info)
{
	struct hf_node_look look = {.euid = geteuid(), .dir = -1};
	struct hf_entry entry = hfi_instance_entry(device);

	if (!hfi_node_ready(&device->hf->roots[entry.root], &look, &entry, &info->reason))
		info->state = HF_DEVICE_UNUSABLE;
}

HF_EXPORT int hf_device_get_info(struct ibv_device *handle, struct hf_device_info *info)
{
	struct hf_device *device = hfi_device_of(handle);
	struct hf_device_info full = {0};
	size_t size = info->size;
	bool unchecked;
	int ports;

	if (size < offsetof(struct hf_device_info, protocol) || size > 65536)
		return -EINVAL;
	/* If the device is removed meanwhile, return what is known. */
	if (!atomic_load(&device->gone))
		hfi_instance_complete(device);
	hfi_hf_lock(device->hf);
	fill_device_info(device, &full);
	unchecked = device->node_unchecked;
	hfi_hf_unlock(device->hf);
	if (unchecked && full.state == HF_DEVICE_READY)
		look_at_node(device, &full);
	/* Without netlink's number of ports, count their directories in sysfs. */
	if (!full.num_ports && full.state != HF_DEVICE_GONE) {
		ports = hfi_with_dir(device, count_device_ports, NULL);
		full.num_ports = ports > 0 ? (uint32_t)ports : 0;
	}
	full.size = size;
	memset(info, 0, size);
	memcpy(info, &full, size < sizeof(full) ? size : sizeof(full));
	return 0;
}

struct attr_read {
	const char *path;
	char *value;
	size_t size;
};

static int read_attr_file(int dir, const struct hf_entry *entry, void *arg)
{
	struct attr_read *attr = arg;

	(void)entry;
	return (int)hfi_read_file(dir, attr->path, attr->value, attr->size, NULL);
}

static bool is_inside(const char *path)
{
	if (path[0] == '/' || path[0] == '\0')
		return false;
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

HF_EXPORT int hf_device_read_attr(struct ibv_device *device, const char *path, char *value,
				  size_t size)
{
	/* A buffer of its own: the caller's stays untouched when the call fails. */
	char whole[4097];
	struct attr_read attr = {path, whole, sizeof(whole)};
	int length;

	if (!is_inside(path))
		return -EINVAL;
	length = hfi_with_dir(hfi_device_of(device), read_attr_file, &attr);
	if (length < 0)
		return length;
	if ((size_t)length >= size)
		return -ERANGE;
	memcpy(value, whole, (size_t)length + 1);
	return length;
}

struct attr_write {
	const char *path;
	const char *value;
	size_t length;
};

static int write_attr(int dir, const struct hf_entry *entry, void *arg)
{
	const struct attr_write *attr = arg;
	int err;

	(void)entry;
	err = hfi_write_file(dir, attr->path, attr->value, attr->length);
	/* A symbolic link or directory is not an attribute; in a tree the error can be any. */
	return err == -ELOOP || err == -EISDIR ? -EINVAL : err;
}

HF_EXPORT int hf_device_write_attr(struct ibv_device *device, const char *path, const char *value)
{
	struct attr_write attr = {path, value, strlen(value)};

	/* The kernel does not pass an empty write to a driver, and accepts a page at most. */
	if (!is_inside(path) || attr.length == 0 || attr.length > WRITE_MAX)
		return -EINVAL;
	return hfi_with_dir(hfi_device_of(device), write_attr, &attr);
}

struct port_read {
	struct hf_device *device;
	uint32_t port;
	struct hf_port_info info;
	struct hf_gid *gids;
};

/* Netlink knows the port's interface even if the GID table is empty. */
static int read_port_of(struct hf *hf, int dir, const struct hf_entry *entry,
			struct port_read *port)
{
	const struct hf_search_root *root = &hf->roots[entry->root];
	int err;

	if (entry->index < 0 || !hfi_netlink_lock(hf))
		return hfi_read_port(dir, NULL, entry, port->port, &port->info, NULL);
	err = hfi_read_port(dir, hfi_netlink(hf, root), entry, port->port, &port->info, NULL);
	hfi_netlink_unlock(hf);
	return err;
}

static int read_port_info(int dir, const struct hf_entry *entry, void *arg)
{
	struct port_read *port = arg;
	int err = read_port_of(port->device->hf, dir, entry, port);

	/* When the device is removed meanwhile, its table looks as if it ended early. */
	return err ? err : hfi_verify(port->device, entry);
}

HF_EXPORT int hf_device_get_port(struct ibv_device *device, uint32_t port,
				 struct hf_port_info *info)
{
	struct port_read arg = {.device = hfi_device_of(device), .port = port};
	size_t size = info->size;
	int err;

	if (size < offsetof(struct hf_port_info, phys_state) || size > 65536)
		return -EINVAL;
	if (port < 1 || port > 255)
		return -ENOENT;
	err = hfi_with_dir(arg.device, read_port_info, &arg);
	if (err < 0)
		return err;
	arg.info.size = size;
	memset(info, 0, size);
	memcpy(info, &arg.info, size < sizeof(arg.info) ? size : sizeof(arg.info));
	return 0;
}

static int read_port_gids(int dir, const struct hf_entry *entry, void *arg)
{
	struct port_read *port = arg;
	int count = hfi_read_gids(dir, entry, port->port, &port->gids);
	int err = count < 0 ? 0 : hfi_verify(port->device, entry);

	if (err)
		free(port->gids);
	return err ? err : count;
}

/*
 * Copies the entries to the size in the caller's headers: cut off or padded with zeros. Frees
 * `gids` on failure.
 */
static void *resize_entries(struct hf_gid *gids, size_t count, size_t entry_size)
{
	size_t bytes = entry_size < sizeof(*gids) ? entry_size : sizeof(*gids);
	char *entries;

	if (entry_size == sizeof(*gids) && count)
		return gids;
	entries = calloc(count + 1, entry_size);
	for (size_t i = 0; entries && i < count; i++)
		memcpy(entries + i * entry_size, &gids[i], bytes);
	free(gids);
	return entries;
}

HF_EXPORT int hf_device_get_gids(struct ibv_device *device, uint32_t port, size_t entry_size,
				 struct hf_gid **ret)
{
	struct port_read arg = {.device = hfi_device_of(device), .port = port};
	struct hf_gid *gids;
	int count;

	if (entry_size < sizeof(union ibv_gid) || entry_size > 65536)
		return -EINVAL;
	if (port < 1 || port > 255)
		return -ENOENT;
	count = hfi_with_dir(arg.device, read_port_gids, &arg);
	if (count < 0)
		return count;
	gids = resize_entries(arg.gids, (size_t)count, entry_size);
	if (!gids)
		return -ENOMEM;
	*ret = gids;
	return count;
}
