/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lists thousands of devices by netlink alone. A dump would cost the kernel the square of their number, so the
 * devices are asked for by index. Indices are never reused (Linux 6.1: xa_alloc_cyclic()), so all that is said
 * of one index is of one instance, and the index is its identity until the device is opened or compared: then
 * the inode is read, between two proofs that the index still has the uverbs name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "core/discovery/entry.h"
#include "core/discovery/names.h"
#include "core/discovery/netlink.h"
#include "core/discovery/netlink_guess.h"
#include "core/discovery/parse.h"
#include "core/discovery/read_netlink.h"

struct hf_listing {
	struct hf_nl_seen *v; /* in the order of their indices, then sorted by uverbs number */
	size_t count;
	size_t size;
	bool *marked;
};

/* One search for devices. */
struct listing_search {
	struct hf_nl *nl;
	struct hf_listing *listing;
	size_t missed; /* indices that no device has, or none with a node */
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

static int make_room(struct hf_listing *listing, size_t more)
{
	size_t size = listing->count + more;
	struct hf_nl_seen *v;

	if (size <= listing->size)
		return 0;
	v = realloc(listing->v, size * sizeof(*v));
	if (!v)
		return -ENOMEM;
	listing->v = v;
	listing->size = size;
	return 0;
}

/* Asks for at most HF_NL_SEEN_MAX indices and appends what has a node. */
static int see_indices(struct listing_search *search, const uint32_t *indices, unsigned int count)
{
	struct hf_listing *listing = search->listing;
	struct hf_nl_seen *seen;
	int err = make_room(listing, count);

	if (err)
		return err;
	seen = &listing->v[listing->count];
	err = hfi_nl_see(search->nl, indices, count, seen);
	for (unsigned int i = 0; i < count && !err; i++) {
		if (seen[i].err == -EINVAL)
			return -EINVAL;
		if (seen[i].err)
			search->missed++;
		else
			listing->v[listing->count++] = seen[i];
	}
	return err;
}

/*
 * Tries the indices from the lowest on, as devices that were made at the boot have them one after the other. Up
 * to a quarter may be missing: more would cost as much as a dump.
 */
static int try_indices(struct listing_search *search, size_t wanted)
{
	struct hf_listing *listing = search->listing;
	uint32_t next = hfi_nl_guess_lowest(hfi_nl_guesses(search->nl));
	bool begun = false;
	int err = make_room(listing, wanted);

	while (!err && listing->count < wanted && search->missed <= wanted / 4) {
		uint32_t indices[HF_NL_SEEN_MAX];
		unsigned int count = 0;

		while (count < HF_NL_SEEN_MAX && count < wanted - listing->count)
			indices[count++] = next++;
		err = see_indices(search, indices, count);
		if (!err && !begun && !listing->count && count == HF_NL_SEEN_MAX) {
			search->missed = 0;
			err = hfi_nl_lowest(&next);
			if (err && !hfi_error_is_shortage(err))
				return 0;
		}
		begun = true;
	}
	return err;
}

static int compare_seen_index(const void *key, const void *member)
{
	const uint32_t *index = key;
	const struct hf_nl_seen *seen = member;

	return (*index > seen->device.index) - (*index < seen->device.index);
}

/* What a dump has and the tries did not find. */
static int see_rest(struct listing_search *search, const struct hf_nl_table *table)
{
	const struct hf_listing *listing = search->listing;
	size_t known = listing->count;
	uint32_t indices[HF_NL_SEEN_MAX];
	unsigned int count = 0;
	int err = 0;

	for (size_t i = 0; i < table->count && !err; i++) {
		if (known && bsearch(&table->v[i].index, listing->v, known, sizeof(listing->v[0]),
				     compare_seen_index))
			continue;
		indices[count++] = table->v[i].index;
		if (count < HF_NL_SEEN_MAX)
			continue;
		err = see_indices(search, indices, count);
		count = 0;
	}
	return !err && count ? see_indices(search, indices, count) : err;
}

/* By uverbs number; of two with one number, the older one is gone. */
static int compare_seen(const void *a, const void *b)
{
	const struct hf_nl_seen *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return (one->device.index < other->device.index) -
	       (one->device.index > other->device.index);
}

static void sort_listing(struct hf_listing *listing)
{
	size_t kept = 0;

	for (size_t i = 1; i < listing->count; i++) {
		if (compare_seen(&listing->v[i - 1], &listing->v[i]) < 0)
			continue;
		qsort(listing->v, listing->count, sizeof(listing->v[0]), compare_seen);
		break;
	}
	for (size_t i = 0; i < listing->count; i++)
		if (!i || listing->v[i].number != listing->v[kept - 1].number)
			listing->v[kept++] = listing->v[i];
	listing->count = kept;
}

/* If memory runs out, nothing is remembered. */
static void remember_listing(struct hf_nl *nl, const struct hf_listing *listing)
{
	struct hf_nl_listed *listed = calloc(listing->count + 1, sizeof(*listed));
	uint32_t lowest = UINT32_MAX;

	if (!listed)
		return;
	for (size_t i = 0; i < listing->count; i++) {
		uint32_t index = listing->v[i].device.index;

		listed[i] = (struct hf_nl_listed){listing->v[i].number, index};
		if (index < lowest)
			lowest = index;
	}
	hfi_nl_guess_list(hfi_nl_guesses(nl), listed, listing->count, listing->count ? lowest : 0);
}

int hfi_listing_make(struct hf_nl *nl, size_t wanted, struct hf_nl_table *table,
		     struct hf_listing **ret)
{
	struct hf_listing *listing = calloc(1, sizeof(*listing));
	struct listing_search search = {.nl = nl, .listing = listing};
	int err = listing ? try_indices(&search, wanted) : -ENOMEM;

	if (!err && listing->count < wanted) {
		err = hfi_nl_table_fill(nl, table);
		if (!err)
			err = see_rest(&search, table);
	}
	if (!err) {
		listing->marked = calloc(listing->count + 1, sizeof(listing->marked[0]));
		err = listing->marked ? 0 : -ENOMEM;
	}
	if (err) {
		hfi_listing_free(listing);
		return err;
	}
	sort_listing(listing);
	remember_listing(nl, listing);
	*ret = listing;
	return 0;
}

void hfi_listing_free(struct hf_listing *listing)
{
	if (listing) {
		free(listing->v);
		free(listing->marked);
	}
	free(listing);
}

static int compare_seen_number(const void *key, const void *member)
{
	const uint64_t *number = key;
	const struct hf_nl_seen *seen = member;

	return (*number > seen->number) - (*number < seen->number);
}

bool hfi_listing_mark(struct hf_listing *listing, const char *uverbs)
{
	uint64_t number = hfi_uverbs_number(uverbs);
	const struct hf_nl_seen *seen = NULL;

	if (listing->count)
		seen = bsearch(&number, listing->v, listing->count, sizeof(listing->v[0]),
			       compare_seen_number);
	if (!seen || strcmp(seen->chardev.name, uverbs) != 0)
		return false;
	listing->marked[seen - listing->v] = true;
	return true;
}

bool hfi_listing_next(const struct hf_listing *listing, size_t *at, struct hf_entry *ret)
{
	while (*at < listing->count) {
		size_t i = (*at)++;

		if (!listing->marked[i])
			continue;
		hfi_nl_entry(&listing->v[i].device, &listing->v[i].chardev, ret);
		ret->brief = true;
		return true;
	}
	return false;
}
