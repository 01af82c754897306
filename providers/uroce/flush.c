/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completes requests to send, puts QPs into the error state, and drives requests that wait. */
#include <errno.h>

#include "providers/uroce/qp.h"

enum { RETRY_NS = 1000000, BUSY_TRIES = 50 };

static enum ibv_wc_opcode wc_opcode(uint8_t opcode)
{
	switch (opcode) {
	case IBV_WR_RDMA_WRITE:
	case IBV_WR_RDMA_WRITE_WITH_IMM:
		return IBV_WC_RDMA_WRITE;
	case IBV_WR_RDMA_READ:
		return IBV_WC_RDMA_READ;
	case IBV_WR_ATOMIC_CMP_AND_SWP:
		return IBV_WC_COMP_SWAP;
	case IBV_WR_ATOMIC_FETCH_AND_ADD:
		return IBV_WC_FETCH_ADD;
	case IBV_WR_LOCAL_INV:
		return IBV_WC_LOCAL_INV;
	case IBV_WR_BIND_MW:
		return IBV_WC_BIND_MW;
	default:
		return IBV_WC_SEND;
	}
}

static enum uroce_added add_completion(struct uroce_qp *qp, enum ibv_wc_status status,
				       uint32_t length)
{
	struct uroce_cq *cq = uroce_cq_of(qp->verbs.qp.send_cq);
	const struct uroce_wqe *wqe = uroce_sq_at(qp, qp->sq.head);
	const struct uroce_cqe cqe = {
		.wr_id = wqe->wr_id,
		.status = status,
		.opcode = wc_opcode(wqe->opcode),
		.byte_len = length,
		.qp_num = qp->verbs.qp.qp_num,
	};
	enum uroce_added added = UROCE_CQ_BUSY;

	if (!status && !wqe->signaled)
		return UROCE_ADDED;
	/* The wire reports each request once and cannot be asked to report it again later. */
	for (int i = 0;
	     added == UROCE_CQ_BUSY && i < (qp->path && qp->path->receives ? BUSY_TRIES : 1); i++)
		added = uroce_complete(qp->context, &qp->context->own, cq->index, &cqe, cq, NULL);
	return added;
}

/* Removes the request at sq.head from the queue, unless its CQ is busy. */
static enum uroce_added finish_request(struct uroce_qp *qp, enum ibv_wc_status status,
				       uint32_t length)
{
	const enum uroce_added added = add_completion(qp, status, length);

	qp->has_result = unlikely(added == UROCE_CQ_BUSY);
	if (unlikely(qp->has_result)) {
		qp->result = status;
		qp->result_length = length;
		return added;
	}
	if (qp->sq.next == qp->sq.head)
		qp->sq.next++;
	qp->sq.head++;
	qp->fail_at = 0;
	return added;
}

void uroce_flush_send(struct uroce_qp *qp)
{
	while (qp->sq.head != qp->sq.tail) {
		const enum ibv_wc_status status = qp->has_result ? qp->result : IBV_WC_WR_FLUSH_ERR;
		const enum uroce_added added =
			finish_request(qp, status, status ? 0 : qp->result_length);

		if (added == UROCE_CQ_BUSY)
			return;
		if (added == UROCE_CQ_FULL)
			qp->sq.head = qp->sq.next = qp->sq.tail;
	}
}

void uroce_send_done(struct uroce_qp *qp, enum ibv_wc_status status, uint32_t length)
{
	const enum uroce_added added = finish_request(qp, status, length);

	if (unlikely(added == UROCE_CQ_FULL || (added == UROCE_CQ_BUSY && qp->path->receives))) {
		uroce_qp_error(qp, IBV_EVENT_QP_FATAL);
		return;
	}
	if (likely(!status) || added == UROCE_CQ_BUSY)
		return;
	if (qp->verbs.qp.qp_type == IBV_QPT_RC) {
		uroce_qp_error(qp, -1);
		return;
	}
	/* IBA 10.3.1.5: the receive side of other types goes on. */
	uroce_qp_set_state(qp, IBV_QPS_SQE);
	uroce_flush_send(qp);
}

/* With the lock of the receive queue; false if it is to be tried again. */
static bool flush_requests(struct uroce_target *target, struct uroce_shared_rq *rq)
{
	struct uroce_recv recv;

	while (!uroce_recv_peek(target, rq, &recv)) {
		struct uroce_cqe cqe = {
			.wr_id = recv.wr_id,
			.status = IBV_WC_WR_FLUSH_ERR,
			.opcode = IBV_WC_RECV,
		};
		const enum uroce_added added = uroce_recv_done(target, rq, &cqe);

		if (added == UROCE_CQ_BUSY)
			return false;
		if (added == UROCE_CQ_FULL)
			break;
	}
	return true;
}

/* Flushes the receive requests of a QP in the error state. */
void uroce_flush_recv(struct uroce_qp *qp)
{
	struct uroce_target target;
	struct uroce_shared_rq *rq;

	if (qp->srq)
		return;
	uroce_target_own(qp, &target);
	rq = uroce_recv_lock(&target);
	qp->flushes_recv = !rq || !flush_requests(&target, rq);
	if (rq)
		uroce_recv_unlock(&target, rq);
}

void uroce_qp_set_state(struct uroce_qp *qp, enum ibv_qp_state state)
{
	qp->state = state;
	lock_take(&qp->rq.lock);
	atomic_exchange(&qp->shared->state, state);
	lock_release(&qp->rq.lock);
}

void uroce_qp_error(struct uroce_qp *qp, int event)
{
	if (qp->state == IBV_QPS_ERR || qp->state == IBV_QPS_RESET)
		return;
	if (qp->path)
		qp->path->stop(qp);
	uroce_qp_set_state(qp, IBV_QPS_ERR);
	uroce_flush_send(qp);
	uroce_flush_recv(qp);
	if (event >= 0)
		hf_provider_report_event(qp->events, (enum ibv_event_type)event);
	if (qp->srq)
		hf_provider_report_event(qp->events, IBV_EVENT_QP_LAST_WQE_REACHED);
}

void uroce_qp_check(struct uroce_qp *qp)
{
	static const int events[] = {
		[UROCE_FAULT_ACCESS] = IBV_EVENT_QP_ACCESS_ERR,
		[UROCE_FAULT_REQUEST] = IBV_EVENT_QP_REQ_ERR,
		[UROCE_FAULT_LOCAL] = -1,
		[UROCE_FAULT_CQ] = IBV_EVENT_QP_FATAL,
	};
	const uint32_t fault = atomic_load_explicit(&qp->shared->fault, memory_order_relaxed);

	if (unlikely(atomic_load_explicit(&qp->shared->due, memory_order_relaxed)) &&
	    atomic_exchange(&qp->shared->due, 0))
		hf_provider_report_event(qp->events, IBV_EVENT_COMM_EST);
	if (unlikely(fault))
		uroce_qp_error(qp, fault <= UROCE_FAULT_CQ ? events[fault] : IBV_EVENT_QP_FATAL);
	else if (unlikely(atomic_load_explicit(&qp->context->gone, memory_order_relaxed)))
		uroce_qp_error(qp, -1);
}

/* IBA 10.3.1.4: no new request is begun; the event comes when those that were begun are complete. */
static void check_drained(struct uroce_qp *qp)
{
	if (qp->state != IBV_QPS_SQD || qp->drained || qp->sq.head != qp->sq.next)
		return;
	qp->drained = true;
	if (qp->drain_event)
		hf_provider_report_event(qp->events, IBV_EVENT_SQ_DRAINED);
}

static void note_deadline(struct uroce_qp *qp, uint64_t deadline)
{
	const bool waits = deadline != UROCE_NEVER;

	atomic_store_explicit(&qp->waits_for_time, qp->path && qp->path->receives,
			      memory_order_relaxed);
	if (likely(!waits && !qp->waits))
		return;
	atomic_store(&qp->deadline, deadline);
	if (waits != qp->waits) {
		qp->waits = waits;
		if (waits)
			atomic_fetch_add(&qp->context->waiting, 1);
		else
			atomic_fetch_sub(&qp->context->waiting, 1);
	}
	/* The engine thread sleeps until another time. */
	if (deadline < atomic_load(&qp->context->wakes_at) &&
	    !pthread_equal(pthread_self(), qp->context->thread))
		uroce_peer_ring(qp->context, &qp->context->own, UROCE_RING_PROGRESS);
}

static bool path_has_work(const struct uroce_qp *qp)
{
	if (!qp->path)
		return false;
	if (qp->path->receives)
		return qp->state == IBV_QPS_RTR || qp->state == IBV_QPS_RTS ||
		       qp->state == IBV_QPS_SQD || qp->state == IBV_QPS_SQE;
	return (qp->state == IBV_QPS_RTS || qp->state == IBV_QPS_SQD) && qp->sq.head != qp->sq.tail;
}

/* Requests that could not be flushed yet, since a CQ or the queue was busy. */
static bool flush_is_due(const struct uroce_qp *qp)
{
	return (qp->state == IBV_QPS_ERR || qp->state == IBV_QPS_SQE) &&
	       (qp->flushes_recv || qp->sq.head != qp->sq.tail);
}

void uroce_qp_progress(struct uroce_qp *qp)
{
	uint64_t deadline = UROCE_NEVER;

	if (unlikely(!atomic_load_explicit(&qp->context->counting, memory_order_relaxed)))
		uroce_counters_begin(qp->context);

	uroce_qp_check(qp);
	if (unlikely(flush_is_due(qp))) {
		if (qp->flushes_recv)
			uroce_flush_recv(qp);
		uroce_flush_send(qp);
	}
	if (path_has_work(qp))
		deadline = qp->path->progress(qp, qp->path->receives ? uroce_now() : 0);
	if (unlikely(qp->state == IBV_QPS_SQD))
		check_drained(qp);
	if (unlikely(flush_is_due(qp)))
		note_deadline(qp, uroce_now() + RETRY_NS);
	else
		note_deadline(qp, path_has_work(qp) ? deadline : UROCE_NEVER);
}

/*
 * On the direct path a request that waits for a peer is tried each time; on the wire only its
 * timers count.
 */
static bool needs_attention(struct uroce_qp *qp, bool all_events, uint64_t now)
{
	const uint64_t deadline = atomic_load_explicit(&qp->deadline, memory_order_relaxed);

	if (deadline <= now || (deadline != UROCE_NEVER &&
				!atomic_load_explicit(&qp->waits_for_time, memory_order_relaxed)))
		return true;
	return all_events && (atomic_load(&qp->shared->fault) || atomic_load(&qp->shared->due) ||
			      atomic_load(&qp->context->gone));
}

/* The next QP from *at on that needs attention, with its lock. A QP that is in use is left for later. */
static struct uroce_qp *next_qp(struct uroce_context *context, uint32_t *at, bool all_events,
				uint64_t now)
{
	struct uroce_qp *qp = NULL;

	pthread_mutex_lock(&context->lock);
	for (; *at < context->qps_end && !qp; ++*at) {
		qp = context->qps[*at];
		if (!qp || !needs_attention(qp, all_events, now)) {
			qp = NULL;
		} else if (pthread_mutex_trylock(&qp->lock)) {
			qp = NULL;
			if (all_events)
				atomic_store(&context->again, true);
		}
	}
	pthread_mutex_unlock(&context->lock);
	return qp;
}

void uroce_progress_all(struct uroce_context *context, bool all_events)
{
	struct uroce_qp *qp;
	uint32_t at = 0;
	uint64_t now;

	if (atomic_load(&context->again) && atomic_exchange(&context->again, false))
		all_events = true;
	if (!all_events && !atomic_load(&context->waiting))
		return;
	now = uroce_now();
	while ((qp = next_qp(context, &at, all_events, now))) {
		uroce_qp_progress(qp);
		pthread_mutex_unlock(&qp->lock);
	}
}

uint64_t uroce_next_deadline(struct uroce_context *context)
{
	uint64_t deadline = UROCE_NEVER;

	if (atomic_load(&context->again))
		return uroce_now() + RETRY_NS;
	if (!atomic_load(&context->waiting))
		return UROCE_NEVER;
	pthread_mutex_lock(&context->lock);
	for (uint32_t i = 0; i < context->qps_end; i++)
		if (context->qps[i] && atomic_load(&context->qps[i]->deadline) < deadline)
			deadline = atomic_load(&context->qps[i]->deadline);
	pthread_mutex_unlock(&context->lock);
	return deadline;
}
