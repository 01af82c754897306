/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Scans the roots and updates the table. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/fd_mark.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/device/hf.h"
#include "core/device/instance.h"
#include "core/device/node_names.h"
#include "core/device/scan.h"
#include "core/device/table.h"
#include "core/device/table_internal.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/netlink_guess.h"
#include "core/registry/manifests.h"
#include "core/registry/registry.h"

struct hf_nl *hfi_netlink(struct hf *hf, const struct hf_search_root *root)
{
	if (!root->kind->netlink || (hf->flags & HF_NO_NETLINK))
		return NULL;
	if (!hf->nl && !hf->nl_tried) {
		int err = hfi_nl_open(&hf->nl);

		/* A shortage of descriptors passes: try again at the next scan. */
		hf->nl_tried = !hfi_error_is_shortage(err);
		hfi_fd_mark(&hf->nl_socket, hf->nl ? hfi_nl_fd(hf->nl) : -1);
		if (err)
			hf_debug(&hf->log, "RDMA netlink: %s", strerrordesc_np(-err));
	}
	return hf->nl;
}

unsigned int hfi_sources(const struct hf *hf, const struct hf_search_root *root)
{
	unsigned int sources = HF_SOURCE_SYSFS | HF_SOURCE_NETLINK;

	if (!root->kind->netlink || (hf->flags & HF_NO_NETLINK))
		sources &= ~(unsigned int)HF_SOURCE_NETLINK;
	if (hf->flags & HF_NO_SYSFS)
		sources &= ~(unsigned int)HF_SOURCE_SYSFS;
	if (root->only_while_missing)
		sources = access(root->sysfs, F_OK) < 0 ? sources & HF_SOURCE_NETLINK : 0;
	return sources;
}

HF_REQUIRES(hfi_scan_kind)
static void remove_unseen(struct hf *hf, unsigned int root, uint64_t scan)
{
	struct hf_device *device, *next;

	HASH_ITER (hh, hf->table.by_key, device, next)
		if (device->key.root == root && device->seen != scan)
			hfi_table_remove(hf, device);
}

/* Worth its cost only for several devices. */
HF_REQUIRES(hfi_scan_kind)
static void open_node_dir(struct hf *hf, const struct hf_search_root *root, size_t devices)
{
	char path[HF_PATH_SIZE + 16];

	if (devices < 4 || hfi_print(path, sizeof(path), "%s/infiniband", root->dev))
		return;
	hf->look.dir = hfi_open_dir(AT_FDCWD, path);
	if (hf->table.nodes_later && hf->look.dir >= 0)
		hf->nodes_there = hfi_node_names_read(hf->look.dir);
}

bool hfi_postpone_node_check(struct hf *hf, const struct hf_entry *entry)
{
	if (!hf->table.nodes_later || (!hfi_node_names_have(hf->nodes_there, entry->uverbs) &&
				       !hfi_node_exists(&hf->roots[entry->root], &hf->look, entry)))
		return false;
	hf->table.unchecked = true;
	return true;
}

HF_REQUIRES(hfi_scan_kind)
static void close_node_dir(struct hf *hf)
{
	hfi_node_names_free(hf->nodes_there);
	hf->nodes_there = NULL;
	hfi_close(&hf->look.dir);
}

HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind)
static int scan_root(struct hf *hf, unsigned int index, uint64_t scan)
{
	struct hf_search_root *root = &hf->roots[index];
	unsigned int sources = hfi_sources(hf, root);
	struct hf_entries entries = {0};
	int err = 0;

	if (sources)
		err = hfi_discover(root, index, sources | HF_READ_BRIEF, hfi_netlink(hf, root),
				   &entries);
	if (!err)
		open_node_dir(hf, root, entries.count);
	for (size_t i = 0; i < entries.count && !err; i++)
		err = hfi_table_take(hf, &entries.v[i], scan);
	close_node_dir(hf);
	if (!err)
		remove_unseen(hf, index, scan);
	/* Time stamps of the class directory do not change when the target of a link does. */
	if (root->kind->dir_stamps && entries.links)
		hf->table.hidden_changes = true;
	hfi_entries_free(&entries);
	return err;
}

static bool has_devices(struct hf *hf)
{
	bool has;

	hfi_hf_lock(hf);
	has = hf->table.count;
	hfi_hf_unlock(hf);
	return has;
}

/* The names that netlink's answers had are of no use when the last device is gone. */
HF_REQUIRES(hfi_netlink_kind)
static void forget_names_without_devices(struct hf *hf)
{
	if (hf->nl && !has_devices(hf))
		hfi_nl_guesses_clear(hfi_nl_guesses(hf->nl));
}

int hfi_table_scan(struct hf *hf)
{
	uint64_t scan = ++hf->table.scans;
	unsigned int failed = 0;
	int err, last = 0;

	hf->table.complete = false;
	hf->table.hidden_changes = false;
	hf->look.user_decides = false;
	hf->look.mount = HF_MOUNT_UNKNOWN;
	hf->look.euid = geteuid();
	err = hfi_registry_refresh(&hf->registry, &hf->log);
	if (err < 0)
		return err;
	hfi_registry_begin_look(&hf->registry);
	for (unsigned int i = 0; i < hf->num_roots; i++) {
		err = scan_root(hf, i, scan);
		if (hfi_error_is_shortage(err))
			return err;
		if (!err)
			continue;
		/* One unreadable root must not hide the devices of the others. */
		hf_warn(&hf->log, "%s: %s", hf->roots[i].sysfs, strerrordesc_np(-err));
		failed++;
		last = err;
	}
	if (failed && failed == hf->num_roots)
		return last;
	if (has_devices(hf))
		hfi_registry_try_named(&hf->registry, &hf->log);
	forget_names_without_devices(hf);
	/* Also those of a root that could not be read now. */
	if (!hf->table.nodes_later)
		hfi_table_check_nodes(hf);
	hf->table.complete = !hf->table.hidden_changes;
	return 0;
}

int hfi_table_scan_one(struct hf *hf, unsigned int index, const char *uverbs)
{
	struct hf_search_root *root = &hf->roots[index];
	unsigned int sources;
	struct hf_entry entry, known;
	struct hf_device *device;
	int err;

	hf->look.mount = HF_MOUNT_UNKNOWN;
	hf->look.euid = geteuid();
	device = hfi_table_lookup(hf, index, uverbs);
	sources = hfi_sources(hf, root);
	err = sources ? hfi_discover_one(root, index, sources, hfi_netlink(hf, root), uverbs,
					 &entry)
		      : -ENODEV;
	if (err == -ENODEV) {
		if (device)
			hfi_table_remove(hf, device);
		forget_names_without_devices(hf);
		return 0;
	}
	if (err)
		return err;
	if (device)
		known = hfi_instance_entry(device);
	/* A new device may come with a new provider. */
	if (!device || !hfi_entry_same(&known, &entry)) {
		err = hfi_registry_refresh(&hf->registry, &hf->log);
		if (err < 0)
			return err;
	}
	return hfi_table_take(hf, &entry, hf->table.scans);
}

/* True if the reason may have gone away without a notification. */
static bool may_have_cleared(const struct hf_device *device, bool providers_changed)
{
	switch (device->reason) {
	case HF_REASON_HALF_MADE:
	case HF_REASON_NO_NODE:
	case HF_REASON_NODE_PERMISSION:
	case HF_REASON_NODE_MISMATCH:
	case HF_REASON_PROVIDER_FAILED:
		return true;
	case HF_REASON_NONE:
	case HF_REASON_GONE:
	case HF_REASON_OTHER_NETNS:
		return false;
	default:
		return providers_changed;
	}
}

int hfi_table_scan_unready(struct hf *hf)
{
	struct hf_device *device, *next;
	int err, changed;

	changed = hfi_registry_refresh(&hf->registry, &hf->log);
	if (changed < 0)
		return changed;
	HASH_ITER (hh, hf->table.by_key, device, next) {
		if (!may_have_cleared(device, changed))
			continue;
		/* Copy the key: the scan may free the device. */
		struct hf_table_key key = device->key;

		err = hfi_table_scan_one(hf, key.root, key.uverbs);
		if (err)
			return err;
	}
	return (int)hf->table.unusable;
}
