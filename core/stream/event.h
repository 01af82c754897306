/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One event of a stream. */
#ifndef HF_STREAM_EVENT_H
#define HF_STREAM_EVENT_H

#include <holdfast/stream.h>

#include "shared/attr.h"
#include "shared/hash.h"
#include "core/device/device.h"

struct hf_event {
	enum hf_event_type type;
	uint32_t changes;
	uint64_t sequence; /* set when the program takes the event */
	uint64_t generation;
	struct hf_device *device; /* held; NULL for SYNCED and RESYNC */
	char name[HF_NAME_SIZE];
	struct hf_event *prev, *next; /* utlist: the queue */
	UT_hash_handle hh;	      /* the newest queued event of its instance */
};

/* Holds the device, which may be NULL. Call with hf->lock held. NULL: no memory. */
struct hf_event *hfi_event_new(enum hf_event_type type, struct hf_device *device,
			       uint32_t changes) HF_MUST_CHECK;

/* Frees a list of events, as hfi_queue_empty() returns it. Never call with hf->lock held. */
void hfi_events_free(struct hf_event *first) HF_EXCLUDES(hfi_hf_kind);

#endif
