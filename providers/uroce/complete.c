/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Adds completions to CQs, ours and those of peers. */
#include <string.h>

#include "providers/uroce/qp.h"

/* Returns whether the CQ's owner waits for such a completion. */
static bool completion_is_awaited(uint64_t armed, const struct uroce_cqe *cqe)
{
	return armed & UROCE_ARMED_ALL ||
	       (armed & UROCE_ARMED_SOLICITED && (cqe->solicited || cqe->status));
}

/*
 * The owner is woken once for each time that it armed the CQ, by whoever adds the first completion. If it arms the CQ
 * after this, it sees that we have the lock.
 */
static bool wake_owner(struct uroce_context *context, struct uroce_peer *peer,
		       struct uroce_shared_cq *shared, const struct uroce_cqe *cqe)
{
	const uint64_t armed = atomic_load(&shared->armed);

	if (likely(!(armed & UROCE_ARMED)) || !completion_is_awaited(armed, cqe) ||
	    (atomic_load(&shared->awaited) | UROCE_ARMED) == (armed | UROCE_ARMED))
		return false;
	uroce_ring_before(context, peer, UROCE_RING_CQ);
	atomic_store(&shared->awaited, armed);
	return true;
}

static void note_overflow(struct uroce_context *context, struct uroce_peer *peer,
			  struct uroce_shared_cq *shared)
{
	uroce_ring_before(context, peer, UROCE_RING_CQ);
	atomic_store(&shared->overflow, 1);
}

struct uroce_payload *uroce_payloads_of(const struct uroce_peer *peer,
					const struct uroce_shared_cq *shared, uint32_t size)
{
	return uroce_arena_ring(peer->arena,
				atomic_load_explicit(&shared->payloads, memory_order_relaxed), size,
				sizeof(struct uroce_payload));
}

static void fill_payload(struct uroce_payload *payload, const struct uroce_pop *pops,
			 uint32_t length)
{
	payload->address = pops->address;
	payload->lkey = pops->lkey;
	payload->pd = pops->pd;
	payload->length = length;
	memcpy(payload->data, pops->payload, length);
}

static void report_own_cq(struct uroce_context *context, struct uroce_peer *peer,
			  struct uroce_cq *own)
{
	if (!own)
		uroce_ring_after(context, peer, UROCE_RING_CQ);
	else if (uroce_cq_report(own))
		uroce_peer_ring(context, peer, UROCE_RING_CQ);
}

enum uroce_added uroce_complete(struct uroce_context *context, struct uroce_peer *peer,
				uint32_t index, const struct uroce_cqe *cqe, struct uroce_cq *own,
				const struct uroce_pop *pops)
{
	struct uroce_shared_cq *shared;
	struct uroce_payload *payloads = NULL;
	struct uroce_cqe *ring;
	uint32_t size, limit, tail;
	bool awaited = false;
	bool fits;

	if (index >= UROCE_CQS)
		return UROCE_CQ_FULL;
	shared = &peer->arena->cqs[index];
	if (unlikely(!uroce_shared_lock(context, &shared->lock, UROCE_LOCK_CQ)))
		return UROCE_CQ_BUSY;
	size = atomic_load_explicit(&shared->size, memory_order_relaxed);
	if (pops && pops->payload) {
		payloads = uroce_payloads_of(peer, shared, size);
		if (unlikely(!payloads)) {
			uroce_shared_unlock(context, &shared->lock, UROCE_LOCK_CQ);
			return UROCE_CQ_BUSY;
		}
	}
	/* Do this before the owner can see the completion and post another request in its place. */
	if (pops)
		uroce_recv_pop(pops->target, pops->rq);
	limit = atomic_load_explicit(&shared->limit, memory_order_relaxed);
	ring = uroce_arena_ring(peer->arena,
				atomic_load_explicit(&shared->offset, memory_order_relaxed), size,
				sizeof(*ring));
	tail = atomic_load_explicit(&shared->tail, memory_order_relaxed);
	fits = ring && limit <= size &&
	       tail - atomic_load_explicit(&shared->head, memory_order_acquire) < limit;
	if (likely(fits)) {
		awaited = wake_owner(context, peer, shared, cqe);
		ring[tail & (size - 1)] = *cqe;
		if (payloads) {
			fill_payload(&payloads[tail & (size - 1)], pops, cqe->byte_len);
			atomic_store_explicit(&shared->payload_end,
					      UROCE_PAYLOAD_END | (uint32_t)(tail + 1),
					      memory_order_relaxed);
		}
		if (atomic_load_explicit(&shared->stamped, memory_order_relaxed))
			ring[tail & (size - 1)].timestamp = uroce_now();
		atomic_store_explicit(&shared->tail, tail + 1, memory_order_release);
	} else if (ring) {
		note_overflow(context, peer, shared);
	}
	uroce_shared_unlock(context, &shared->lock, UROCE_LOCK_CQ);
	if (unlikely(awaited || (!fits && ring)))
		report_own_cq(context, peer, own);
	return fits ? UROCE_ADDED : UROCE_CQ_FULL;
}
