/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* hf_device_list(), which lists new devices first, and hf_device_by_name(). */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "shared/text.h"
#include "core/device/list.h"
#include "core/device/scan.h"
#include "core/device/scan_lock.h"
#include "core/device/spare_descriptors.h"
#include "core/device/table.h"
#include "core/discovery/netlink.h"
#include "core/notify/change_check.h"

/*
 * Opening the notification sources takes libudev and two sockets, which costs more than listing a
 * dozen devices. A program that lists only once does without; the second list opens them.
 */
HF_REQUIRES(hfi_scan_kind)
static bool is_only_list(const struct hf *hf)
{
	if (hf->table.scans)
		return false;
	for (unsigned int i = 0; i < hf->num_roots; i++)
		if (hf->roots[i].kind->reports & HF_REPORTS_UEVENT)
			return true;
	return false;
}

static bool has_observers(struct hf *hf)
{
	bool has;

	hfi_hf_lock(hf);
	has = hf->observers;
	hfi_hf_unlock(hf);
	return has;
}

HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind)
static int list_scan(struct hf *hf, bool nodes_later)
{
	int err;

	hf->table.nodes_later = nodes_later && !has_observers(hf);
	err = hfi_table_scan(hf);
	hf->table.nodes_later = false;
	/* A provider may have begun to observe meanwhile. */
	if (has_observers(hf))
		hfi_table_check_nodes(hf);
	return err;
}

HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind)
static int scan_if_changed(struct hf *hf, bool nodes_later)
{
	bool first = !hf->change_check && !(hf->flags & HF_NO_NOTIFY) &&
		     !atomic_load(&hf->few_descriptors);
	int changed = -EOPNOTSUPP;

	if (first && is_only_list(hf))
		return list_scan(hf, nodes_later);
	/* Notifications start now, so scan even if the table is complete. */
	if (first) {
		int err = hfi_change_check_new(hf->roots, hf->num_roots,
					       !(hf->flags & HF_NO_NETLINK), &hf->log,
					       &hf->change_check);

		if (err)
			hf_info(&hf->log, "no notifications: %s", strerrordesc_np(-err));
	}
	if (hf->change_check)
		changed = hfi_change_check_ask(hf->change_check);
	/* After a change of user, other device nodes may be accessible. */
	if (first || changed || !hf->table.complete ||
	    (hf->look.user_decides && hf->look.euid != geteuid()))
		return list_scan(hf, nodes_later);
	if (hf->table.unusable)
		changed = hfi_table_scan_unready(hf);
	return changed < 0 ? changed : 0;
}

static int refresh_once(struct hf *hf, bool nodes_later)
{
	int err;

	if (!hfi_scan_begin(hf))
		return 0;
	err = scan_if_changed(hf, nodes_later);
	if (!err && !nodes_later)
		hfi_table_check_nodes(hf);
	if (atomic_load(&hf->few_descriptors)) {
		hfi_forget_closed(hf);
		hf->nl = hfi_nl_close(hf->nl);
		hf->nl_tried = false;
	}
	hfi_scan_end(hf);
	return err;
}

/* The scan ends at the first EMFILE: what is kept open is given up then, and it begins once more. */
int hfi_refresh(struct hf *hf, bool nodes_later)
{
	int err = refresh_once(hf, nodes_later);

	if (hfi_give_up_spare(hf, err))
		err = refresh_once(hf, nodes_later);
	return err;
}

static bool is_known_at_once(const struct hf_device *device)
{
	return device->provider && device->provider->by_program;
}

/*
 * Moves the devices that `wanted` picks to the front as a batch, in the order in which they were
 * found.
 */
HF_REQUIRES(hfi_hf_kind)
static void promote_batch(struct hf *hf, bool (*wanted)(const struct hf_device *device),
			  bool known_at_once)
{
	struct hf_device *device, *next, *batch = NULL;

	DL_FOREACH_SAFE (hf->table.unlisted, device, next) {
		if (!wanted(device) || (known_at_once && !is_known_at_once(device)))
			continue;
		DL_DELETE(hf->table.unlisted, device);
		DL_APPEND(batch, device);
		device->listed = true;
	}
	DL_CONCAT(batch, hf->table.listed);
	hf->table.listed = batch;
}

/*
 * Devices found since the last list come first. Like libibverbs, the first list makes two batches:
 * libibverbs loads its drivers only if those that the program registered leave a device without
 * one.
 */
HF_REQUIRES(hfi_hf_kind)
static void promote(struct hf *hf, bool (*wanted)(const struct hf_device *device))
{
	if (!hf->table.drivers_loaded) {
		promote_batch(hf, wanted, true);
		hf->table.drivers_loaded = hf->table.unlisted != NULL;
	}
	promote_batch(hf, wanted, false);
}

int hfi_list(struct hf *hf, bool (*wanted)(const struct hf_device *device), bool nodes_later,
	     struct ibv_device ***ret)
{
	struct ibv_device **list;
	struct hf_device *device;
	int err, count = 0;

	err = hfi_refresh(hf, nodes_later);
	if (err)
		return err;
	hfi_hf_lock(hf);
	list = malloc((hf->table.count + 1) * sizeof(struct ibv_device *));
	if (!list) {
		hfi_hf_unlock(hf);
		return -ENOMEM;
	}
	promote(hf, wanted);
	DL_FOREACH (hf->table.listed, device) {
		if (!wanted(device))
			continue;
		hfi_device_hold(device);
		list[count++] = &device->handle->device;
	}
	hfi_hf_unlock(hf);
	list[count] = NULL;
	*ret = list;
	return count;
}

/* Also true when a provider calls from within a scan, which uses the socket. */
static bool has_netlink(struct hf *hf)
{
	bool has;

	if (!hfi_netlink_lock(hf))
		return true;
	has = hf->nl;
	hfi_netlink_unlock(hf);
	return has;
}

bool hfi_no_kernel_support(struct hf *hf)
{
	char path[HF_PATH_SIZE];

	if (has_netlink(hf) || hf->num_roots == 0)
		return false;
	if (hfi_print(path, sizeof(path), "%s/class/infiniband_verbs", hf->roots[0].sysfs))
		return true;
	return access(path, F_OK) < 0;
}

static bool is_ready(const struct hf_device *device)
{
	return !device->reason && (device->node_checked || !device->provider) &&
	       !(device->provider && atomic_load(&device->provider->fault));
}

static bool is_any(const struct hf_device *device)
{
	(void)device;
	return true;
}

HF_EXPORT int hf_device_list(struct hf *hf, uint32_t flags, struct ibv_device ***ret)
{
	if (flags & ~(uint32_t)HF_LIST_ALL)
		return -EINVAL;
	return hfi_list(hf, flags & HF_LIST_ALL ? is_any : is_ready, false, ret);
}

HF_EXPORT void hf_device_list_free(struct ibv_device **list)
{
	if (!list)
		return;
	for (struct ibv_device **each = list; *each; each++)
		hf_device_unref(*each);
	free(list);
}

HF_EXPORT int hf_device_by_name(struct hf *hf, const char *name, struct ibv_device **ret)
{
	struct hf_device *device;
	int err;

	err = hfi_refresh(hf, false);
	if (err)
		return err;
	/* A device whose name could not be read has an empty one, which matches no name. */
	device = *name ? hfi_table_find_name(hf, name) : NULL;
	if (!device)
		return -ENODEV;
	*ret = &device->handle->device;
	return 0;
}
