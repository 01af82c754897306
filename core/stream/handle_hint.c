/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From hints to looks: what a stream does about what it hears. */
#include <errno.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"
#include "core/device/scan_lock.h"
#include "core/stream/lower_netdevs.h"
#include "core/stream/stream.h"

enum {
	RETRY_FIRST_MS = 100,
	RETRY_MAX_MS = 1000,
	/* After some 8 s what is not ready is no slow udev but a state; its hints wake us. */
	UNREADY_TRIES = 10,
};

#define MS 1000000u /* ns */

/*
 * The kernel works a new address into the GID table after it has told of it, on a work queue of its
 * own (roce_gid_mgmt.c): so look at once, and after these times once more.
 */
static const uint32_t look_again_ms[] = {10, 50, 250, 1000};

enum { LOOKS = sizeof(look_again_ms) / sizeof(look_again_ms[0]) };

void hfi_retry_start(struct hf_retry *retry, uint64_t now)
{
	retry->step = 0;
	retry->at = now + (uint64_t)RETRY_FIRST_MS * MS;
}

void hfi_retry_again(struct hf_retry *retry, uint64_t now)
{
	uint64_t ms = retry->step < 4 ? (uint64_t)RETRY_FIRST_MS << (retry->step + 1)
				      : RETRY_MAX_MS;

	retry->step++;
	retry->at = now + (ms > RETRY_MAX_MS ? RETRY_MAX_MS : ms) * MS;
}

void hfi_retry_stop(struct hf_retry *retry)
{
	retry->step = 0;
	retry->at = 0;
}

/* Is there a device that may become ready without anybody telling us? */
static bool somebody_unready(struct hf_stream *stream)
{
	struct hf *hf = stream->hf;
	struct hf_device *device;
	bool found = false;

	pthread_mutex_lock(&hf->lock);
	for (device = hf->table.unusable ? hf->table.by_key : NULL; device && !found;
	     device = device->hh.next) {
		if (stream->observer.all && device->shown)
			continue;
		switch (device->reason) {
		case HF_REASON_HALF_MADE:
		case HF_REASON_NO_NODE:
		case HF_REASON_NODE_PERMISSION:
		case HF_REASON_NODE_MISMATCH:
		/* These may have been said for want of a descriptor, or because a disk failed once. */
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
	pthread_mutex_unlock(&hf->lock);
	return found;
}

void hfi_stream_watch_unready(struct hf_stream *stream, bool anew)
{
	if (!somebody_unready(stream))
		hfi_retry_stop(&stream->unready);
	else if (anew || (!stream->unready.at && !stream->unready.step))
		hfi_retry_start(&stream->unready, hfi_now());
}

/* Remembers that the look is owed still. */
static int owe_scan(struct hf_stream *stream, int err)
{
	stream->scan_wanted = true;
	return hfi_error_is_shortage(err) ? err : -EIO;
}

static int scan_all(struct hf_stream *stream)
{
	int err = hfi_table_scan(stream->hf);

	if (err < 0)
		return owe_scan(stream, err);
	stream->scan_wanted = false;
	return 0;
}

static int scan_one(struct hf_stream *stream, unsigned int root, const char *uverbs)
{
	int err = hfi_table_scan_one(stream->hf, root, uverbs);

	/* Not about that device, which would stand there as half made: and the hint is used up. */
	return err < 0 ? owe_scan(stream, err) : 0;
}

/* The uverbs name of the device that has this RDMA name in a root, as far as the table knows. */
static bool uverbs_of(struct hf *hf, unsigned int root, const char *name, char ret[HF_NAME_SIZE])
{
	struct hf_device *device;

	pthread_mutex_lock(&hf->lock);
	for (device = hf->table.by_key; device; device = device->hh.next)
		if (device->key.root == root && !strcmp(device->name, name))
			break;
	if (device)
		memcpy(ret, device->key.uverbs, HF_NAME_SIZE);
	pthread_mutex_unlock(&hf->lock);
	return device;
}

/*
 * Looks at a device that is known by its RDMA name. One that is not known yet is told of by its
 * uverbs name too; only where uevents are not heard may this be the one notification there is.
 */
static int look_by_name(struct hf_stream *stream, unsigned int root, const char *name, bool came)
{
	char uverbs[HF_NAME_SIZE];

	if (uverbs_of(stream->hf, root, name, uverbs))
		return scan_one(stream, root, uverbs);
	return came && hfi_watch_blind(stream->watch) ? scan_all(stream) : 0;
}

/*
 * A rename is a reason to look, not a fact: by the time it is read the old name may be another
 * device's.
 */
static int look_renamed(struct hf_stream *stream, unsigned int root, const struct hf_hint *hint)
{
	int err = look_by_name(stream, root, hint->name, false);

	return err ? err : look_by_name(stream, root, hint->to, true);
}

static bool is_kernels(const struct hf_stream *stream, const struct hf_device *device)
{
	return stream->hf->roots[device->key.root].kernel;
}

static bool in_root(const struct hf_stream *stream, const struct hf_device *device, uint32_t root)
{
	if (root == HF_ROOT_ANY)
		return true;
	if (root == HF_ROOT_KERNEL)
		return is_kernels(stream, device);
	return device->key.root == root;
}

/* A hint may have been under way since before a rename. With hf->lock held. */
static bool was_called(const struct hf_device *device, const char *name)
{
	const struct hf_past_name *past;

	for (past = device->past_names; past; past = past->next)
		if (!strcmp(past->name, name))
			return true;
	return false;
}

/* Only a kernel works on after it has told. */
static void compare_soon(struct hf_stream *stream, struct hf_told *told)
{
	told->step = is_kernels(stream, told->device) ? 0 : LOOKS;
	hfi_told_set_due(stream, told, hfi_now());
}

static void attributes_changed(struct hf_stream *stream, const struct hf_hint *hint)
{
	bool every = hint->name[0] == '\0';
	struct hf_told *told, *next;

	pthread_mutex_lock(&stream->hf->lock);
	HASH_ITER (hh, stream->told, told, next)
		if (in_root(stream, told->device, hint->root) &&
		    (every || was_called(told->device, hint->name)))
			compare_soon(stream, told);
	pthread_mutex_unlock(&stream->hf->lock);
}

static bool may_stand_on(const struct hf_told *told, const uint32_t *interfaces, unsigned int count)
{
	enum hf_protocol protocol = told->device->entry.protocol;
	bool on_netdev = protocol != HF_PROTOCOL_IB && protocol != HF_PROTOCOL_OPA;

	return told->snapshot &&
	       hfi_snapshot_concerns(told->snapshot, interfaces, count, on_netdev);
}

static void netdev_changed(struct hf_stream *stream, const struct hf_hint *hint)
{
	struct hf *hf = stream->hf;
	uint32_t interfaces[HF_LOWER_MAX];
	unsigned int count;
	struct hf_told *told, *next;

	for (told = stream->told; told; told = told->hh.next)
		if (is_kernels(stream, told->device))
			break;
	if (!told)
		return;
	count = hfi_lower_interfaces(hf->roots[told->device->key.root].sysfs, hint->ifindex,
				     hint->lower, interfaces);
	pthread_mutex_lock(&hf->lock);
	HASH_ITER (hh, stream->told, told, next)
		if (is_kernels(stream, told->device) && may_stand_on(told, interfaces, count))
			compare_soon(stream, told);
	pthread_mutex_unlock(&hf->lock);
}

static int attend_in_root(struct hf_stream *stream, unsigned int root, const struct hf_hint *hint)
{
	switch (hint->kind) {
	case HF_HINT_DEVICE:
		return scan_one(stream, root, hint->name);
	case HF_HINT_IBDEV:
		return look_by_name(stream, root, hint->name, true);
	case HF_HINT_IBDEV_WENT:
		return look_by_name(stream, root, hint->name, false);
	case HF_HINT_RENAME:
		return look_renamed(stream, root, hint);
	default:
		return 0;
	}
}

static int attend_in_roots(struct hf_stream *stream, const struct hf_hint *hint)
{
	const struct hf *hf = stream->hf;
	int err = 0;

	if (hint->root != HF_ROOT_KERNEL)
		return hint->root < hf->num_roots ? attend_in_root(stream, hint->root, hint) : 0;
	for (unsigned int i = 0; i < hf->num_roots && !err; i++)
		if (hf->roots[i].kernel)
			err = attend_in_root(stream, i, hint);
	return err;
}

static int attend_in_scan(struct hf_stream *stream, const struct hf_hint *hint)
{
	int err = 0;

	switch (hint->kind) {
	case HF_HINT_ALL:
		err = scan_all(stream);
		break;
	case HF_HINT_NODE:
	case HF_HINT_PROVIDERS:
		err = hfi_table_scan_unready(stream->hf);
		if (err < 0)
			return owe_scan(stream, err);
		err = 0;
		break;
	default:
		err = attend_in_roots(stream, hint);
		break;
	}
	if (!err)
		hfi_stream_watch_unready(stream, true);
	return err;
}

int hfi_stream_attend(struct hf_stream *stream, const struct hf_hint *hint)
{
	int err;

	switch (hint->kind) {
	case HF_HINT_LOST:
		stream->resync_wanted = true;
		return 0;
	case HF_HINT_ATTRIBUTES:
		if (!stream->names)
			attributes_changed(stream, hint);
		return 0;
	case HF_HINT_NETDEV:
		if (!stream->names)
			netdev_changed(stream, hint);
		return 0;
	case HF_HINT_TIMER: /* what is due is found by the clock */
		return 0;
	default:
		break;
	}
	/* A provider that calls from within a scan: this is for later. */
	if (!hfi_scan_begin(stream->hf)) {
		stream->scan_wanted = true;
		return 0;
	}
	err = attend_in_scan(stream, hint);
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

/* The ports of every device are compared as well: their notifications may be among the lost ones. */
static int compare_all(struct hf_stream *stream)
{
	struct hf_told *told, *next;
	uint32_t changes;
	int err = 0;

	if (stream->names)
		return 0;
	HASH_ITER (hh, stream->told, told, next) {
		err = hfi_told_compare(stream, told, &changes);
		if (err)
			break;
		told->untold |= changes;
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
			return owe_scan(stream, err);
	}
	pthread_mutex_lock(&hf->lock);
	err = hfi_told_difference(stream, &dropped);
	pthread_mutex_unlock(&hf->lock);
	hfi_events_free(dropped);
	if (err)
		return owe_scan(stream, err);
	stream->resync_wanted = false;
	return 0;
}

static int run_told(struct hf_stream *stream, struct hf_told *told, uint64_t now)
{
	struct hf *hf = stream->hf;
	uint32_t changes;
	int err = hfi_told_compare(stream, told, &changes);

	if (err) {
		hfi_told_set_due(stream, told, now + (uint64_t)RETRY_FIRST_MS * MS);
		return err;
	}
	hfi_told_set_due(stream, told,
			 told->step < LOOKS ? now + (uint64_t)look_again_ms[told->step] * MS : 0);
	told->step++;
	if (!changes)
		return 0;
	pthread_mutex_lock(&hf->lock);
	/* After `gone` is set, under this lock, REMOVED is noted and nothing may follow it. */
	if (!atomic_load(&told->device->gone))
		hfi_queue_note(&stream->queue, told->device, HF_EVENT_CHANGED, changes);
	pthread_mutex_unlock(&hf->lock);
	return 1;
}

static int run_unready(struct hf_stream *stream, uint64_t now)
{
	bool for_ever = hfi_watch_readiness_blind(stream->watch);
	int err;

	hfi_retry_again(&stream->unready, now);
	if (!hfi_scan_begin(stream->hf))
		return 0;
	err = hfi_table_scan_unready(stream->hf);
	hfi_scan_end(stream->hf);
	if (!for_ever && stream->unready.step >= UNREADY_TRIES)
		stream->unready.at = 0; /* and the step says that it is enough */
	hfi_stream_watch_unready(stream, false);
	return err < 0 ? owe_scan(stream, err) : 1;
}

bool hfi_stream_run_due(struct hf_stream *stream, int *err)
{
	uint64_t now = hfi_now();
	struct hf_told *told, *next;

	*err = 0;
	if (stream->unready.at && stream->unready.at <= now) {
		*err = run_unready(stream, now);
		return true;
	}
	if (!stream->num_due)
		return false;
	HASH_ITER (hh, stream->told, told, next) {
		if (!told->due || told->due > now)
			continue;
		*err = run_told(stream, told, now);
		if (*err)
			return true;
	}
	return false;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

uint64_t hfi_stream_next_due(const struct hf_stream *stream)
{
	uint64_t due = sooner(stream->unready.at, stream->failed.at);
	const struct hf_told *told;

	for (told = stream->num_due ? stream->told : NULL; told; told = told->hh.next)
		due = sooner(due, told->due);
	return due;
}
