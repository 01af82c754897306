/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a stream has reported, and the difference between that and the table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "shared/error.h"
#include "shared/text.h"
#include "core/device/instance.h"
#include "core/device/scan.h"
#include "core/device/table_internal.h"
#include "core/device/scan_lock.h"
#include "core/stream/reported.h"

/* Reads the ports. A device that is gone has none to read; its REMOVED follows. */
static int read_snapshot(struct hf_stream *stream, struct hf_device *device,
			 struct hf_snapshot **ret)
{
	struct hf *hf = stream->hf;
	const struct hf_search_root *root;
	struct hf_entry entry;
	int err;

	err = hfi_instance_bind(device);
	if (hfi_error_is_shortage(err))
		return err;
	/* Without a snapshot no change is made up; the next look reads it. */
	if (err)
		return 0;
	entry = hfi_instance_entry(device);
	root = &hf->roots[entry.root];
	/* False when a provider calls from within a scan, which uses the netlink socket. */
	if (hfi_netlink_lock(hf)) {
		err = hfi_snapshot_read(root, hfi_netlink(hf, root), &entry, ret);
		hfi_netlink_unlock(hf);
	} else {
		err = hfi_snapshot_read(root, NULL, &entry, ret);
	}
	return err == -ENODEV ? 0 : err;
}

static void free_reported(struct hf_reported *reported)
{
	hfi_device_drop(reported->device);
	free(reported->snapshot);
	free(reported);
}

struct hf_reported *hfi_reported_find(struct hf_stream *stream, uint64_t generation)
{
	struct hf_reported *reported;

	HASH_FIND(hh, stream->reported, &generation, sizeof(generation), reported);
	return reported;
}

int hfi_reported_prepare(struct hf_stream *stream, struct hf_device *device)
{
	struct hf_reported *reported;
	int err;

	if (hfi_reported_find(stream, device->generation))
		return 0;
	reported = calloc(1, sizeof(*reported));
	if (!reported)
		return -ENOMEM;
	hfi_device_hold(device);
	reported->device = device;
	reported->generation = device->generation;
	err = stream->names ? 0 : read_snapshot(stream, device, &reported->snapshot);
	if (err)
		goto discard_reported;
	HASH_ADD(hh, stream->reported, generation, sizeof(reported->generation), reported);
	if (hf_hash_added(reported))
		return 0;
	err = -ENOMEM;

discard_reported:
	free_reported(reported);
	return err;
}

void hfi_reported_set_due(struct hf_stream *stream, struct hf_reported *reported, uint64_t due)
{
	stream->num_due -= reported->due != 0;
	reported->due = due;
	stream->num_due += reported->due != 0;
}

HF_REQUIRES(hfi_stream_kind)
static void remove_reported(struct hf_stream *stream, struct hf_reported *reported)
{
	hfi_reported_set_due(stream, reported, 0);
	HASH_DEL(stream->reported, reported);
	free_reported(reported);
}

void hfi_reported_clear(struct hf_stream *stream)
{
	struct hf_reported *reported, *next;

	HASH_ITER (hh, stream->reported, reported, next)
		remove_reported(stream, reported);
}

void hfi_reported_apply(struct hf_stream *stream, const struct hf_event *event)
{
	struct hf_reported *reported = event->device ? hfi_reported_find(stream, event->generation)
						     : NULL;

	if (!reported)
		return;
	if (event->type == HF_EVENT_REMOVED) {
		remove_reported(stream, reported);
		return;
	}
	(void)hfi_copy(reported->name, sizeof(reported->name), event->name);
	if (reported->device != event->device) {
		hfi_device_hold(event->device);
		hfi_device_drop(reported->device);
		reported->device = event->device;
	}
}

int hfi_reported_compare(struct hf_stream *stream, struct hf_reported *reported, uint32_t *changes)
{
	struct hf_snapshot *now = NULL;
	int err;

	*changes = 0;
	if (atomic_load(&reported->device->gone))
		return 0;
	err = read_snapshot(stream, reported->device, &now);
	if (err || !now)
		return err;
	/* A device does not lose ports while it lives. */
	if (reported->snapshot && now->num_ports < reported->snapshot->num_ports) {
		free(now);
		return 0;
	}
	if (reported->snapshot)
		*changes = hfi_snapshot_compare(reported->snapshot, now);
	free(reported->snapshot);
	reported->snapshot = now;
	return 0;
}

/* Keeps the changes of dropped events, so that the difference reports them. */
HF_REQUIRES(hfi_stream_kind)
static void keep_changes(struct hf_stream *stream, const struct hf_event *dropped)
{
	const struct hf_event *event;
	struct hf_reported *reported;

	DL_FOREACH (dropped, event) {
		reported = event->type == HF_EVENT_CHANGED
				   ? hfi_reported_find(stream, event->generation)
				   : NULL;
		if (reported)
			reported->unreported |= event->changes;
	}
}

/* The instance's present handle, which may be another one than was reported. NULL: gone. */
HF_REQUIRES(hfi_stream_kind)
static struct hf_device *device_now(struct hf_stream *stream, const struct hf_reported *reported)
{
	struct hf_device *device = reported->device;

	if (!atomic_load(&device->gone))
		return device;
	device = hfi_table_lookup(stream->hf, device->key.root, device->key.uverbs);
	return device && device->generation == reported->generation ? device : NULL;
}

HF_REQUIRES(hfi_stream_kind, hfi_hf_kind)
static int queue_gone(struct hf_stream *stream)
{
	struct hf_reported *reported, *next;
	int err = 0;

	HASH_ITER (hh, stream->reported, reported, next)
		if (!err && !device_now(stream, reported))
			err = hfi_queue_push(&stream->queue, HF_EVENT_REMOVED, reported->device, 0);
	return err;
}

HF_REQUIRES(hfi_stream_kind, hfi_hf_kind)
static int queue_changed(struct hf_stream *stream)
{
	struct hf_reported *reported, *next;
	int err = 0;

	HASH_ITER (hh, stream->reported, reported, next) {
		struct hf_device *device = device_now(stream, reported);
		uint32_t changes = reported->unreported;

		if (!device)
			continue;
		if (strcmp(reported->name, device->name) != 0)
			changes |= HF_CHANGED_NAME;
		if (device != reported->device)
			changes |= HF_CHANGED_HANDLE;
		if (!changes)
			continue;
		err = hfi_queue_push(&stream->queue, HF_EVENT_CHANGED, device, changes);
		if (err)
			break;
		reported->unreported = 0;
	}
	return err;
}

HF_REQUIRES(hfi_stream_kind, hfi_hf_kind)
static int queue_unreported(struct hf_stream *stream, struct hf_device *first)
{
	struct hf_device *device;
	int err = 0;

	DL_FOREACH (first, device) {
		if (!hfi_stream_was_announced(stream, device) ||
		    hfi_reported_find(stream, device->generation))
			continue;
		err = hfi_queue_push(&stream->queue, HF_EVENT_ADDED, device, 0);
		if (err)
			break;
	}
	return err;
}

int hfi_reported_difference(struct hf_stream *stream, struct hf_event **dropped)
{
	struct hf_queue *queue = &stream->queue;
	int err;

	*dropped = hfi_queue_empty(queue);
	keep_changes(stream, *dropped);
	err = hfi_queue_push(queue, HF_EVENT_RESYNC, NULL, 0);
	/* Report removals first, so that a name is free before another device is reported with it. */
	if (!err)
		err = queue_gone(stream);
	if (!err)
		err = queue_changed(stream);
	if (!err)
		err = queue_unreported(stream, stream->hf->table.listed);
	if (!err)
		err = queue_unreported(stream, stream->hf->table.unlisted);
	if (!err)
		err = hfi_queue_push(queue, HF_EVENT_SYNCED, NULL, 0);
	if (err)
		queue->overflow = true;
	return err;
}
