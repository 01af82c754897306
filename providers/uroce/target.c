/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The responder's part of a message: receive requests, completions and errors of a QP that may be
 * another process's. All of it comes from shared memory and is checked.
 */
#include <errno.h>
#include <string.h>

#include "providers/uroce/qp.h"

void uroce_target_own(struct uroce_qp *qp, struct uroce_target *target)
{
	target->context = qp->context;
	target->peer = &qp->context->own;
	target->qp = qp->shared;
	target->number = qp->verbs.qp.qp_num;
	target->pd = atomic_load(&qp->shared->pd);
	target->access = atomic_load(&qp->shared->access);
	target->at = UROCE_ACCESSES;
}

static struct uroce_shared_srq *srq_of(struct uroce_target *target)
{
	const uint32_t srq = atomic_load_explicit(&target->qp->srq, memory_order_relaxed);

	return srq && srq <= UROCE_SRQS ? &target->peer->arena->srqs[srq - 1] : NULL;
}

struct uroce_shared_rq *uroce_recv_lock(struct uroce_target *target)
{
	struct uroce_shared_srq *srq = srq_of(target);
	struct uroce_shared_rq *rq = srq ? &srq->rq : &target->qp->rq;

	return uroce_shared_lock(target->context, &rq->lock, UROCE_LOCK_RECV) ? rq : NULL;
}

void uroce_recv_unlock(struct uroce_target *target, struct uroce_shared_rq *rq)
{
	uroce_shared_unlock(target->context, &rq->lock, UROCE_LOCK_RECV);
}

/* The first request of the queue; ENOENT, or EIO when the queue cannot be. */
static int find_request(struct uroce_target *target, struct uroce_shared_rq *rq,
			const struct uroce_rwqe **ret, uint32_t *max_sge)
{
	const uint32_t size = atomic_load_explicit(&rq->size, memory_order_relaxed);
	const uint32_t head = atomic_load_explicit(&rq->head, memory_order_relaxed);
	const uint32_t tail = atomic_load_explicit(&rq->tail, memory_order_acquire);
	const char *ring;

	*max_sge = atomic_load_explicit(&rq->max_sge, memory_order_relaxed);
	if (!size || head == tail)
		return ENOENT;
	if (*max_sge > UROCE_MAX_SGE || tail - head > size)
		return EIO;
	ring = uroce_arena_ring(target->peer->arena,
				atomic_load_explicit(&rq->offset, memory_order_relaxed), size,
				uroce_rwqe_size(*max_sge));
	if (!ring)
		return EIO;
	*ret = (const struct uroce_rwqe *)(const void *)(ring + (head & (size - 1)) *
									uroce_rwqe_size(*max_sge));
	return 0;
}

int uroce_recv_peek(struct uroce_target *target, struct uroce_shared_rq *rq,
		    struct uroce_recv *recv)
{
	struct uroce_shared_srq *srq = srq_of(target);
	const struct uroce_key use = {
		.pd = srq ? atomic_load(&srq->pd) : target->pd,
		.access = IBV_ACCESS_LOCAL_WRITE,
	};
	const struct uroce_rwqe *rwqe;
	uint32_t max_sge, count;
	int err = find_request(target, rq, &rwqe, &max_sge);

	if (err)
		return err;
	recv->wr_id = rwqe->wr_id;
	count = __atomic_load_n(&rwqe->num_sge, __ATOMIC_RELAXED);
	if (count > max_sge)
		return EIO;
	recv->num_sge = 0;
	recv->length = 0;
	recv->bad = false;
	recv->pd = use.pd;
	for (uint32_t i = 0; i < count; i++) {
		const struct ibv_sge sge = rwqe->sge[i];
		uint64_t address;

		if (!sge.length)
			continue;
		if (!uroce_key_check(target->peer->arena, sge.lkey, sge.addr, sge.length, &use,
				     &address)) {
			recv->bad = true;
			return 0;
		}
		if (!recv->num_sge)
			recv->lkey = sge.lkey;
		recv->sge[recv->num_sge].address = address;
		recv->sge[recv->num_sge++].length = sge.length;
		recv->length += sge.length;
	}
	return 0;
}

size_t uroce_recv_scatter(const struct uroce_recv *recv, uint64_t length,
			  struct iovec iov[UROCE_MAX_SGE])
{
	size_t count = 0;

	for (uint32_t i = 0; i < recv->num_sge && length; i++) {
		const uint64_t part = recv->sge[i].length < length ? recv->sge[i].length : length;

		iov[count++] = (struct iovec){(void *)(uintptr_t)recv->sge[i].address, part};
		length -= part;
	}
	return count;
}

/* Data of a message that came before may wait in the CQ. */
static bool payloads_wait(const struct uroce_target *target, uint32_t cq)
{
	const struct uroce_shared_cq *shared = &target->peer->arena->cqs[cq];
	const uint64_t end = atomic_load_explicit(&shared->payload_end, memory_order_relaxed);

	return end && (int32_t)((uint32_t)end -
				atomic_load_explicit(&shared->head, memory_order_acquire)) > 0;
}

enum uroce_copy uroce_recv_write(const struct uroce_target *target, const struct uroce_recv *recv,
				 uint64_t length, const struct iovec *local, size_t locals)
{
	const uint32_t cq = atomic_load_explicit(&target->qp->recv_cq, memory_order_relaxed);
	struct iovec remote[UROCE_MAX_SGE];
	const struct uroce_delivery message = {local, remote, locals,
					       uroce_recv_scatter(recv, length, remote)};
	enum uroce_copy copied = UROCE_COPY_OK;

	if (likely(cq < UROCE_CQS) && unlikely(payloads_wait(target, cq)))
		copied = uroce_payloads_overlay(target, cq, &message);
	return copied == UROCE_COPY_OK
		       ? uroce_target_write(target, local, locals, remote, message.remotes)
		       : copied;
}

/* With the lock of the queue. The owner is woken first: we may be killed at any moment. */
static void check_limit(struct uroce_target *target, struct uroce_shared_srq *srq, uint32_t head)
{
	uint32_t limit = atomic_load_explicit(&srq->rq.limit, memory_order_relaxed);

	if (likely(!limit) || atomic_load(&srq->rq.tail) - head >= limit)
		return;
	uroce_ring_before(target->context, target->peer, UROCE_RING_SRQ);
	atomic_store(&srq->due, 1);
	/* The limit is disarmed by its event, IBA 10.2.9.2. The program may have set another one. */
	atomic_compare_exchange_strong(&srq->rq.limit, &limit, 0);
	uroce_ring_after(target->context, target->peer, UROCE_RING_SRQ);
}

void uroce_recv_pop(struct uroce_target *target, struct uroce_shared_rq *rq)
{
	const uint32_t head = atomic_load_explicit(&rq->head, memory_order_relaxed) + 1;
	struct uroce_shared_srq *srq = srq_of(target);

	if (unlikely(srq && &srq->rq == rq))
		check_limit(target, srq, head);
	atomic_store_explicit(&rq->head, head, memory_order_release);
}

static enum uroce_added finish_recv(struct uroce_target *target, struct uroce_cqe *cqe,
				    const struct uroce_pop *pops, struct uroce_cq *own)
{
	const uint32_t cq = atomic_load_explicit(&target->qp->recv_cq, memory_order_relaxed);
	enum uroce_added added;

	cqe->qp_num = target->number;
	added = uroce_complete(target->context, target->peer, cq, cqe, own, pops);
	if (unlikely(added == UROCE_CQ_FULL))
		uroce_target_fault(target, UROCE_FAULT_CQ);
	return added;
}

enum uroce_added uroce_recv_done(struct uroce_target *target, struct uroce_shared_rq *rq,
				 struct uroce_cqe *cqe)
{
	const struct uroce_pop pops = {.target = target, .rq = rq};

	return finish_recv(target, cqe, rq ? &pops : NULL, NULL);
}

enum uroce_added uroce_recv_done_own(struct uroce_qp *qp, struct uroce_cqe *cqe)
{
	struct uroce_target target;

	uroce_target_own(qp, &target);
	return finish_recv(&target, cqe, NULL, uroce_cq_of(qp->verbs.qp.recv_cq));
}

enum uroce_added uroce_recv_done_with(struct uroce_target *target, struct uroce_shared_rq *rq,
				      struct uroce_cqe *cqe, const struct uroce_recv *recv,
				      const void *payload)
{
	const struct uroce_pop pops = {
		.target = target,
		.rq = rq,
		.payload = payload,
		.address = recv->sge[0].address,
		.lkey = recv->lkey,
		.pd = recv->pd,
	};

	cqe->has_payload = 1;
	return finish_recv(target, cqe, &pops, NULL);
}

bool uroce_recv_takes_payload(const struct uroce_target *target, const struct uroce_recv *recv,
			      uint32_t length)
{
	const uint32_t cq = atomic_load_explicit(&target->qp->recv_cq, memory_order_relaxed);

	return length && length <= UROCE_MAX_PAYLOAD && recv->num_sge && !recv->bad &&
	       length <= recv->sge[0].length && cq < UROCE_CQS &&
	       atomic_load_explicit(&target->peer->arena->cqs[cq].payloads, memory_order_relaxed);
}

void uroce_target_fault(struct uroce_target *target, enum uroce_fault fault)
{
	uint32_t none = UROCE_FAULT_NONE;

	if (atomic_load(&target->qp->fault))
		return;
	uroce_ring_before(target->context, target->peer, UROCE_RING_QP);
	atomic_compare_exchange_strong(&target->qp->fault, &none, fault);
	uroce_ring_after(target->context, target->peer, UROCE_RING_QP);
}

void uroce_target_established(struct uroce_target *target)
{
	if (likely(atomic_load_explicit(&target->qp->state, memory_order_relaxed) != IBV_QPS_RTR) ||
	    atomic_load_explicit(&target->qp->established, memory_order_relaxed))
		return;
	uroce_ring_before(target->context, target->peer, UROCE_RING_QP);
	atomic_store(&target->qp->due, 1);
	atomic_store(&target->qp->established, 1);
	uroce_ring_after(target->context, target->peer, UROCE_RING_QP);
}
