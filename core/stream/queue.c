/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The queue of events that a program has not taken yet: their order, and which CHANGED merge. */
#include <errno.h>
#include <utlist.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/stream/queue.h"

void hfi_queue_signal(struct hf_queue *queue)
{
	bool wanted = !queue->resting && (queue->count > 0 || queue->overflow || queue->more);
	uint64_t one = 1;

	/* A list of devices comes here as well, after the program closed the stream's descriptors. */
	if (wanted == queue->signalled || !hfi_fd_is_still(&queue->fd))
		return;
	/* Neither can block: the counter is 0 or 1. hf->lock is held, which a cancelled thread would keep. */
	if (wanted)
		queue->signalled = hfi_write_uncancelled(queue->fd.fd, &one, sizeof(one)) ==
				   sizeof(one);
	else
		queue->signalled = hfi_read_uncancelled(queue->fd.fd, &one, sizeof(one)) !=
				   sizeof(one);
}

static struct hf_event *newest_of(struct hf_queue *queue, uint64_t generation)
{
	struct hf_event *event;

	HASH_FIND(hh, queue->newest, &generation, sizeof(generation), event);
	return event;
}

static int append_event(struct hf_queue *queue, struct hf_event *event, struct hf_event *before)
{
	/* Queue it in any case: after a failure the caller drops the whole queue. */
	DL_APPEND(queue->events, event);
	queue->count++;
	if (!event->device)
		return 0;
	HASH_ADD(hh, queue->newest, generation, sizeof(event->generation), event);
	if (!hf_hash_added(event))
		return -ENOMEM;
	if (before)
		HASH_DEL(queue->newest, before);
	return 0;
}

int hfi_queue_push(struct hf_queue *queue, enum hf_event_type type, struct hf_device *device,
		   uint32_t changes)
{
	struct hf_event *before = device ? newest_of(queue, device->generation) : NULL;
	struct hf_event *event;

	if (before && before->type == HF_EVENT_REMOVED)
		return 0;
	/* If the instance has another handle by now, that handle needs an event of its own. */
	if (before && before->type == HF_EVENT_CHANGED && type == HF_EVENT_CHANGED &&
	    before->device == device) {
		before->changes |= changes;
		(void)hfi_copy(before->name, sizeof(before->name), device->name);
		return 0;
	}
	event = hfi_event_new(type, device, changes);
	if (!event)
		return -ENOMEM;
	return append_event(queue, event, before);
}

void hfi_queue_note(struct hf_queue *queue, struct hf_device *device, enum hf_event_type type,
		    uint32_t changes)
{
	if (queue->overflow)
		return;
	if (queue->count >= queue->limit || hfi_queue_push(queue, type, device, changes) < 0)
		queue->overflow = true;
	hfi_queue_signal(queue);
}

struct hf_event *hfi_queue_take(struct hf_queue *queue)
{
	struct hf_event *event = queue->events;

	if (!event)
		return NULL;
	if (event->device && newest_of(queue, event->generation) == event)
		HASH_DEL(queue->newest, event);
	DL_DELETE(queue->events, event);
	queue->count--;
	return event;
}

struct hf_event *hfi_queue_empty(struct hf_queue *queue)
{
	struct hf_event *events = queue->events;

	HASH_CLEAR(hh, queue->newest);
	queue->events = NULL;
	queue->count = 0;
	queue->overflow = false;
	return events;
}
