/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The direct path: the requester does the responder's part as well, in the peer's queues and memory.
 * So requests complete while the peer sleeps, computes or is stopped. A request that cannot be executed
 * yet waits at the head of the send queue. Errors are those of the protocol, IBA 9.7 and 9.8.
 */
#include <sys/uio.h>

#include "providers/uroce/request.h"
#include "providers/uroce/wire_receive.h"
#include "providers/uroce/wire/transport.h"

enum {
	POLL_NS = 2000000, /* how often a peer that is not ready is looked at */
	MAX_MESSAGE = 1 << 30,
};

/* ---- Finding the peer ---- */

static bool can_receive(const struct uroce_shared_qp *shared)
{
	const uint32_t state = atomic_load_explicit(&shared->state, memory_order_acquire);

	return (state == IBV_QPS_RTR || state == IBV_QPS_RTS || state == IBV_QPS_SQD ||
		state == IBV_QPS_SQE) &&
	       !atomic_load_explicit(&shared->fault, memory_order_relaxed);
}

/* A connected QP answers its own peer only (IBA 9.6.1.5). */
static bool answers_us(const struct uroce_qp *qp, const struct uroce_shared_qp *shared)
{
	return atomic_load(&shared->number) == qp->attr.dest_qp_num && can_receive(shared) &&
	       atomic_load_explicit(&shared->type, memory_order_relaxed) ==
		       (uint32_t)qp->verbs.qp.qp_type &&
	       atomic_load_explicit(&shared->dest, memory_order_relaxed) == qp->verbs.qp.qp_num &&
	       atomic_load_explicit(&shared->dest_device, memory_order_relaxed) ==
		       qp->context->device;
}

/* With 0 the caller may access the target until leave_connected(). */
static int enter_connected(struct uroce_qp *qp, struct uroce_target *target)
{
	const uint32_t number = qp->attr.dest_qp_num;

	target->context = qp->through;
	target->peer = uroce_peer_of_qpn(qp->through, number, &target->qp);
	if (!target->peer)
		return uroce_qpn_has_owner(qp->through, number) ? UROCE_NOT_READY
								: UROCE_PEER_ENDED;
	if (!target->peer->direct)
		return UROCE_NOT_READY;
	target->at = uroce_access_begin(qp->through, target->peer->slot);
	/* Whoever withdraws something from now on waits for us in uroce_access_wait(). */
	if (!answers_us(qp, target->qp)) {
		uroce_access_end(qp->through, target->at);
		return UROCE_NOT_READY;
	}
	target->number = number;
	target->pd = atomic_load_explicit(&target->qp->pd, memory_order_relaxed);
	target->access = atomic_load_explicit(&target->qp->access, memory_order_relaxed);
	return 0;
}

static void leave_connected(struct uroce_target *target)
{
	uroce_access_end(target->context, target->at);
}

/* ---- RDMA ---- */

int uroce_copy_status(struct uroce_target *target, enum uroce_copy copied)
{
	if (likely(copied == UROCE_COPY_OK))
		return 0;
	if (copied == UROCE_COPY_LOCAL)
		return IBV_WC_LOC_PROT_ERR;
	if (copied == UROCE_COPY_BUSY)
		return UROCE_NOT_READY;
	return uroce_peer_alive(target->context, target->peer) ? UROCE_NOT_MAPPED
							       : UROCE_PEER_ENDED;
}

static int refuse_access(struct uroce_target *target)
{
	uroce_target_fault(target, UROCE_FAULT_ACCESS);
	return IBV_WC_REM_ACCESS_ERR;
}

/* Checks a remote range; *iov gets the address. IBA 9.7.4.1.3. */
static int check_remote(const struct uroce_wqe *wqe, struct uroce_target *target, uint32_t access,
			uint64_t length, struct iovec *iov)
{
	const struct uroce_key use = {
		.pd = target->pd,
		.qpn = target->number,
		.access = access,
	};
	uint64_t address;

	if ((target->access & access) == access &&
	    uroce_key_check(target->peer->arena, wqe->rkey, wqe->remote_addr, length, &use,
			    &address)) {
		*iov = (struct iovec){(void *)(uintptr_t)address, length};
		return 0;
	}
	return refuse_access(target);
}

static int rdma_status(struct uroce_target *target, enum uroce_copy copied)
{
	const int status = uroce_copy_status(target, copied);

	return unlikely(status == UROCE_NOT_MAPPED) ? refuse_access(target) : status;
}

static int write_data(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	struct iovec local[UROCE_MAX_SGE], remote;
	size_t locals;
	int status;

	if (!uroce_gather(qp, wqe, 0, local, &locals))
		return IBV_WC_LOC_PROT_ERR;
	status = check_remote(wqe, target, IBV_ACCESS_REMOTE_WRITE, wqe->length, &remote);
	if (status)
		return status;
	return rdma_status(target, uroce_target_write(target, local, locals, &remote, 1));
}

static int write_with_imm(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	struct uroce_shared_rq *rq = uroce_recv_lock(target);
	struct uroce_recv recv;
	int status;

	if (unlikely(!rq))
		return UROCE_NOT_READY;
	status = uroce_take_recv(target, rq, &recv);
	if (!status)
		status = write_data(qp, wqe, target);
	if (!status)
		status = uroce_finish_receive(qp, wqe, target, rq, &recv, IBV_WC_RECV_RDMA_WITH_IMM,
					      NULL);
	uroce_recv_unlock(target, rq);
	return status;
}

/* A peer that has no resources for READ and atomics refuses them (IBA 9.7.4.1.4). */
static int check_resources(struct uroce_qp *qp, struct uroce_target *target)
{
	if (!qp->attr.max_rd_atomic)
		return IBV_WC_LOC_QP_OP_ERR;
	if (atomic_load_explicit(&target->qp->max_dest_rd_atomic, memory_order_relaxed))
		return 0;
	uroce_target_fault(target, UROCE_FAULT_REQUEST);
	return IBV_WC_REM_INV_REQ_ERR;
}

static int read_data(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	struct iovec local[UROCE_MAX_SGE], remote;
	size_t locals;
	int status = check_resources(qp, target);

	if (status)
		return status;
	if (!uroce_gather(qp, wqe, IBV_ACCESS_LOCAL_WRITE, local, &locals))
		return IBV_WC_LOC_PROT_ERR;
	status = check_remote(wqe, target, IBV_ACCESS_REMOTE_READ, wqe->length, &remote);
	if (status)
		return status;
	return rdma_status(target, uroce_target_read(target, local, locals, &remote, 1));
}

static int do_atomic(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	struct iovec local[UROCE_MAX_SGE], remote;
	uint64_t before = 0;
	const struct iovec result = {&before, sizeof(before)};
	size_t locals;
	int status = check_resources(qp, target);

	if (status)
		return status;
	if (wqe->length != sizeof(before))
		return IBV_WC_LOC_LEN_ERR;
	if (!uroce_gather(qp, wqe, IBV_ACCESS_LOCAL_WRITE, local, &locals))
		return IBV_WC_LOC_PROT_ERR;
	if (wqe->remote_addr % 8) {
		uroce_target_fault(target, UROCE_FAULT_REQUEST);
		return IBV_WC_REM_INV_REQ_ERR;
	}
	status = check_remote(wqe, target, IBV_ACCESS_REMOTE_ATOMIC, sizeof(before), &remote);
	if (!status)
		status = rdma_status(target, uroce_atomic(target, (uintptr_t)remote.iov_base,
							  wqe->opcode == IBV_WR_ATOMIC_CMP_AND_SWP,
							  wqe->compare_add, wqe->swap, &before));
	if (!status &&
	    uroce_copy_out(&qp->context->own, &result, 1, local, locals) != UROCE_COPY_OK)
		status = IBV_WC_LOC_PROT_ERR;
	return status;
}

/* ---- Requests ---- */

int uroce_execute_local(struct uroce_qp *qp, struct uroce_wqe *wqe)
{
	const struct ibv_mw_bind_info info = {
		.addr = wqe->bind_addr,
		.length = wqe->bind_length,
		.mw_access_flags = wqe->bind_access,
	};

	if (wqe->opcode == IBV_WR_LOCAL_INV) {
		if (!uroce_key_invalidate(qp->context->arena, wqe->imm,
					  uroce_pd_of(qp->verbs.qp.pd)->number,
					  qp->verbs.qp.qp_num))
			return IBV_WC_MW_BIND_ERR;
		uroce_access_wait(qp->context);
		uroce_wire_finish_copies(qp->context);
		return 0;
	}
	return uroce_mw_bind(qp->context, wqe->mw, wqe->mr, &info, wqe->bind_rkey,
			     qp->verbs.qp.qp_num)
		       ? 0
		       : IBV_WC_MW_BIND_ERR;
}

static int execute_remote(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	uroce_target_established(target);
	switch (wqe->opcode) {
	case IBV_WR_RDMA_WRITE:
		return write_data(qp, wqe, target);
	case IBV_WR_RDMA_WRITE_WITH_IMM:
		return write_with_imm(qp, wqe, target);
	case IBV_WR_RDMA_READ:
		return read_data(qp, wqe, target);
	case IBV_WR_ATOMIC_CMP_AND_SWP:
	case IBV_WR_ATOMIC_FETCH_AND_ADD:
		return do_atomic(qp, wqe, target);
	default:
		return uroce_send_message(qp, wqe, target);
	}
}

static int execute_connected(struct uroce_qp *qp, struct uroce_wqe *wqe)
{
	struct uroce_target target;
	int status;

	if (wqe->opcode == IBV_WR_LOCAL_INV || wqe->opcode == IBV_WR_BIND_MW)
		return uroce_execute_local(qp, wqe);
	if (wqe->length > MAX_MESSAGE)
		return IBV_WC_LOC_LEN_ERR;
	status = enter_connected(qp, &target);
	if (status)
		return status;
	status = execute_remote(qp, wqe, &target);
	leave_connected(&target);
	return status;
}

/* The status of a request of an unreliable QP: what happened at the peer is not reported. */
static int unreliable(int status)
{
	return status == IBV_WC_LOC_PROT_ERR || status == IBV_WC_LOC_LEN_ERR ||
			       status == IBV_WC_MW_BIND_ERR
		       ? status
		       : 0;
}

/* How long a request may wait for a receive request of the peer; the peer says how often we look (IBA 9.7.5.2.8). */
static uint64_t rnr_limit(struct uroce_qp *qp)
{
	struct uroce_shared_qp *shared;

	if (qp->attr.rnr_retry == UROCE_RETRY_FOREVER)
		return UROCE_NEVER;
	if (!uroce_peer_of_qpn(qp->through, qp->attr.dest_qp_num, &shared))
		return 0;
	return qp->attr.rnr_retry * uroce_rnr_ns((uint8_t)atomic_load(&shared->min_rnr_timer));
}

/* How long the request at the head may still wait; an error status if its time is over. */
static int wait_status(struct uroce_qp *qp, int status, uint64_t now)
{
	const bool rnr = status == UROCE_NO_RECEIVE;
	const uint64_t limit = rnr ? rnr_limit(qp) : 0;

	if (status == UROCE_PEER_ENDED)
		return IBV_WC_RETRY_EXC_ERR;
	if (!qp->fail_at || qp->waits_rnr != rnr) {
		qp->waits_rnr = rnr;
		if (rnr)
			qp->fail_at = limit == UROCE_NEVER ? limit : now + limit;
		else
			qp->fail_at = qp->attr.timeout
					      ? now + ((uint64_t)4096 << qp->attr.timeout) *
								(qp->attr.retry_cnt + 1U)
					      : UROCE_NEVER;
	}
	if (now < qp->fail_at)
		return status;
	return rnr ? IBV_WC_RNR_RETRY_EXC_ERR : IBV_WC_RETRY_EXC_ERR;
}

/* ---- Several short WRITEs ---- */

static bool write_follows(const struct uroce_qp *qp)
{
	const uint32_t next = qp->sq.head + 1;

	return next != qp->sq.tail && qp->sq.next == qp->sq.head &&
	       uroce_sq_at(qp, qp->sq.head)->opcode == IBV_WR_RDMA_WRITE &&
	       uroce_sq_at(qp, next)->opcode == IBV_WR_RDMA_WRITE && !qp->has_result;
}

/* Those that were executed are before sq.next. */
static void begin_writes(struct uroce_qp *qp)
{
	struct uroce_target target;

	if (likely(!write_follows(qp)) || enter_connected(qp, &target))
		return;
	uroce_target_established(&target);
	qp->sq.next += uroce_execute_writes(qp, &target);
	leave_connected(&target);
}

/* ---- Requests in order ---- */

static int execute_request(struct uroce_qp *qp, struct uroce_wqe *wqe)
{
	int status;

	if (qp->verbs.qp.qp_type == IBV_QPT_UD)
		return unreliable(uroce_send_datagram(qp, wqe));
	begin_writes(qp);
	if (qp->sq.next != qp->sq.head)
		return 0;
	status = execute_connected(qp, wqe);
	if (qp->verbs.qp.qp_type != IBV_QPT_UC)
		return status;
	if (unlikely(status && !unreliable(status)))
		uroce_qp_count(qp, UROCE_QP_DROPPED, 1);
	return unreliable(status);
}

/* Executes one request; true if it has to wait. */
static bool execute(struct uroce_qp *qp)
{
	struct uroce_wqe *wqe = uroce_sq_at(qp, qp->sq.head);
	int status = 0;

	if (unlikely(qp->has_result)) {
		uroce_send_done(qp, qp->result, qp->result_length);
		return qp->has_result;
	}
	if (qp->sq.next == qp->sq.head)
		status = execute_request(qp, wqe);
	if (unlikely(status >= UROCE_NOT_READY)) {
		if (status == UROCE_NO_RECEIVE && !qp->fail_at)
			uroce_qp_count(qp, UROCE_QP_RNR, 1);
		status = wait_status(qp, status, uroce_now());
		if (status >= UROCE_NOT_READY)
			return true;
	}
	if (unlikely(status)) {
		uroce_qp_count(qp, UROCE_QP_ERRORS, 1);
	} else if (qp->verbs.qp.qp_type != IBV_QPT_UD) {
		uroce_qp_count(qp, UROCE_QP_REQUESTS, 1);
		uroce_qp_count(qp, UROCE_QP_BYTES, wqe->length);
	}
	uroce_send_done(qp, (enum ibv_wc_status)status, status ? 0 : wqe->length);
	return unlikely(qp->has_result);
}

/* In SQD what was executed is completed. */
static bool has_next(const struct uroce_qp *qp)
{
	return qp->sq.head != qp->sq.tail &&
	       (qp->state == IBV_QPS_RTS ||
		(qp->state == IBV_QPS_SQD && (qp->has_result || qp->sq.next != qp->sq.head)));
}

static uint64_t direct_progress(struct uroce_qp *qp, uint64_t now)
{
	(void)now;
	while (has_next(qp)) {
		uint64_t again;

		if (likely(!execute(qp)))
			continue;
		again = uroce_now() + POLL_NS;
		return qp->fail_at && qp->fail_at < again ? qp->fail_at : again;
	}
	return UROCE_NEVER;
}

static int direct_start(struct uroce_qp *qp)
{
	(void)qp;
	return 0;
}

/* Requests of the peer may wait for this: wake it. */
static void direct_modified(struct uroce_qp *qp, int mask)
{
	struct uroce_shared_qp *shared;
	struct uroce_peer *peer;

	if (!(mask & IBV_QP_STATE) || qp->state != IBV_QPS_RTR ||
	    qp->verbs.qp.qp_type == IBV_QPT_UD)
		return;
	peer = uroce_peer_of_qpn(qp->through, qp->attr.dest_qp_num, &shared);
	if (peer)
		uroce_peer_ring(qp->through, peer, UROCE_RING_PROGRESS);
}

static void direct_destroy(struct uroce_qp *qp)
{
	if (qp->through)
		uroce_visit_end(qp->context, qp->through);
	qp->through = NULL;
}

static void direct_nothing(struct uroce_qp *qp)
{
	(void)qp;
}

const struct uroce_path_ops uroce_direct_path = {
	.name = "direct",
	.start = direct_start,
	.modified = direct_modified,
	.progress = direct_progress,
	.stop = direct_nothing,
	.destroy = direct_destroy,
};
