/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The events that one stream's program has not taken yet. Call everything with hf->lock held. */
#ifndef HF_STREAM_QUEUE_H
#define HF_STREAM_QUEUE_H

#include <stdbool.h>

#include "shared/attr.h"
#include "shared/fd_mark.h"
#include "core/device/hf.h"
#include "core/stream/event.h"

enum { HF_QUEUE_MAX = 65536 };

struct hf_queue {
	struct hf_event *events;
	struct hf_event *newest; /* uthash: of each instance, the event queued last */
	size_t count;
	size_t limit;
	bool overflow; /* events were dropped: the owner must report the difference */
	bool more;     /* the owner has work left that makes no descriptor readable */
	bool resting;  /* after an error: not readable until the owner's timer expires */
	bool signalled;
	struct hf_fd_mark fd; /* eventfd, readable while there is an event or work */
};

/*
 * Queues an event about a device. A CHANGED is merged into a queued CHANGED that is the newest event
 * of its instance; nothing is queued after REMOVED. Never fails: without memory or room the queue is
 * marked as overflowed.
 */
void hfi_queue_note(struct hf_queue *queue, struct hf_device *device, enum hf_event_type type,
		    uint32_t changes) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

/* The same without the limit; for SYNCED and RESYNC `device` is NULL. -ENOMEM. */
int hfi_queue_push(struct hf_queue *queue, enum hf_event_type type, struct hf_device *device,
		   uint32_t changes) HF_MUST_CHECK HF_NONNULL_OF(1) HF_REQUIRES(hfi_hf_kind);

/* Removes and returns the first event; NULL when there is none. */
struct hf_event *hfi_queue_take(struct hf_queue *queue) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_hf_kind);

/* Empties the queue and ends an overflow. The caller frees the events without the lock. */
struct hf_event *hfi_queue_empty(struct hf_queue *queue) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_hf_kind);

/* Makes the descriptor readable, or not, as the queue's state demands. */
void hfi_queue_signal(struct hf_queue *queue) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

#endif
