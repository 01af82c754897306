/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a stream has told: the ground on which it says what is different. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "shared/text.h"
#include "core/device/instance.h"
#include "core/device/table_internal.h"
#include "core/device/scan_lock.h"
#include "core/stream/stream.h"

/* A device that is gone has no ports to read; its REMOVED follows. */
static int read_snapshot(struct hf_stream *stream, struct hf_device *device,
			 struct hf_snapshot **ret)
{
	struct hf *hf = stream->hf;
	struct hf_entry entry = hfi_instance_entry(device);
	const struct hf_search_root *root = &hf->roots[entry.root];
	/* False when a provider calls from within a scan: the netlink socket is in use. */
	bool mine = hfi_asking_begin(hf);
	int err;

	err = hfi_snapshot_read(root, mine ? hfi_netlink(hf, root) : NULL, &entry, ret);
	if (mine)
		hfi_asking_end(hf);
	return err == -ENODEV ? 0 : err;
}

static void discard(struct hf_told *told)
{
	hfi_device_drop(told->device);
	free(told->snapshot);
	free(told);
}

struct hf_told *hfi_told_find(struct hf_stream *stream, uint64_t generation)
{
	struct hf_told *told;

	HASH_FIND(hh, stream->told, &generation, sizeof(generation), told);
	return told;
}

int hfi_told_prepare(struct hf_stream *stream, struct hf_device *device)
{
	struct hf_told *told;
	int err;

	if (hfi_told_find(stream, device->generation))
		return 0;
	told = calloc(1, sizeof(*told));
	if (!told)
		return -ENOMEM;
	hfi_device_hold(device);
	told->device = device;
	told->generation = device->generation;
	err = stream->names ? 0 : read_snapshot(stream, device, &told->snapshot);
	if (err)
		goto discard_told;
	HASH_ADD(hh, stream->told, generation, sizeof(told->generation), told);
	if (hf_hash_added(told))
		return 0;
	err = -ENOMEM;

discard_told:
	discard(told);
	return err;
}

void hfi_told_set_due(struct hf_stream *stream, struct hf_told *told, uint64_t due)
{
	stream->num_due -= told->due != 0;
	told->due = due;
	stream->num_due += told->due != 0;
}

static void forget(struct hf_stream *stream, struct hf_told *told)
{
	hfi_told_set_due(stream, told, 0);
	HASH_DEL(stream->told, told);
	discard(told);
}

void hfi_told_clear(struct hf_stream *stream)
{
	struct hf_told *told, *next;

	HASH_ITER (hh, stream->told, told, next)
		forget(stream, told);
}

void hfi_told_apply(struct hf_stream *stream, const struct hf_event *event)
{
	struct hf_told *told = event->device ? hfi_told_find(stream, event->generation) : NULL;

	if (!told)
		return;
	if (event->type == HF_EVENT_REMOVED) {
		forget(stream, told);
		return;
	}
	(void)hfi_copy(told->name, sizeof(told->name), event->name);
	if (told->device != event->device) {
		hfi_device_hold(event->device);
		hfi_device_drop(told->device);
		told->device = event->device;
	}
}

int hfi_told_compare(struct hf_stream *stream, struct hf_told *told, uint32_t *changes)
{
	struct hf_snapshot *now = NULL;
	int err;

	*changes = 0;
	if (atomic_load(&told->device->gone))
		return 0;
	err = read_snapshot(stream, told->device, &now);
	if (err || !now)
		return err;
	/* A device does not lose ports while it lives. */
	if (told->snapshot && now->num_ports < told->snapshot->num_ports) {
		free(now);
		return 0;
	}
	if (told->snapshot)
		*changes = hfi_snapshot_compare(told->snapshot, now);
	free(told->snapshot);
	told->snapshot = now;
	return 0;
}

/* A change whose event is dropped must come again with the difference. */
static void keep_changes(struct hf_stream *stream, const struct hf_event *dropped)
{
	const struct hf_event *event;
	struct hf_told *told;

	DL_FOREACH (dropped, event) {
		told = event->type == HF_EVENT_CHANGED ? hfi_told_find(stream, event->generation)
						       : NULL;
		if (told)
			told->untold |= event->changes;
	}
}

/* The handle of the instance now; the one that was told may have been replaced. NULL: gone. */
static struct hf_device *device_now(struct hf_stream *stream, const struct hf_told *told)
{
	struct hf_device *device = told->device;

	if (!atomic_load(&device->gone))
		return device;
	device = hfi_table_lookup(stream->hf, device->key.root, device->key.uverbs);
	return device && device->generation == told->generation ? device : NULL;
}

static int queue_gone(struct hf_stream *stream)
{
	struct hf_told *told, *next;
	int err = 0;

	HASH_ITER (hh, stream->told, told, next)
		if (!err && !device_now(stream, told))
			err = hfi_queue_push(&stream->queue, HF_EVENT_REMOVED, told->device, 0);
	return err;
}

static int queue_changed(struct hf_stream *stream)
{
	struct hf_told *told, *next;
	int err = 0;

	HASH_ITER (hh, stream->told, told, next) {
		struct hf_device *device = device_now(stream, told);
		uint32_t changes = told->untold;

		if (!device)
			continue;
		if (strcmp(told->name, device->name) != 0)
			changes |= HF_CHANGED_NAME;
		if (device != told->device)
			changes |= HF_CHANGED_HANDLE;
		if (!changes)
			continue;
		err = hfi_queue_push(&stream->queue, HF_EVENT_CHANGED, device, changes);
		if (err)
			break;
		told->untold = 0;
	}
	return err;
}

static int queue_untold(struct hf_stream *stream, struct hf_device *first)
{
	struct hf_device *device;
	int err = 0;

	DL_FOREACH (first, device) {
		if (!hf_stream_knows(stream, device) || hfi_told_find(stream, device->generation))
			continue;
		err = hfi_queue_push(&stream->queue, HF_EVENT_ADDED, device, 0);
		if (err)
			break;
	}
	return err;
}

int hfi_told_difference(struct hf_stream *stream, struct hf_event **dropped)
{
	struct hf_queue *queue = &stream->queue;
	int err;

	*dropped = hfi_queue_empty(queue);
	keep_changes(stream, *dropped);
	err = hfi_queue_push(queue, HF_EVENT_RESYNC, NULL, 0);
	/* What has gone comes first, so that a name is free before another device has it. */
	if (!err)
		err = queue_gone(stream);
	if (!err)
		err = queue_changed(stream);
	if (!err)
		err = queue_untold(stream, stream->hf->table.listed);
	if (!err)
		err = queue_untold(stream, stream->hf->table.unlisted);
	if (!err)
		err = hfi_queue_push(queue, HF_EVENT_SYNCED, NULL, 0);
	if (err)
		queue->overflow = true;
	return err;
}
