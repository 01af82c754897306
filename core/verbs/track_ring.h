/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A ring of the ids of outstanding work requests. */
#ifndef HF_VERBS_TRACK_RING_H
#define HF_VERBS_TRACK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

/* Requests in the order in which they were posted. All zero: there are none. */
struct hf_ring {
	uint64_t *ids;
	size_t head, count, size;
};

void hfi_ring_push(struct hf_ring *ring, uint64_t id) HF_NONNULL;
/* Removes the oldest, of a ring that is not empty. */
uint64_t hfi_ring_pop(struct hf_ring *ring) HF_NONNULL;
/* Remove requests that have completed; false if there is none with that id. */
bool hfi_ring_retire_up_to(struct hf_ring *ring, uint64_t id) HF_NONNULL;
bool hfi_ring_retire_one(struct hf_ring *ring, uint64_t id) HF_NONNULL;
void hfi_ring_clear(struct hf_ring *ring) HF_NONNULL;

#endif
