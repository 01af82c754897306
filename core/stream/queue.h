/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The events of one stream that were not taken yet. Everything here with hf->lock held. */
#ifndef HF_STREAM_QUEUE_H
#define HF_STREAM_QUEUE_H

#include <stdbool.h>

#include "core/device/hf.h"
#include "core/stream/event.h"

enum { HF_QUEUE_MAX = 65536 };

struct hf_queue {
	struct hf_event *events;
	struct hf_event *newest; /* uthash: of each instance, the event queued last */
	size_t count;
	size_t limit;
	bool overflow; /* no more notes are taken: the owner must start over */
	bool more;     /* the owner has work left that its descriptors do not tell of */
	bool resting;  /* nothing can be given out now; the owner's timer wakes it */
	bool signalled;
	int fd; /* eventfd, readable while there is something */
};

/*
 * Notes a change of a device. A CHANGED joins one that is queued already if that is the newest event
 * of its instance; nothing comes after REMOVED. Never fails: what cannot be noted is an overflow.
 */
void hfi_queue_note(struct hf_queue *queue, struct hf_device *device, enum hf_event_type type,
		    uint32_t changes);

/* The same without the limit, also for SYNCED and RESYNC, whose device is NULL. -ENOMEM. */
int hfi_queue_push(struct hf_queue *queue, enum hf_event_type type, struct hf_device *device,
		   uint32_t changes);

/* Takes the first event out; NULL when there is none. */
struct hf_event *hfi_queue_take(struct hf_queue *queue);

/* Empties the queue, and lets it take notes again; the caller gives the events back unlocked. */
struct hf_event *hfi_queue_empty(struct hf_queue *queue);

/* Makes the descriptor tell the truth. */
void hfi_queue_signal(struct hf_queue *queue);

#endif
