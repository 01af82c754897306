/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads and compares digests of a device's ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/stream.h>

#include "shared/error.h"
#include "shared/file.h"
#include "core/discovery/attrs.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/entry.h"
#include "core/stream/port_snapshot.h"

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t digest(uint64_t so_far, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	if (so_far == 0)
		so_far = 0xcbf29ce484222325u;
	for (size_t i = 0; i < size; i++)
		so_far = (so_far ^ p[i]) * 0x100000001b3u;
	return so_far;
}

static uint64_t digest_number(uint64_t so_far, int64_t number)
{
	return digest(so_far, &number, sizeof(number));
}

static bool is_fatal(int err)
{
	return err == -ENODEV || hfi_error_is_shortage(err);
}

static uint64_t digest_gids(const struct hf_gid *gids, uint32_t count)
{
	uint64_t sum = digest_number(0, count);

	for (uint32_t i = 0; i < count; i++) {
		sum = digest(sum, &gids[i].gid, sizeof(gids[i].gid));
		sum = digest_number(sum, gids[i].index);
		sum = digest_number(sum, gids[i].type);
	}
	return sum;
}

static int read_port_snapshot(int dir, struct hf_nl *nl, const struct hf_entry *entry,
			      uint32_t number, struct hf_snapshot_port *ret)
{
	struct hf_port_info info = {.size = sizeof(info)};
	struct hf_gid *gids = NULL;
	int err = hfi_read_port(dir, nl, entry, number, &info, &gids);

	if (is_fatal(err))
		return err;
	memset(ret, 0, sizeof(*ret));
	ret->missing = err != 0;
	if (err)
		return 0;
	ret->state = info.state;
	ret->phys_state = info.phys_state;
	ret->link_layer = info.link_layer;
	ret->netdev_mtu = info.netdev_mtu;
	if (info.rate[0])
		ret->rate = digest(0, info.rate, strnlen(info.rate, sizeof(info.rate)));
	ret->netdev_index = info.netdev_index;
	memcpy(ret->netdev, info.netdev, sizeof(ret->netdev));
	ret->gids = digest_gids(gids, info.num_gids);
	free(gids);
	return 0;
}

/* Without netlink, sysfs has no file with the number of ports, only their directories. */
static uint32_t snapshot_ports(int dir, const struct hf_entry *entry)
{
	if (entry->num_ports)
		return entry->num_ports > HF_PORTS_MAX ? HF_PORTS_MAX : entry->num_ports;
	return hfi_count_ports(dir);
}

int hfi_snapshot_read(const struct hf_search_root *root, struct hf_nl *nl,
		      const struct hf_entry *entry, struct hf_snapshot **ret)
{
	struct hf_snapshot *snapshot;
	int dir = hfi_entry_open_dir(root, entry, NULL);
	uint32_t ports = 0;
	int err = 0;

	/* The device is changing at this moment: its hint leads to another comparison. */
	if (dir == -EIO)
		return -ENODEV;
	if (is_fatal(dir))
		return dir;
	/* A device that only netlink knows, or whose directory cannot be read, counts as one without ports. */
	if (dir >= 0)
		ports = snapshot_ports(dir, entry);
	snapshot = calloc(1, sizeof(*snapshot) + ports * sizeof(snapshot->ports[0]));
	if (!snapshot)
		err = -ENOMEM;
	for (uint32_t i = 0; !err && i < ports; i++) {
		err = read_port_snapshot(dir, nl, entry, i + 1, &snapshot->ports[i]);
		snapshot->num_ports++;
	}
	hfi_close(&dir);
	/* Attributes that are missing because the device is being removed are not changes. */
	if (!err && hfi_entry_verify(root, nl, entry) == -ENODEV)
		err = -ENODEV;
	if (err)
		free(snapshot);
	else
		*ret = snapshot;
	return err;
}

static uint32_t compare_port(const struct hf_snapshot_port *a, const struct hf_snapshot_port *b)
{
	uint32_t changes = 0;

	if (a->gids != b->gids)
		changes |= HF_CHANGED_GID;
	if (a->missing != b->missing || a->state != b->state || a->phys_state != b->phys_state ||
	    a->link_layer != b->link_layer || a->netdev_mtu != b->netdev_mtu || a->rate != b->rate)
		changes |= HF_CHANGED_PORT;
	if (a->netdev_index != b->netdev_index ||
	    strncmp(a->netdev, b->netdev, sizeof(a->netdev)) != 0)
		changes |= HF_CHANGED_NETDEV;
	return changes;
}

/* A value that cannot be read now, while its writer replaces it for one, has not changed. */
static void keep_known(const struct hf_snapshot_port *before, struct hf_snapshot_port *now)
{
	if (!now->state)
		now->state = before->state;
	if (!now->phys_state)
		now->phys_state = before->phys_state;
	if (!now->link_layer)
		now->link_layer = before->link_layer;
	if (!now->rate)
		now->rate = before->rate;
}

uint32_t hfi_snapshot_compare(const struct hf_snapshot *before, struct hf_snapshot *now)
{
	uint32_t changes = 0;

	if (before->num_ports != now->num_ports)
		return HF_CHANGED_PORT | HF_CHANGED_GID | HF_CHANGED_NETDEV;
	for (uint32_t i = 0; i < now->num_ports; i++) {
		if (now->ports[i].missing && !before->ports[i].missing) {
			now->ports[i] = before->ports[i];
			continue;
		}
		keep_known(&before->ports[i], &now->ports[i]);
		changes |= compare_port(&before->ports[i], &now->ports[i]);
	}
	return changes;
}

bool hfi_snapshot_concerns(const struct hf_snapshot *snapshot, const uint32_t *interfaces,
			   unsigned int count, bool unknown)
{
	for (uint32_t i = 0; i < snapshot->num_ports; i++) {
		uint32_t index = snapshot->ports[i].netdev_index;

		if (index == 0 && unknown)
			return true;
		for (unsigned int k = 0; k < count; k++)
			if (index == interfaces[k])
				return true;
	}
	return false;
}
