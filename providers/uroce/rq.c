/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Receive queues, of QPs and of SRQs: making them, and posting to them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "providers/uroce/qp.h"

/* With context->lock. A queue of no requests has no ring. */
int uroce_rq_make(struct uroce_context *context, struct uroce_rq *rq,
		  struct uroce_shared_rq *shared, uint32_t max_wr, uint32_t max_sge)
{
	const uint32_t size = ring_size_for(max_wr);

	rq->shared = shared;
	rq->max_sge = max_sge;
	rq->max_wr = max_wr;
	memset(shared, 0, sizeof(*shared));
	if (!max_wr)
		return 0;
	rq->offset = uroce_heap_take(context, size * uroce_rwqe_size(max_sge));
	if (!rq->offset)
		return ENOMEM;
	rq->size = size;
	rq->ring = (char *)context->arena + rq->offset;
	atomic_store(&shared->max_sge, max_sge);
	atomic_store(&shared->offset, rq->offset);
	atomic_store(&shared->size, size);
	return 0;
}

/* With context->lock, in the process that made it. */
void uroce_rq_free(struct uroce_context *context, struct uroce_rq *rq)
{
	if (!rq->size)
		return;
	/* A peer may be reading from it; if it is stopped, the memory stays as it is. */
	atomic_store(&rq->shared->size, 0);
	if (!uroce_shared_lock(context, &rq->shared->lock, UROCE_LOCK_RECV))
		return;
	uroce_shared_unlock(context, &rq->shared->lock, UROCE_LOCK_RECV);
	uroce_heap_give(context, rq->offset, rq->size * uroce_rwqe_size(rq->max_sge));
}

/* With rq->lock. */
static int add_request(struct uroce_rq *rq, const struct ibv_recv_wr *wr)
{
	struct uroce_rwqe *rwqe;

	if (wr->num_sge < 0 || (uint32_t)wr->num_sge > rq->max_sge)
		return EINVAL;
	/* Others write the head: it is read when the queue seems full. One that cannot be is as good as a full queue. */
	if (rq->tail - rq->head >= rq->max_wr)
		rq->head = atomic_load_explicit(&rq->shared->head, memory_order_acquire);
	if (rq->tail - rq->head >= rq->max_wr)
		return ENOMEM;
	rwqe = (struct uroce_rwqe *)(void *)(rq->ring + (rq->tail & (rq->size - 1)) *
								uroce_rwqe_size(rq->max_sge));
	rwqe->wr_id = wr->wr_id;
	rwqe->num_sge = (uint32_t)wr->num_sge;
	if (wr->num_sge)
		memcpy(rwqe->sge, wr->sg_list, (size_t)wr->num_sge * sizeof(rwqe->sge[0]));
	atomic_store_explicit(&rq->shared->tail, ++rq->tail, memory_order_release);
	return 0;
}

/*
 * Peers that found the queue empty. This may be read before a peer sees the request that was just added, and a peer may
 * look just before: it looks again by itself after 2 ms. An exchange would cost each request a fifth of its time.
 */
static void wake_waiters(struct uroce_context *context, struct uroce_rq *rq)
{
	if (likely(!atomic_load_explicit(&rq->shared->waiters, memory_order_relaxed)))
		return;
	uroce_wake_waiters(context, atomic_exchange(&rq->shared->waiters, 0));
}

int uroce_rq_post(struct uroce_context *context, struct uroce_rq *rq, struct ibv_recv_wr *wr,
		  struct ibv_recv_wr **bad, const _Atomic uint32_t *state, uint32_t *seen)
{
	int err = 0;

	lock_take(&rq->lock);
	for (; wr; wr = wr->next) {
		err = add_request(rq, wr);
		if (err)
			break;
	}
	if (state)
		*seen = atomic_load_explicit(state, memory_order_relaxed);
	lock_release(&rq->lock);
	*bad = wr;
	wake_waiters(context, rq);
	return err;
}
