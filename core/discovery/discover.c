/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds all devices of a root: merges what sysfs and netlink report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/names.h"
#include "core/discovery/netlink.h"
#include "core/discovery/read_brief.h"
#include "core/discovery/read_device.h"
#include "core/discovery/read_netlink.h"
#include "core/discovery/sysfs.h"

struct scan {
	struct hf_classes classes;
	struct hf_nl *nl;
	struct hf_nl_table table;
	bool have_table;
	bool guess; /* ask netlink for one device, without a table */
	bool probe; /* ask netlink for each device, without a table */
	struct hf_listing *listing;
	bool brief;
	bool unchanged;
};

/* Maps an error to one of those that discover.h documents. */
static int discovery_error(int err)
{
	return hfi_error_is_shortage(err) || err == -EACCES ? err : -EIO;
}

/* A netlink socket that does not answer is treated as absent, but its error is kept. */
static int refill(struct scan *scan)
{
	int err;

	if (!scan->nl)
		return 0;
	err = hfi_nl_table_fill(scan->nl, &scan->table);
	scan->have_table = !err;
	return err;
}

static int scan_begin(struct scan *scan, const struct hf_search_root *root, unsigned int sources,
		      struct hf_nl *nl, bool one)
{
	int netlink_error = -ENOENT;
	int err = 0;

	memset(scan, 0, sizeof(*scan));
	scan->classes.verbs = scan->classes.ib = -1;
	if ((sources & HF_SOURCE_NETLINK) && root->kind->netlink)
		scan->nl = nl;
	scan->guess = scan->nl && one && (sources & HF_SOURCE_SYSFS);
	scan->probe = scan->nl && !one && (sources & HF_SOURCE_SYSFS) && (sources & HF_READ_BRIEF);
	/*
	 * Dump before reading sysfs: a device that sysfs has and the dump lacks is then new, or not
	 * ours.
	 */
	if (scan->nl && !scan->guess && !scan->probe)
		netlink_error = refill(scan);
	if (hfi_error_is_shortage(netlink_error))
		err = netlink_error;
	if (!err && (sources & HF_SOURCE_SYSFS)) {
		err = hfi_classes_open(root, &scan->classes);
		/* Without sysfs there is no name to guess an index by. */
		if ((scan->guess || scan->probe) && scan->classes.verbs < 0 &&
		    !hfi_error_is_shortage(err))
			netlink_error = refill(scan);
		if (hfi_error_is_shortage(netlink_error))
			err = netlink_error;
		else if (err && !hfi_error_is_shortage(err) && scan->have_table)
			err = 0;
	} else if (!err && scan->nl) {
		err = netlink_error;
	}
	scan->brief = (sources & HF_READ_BRIEF) && !scan->have_table && !scan->guess &&
		      !scan->probe;
	return err ? discovery_error(err) : 0;
}

static void scan_end(struct scan *scan)
{
	hfi_listing_free(scan->listing);
	hfi_classes_close(&scan->classes);
	hfi_nl_table_free(&scan->table);
}

/* The devices found: in the caller's array from `start` on, removed again on failure. */
struct found {
	struct hf_entries *entries;
	size_t start;
	unsigned char *match; /* enum hf_match of each, counted from start */
	size_t match_size;
};

static struct found found_begin(struct hf_entries *entries)
{
	return (struct found){.entries = entries, .start = entries->count};
}

static void found_end(struct found *found, int err)
{
	if (err)
		found->entries->count = found->start;
	free(found->match);
}

static size_t found_count(const struct found *found)
{
	return found->entries->count - found->start;
}

static struct hf_entry *found_at(const struct found *found, size_t i)
{
	return &found->entries->v[found->start + i];
}

/* Makes room for so many more entries. */
static int found_reserve(struct found *found, size_t more)
{
	struct hf_entries *entries = found->entries;
	size_t wanted = entries->count + more;

	if (wanted > entries->size) {
		size_t size = entries->size * 2 > wanted ? entries->size * 2 : wanted;
		struct hf_entry *v = realloc(entries->v, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		entries->v = v;
		entries->size = size;
	}
	wanted -= found->start;
	if (wanted > found->match_size) {
		size_t size = found->match_size * 2 > wanted ? found->match_size * 2 : wanted;
		unsigned char *match = realloc(found->match, size);

		if (!match)
			return -ENOMEM;
		memset(match + found->match_size, 0, size - found->match_size);
		found->match = match;
		found->match_size = size;
	}
	return 0;
}

/* Returns room for one more entry, which counts once found_keep() was called. */
static struct hf_entry *found_next(struct found *found)
{
	return found_reserve(found, 1) ? NULL : &found->entries->v[found->entries->count];
}

static void found_keep(struct found *found, enum hf_match match)
{
	found->match[found_count(found)] = (unsigned char)match;
	found->entries->count++;
}

/* Adds one device, unless it does not exist. */
static int discover_uverbs(struct scan *scan, unsigned int root_index, const char *uverbs,
			   struct found *found)
{
	struct hf_entry *entry = found_next(found);
	enum hf_match match;
	int err;

	if (!entry)
		return -ENOMEM;
	if (scan->brief && hfi_read_brief(&scan->classes, uverbs, scan->unchanged, entry) == 0) {
		entry->root = root_index;
		found_keep(found, HF_MATCH_NONE);
		return 0;
	}
	/* Not in this network namespace, or gone, or so new that only a dump tells. */
	if (scan->listing && !scan->have_table) {
		err = refill(scan);
		if (hfi_error_is_shortage(err))
			return err;
	}
	err = hfi_read_device(&scan->classes, scan->have_table || scan->guess ? scan->nl : NULL,
			      scan->have_table ? &scan->table : NULL, uverbs, entry, &match);
	entry->root = root_index;
	if (!err)
		found_keep(found, match);
	return err == -ENODEV ? 0 : err;
}

/* Where netlink does not answer for each device, sysfs is read, with a dump if there is one. */
static int list_by_netlink(struct scan *scan, size_t wanted)
{
	int err = hfi_listing_make(scan->nl, wanted, &scan->table, &scan->listing);

	scan->have_table = !err && scan->table.count;
	/* One that is silent is not waited for twice. */
	if (err && !hfi_error_is_shortage(err) && err != -ETIMEDOUT)
		err = refill(scan);
	scan->brief = !scan->listing && !scan->have_table;
	return hfi_error_is_shortage(err) ? err : 0;
}

/* Takes those of the names that netlink has listed, and empties them. */
static int take_listed(struct scan *scan, unsigned int root_index, struct hf_names *names,
		       struct found *found)
{
	struct hf_entry *entry;
	size_t at = 0;
	int err = found_reserve(found, names->count);

	for (size_t i = 0; i < names->count; i++)
		if (hfi_listing_mark(scan->listing, names->v[i]))
			names->v[i][0] = '\0';
	while (!err) {
		entry = found_next(found);
		if (!entry)
			return -ENOMEM;
		if (!hfi_listing_next(scan->listing, &at, entry))
			break;
		entry->root = root_index;
		found_keep(found, HF_MATCH_FOUND);
	}
	return err;
}

static int scan_sysfs(struct scan *scan, unsigned int root_index, struct found *found)
{
	struct hf_names names = {.v = NULL};
	int err = hfi_names_read(scan->classes.verbs, &names);

	if (!err && scan->probe && names.count)
		err = list_by_netlink(scan, names.count);
	if (!err && scan->listing)
		err = take_listed(scan, root_index, &names, found);
	if (!err)
		err = hfi_names_drop_doubles(&names);
	/* What a link leads to can be replaced without a trace in the class directory. */
	scan->unchanged &= !names.links;
	found->entries->links |= names.links;
	for (size_t i = 0; i < names.count && !err; i++)
		if (names.v[i][0])
			err = discover_uverbs(scan, root_index, names.v[i], found);
	free(names.v);
	return err;
}

static bool is_late(unsigned char match)
{
	return match == HF_MATCH_ABSENT || match == HF_MATCH_STALE;
}

static bool any_late(const struct found *found)
{
	for (size_t i = 0; i < found_count(found); i++)
		if (is_late(found->match[i]))
			return true;
	return false;
}

/* Reads again the devices that the dump did not have; drops those that are gone. */
static int reread_late(struct scan *scan, struct found *found)
{
	size_t count = found_count(found);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct hf_entry entry = *found_at(found, i);
		enum hf_match match = found->match[i];
		int err = 0;

		if (is_late(match))
			err = hfi_read_device(&scan->classes, scan->nl, &scan->table,
					      found_at(found, i)->uverbs, &entry, &match);
		if (err && err != -ENODEV)
			return err;
		if (err)
			continue;
		entry.root = found_at(found, i)->root;
		*found_at(found, kept) = entry;
		found->match[kept++] = (unsigned char)match;
	}
	found->entries->count = found->start + kept;
	return 0;
}

/*
 * A device that sysfs has and a dump lacks was made since, or was skipped because a removal
 * disturbed the dump (the kernel continues by counting), or is in another network namespace. Newer
 * dumps decide; they are made after everything was read, so that one serves all devices.
 */
static int retry_late(struct scan *scan, struct found *found)
{
	if (!found->match)
		return 0;
	for (int i = 0; i < 2 && any_late(found); i++) {
		int err = refill(scan);

		if (!err)
			err = reread_late(scan, found);
		else if (!hfi_error_is_shortage(err))
			return 0;
		if (err)
			return err;
	}
	if (!any_late(found) || hfi_nl_exclusive(scan->nl) != 1)
		return 0;
	for (size_t i = 0; i < found_count(found); i++) {
		struct hf_entry *entry = found_at(found, i);

		if (found->match[i] != HF_MATCH_ABSENT)
			continue;
		/* In another network namespace class/infiniband/NAME is hidden, too. */
		if (entry->reason.code == HF_REASON_NONE || !entry->device_inode)
			entry->reason =
				(struct hf_entry_reason){HF_REASON_OTHER_NETNS, 0, NULL, false};
	}
	return 0;
}

static int netlink_entry(struct scan *scan, const struct hf_nl_device *device,
			 struct hf_entry *entry)
{
	struct hf_nldev_chardev chardev;
	int err = hfi_nl_chardev(scan->nl, device->index, &chardev);

	if (!err)
		hfi_nl_entry(device, &chardev, entry);
	return err;
}

static int scan_netlink(struct scan *scan, unsigned int root_index, struct found *found)
{
	for (size_t i = 0; i < scan->table.count; i++) {
		struct hf_entry *entry = found_next(found);
		int err = entry ? netlink_entry(scan, &scan->table.v[i], entry) : -ENOMEM;

		if (hfi_error_is_shortage(err))
			return err;
		/* Gone since, or a device without a uverbs node. */
		if (err)
			continue;
		entry->root = root_index;
		found_keep(found, HF_MATCH_FOUND);
	}
	return 0;
}

struct place {
	uint32_t index; /* -1 sorts last */
	uint32_t at;
};

static int by_index(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->index != other->index)
		return one->index < other->index ? -1 : 1;
	return (one->at > other->at) - (one->at < other->at);
}

static bool in_order(const struct found *found)
{
	for (size_t i = 1; i < found_count(found); i++)
		if ((uint32_t)found_at(found, i - 1)->index > (uint32_t)found_at(found, i)->index)
			return false;
	return true;
}

/* Sorts by index; devices without one keep their order and come last. */
static int put_in_order(const struct found *found)
{
	size_t count = found_count(found);
	struct place *places;

	if (in_order(found))
		return 0;
	places = malloc(count * sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		places[i] = (struct place){(uint32_t)found_at(found, i)->index, (uint32_t)i};
	qsort(places, count, sizeof(*places), by_index);
	/*
	 * Entries are large: follow each cycle of the permutation, so that every entry is moved
	 * once.
	 */
	for (size_t i = 0; i < count; i++) {
		struct hf_entry first;
		size_t to = i;

		if (places[i].at == i)
			continue;
		first = *found_at(found, i);
		while (places[to].at != i) {
			size_t from = places[to].at;

			*found_at(found, to) = *found_at(found, from);
			places[to].at = (uint32_t)to;
			to = from;
		}
		*found_at(found, to) = first;
		places[to].at = (uint32_t)to;
	}
	free(places);
	return 0;
}

/*
 * First assumes that the directories do not change, if their time stamps can prove it; if they did
 * change, verifies each device.
 */
static int scan_unchanged(struct scan *scan, const struct hf_search_root *root,
			  unsigned int root_index, struct found *found)
{
	struct hf_unchanged_dirs unchanged;
	int err;

	scan->unchanged = scan->brief && hfi_unchanged_begin(root, &scan->classes, &unchanged);
	err = scan_sysfs(scan, root_index, found);
	if (err || !scan->unchanged || hfi_unchanged_holds(root, &unchanged))
		return err;
	scan->unchanged = false;
	found->entries->count = found->start;
	return scan_sysfs(scan, root_index, found);
}

int hfi_discover(const struct hf_search_root *root, unsigned int root_index, unsigned int sources,
		 struct hf_nl *nl, struct hf_entries *entries)
{
	struct found found = found_begin(entries);
	struct scan scan;
	int err = scan_begin(&scan, root, sources, nl, false);

	/*
	 * With sysfs, sysfs decides which devices exist; netlink alone decides where there is no
	 * sysfs.
	 */
	if (!err && scan.classes.verbs >= 0) {
		err = scan_unchanged(&scan, root, root_index, &found);
		if (!err)
			err = retry_late(&scan, &found);
	} else if (!err && scan.have_table) {
		err = scan_netlink(&scan, root_index, &found);
	}
	if (!err)
		err = put_in_order(&found);
	found_end(&found, err);
	scan_end(&scan);
	return err ? discovery_error(err) : 0;
}

static int one_of_netlink(struct scan *scan, const char *uverbs, struct hf_entry *ret)
{
	for (size_t i = 0; i < scan->table.count; i++) {
		int err = netlink_entry(scan, &scan->table.v[i], ret);

		if (hfi_error_is_shortage(err))
			return err;
		if (!err && !strcmp(ret->uverbs, uverbs))
			return 0;
	}
	return -ENODEV;
}

int hfi_discover_one(const struct hf_search_root *root, unsigned int root_index,
		     unsigned int sources, struct hf_nl *nl, const char *uverbs,
		     struct hf_entry *ret)
{
	struct hf_entries entries = {.v = NULL};
	struct found found = found_begin(&entries);
	struct hf_entry here;
	struct scan scan;
	int err;

	if (!hfi_is_uverbs_name(uverbs))
		return -ENODEV;
	err = scan_begin(&scan, root, sources, nl, true);
	if (!err && scan.classes.verbs >= 0) {
		err = discover_uverbs(&scan, root_index, uverbs, &found);
		if (!err)
			err = retry_late(&scan, &found);
		if (!err && !entries.count)
			err = -ENODEV;
		if (!err)
			*ret = entries.v[0];
	} else if (!err) {
		err = scan.have_table ? one_of_netlink(&scan, uverbs, &here) : -ENODEV;
		here.root = root_index;
		if (!err)
			*ret = here;
	}
	found_end(&found, err);
	hfi_entries_free(&entries);
	scan_end(&scan);
	return err && err != -ENODEV ? discovery_error(err) : err;
}
