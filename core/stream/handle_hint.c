/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a stream does about a hint: scan a device or all, or compare ports; and what is due later. */
#include <errno.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"
#include "core/device/scan.h"
#include "core/device/scan_lock.h"
#include "core/stream/handle_hint.h"
#include "core/stream/lower_netdevs.h"
#include "core/stream/reported.h"

/* After some 8 s a device that is not ready is not waiting for udev; from then on only a hint helps. */
enum { UNREADY_TRIES = 10 };

#define MS 1000000u /* ns */

/*
 * The kernel reports a new address first and adds it to the GID table later, on a work queue
 * (drivers/infiniband/core/roce_gid_mgmt.c). Compare at once, and again after each of these times.
 */
static const uint32_t compare_again_ms[] = {10, 50, 250, 1000};

enum { COMPARISONS = sizeof(compare_again_ms) / sizeof(compare_again_ms[0]) };

/* True when some device may become ready without a notification. */
static bool some_device_is_unready(struct hf_stream *stream)
{
	struct hf *hf = stream->hf;
	struct hf_device *device;
	bool found = false;

	hfi_hf_lock(hf);
	for (device = hf->table.unusable ? hf->table.by_key : NULL; device && !found;
	     device = device->hh.next) {
		if (stream->observer.all && device->announced_to_all)
			continue;
		switch (device->reason) {
		case HF_REASON_HALF_MADE:
		case HF_REASON_NO_NODE:
		case HF_REASON_NODE_PERMISSION:
		case HF_REASON_NODE_MISMATCH:
		/* These may have had a passing cause, such as no free descriptor or one failed read. */
		case HF_REASON_NO_PROVIDER:
		case HF_REASON_FILE_MISSING:
		case HF_REASON_BAD_MANIFEST:
		case HF_REASON_LOAD:
		case HF_REASON_PROVIDER_FAILED:
			found = true;
			break;
		default:
			break;
		}
	}
	hfi_hf_unlock(hf);
	return found;
}

void hfi_stream_watch_unready(struct hf_stream *stream, bool restart)
{
	if (!some_device_is_unready(stream))
		hfi_retry_stop(&stream->unready);
	else if (restart || (!stream->unready.at && !stream->unready.step))
		hfi_retry_start(&stream->unready, hfi_now());
}

/* Remembers that a full scan is due, since this one failed. */
HF_REQUIRES(hfi_stream_kind)
static int scan_later(struct hf_stream *stream, int err)
{
	stream->scan_wanted = true;
	return hfi_error_is_shortage(err) ? err : -EIO;
}

HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int scan_all(struct hf_stream *stream)
{
	int err = hfi_table_scan(stream->hf);

	if (err < 0)
		return scan_later(stream, err);
	stream->scan_wanted = false;
	return 0;
}

HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int scan_hinted(struct hf_stream *stream, unsigned int root, const char *uverbs)
{
	int err = hfi_table_scan_one(stream->hf, root, uverbs);

	/* An error concerns the whole scan, not this device; the hint is used up, so scan all later. */
	return err < 0 ? scan_later(stream, err) : 0;
}

/* Looks up, in the table, the uverbs name of the device with this RDMA name in a root. */
static bool uverbs_of(struct hf *hf, unsigned int root, const char *name, char ret[HF_NAME_SIZE])
{
	struct hf_device *device;

	if (!*name) /* as a device that is being made has none */
		return false;
	hfi_hf_lock(hf);
	for (device = hf->table.by_key; device; device = device->hh.next)
		if (device->key.root == root && !strcmp(device->name, name))
			break;
	if (device)
		memcpy(ret, device->key.uverbs, HF_NAME_SIZE);
	hfi_hf_unlock(hf);
	return device;
}

/*
 * Scans a device by its RDMA name. A device that is not in the table yet also sends a notification
 * with its uverbs name; only where uevents do not arrive may this one be the only one.
 */
HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int scan_by_name(struct hf_stream *stream, unsigned int root, const char *name, bool came)
{
	char uverbs[HF_NAME_SIZE];

	if (uverbs_of(stream->hf, root, name, uverbs))
		return scan_hinted(stream, root, uverbs);
	return came && hfi_watch_blind(stream->watch) ? scan_all(stream) : 0;
}

/*
 * A rename notification may be out of date: by now another device may have the old name. So scan
 * both names and believe what is there.
 */
HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int scan_renamed(struct hf_stream *stream, unsigned int root, const struct hf_hint *hint)
{
	char uverbs[HF_NAME_SIZE];
	int err;

	/*
	 * A name with a '/' or a newline arrives in part, so this may be a device of the table whose
	 * name was not recognised.
	 */
	if (!uverbs_of(stream->hf, root, hint->name, uverbs) &&
	    !uverbs_of(stream->hf, root, hint->to, uverbs))
		return scan_all(stream);
	err = scan_by_name(stream, root, hint->name, false);
	return err ? err : scan_by_name(stream, root, hint->to, true);
}

static const struct hf_root_kind *kind_of(const struct hf_stream *stream,
					  const struct hf_device *device)
{
	return stream->hf->roots[device->key.root].kind;
}

static bool follows_netdevs(const struct hf_stream *stream, const struct hf_device *device)
{
	return kind_of(stream, device)->reports & HF_REPORTS_ROUTE;
}

/* Network interfaces are in no other root. */
static const char *sysfs_of_kernel(const struct hf *hf)
{
	for (unsigned int i = 0; i < hf->num_roots; i++)
		if (hf->roots[i].kind->kernel_nodes)
			return hf->roots[i].sysfs;
	return "/sys";
}

static bool in_root(const struct hf_stream *stream, const struct hf_device *device, uint32_t root)
{
	if (root == HF_ROOT_ANY)
		return true;
	if (root == HF_ROOT_KERNEL)
		return kind_of(stream, device)->reports & HF_REPORTS_UEVENT;
	return device->key.root == root;
}

/* True for past names too: the hint may be older than a rename. With hf->lock held. */
static bool was_called(const struct hf_device *device, const char *name)
{
	const struct hf_past_name *past;

	for (past = device->past_names; past; past = past->next)
		if (!strcmp(past->name, name))
			return true;
	return false;
}

/* Only a kernel changes attributes after it has notified, so only there compare several times. */
HF_REQUIRES(hfi_stream_kind, hfi_hf_kind)
static void compare_soon(struct hf_stream *stream, struct hf_reported *reported)
{
	reported->step = kind_of(stream, reported->device)->late_changes ? 0 : COMPARISONS;
	hfi_reported_set_due(stream, reported, hfi_now());
}

HF_REQUIRES(hfi_stream_kind)
static void compare_by_name(struct hf_stream *stream, const struct hf_hint *hint)
{
	bool every = hint->name[0] == '\0';
	struct hf_reported *reported, *next;

	hfi_hf_lock(stream->hf);
	HASH_ITER (hh, stream->reported, reported, next)
		if (in_root(stream, reported->device, hint->root) &&
		    (every || was_called(reported->device, hint->name)))
			compare_soon(stream, reported);
	hfi_hf_unlock(stream->hf);
}

static bool may_use_interface(const struct hf_reported *reported, const uint32_t *interfaces,
			      unsigned int count)
{
	enum hf_protocol protocol = reported->device->entry.protocol;
	bool on_netdev = protocol != HF_PROTOCOL_IB && protocol != HF_PROTOCOL_OPA;

	return reported->snapshot &&
	       hfi_snapshot_concerns(reported->snapshot, interfaces, count, on_netdev);
}

HF_REQUIRES(hfi_stream_kind)
static void compare_by_netdev(struct hf_stream *stream, const struct hf_hint *hint)
{
	struct hf *hf = stream->hf;
	uint32_t interfaces[HF_LOWER_MAX];
	unsigned int count;
	struct hf_reported *reported, *next;

	for (reported = stream->reported; reported; reported = reported->hh.next)
		if (follows_netdevs(stream, reported->device))
			break;
	if (!reported)
		return;
	count = hfi_lower_interfaces(sysfs_of_kernel(hf), hint->ifindex, hint->lower, interfaces);
	hfi_hf_lock(hf);
	HASH_ITER (hh, stream->reported, reported, next)
		if (follows_netdevs(stream, reported->device) &&
		    may_use_interface(reported, interfaces, count))
			compare_soon(stream, reported);
	hfi_hf_unlock(hf);
}

HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int handle_in_root(struct hf_stream *stream, unsigned int root, const struct hf_hint *hint)
{
	switch (hint->kind) {
	case HF_HINT_DEVICE:
		return scan_hinted(stream, root, hint->name);
	case HF_HINT_IBDEV:
		return scan_by_name(stream, root, hint->name, true);
	case HF_HINT_IBDEV_WENT:
		return scan_by_name(stream, root, hint->name, false);
	case HF_HINT_RENAME:
		return scan_renamed(stream, root, hint);
	default:
		return 0;
	}
}

HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int handle_in_roots(struct hf_stream *stream, const struct hf_hint *hint)
{
	const struct hf *hf = stream->hf;
	int err = 0;

	if (hint->root != HF_ROOT_KERNEL)
		return hint->root < hf->num_roots ? handle_in_root(stream, hint->root, hint) : 0;
	for (unsigned int i = 0; i < hf->num_roots && !err; i++)
		if (hf->roots[i].kind->reports & HF_REPORTS_UEVENT)
			err = handle_in_root(stream, i, hint);
	return err;
}

HF_REQUIRES(hfi_stream_kind, hfi_scan_kind, hfi_netlink_kind)
static int handle_in_scan(struct hf_stream *stream, const struct hf_hint *hint)
{
	int err = 0;

	switch (hint->kind) {
	case HF_HINT_ALL:
		err = scan_all(stream);
		break;
	case HF_HINT_NODE:
	case HF_HINT_PROVIDERS:
	case HF_HINT_MOUNTS:
		err = hfi_table_scan_unready(stream->hf);
		if (err < 0)
			return scan_later(stream, err);
		err = 0;
		break;
	default:
		err = handle_in_roots(stream, hint);
		break;
	}
	if (!err)
		hfi_stream_watch_unready(stream, true);
	return err;
}

int hfi_stream_handle_hint(struct hf_stream *stream, const struct hf_hint *hint)
{
	int err;

	switch (hint->kind) {
	case HF_HINT_LOST:
		stream->resync_wanted = true;
		return 0;
	case HF_HINT_ATTRIBUTES:
		if (!stream->names)
			compare_by_name(stream, hint);
		return 0;
	case HF_HINT_NETDEV:
		if (!stream->names)
			compare_by_netdev(stream, hint);
		return 0;
	case HF_HINT_MOUNTS:
		/* A machine with containers mounts all the time. */
		if (!some_device_is_unready(stream))
			return 0;
		break;
	case HF_HINT_TIMER: /* hfi_stream_run_due() looks at the clock */
		return 0;
	default:
		break;
	}
	/* A provider calls from within a scan: scan after it. */
	if (!hfi_scan_begin(stream->hf)) {
		stream->scan_wanted = true;
		return 0;
	}
	err = handle_in_scan(stream, hint);
	hfi_scan_end(stream->hf);
	return err;
}

int hfi_stream_rescan(struct hf_stream *stream)
{
	int err;

	if (!hfi_scan_begin(stream->hf))
		return 0;
	err = scan_all(stream);
	hfi_scan_end(stream->hf);
	hfi_stream_watch_unready(stream, true);
	return err;
}

/* Compares the ports of every device: their notifications may be among the lost ones. */
HF_REQUIRES(hfi_stream_kind)
static int compare_all(struct hf_stream *stream)
{
	struct hf_reported *reported, *next;
	uint32_t changes;
	int err = 0;

	if (stream->names)
		return 0;
	HASH_ITER (hh, stream->reported, reported, next) {
		err = hfi_reported_compare(stream, reported, &changes);
		if (err)
			break;
		reported->unreported |= changes;
	}
	return err;
}

int hfi_stream_resync(struct hf_stream *stream)
{
	struct hf *hf = stream->hf;
	struct hf_event *dropped;
	int err = 0;

	if (stream->resync_wanted) {
		err = hfi_stream_rescan(stream);
		if (!err)
			err = compare_all(stream);
		if (err)
			return scan_later(stream, err);
	}
	hfi_hf_lock(hf);
	err = hfi_reported_difference(stream, &dropped);
	hfi_hf_unlock(hf);
	hfi_events_free(dropped);
	if (err)
		return scan_later(stream, err);
	stream->resync_wanted = false;
	return 0;
}

HF_REQUIRES(hfi_stream_kind)
static int compare_if_due(struct hf_stream *stream, struct hf_reported *reported, uint64_t now)
{
	struct hf *hf = stream->hf;
	uint32_t changes;
	int err = hfi_reported_compare(stream, reported, &changes);

	if (err) {
		hfi_reported_set_due(stream, reported, now + (uint64_t)HF_RETRY_FIRST_MS * MS);
		return err;
	}
	hfi_reported_set_due(stream, reported,
			     reported->step < COMPARISONS
				     ? now + (uint64_t)compare_again_ms[reported->step] * MS
				     : 0);
	reported->step++;
	if (!changes)
		return 0;
	hfi_hf_lock(hf);
	/* `gone` is set and REMOVED queued under this lock; no event may follow REMOVED. */
	if (!atomic_load(&reported->device->gone))
		hfi_queue_note(&stream->queue, reported->device, HF_EVENT_CHANGED, changes);
	hfi_hf_unlock(hf);
	return 1;
}

HF_REQUIRES(hfi_stream_kind)
static int run_unready(struct hf_stream *stream, uint64_t now)
{
	bool no_hints = hfi_watch_readiness_blind(stream->watch);
	int err;

	hfi_retry_again(&stream->unready, now);
	if (!hfi_scan_begin(stream->hf))
		return 0;
	err = hfi_table_scan_unready(stream->hf);
	hfi_scan_end(stream->hf);
	if (!no_hints && stream->unready.step >= UNREADY_TRIES)
		stream->unready.at = 0; /* `step` stays and says that the tries are used up */
	hfi_stream_watch_unready(stream, false);
	return err < 0 ? scan_later(stream, err) : 1;
}

bool hfi_stream_run_due(struct hf_stream *stream, int *err)
{
	uint64_t now = hfi_now();
	struct hf_reported *reported, *next;

	*err = 0;
	if (stream->unready.at && stream->unready.at <= now) {
		*err = run_unready(stream, now);
		return true;
	}
	if (!stream->num_due)
		return false;
	HASH_ITER (hh, stream->reported, reported, next) {
		if (!reported->due || reported->due > now)
			continue;
		*err = compare_if_due(stream, reported, now);
		if (*err)
			return true;
	}
	return false;
}

static uint64_t earlier_due(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

uint64_t hfi_stream_next_due(const struct hf_stream *stream)
{
	uint64_t due = earlier_due(stream->unready.at, stream->failed.at);
	const struct hf_reported *reported;

	for (reported = stream->num_due ? stream->reported : NULL; reported;
	     reported = reported->hh.next)
		due = earlier_due(due, reported->due);
	return due;
}
