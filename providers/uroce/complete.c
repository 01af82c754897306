/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Adds completions to CQs, ours and those of peers. */
#include "providers/uroce/qp.h"

/* Whether the completion is one that the CQ's owner waits for. */
static bool completion_is_awaited(struct uroce_shared_cq *cq, const struct uroce_cqe *cqe)
{
	uint32_t armed;

	/*
	 * An exchange with the owner, who arms by one too and then polls once more: if it was first, `armed`
	 * is seen here, else the owner sees the tail, which was stored before.
	 */
	armed = atomic_fetch_or(&cq->armed, 0);
	if (likely(!armed))
		return false;
	if (!(armed & UROCE_ARMED_ALL) && !cqe->solicited && !cqe->status)
		return false;
	return atomic_exchange(&cq->armed, 0) != 0;
}

/* Our own CQ is reported at once, if the caller has it; else its owner's thread is woken. */
static void notify(struct uroce_context *context, struct uroce_peer *peer,
		   struct uroce_shared_cq *shared, struct uroce_cq *own, bool awaited)
{
	if (awaited)
		atomic_store(&shared->due, 1);
	if (own)
		uroce_cq_report(own);
	else
		uroce_peer_ring(context, peer, UROCE_RING_CQ);
}

enum uroce_added uroce_complete(struct uroce_context *context, struct uroce_peer *peer,
				uint32_t index, const struct uroce_cqe *cqe, struct uroce_cq *own,
				const struct uroce_pop *pops)
{
	struct uroce_shared_cq *shared;
	struct uroce_cqe *ring;
	uint32_t size, limit, tail;
	bool awaited = false;
	bool fits;

	if (index >= UROCE_CQS)
		return UROCE_CQ_FULL;
	shared = &peer->arena->cqs[index];
	if (unlikely(!uroce_shared_lock(context, &shared->lock, UROCE_LOCK_CQ)))
		return UROCE_CQ_BUSY;
	/* Before the owner sees the completion, and posts another request in its place. */
	if (pops)
		uroce_recv_pop(pops->target, pops->rq);
	size = atomic_load_explicit(&shared->size, memory_order_relaxed);
	limit = atomic_load_explicit(&shared->limit, memory_order_relaxed);
	ring = uroce_arena_ring(peer->arena,
				atomic_load_explicit(&shared->offset, memory_order_relaxed), size,
				sizeof(*ring));
	tail = atomic_load_explicit(&shared->tail, memory_order_relaxed);
	fits = ring && limit <= size &&
	       tail - atomic_load_explicit(&shared->head, memory_order_acquire) < limit;
	if (likely(fits)) {
		ring[tail & (size - 1)] = *cqe;
		if (atomic_load_explicit(&shared->stamped, memory_order_relaxed))
			ring[tail & (size - 1)].timestamp = uroce_now();
		atomic_store_explicit(&shared->tail, tail + 1, memory_order_release);
		awaited = completion_is_awaited(shared, cqe);
	} else if (ring) {
		atomic_store(&shared->overflow, 1);
	}
	uroce_shared_unlock(context, &shared->lock, UROCE_LOCK_CQ);
	if (unlikely(awaited || (!fits && ring)))
		notify(context, peer, shared, own, awaited);
	return fits ? UROCE_ADDED : UROCE_CQ_FULL;
}
