/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of device instances: adds, updates and removes them after a scan. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include <holdfast/stream.h>

#include "shared/error.h"
#include "shared/text.h"
#include "core/base/process.h"
#include "core/base/reason.h"
#include "core/device/hf.h"
#include "core/device/instance.h"
#include "core/device/node.h"
#include "core/device/scan.h"
#include "core/device/table_internal.h"
#include "core/discovery/entry.h"

void hfi_observe(struct hf *hf, struct hf_observer *observer)
{
	DL_APPEND(hf->observers, observer);
}

void hfi_unobserve(struct hf *hf, struct hf_observer *observer)
{
	DL_DELETE(hf->observers, observer);
}

/* Notifies either the observers of all devices or those of usable devices. */
HF_REQUIRES(hfi_hf_kind)
static void notify_observers(struct hf *hf, bool all, struct hf_device *device,
			     enum hf_change_kind kind, uint32_t what)
{
	struct hf_observer *observer;

	DL_FOREACH (hf->observers, observer)
		if (observer->all == all)
			observer->changed(observer, device, kind, what);
}

/*
 * Observers of all devices get ADDED once the device is complete, the others once it can be opened.
 */
HF_REQUIRES(hfi_hf_kind)
static void tell_added(struct hf *hf, struct hf_device *device)
{
	if (!device->announced_to_all && *device->name &&
	    device->entry.reason.code != HF_REASON_HALF_MADE) {
		device->announced_to_all = true;
		notify_observers(hf, true, device, HF_TABLE_ADDED, 0);
	}
	if (!device->announced && !device->reason && !device->node_unchecked) {
		device->announced = true;
		notify_observers(hf, false, device, HF_TABLE_ADDED, 0);
	}
}

HF_REQUIRES(hfi_hf_kind)
static void tell_after_added(struct hf *hf, struct hf_device *device, enum hf_change_kind kind,
			     uint32_t what)
{
	if (device->announced_to_all)
		notify_observers(hf, true, device, kind, what);
	if (device->announced)
		notify_observers(hf, false, device, kind, what);
}

/* The length up to the end of the name: hash only the used part of the key. */
static unsigned int key_length(const struct hf_table_key *key)
{
	return (unsigned int)(offsetof(struct hf_table_key, uverbs) + strlen(key->uverbs));
}

static void count_unusable(struct hf *hf, const struct hf_device *device, int step)
{
	if (device->reason)
		hf->table.unusable += (size_t)step;
}

/*
 * Adds the device next to the one it replaces, which is removed later: so a failure changes
 * nothing.
 */
HF_REQUIRES(hfi_hf_kind)
static int enter(struct hf *hf, struct hf_device *device)
{
	HASH_ADD_KEYPTR(hh, hf->table.by_key, &device->key, key_length(&device->key), device);
	return hf_hash_added(device) ? 0 : -ENOMEM;
}

/* Adds a device, after enter(), to those that no list has returned yet. */
HF_REQUIRES(hfi_hf_kind)
static void insert_unlisted(struct hf *hf, struct hf_device *device)
{
	DL_APPEND(hf->table.unlisted, device);
	hf->table.count++;
	count_unusable(hf, device, 1);
	tell_added(hf, device);
}

HF_REQUIRES(hfi_hf_kind)
static void remove_from_table(struct hf *hf, struct hf_device *device)
{
	HASH_DEL(hf->table.by_key, device);
	if (device->listed)
		DL_DELETE(hf->table.listed, device);
	else
		DL_DELETE(hf->table.unlisted, device);
	hf->table.count--;
	count_unusable(hf, device, -1);
}

HF_REQUIRES(hfi_hf_kind)
static void end_instance(struct hf *hf, struct hf_device *device)
{
	remove_from_table(hf, device);
	atomic_store(&device->gone, true);
	tell_after_added(hf, device, HF_TABLE_REMOVED, 0);
}

struct hf_device *hfi_table_lookup(struct hf *hf, unsigned int root, const char *uverbs)
{
	struct hf_table_key key;
	struct hf_device *device;

	memset(&key, 0, sizeof(key));
	key.root = root;
	if (hfi_copy(key.uverbs, sizeof(key.uverbs), uverbs))
		return NULL;
	HASH_FIND(hh, hf->table.by_key, &key, key_length(&key), device);
	return device;
}

void hfi_table_remove(struct hf *hf, struct hf_device *device)
{
	hfi_hf_lock(hf);
	end_instance(hf, device);
	hfi_hf_unlock(hf);
	hfi_instance_put(device);
}

/* Takes the lock: hfi_instance_complete() may set it at any time. */
static dev_t known_number(struct hf_device *device)
{
	dev_t number;

	hfi_hf_lock(device->hf);
	number = device->entry.node_number;
	hfi_hf_unlock(device->hf);
	return number;
}

/* Updates an instance that a scan has found again. */
HF_REQUIRES(hfi_scan_kind)
static void refresh(struct hf *hf, struct hf_device *device, const struct hf_entry *entry)
{
	const bool later = device->provider && hfi_postpone_node_check(hf, entry);
	struct hf_reason reason = {0};
	struct hf_entry sighted = *entry;
	uint32_t changes;

	/* A brief scan does not read the number; keep the known one. */
	if (sighted.brief && !sighted.node_number)
		sighted.node_number = known_number(device);
	/* Check the node before taking the lock: that makes system calls. */
	if (device->provider && !later)
		hfi_node_ready(&hf->roots[entry->root], &hf->look, &sighted, &reason);
	else if (!device->provider)
		hfi_entry_format_reason(entry, &reason);
	hfi_hf_lock(hf);
	changes = hfi_instance_update(device, &sighted);
	device->node_unchecked = later;
	count_unusable(hf, device, -1);
	/* What the last check of the node said holds until the next, but that there is none. */
	if (later ? device->reason == HF_REASON_NO_NODE : device->provider || reason.code)
		hfi_instance_set_reason(device, &reason);
	if (!later)
		device->node_checked = true;
	count_unusable(hf, device, 1);
	if (changes)
		tell_after_added(hf, device, HF_TABLE_CHANGED, changes);
	tell_added(hf, device);
	hfi_hf_unlock(hf);
}

HF_REQUIRES(hfi_scan_kind)
static void check_node(struct hf *hf, struct hf_device *device)
{
	struct hf_entry entry = hfi_instance_entry(device);
	struct hf_reason reason = {0};

	hfi_node_ready(&hf->roots[entry.root], &hf->look, &entry, &reason);
	hfi_hf_lock(hf);
	device->node_unchecked = false;
	device->node_checked = true;
	count_unusable(hf, device, -1);
	hfi_instance_set_reason(device, &reason);
	count_unusable(hf, device, 1);
	tell_added(hf, device);
	hfi_hf_unlock(hf);
}

void hfi_table_check_nodes(struct hf *hf)
{
	struct hf_device *device;

	if (!hf->table.unchecked)
		return;
	hf->look.mount = HF_MOUNT_UNKNOWN;
	hf->look.euid = geteuid();
	for (device = hf->table.by_key; device; device = device->hh.next)
		if (device->node_unchecked)
			check_node(hf, device);
	hf->table.unchecked = false;
}

/*
 * A device that cannot be read is not a new device: keep the instance and read it again at the next
 * scan.
 */
static void set_reason(struct hf *hf, struct hf_device *device, const struct hf_entry *entry)
{
	struct hf_reason reason;

	hfi_entry_format_reason(entry, &reason);
	hfi_hf_lock(hf);
	count_unusable(hf, device, -1);
	hfi_instance_set_reason(device, &reason);
	count_unusable(hf, device, 1);
	hfi_hf_unlock(hf);
}

/*
 * A device that had no provider may have one by now. The handle is the provider's object, so a new
 * handle replaces the old one, with the same generation since it is the same instance.
 */
HF_REQUIRES(hfi_scan_kind)
static int offer_again(struct hf *hf, struct hf_device *device, const struct hf_entry *entry)
{
	struct hf_device *fresh;
	int err;

	err = hfi_instance_new(hf, entry, device->generation, &fresh);
	if (err)
		return err;
	if (!fresh->provider) {
		struct hf_reason reason;

		hfi_instance_get_reason(fresh, &reason);
		hfi_hf_lock(hf);
		hfi_instance_set_reason(device, &reason);
		hfi_hf_unlock(hf);
		hfi_instance_put(fresh);
		return 0;
	}
	fresh->seen = device->seen;
	hfi_hf_lock(hf);
	err = enter(hf, fresh);
	if (!err) {
		remove_from_table(hf, device);
		/* This handle is gone; the instance lives on in the new one. */
		atomic_store(&device->gone, true);
		fresh->announced_to_all = device->announced_to_all;
		insert_unlisted(hf, fresh);
		if (device->announced_to_all)
			notify_observers(hf, true, fresh, HF_TABLE_CHANGED, HF_CHANGED_HANDLE);
	}
	hfi_hf_unlock(hf);
	hfi_instance_put(err ? fresh : device);
	return err;
}

/*
 * 0: `now` is the same instance; -ENODEV: another one; other errors: cannot be decided. A scan that
 * used netlink knows devices by index alone, one without netlink by inode alone.
 */
HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind)
static int compare_sighting(struct hf *hf, struct hf_device *device, const struct hf_entry *now)
{
	const struct hf_search_root *root = &hf->roots[now->root];
	struct hf_entry known = hfi_instance_entry(device), seen = *now;
	struct hf_entry *without_inode = known.life.inode ? &seen : &known;
	bool comparable = (known.life.inode && seen.life.inode) ||
			  (known.index >= 0 && seen.index >= 0);
	int err = 0;

	if (!comparable && without_inode->index >= 0) {
		err = hfi_entry_bind(root, hfi_netlink(hf, root), without_inode);
		if (!err && !without_inode->life.inode)
			err = -EIO;
	}
	return err ? err : hfi_entry_check(root, &known, &seen);
}

HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind)
static int take_sighting(struct hf *hf, const struct hf_entry *entry, uint64_t scan)
{
	struct hf_device *device = hfi_table_lookup(hf, entry->root, entry->uverbs);
	struct hf_device *fresh;
	int err;

	if (device && !entry->life.inode && entry->index < 0) {
		device->seen = scan;
		set_reason(hf, device, entry);
		return 0;
	}
	err = device ? compare_sighting(hf, device, entry) : -ENODEV;
	if (hfi_error_is_shortage(err))
		return err;
	/* Keep it until a scan can decide; an open verifies the instance anyway. */
	if (err && err != -ENODEV) {
		device->seen = scan;
		hf->table.hidden_changes = true;
		return 0;
	}
	if (!err) {
		device->seen = scan;
		/* A name that cannot be read now is not a rename. */
		if (!*entry->name) {
			set_reason(hf, device, entry);
			return 0;
		}
		refresh(hf, device, entry);
		if (!device->provider && !entry->reason.code)
			return offer_again(hf, device, entry);
		return 0;
	}
	err = hfi_instance_new(hf, entry, hfi_next_generation(), &fresh);
	if (err)
		return err;
	fresh->seen = scan;
	hfi_hf_lock(hf);
	err = enter(hf, fresh);
	if (!err && device)
		end_instance(hf, device);
	if (!err)
		insert_unlisted(hf, fresh);
	hfi_hf_unlock(hf);
	if (err)
		hfi_instance_put(fresh);
	else if (device)
		hfi_instance_put(device);
	return err;
}

int hfi_table_take(struct hf *hf, const struct hf_entry *entry, uint64_t scan)
{
	int err = take_sighting(hf, entry, scan);
	int shortage = hfi_registry_take_shortage(&hf->registry);

	return err ? err : shortage;
}

/* The table has its devices in the order in which they were plugged in. */
static bool comes_first(const struct hf_device *device, const struct hf_device *other)
{
	if (!other || device->key.root != other->key.root)
		return !other || device->key.root < other->key.root;
	return strverscmp(device->key.uverbs, other->key.uverbs) < 0;
}

struct hf_device *hfi_table_find_name(struct hf *hf, const char *name)
{
	struct hf_device *device, *found = NULL;

	hfi_hf_lock(hf);
	for (device = hf->table.by_key; device; device = device->hh.next)
		if (!strcmp(device->name, name) && comes_first(device, found))
			found = device;
	if (found)
		hfi_device_hold(found);
	hfi_hf_unlock(hf);
	return found;
}

/* No other thread knows the context any more. */
HF_UNCHECKED_LOCKS
void hfi_table_clear(struct hf *hf)
{
	struct hf_device *device, *next;

	HASH_ITER (hh, hf->table.by_key, device, next) {
		remove_from_table(hf, device);
		atomic_store(&device->gone, true);
		hfi_instance_put(device);
	}
}
