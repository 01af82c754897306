/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A ring of the ids of outstanding work requests. */
#include <stdlib.h>

#include "core/verbs/track_ring.h"

/* Without memory the request is not flushed later; that is better than failing to post it now. */
void hfi_ring_push(struct hf_ring *ring, uint64_t id)
{
	if (ring->count == ring->size) {
		size_t size = ring->size ? 2 * ring->size : 64;
		uint64_t *grown = malloc(size * sizeof(*grown));

		if (!grown)
			return;
		for (size_t i = 0; i < ring->count; i++)
			grown[i] = ring->ids[(ring->head + i) % ring->size];
		free(ring->ids);
		ring->ids = grown;
		ring->head = 0;
		ring->size = size;
	}
	ring->ids[(ring->head + ring->count++) % ring->size] = id;
}

uint64_t hfi_ring_pop(struct hf_ring *ring)
{
	uint64_t id = ring->ids[ring->head];

	ring->head = (ring->head + 1) % ring->size;
	ring->count--;
	return id;
}

void hfi_ring_clear(struct hf_ring *ring)
{
	free(ring->ids);
	*ring = (struct hf_ring){0};
}

static uint64_t *ring_at(const struct hf_ring *ring, size_t i)
{
	return &ring->ids[(ring->head + i) % ring->size];
}

/* The index of the first request with that id; ring->count if there is none. */
static size_t find_in_ring(const struct hf_ring *ring, uint64_t id)
{
	size_t i = 0;

	while (i < ring->count && *ring_at(ring, i) != id)
		i++;
	return i;
}

/* A queue completes in order, so the unsignalled requests before this one are complete too. */
bool hfi_ring_retire_up_to(struct hf_ring *ring, uint64_t id)
{
	size_t i = find_in_ring(ring, id);

	if (i == ring->count)
		return false;
	ring->head = (ring->head + i + 1) % ring->size;
	ring->count -= i + 1;
	return true;
}

/* Requests of a shared receive queue may complete in any order. */
bool hfi_ring_retire_one(struct hf_ring *ring, uint64_t id)
{
	size_t i = find_in_ring(ring, id);

	if (i == ring->count)
		return false;
	for (; i > 0; i--)
		*ring_at(ring, i) = *ring_at(ring, i - 1);
	hfi_ring_pop(ring);
	return true;
}
