/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lists thousands of devices with few system calls each: netlink reports everything that a list
 * needs except the inode of uverbsN/ibdev, which one call finds. Both belong to one instance if the
 * index existed before and after, since neither is reused (Linux 6.1: kernfs ids,
 * xa_alloc_cyclic()): one dump before all devices and one after verify all of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/hash.h"
#include "shared/text.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/parse.h"
#include "core/discovery/read_netlink.h"
#include "core/discovery/sysfs.h"

struct listed {
	struct hf_nldev_chardev chardev; /* its name is the key */
	const struct hf_nl_device *device;
	UT_hash_handle hh;
};

struct hf_listing {
	struct listed *by_uverbs;
	struct listed listed[];
};

void hfi_nl_entry(const struct hf_nl_device *device, const struct hf_nldev_chardev *chardev,
		  struct hf_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->uverbs, chardev->name, sizeof(entry->uverbs));
	memcpy(entry->name, device->name, sizeof(entry->name));
	entry->index = (int32_t)device->index;
	entry->node_number = chardev->number;
	entry->node_guid = device->node_guid;
	entry->driver_id = chardev->driver_id;
	entry->kernel_abi = chardev->abi;
	entry->num_ports = device->num_ports;
	entry->node_type = device->node_type;
	entry->protocol = device->protocol ? device->protocol
					   : hfi_protocol_of_type(device->node_type);
}

int hfi_listing_make(struct hf_nl *nl, const struct hf_nl_table *table, struct hf_listing **ret)
{
	struct hf_listing *listing;
	int err = 0;

	listing = calloc(1, sizeof(*listing) + table->count * sizeof(listing->listed[0]));
	if (!listing)
		return -ENOMEM;
	for (size_t i = 0; i < table->count && !err; i++) {
		struct listed *listed = &listing->listed[i];

		err = hfi_nl_chardev(nl, table->v[i].index, &listed->chardev);
		/* This device has no node, or none yet. */
		if (err == -ENODEV || err == -ENOENT || err == -EOPNOTSUPP) {
			err = 0;
			continue;
		}
		if (err)
			break;
		listed->device = &table->v[i];
		HASH_ADD_KEYPTR(hh, listing->by_uverbs, listed->chardev.name,
				(unsigned int)strlen(listed->chardev.name), listed);
		if (!hf_hash_added(listed))
			err = -ENOMEM;
	}
	if (err)
		hfi_listing_free(listing);
	else
		*ret = listing;
	return err;
}

void hfi_listing_free(struct hf_listing *listing)
{
	if (!listing)
		return;
	HASH_CLEAR(hh, listing->by_uverbs);
	free(listing);
}

bool hfi_listing_read(const struct hf_listing *listing, const struct hf_classes *classes,
		      const char *uverbs, struct hf_entry *ret)
{
	struct listed *listed;
	struct hf_entry entry;
	struct timespec stamp;
	struct hf_life life;

	HASH_FIND_STR(listing->by_uverbs, uverbs, listed);
	if (!listed || classes->kind->read_life(classes->verbs, uverbs, -1, &life, &stamp))
		return false;
	hfi_nl_entry(listed->device, &listed->chardev, &entry);
	entry.life = life;
	entry.stamp = stamp;
	entry.brief = true;
	*ret = entry;
	return true;
}
