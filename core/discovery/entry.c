/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Compares entries with each other and with what exists now. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/base/reason.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/sysfs.h"

void hfi_entries_free(struct hf_entries *entries)
{
	free(entries->v);
	memset(entries, 0, sizeof(*entries));
}

int hfi_entry_same(const struct hf_entry *a, const struct hf_entry *b)
{
	bool inodes = a->life.inode && b->life.inode;
	bool indexes = a->index >= 0 && b->index >= 0;

	if (a->root != b->root || strcmp(a->uverbs, b->uverbs) != 0)
		return 0;
	if (inodes && !hfi_life_same(&a->life, &b->life))
		return 0;
	if (indexes && a->index != b->index)
		return 0;
	/*
	 * Where an inode or an index decides, ignore the stamp: dropping caches changes it (Linux
	 * 6.1).
	 */
	if (inodes || indexes)
		return 1;
	return hfi_stamp_same(&a->stamp, &b->stamp) && a->node_number == b->node_number;
}

static int read_parent_modalias(int dir, char text[HF_MODALIAS_SIZE])
{
	ssize_t length = hfi_attr_read(dir, "device/modalias", text, HF_MODALIAS_SIZE, NULL);

	if (length < 0)
		text[0] = '\0';
	return hfi_error_is_shortage((int)length) ? (int)length : 0;
}

/* libibverbs reads the one of the RDMA device, and a tree made for it may have no other. */
static bool may_have_modalias(const struct hf_search_root *root, const struct hf_entry *entry)
{
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE];

	return hfi_is_component(entry->name, HF_NAME_SIZE - 1) &&
	       !hfi_print(path, sizeof(path), "%s/class/infiniband/%s/device/modalias", root->sysfs,
			  entry->name) &&
	       access(path, F_OK) == 0;
}

int hfi_entry_read_modalias(const struct hf_search_root *root, const struct hf_entry *entry,
			    char ret[HF_MODALIAS_SIZE])
{
	char text[HF_MODALIAS_SIZE] = "";
	int dir = hfi_entry_open_uverbs(root, entry);
	int err;

	if (dir < 0)
		return dir;
	err = read_parent_modalias(dir, text);
	hfi_close(&dir);
	if (!err && !*text && may_have_modalias(root, entry)) {
		dir = hfi_entry_open_dir(root, entry, NULL);
		if (dir >= 0)
			err = read_parent_modalias(dir, text);
		else if (hfi_error_is_shortage(dir) || dir == -ENODEV)
			err = dir;
		hfi_close(&dir);
	}
	if (!err)
		strcpy(ret, text);
	return err;
}

void hfi_entry_format_reason(const struct hf_entry *entry, struct hf_reason *ret)
{
	const struct hf_entry_reason *reason = &entry->reason;
	const char *what = reason->error ? strerrordesc_np(reason->error) : NULL;

	if (reason->attribute)
		hfi_reason_set(ret, reason->code, reason->attribute, what,
			       "%s%s%s cannot be read: %s",
			       reason->of_uverbs ? entry->uverbs : entry->name,
			       *reason->attribute ? "/" : "", reason->attribute, what);
	else if (reason->code == HF_REASON_OTHER_NETNS)
		hfi_reason_set(ret, reason->code, NULL, NULL,
			       "%s belongs to another network namespace", entry->name);
	else if (reason->code)
		hfi_reason_set(ret, reason->code, NULL, NULL, "%s changes while it is read",
			       entry->uverbs);
	else
		memset(ret, 0, sizeof(*ret));
}

int hfi_entry_node_path(const struct hf_search_root *root, const struct hf_entry *entry,
			char path[HF_PATH_SIZE])
{
	return hfi_join(path, HF_PATH_SIZE, root->dev, "/infiniband/", entry->uverbs);
}

int hfi_entry_uverbs_path(const struct hf_search_root *root, const struct hf_entry *entry,
			  char ret[HF_UVERBS_PATH_SIZE])
{
	return hfi_join(ret, HF_UVERBS_PATH_SIZE, root->sysfs, "/class/infiniband_verbs/",
			entry->uverbs);
}

static int verify_life(const struct hf_search_root *root, const struct hf_entry *entry)
{
	char path[HF_UVERBS_PATH_SIZE];
	struct timespec stamp;
	struct hf_life life;
	int err = hfi_entry_uverbs_path(root, entry, path);

	if (!err)
		err = root->kind->read_life(AT_FDCWD, path, -1, &life, &stamp);
	if (err)
		return hfi_error_is_gone(err) ? -ENODEV : err;
	err = hfi_life_check(AT_FDCWD, path, &entry->life, &life);
	return err == -EAGAIN ? -ENODEV : err;
}

static int verify_index(struct hf_nl *nl, const struct hf_entry *entry)
{
	struct hf_nldev_chardev chardev;
	int err = hfi_nl_chardev(nl, (uint32_t)entry->index, &chardev);

	/*
	 * The kernel knows the index but no char device: an old kernel, or a device just being
	 * made.
	 */
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -ENOENT)
		return entry->life.inode ? 0 : -ENODEV;
	if (err)
		return err;
	if (strcmp(chardev.name, entry->uverbs) != 0)
		return -ENODEV;
	return !entry->node_number || chardev.number == entry->node_number ? 0 : -ENODEV;
}

int hfi_entry_check(const struct hf_search_root *root, const struct hf_entry *known,
		    const struct hf_entry *now)
{
	char path[HF_UVERBS_PATH_SIZE];
	int err;

	if (!hfi_entry_same(known, now))
		return -ENODEV;
	if (!known->life.inode || !now->life.inode || !hfi_life_needs_id(&known->life, &now->life))
		return 0;
	err = hfi_entry_uverbs_path(root, now, path);
	return err ? err : hfi_life_check(AT_FDCWD, path, &known->life, &now->life);
}

int hfi_entry_bind(const struct hf_search_root *root, struct hf_nl *nl, struct hf_entry *entry)
{
	char path[HF_UVERBS_PATH_SIZE];
	struct timespec stamp;
	struct hf_life life;
	int err;

	if (entry->life.inode || !entry->brief)
		return 0;
	err = hfi_entry_uverbs_path(root, entry, path);
	if (!err)
		err = nl ? verify_index(nl, entry) : -EIO;
	if (!err)
		err = root->kind->read_life(AT_FDCWD, path, -1, &life, &stamp);
	if (err)
		return hfi_error_is_gone(err) ? -ENODEV : err;
	err = verify_index(nl, entry);
	if (err)
		return err;
	entry->life = life;
	entry->stamp = stamp;
	return 0;
}

int hfi_entry_complete(const struct hf_search_root *root, struct hf_nl *nl, struct hf_entry *entry)
{
	struct hf_entry whole, bound;
	const struct hf_entry *known = entry;
	int err = 0;

	if (!entry->brief)
		return 0;
	if (!entry->life.inode) {
		bound = *entry;
		known = &bound;
		err = hfi_entry_bind(root, nl, &bound);
	}
	/* No path leads to it, and netlink has reported the rest. */
	if (!err && entry->index >= 0 && !hfi_is_component(entry->name, HF_NAME_SIZE - 1)) {
		*entry = *known;
		entry->brief = false;
		return 0;
	}
	if (!err)
		err = hfi_discover_one(root, entry->root, HF_SOURCE_SYSFS, NULL, entry->uverbs,
				       &whole);
	if (err)
		return err;
	/* A read error does not prove that this is another device. */
	err = whole.life.inode ? hfi_entry_check(root, known, &whole) : 0;
	if (err == -EAGAIN)
		return -ENODEV;
	if (err)
		return err;
	/* Nor is the entry complete: what failed may work the next time. */
	if (whole.reason.code)
		return -EIO;
	/* What netlink alone reports. */
	whole.index = entry->index;
	whole.driver_id = entry->driver_id;
	whole.num_ports = entry->num_ports;
	if (!whole.node_guid && entry->node_guid) {
		whole.node_guid = entry->node_guid;
		whole.brief = false;
	}
	if (entry->protocol != HF_PROTOCOL_UNKNOWN)
		whole.protocol = entry->protocol;
	/* Keep the name: the next scan has to find the rename, or nobody would report it. */
	memcpy(whole.name, entry->name, sizeof(whole.name));
	*entry = whole;
	return 0;
}

int hfi_entry_verify(const struct hf_search_root *root, struct hf_nl *nl,
		     const struct hf_entry *entry)
{
	int err = -EIO;

	if (entry->life.inode) {
		err = verify_life(root, entry);
		if (err)
			return err;
	}
	if (entry->index >= 0 && nl) {
		int said = verify_index(nl, entry);

		/* A netlink error does not outweigh what the inode has proven. */
		if (said == -ENODEV || !entry->life.inode)
			err = said;
	}
	return err;
}
