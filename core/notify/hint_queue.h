/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hints that the sources of a watch have sent and its owner has not taken yet. */
#ifndef HF_NOTIFY_HINT_QUEUE_H
#define HF_NOTIFY_HINT_QUEUE_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/notify/hint.h"

struct hf_queued_hint;

struct hf_hint_queue {
	struct hf_queued_hint *first; /* in order */
	struct hf_queued_hint *known; /* the same, hashed by their bytes */
	bool lost;		      /* hints were lost: the next one is HF_HINT_LOST */
};

/*
 * Queues a hint unless an equal one is queued; `queue` is a struct hf_hint_queue. Without memory the
 * hints are lost.
 */
void hfi_hint_queue_put(void *queue, const struct hf_hint *hint) HF_NONNULL;

/* Drops all hints and remembers that some were lost. */
void hfi_hint_queue_lose(struct hf_hint_queue *queue) HF_NONNULL;

/* Takes the first hint. False if there is none. */
bool hfi_hint_queue_pop(struct hf_hint_queue *queue, struct hf_hint *ret) HF_NONNULL;

bool hfi_hint_queue_is_empty(const struct hf_hint_queue *queue) HF_MUST_CHECK HF_NONNULL;

/* Drops all hints. */
void hfi_hint_queue_clear(struct hf_hint_queue *queue) HF_NONNULL;

#endif
