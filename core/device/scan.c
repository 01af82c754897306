/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Looking, and writing down what was seen. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/device/hf.h"
#include "core/device/table_change.h"
#include "core/discovery/netlink.h"

/*
 * Programs that become daemons close every descriptor, and open files of their own, between one list
 * of devices and the next: nothing may be asked, nor closed, under the numbers of the old sockets.
 */
void hf_forget_closed(struct hf *hf)
{
	bool nl = hf->nl && !hf_fd_is_still(&hf->nl_socket);
	/* Not all of its descriptors can be told from others; who closes one closes them all. */
	bool notifier = hf->notifier && (nl || !hf_fd_is_still(&hf->notifier->socket));

	if (!nl && !notifier)
		return;
	hf_debug(&hf->log, "the program closed descriptors that were kept: new ones are opened");
	if (nl) {
		hf->lost_nl = hf->nl;
		hf->nl = NULL;
	}
	if (notifier) {
		hf->lost_notifier = hf->notifier;
		hf->notifier = NULL;
	}
	hf->table.complete = false;
}

/* In a turn of either kind: what was inherited, or closed meanwhile, is not used. */
static void renew_sockets(struct hf *hf)
{
	hf_forget_closed(hf);
	if (hf->fork_count == hf_fork_count())
		return;
	/* The sockets are the parent's too: what is read here would be missing there. */
	if (hf->notifier)
		hf->notifier->free(hf->notifier);
	hf->notifier = NULL;
	hf->nl = hf_nl_close(hf->nl);
	hf->nl_tried = false;
	hf->table.complete = false;
	hf->fork_count = hf_fork_count();
}

static bool is_scanner(const struct hf *hf)
{
	return hf->scanning && pthread_equal(hf->scanner, pthread_self());
}

static bool begin(struct hf *hf, bool at_once)
{
	bool mine;

	pthread_mutex_lock(&hf->lock);
	mine = !is_scanner(hf) && !(at_once && hf->lent);
	while (mine && (hf->scanning || hf->using)) {
		pthread_cond_wait(&hf->scan_done, &hf->lock);
		mine = !(at_once && hf->lent);
	}
	if (mine) {
		hf->scanning = true;
		hf->scanner = pthread_self();
		hf_log_hold();
	}
	pthread_mutex_unlock(&hf->lock);
	if (mine)
		renew_sockets(hf);
	return mine;
}

bool hf_scan_begin(struct hf *hf)
{
	return begin(hf, false);
}

bool hf_scan_try_begin(struct hf *hf)
{
	return begin(hf, true);
}

void hf_scan_end(struct hf *hf)
{
	pthread_mutex_lock(&hf->lock);
	hf->scanning = false;
	pthread_cond_broadcast(&hf->scan_done);
	pthread_mutex_unlock(&hf->lock);
	hf_log_release();
}

bool hf_asking_begin(struct hf *hf)
{
	bool mine;

	pthread_mutex_lock(&hf->lock);
	/* A provider that asks from within a scan does without, as ever. */
	mine = !is_scanner(hf);
	while (mine && (hf->using || (hf->scanning && !hf->lent)))
		pthread_cond_wait(&hf->scan_done, &hf->lock);
	if (mine) {
		hf->using = true;
		hf_log_hold();
	}
	pthread_mutex_unlock(&hf->lock);
	if (mine)
		renew_sockets(hf);
	return mine;
}

void hf_asking_end(struct hf *hf)
{
	pthread_mutex_lock(&hf->lock);
	hf->using = false;
	pthread_cond_broadcast(&hf->scan_done);
	pthread_mutex_unlock(&hf->lock);
	hf_log_release();
}

bool hf_scan_lend(struct hf *hf)
{
	bool lent;

	pthread_mutex_lock(&hf->lock);
	lent = is_scanner(hf) && !hf->lent;
	if (lent) {
		hf->lent = true;
		pthread_cond_broadcast(&hf->scan_done);
	}
	pthread_mutex_unlock(&hf->lock);
	return lent;
}

void hf_scan_take_back(struct hf *hf, bool lent)
{
	if (!lent)
		return;
	pthread_mutex_lock(&hf->lock);
	while (hf->using)
		pthread_cond_wait(&hf->scan_done, &hf->lock);
	hf->lent = false;
	pthread_mutex_unlock(&hf->lock);
}

struct hf_nl *hf_netlink(struct hf *hf, const struct hf_search_root *root)
{
	if (!root->kernel || (hf->flags & HF_NO_NETLINK))
		return NULL;
	if (!hf->nl && !hf->nl_tried) {
		int err = hf_nl_open(&hf->nl);

		/* Out of descriptors is no property of the kernel: try again at the next scan. */
		hf->nl_tried = !hf_error_is_shortage(err);
		hf_fd_mark(&hf->nl_socket, hf->nl ? hf_nl_fd(hf->nl) : -1);
		if (err)
			hf_debug(&hf->log, "RDMA netlink: %s", strerrordesc_np(-err));
	}
	return hf->nl;
}

unsigned int hf_sources(const struct hf *hf, const struct hf_search_root *root)
{
	unsigned int sources = HF_SOURCE_SYSFS | HF_SOURCE_NETLINK;

	if (!root->kernel || (hf->flags & HF_NO_NETLINK))
		sources &= ~(unsigned int)HF_SOURCE_NETLINK;
	if (hf->flags & HF_NO_SYSFS)
		sources &= ~(unsigned int)HF_SOURCE_SYSFS;
	return sources;
}

static void remove_unseen(struct hf *hf, unsigned int root, uint64_t scan)
{
	struct hf_device *device, *next;

	HASH_ITER (hh, hf->table.by_key, device, next)
		if (device->key.root == root && device->seen != scan)
			hf_table_remove(hf, device);
}

static int scan_root(struct hf *hf, unsigned int index, uint64_t scan)
{
	struct hf_search_root *root = &hf->roots[index];
	struct hf_entries entries = {0};
	int err;

	err = hf_discover(root, index, hf_sources(hf, root) | HF_BRIEFLY, hf_netlink(hf, root),
			  &entries);
	for (size_t i = 0; i < entries.count && !err; i++)
		err = hf_table_take(hf, &entries.v[i], scan);
	if (!err)
		remove_unseen(hf, index, scan);
	hf_entries_free(&entries);
	return err;
}

int hf_table_scan(struct hf *hf)
{
	uint64_t scan = ++hf->table.scans;
	unsigned int failed = 0;
	int err, last = 0;

	hf->table.complete = false;
	hf->euid = geteuid();
	err = hf_registry_refresh(&hf->registry, &hf->log);
	if (err < 0)
		return err;
	for (unsigned int i = 0; i < hf->num_roots; i++) {
		err = scan_root(hf, i, scan);
		if (hf_error_is_shortage(err))
			return err;
		if (!err)
			continue;
		/* One root that cannot be read must not hide the devices of the others. */
		hf_warn(&hf->log, "%s: %s", hf->roots[i].sysfs, strerrordesc_np(-err));
		failed++;
		last = err;
	}
	if (failed && failed == hf->num_roots)
		return last;
	hf->table.complete = true;
	return 0;
}

int hf_table_scan_one(struct hf *hf, unsigned int index, const char *uverbs)
{
	struct hf_search_root *root = &hf->roots[index];
	struct hf_entry entry;
	struct hf_device *device;
	int err;

	hf->euid = geteuid();
	device = hf_table_lookup(hf, index, uverbs);
	err = hf_discover_one(root, index, hf_sources(hf, root), hf_netlink(hf, root), uverbs,
			      &entry);
	if (err == -ENODEV) {
		if (device)
			hf_table_remove(hf, device);
		return 0;
	}
	if (err)
		return err;
	/* A new device may come with a new provider. */
	if (!device || !hf_entry_same(&device->entry, &entry)) {
		err = hf_registry_refresh(&hf->registry, &hf->log);
		if (err < 0)
			return err;
	}
	return hf_table_take(hf, &entry, hf->table.scans);
}

/* Can what stands in the way have changed without a word from the kernel? */
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

int hf_table_scan_unready(struct hf *hf)
{
	struct hf_device *device, *next;
	int err, changed;

	changed = hf_registry_refresh(&hf->registry, &hf->log);
	if (changed < 0)
		return changed;
	HASH_ITER (hh, hf->table.by_key, device, next) {
		if (!may_have_cleared(device, changed))
			continue;
		/* The look may take the device out of the table. */
		struct hf_table_key key = device->key;

		err = hf_table_scan_one(hf, key.root, key.uverbs);
		if (err)
			return err;
	}
	return (int)hf->table.unusable;
}
