/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages on the direct path: SEND, and the receive request that a WRITE with immediate takes. */
#include <errno.h>
#include <sys/uio.h>

#include "providers/uroce/request.h"

/*
 * With the lock of the receive queue: returns a receive request, or UROCE_NO_RECEIVE after it has
 * registered us to be woken.
 */
int uroce_take_recv(struct uroce_target *target, struct uroce_shared_rq *rq,
		    struct uroce_recv *recv)
{
	int err = uroce_recv_peek(target, rq, recv);

	if (err == ENOENT) {
		uroce_add_waiter(target->context, rq);
		err = uroce_recv_peek(target, rq, recv);
	}
	if (err == ENOENT)
		return UROCE_NO_RECEIVE;
	return err ? IBV_WC_REM_OP_ERR : 0;
}

/*
 * Completes the receive request with an error and puts the peer's QP into the error state. Returns
 * the status of our request.
 */
static int fail_receive(struct uroce_target *target, struct uroce_shared_rq *rq,
			const struct uroce_recv *recv, enum ibv_wc_status status, int own_status)
{
	struct uroce_cqe cqe = {.wr_id = recv->wr_id, .status = status, .opcode = IBV_WC_RECV};

	if (uroce_recv_done(target, rq, &cqe) == UROCE_CQ_BUSY)
		return UROCE_NOT_READY;
	uroce_target_fault(target, UROCE_FAULT_LOCAL);
	return own_status;
}

static void describe_message(const struct uroce_qp *qp, const struct uroce_wqe *wqe,
			     struct uroce_cqe *cqe)
{
	cqe->src_qp = qp->verbs.qp.qp_num;
	cqe->solicited = wqe->solicited;
	switch (wqe->opcode) {
	case IBV_WR_SEND_WITH_IMM:
	case IBV_WR_RDMA_WRITE_WITH_IMM:
		cqe->wc_flags |= IBV_WC_WITH_IMM;
		cqe->imm = wqe->imm;
		break;
	case IBV_WR_SEND_WITH_INV:
		cqe->wc_flags |= IBV_WC_WITH_INV;
		cqe->imm = wqe->imm;
		break;
	default:
		break;
	}
}

/*
 * Copies the data of a SEND into the receive request, which stays in the queue until it is
 * completed.
 */
static int deliver_message(struct uroce_target *target, struct uroce_shared_rq *rq,
			   struct uroce_recv *recv, const struct iovec *local, size_t locals,
			   uint64_t length)
{
	int status;

	if (recv->bad)
		return fail_receive(target, rq, recv, IBV_WC_LOC_PROT_ERR, IBV_WC_REM_OP_ERR);
	if (length > recv->length)
		return fail_receive(target, rq, recv, IBV_WC_LOC_LEN_ERR, IBV_WC_REM_INV_REQ_ERR);
	status = uroce_copy_status(target, uroce_recv_write(target, recv, length, local, locals));
	if (unlikely(status == UROCE_NOT_MAPPED))
		return fail_receive(target, rq, recv, IBV_WC_LOC_PROT_ERR, IBV_WC_REM_OP_ERR);
	return status;
}

/*
 * Removes the receive request from the queue when its completion is added. If its CQ is busy, the
 * whole request is executed again later; until then we may write to its memory.
 */
int uroce_finish_receive(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target,
			 struct uroce_shared_rq *rq, const struct uroce_recv *recv,
			 enum ibv_wc_opcode opcode, const void *payload)
{
	struct uroce_cqe cqe = {
		.wr_id = recv->wr_id,
		.opcode = opcode,
		.byte_len = wqe->length,
	};

	describe_message(qp, wqe, &cqe);
	switch (payload ? uroce_recv_done_with(target, rq, &cqe, recv, payload)
			: uroce_recv_done(target, rq, &cqe)) {
	case UROCE_ADDED:
		return 0;
	case UROCE_CQ_BUSY:
		return UROCE_NOT_READY;
	default:
		return IBV_WC_REM_OP_ERR;
	}
}

/*
 * The data of an inline message that goes with its completion: its sender asks for speed. Any other message goes into the
 * peer's memory at once, and if that is not mapped the sender is told.
 */
static const void *short_message(struct uroce_qp *qp, struct uroce_wqe *wqe,
				 const struct uroce_target *target, const struct uroce_recv *recv)
{
	const uint32_t remote = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ |
				IBV_ACCESS_REMOTE_ATOMIC;

	/* A WRITE or READ of the same QP comes after it, also where the receiver polls later. */
	return wqe->is_inline && !(target->access & remote) &&
			       uroce_recv_takes_payload(target, recv, wqe->length)
		       ? uroce_wqe_inline(qp, wqe)
		       : NULL;
}

/* The window is invalidated once nothing else can fail. */
static int send_to_receive(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target,
			   struct uroce_shared_rq *rq, const struct iovec *local, size_t locals)
{
	const bool invalidates = wqe->opcode == IBV_WR_SEND_WITH_INV && !wqe->invalidated;
	struct uroce_arena *arena = target->peer->arena;
	const void *message = NULL;
	struct uroce_recv recv;
	int status = uroce_take_recv(target, rq, &recv);

	if (!status && unlikely(invalidates) &&
	    !uroce_key_can_be_invalidated(arena, wqe->imm, target->pd, target->number)) {
		uroce_target_fault(target, UROCE_FAULT_ACCESS);
		status = IBV_WC_REM_ACCESS_ERR;
	}
	if (!status)
		message = short_message(qp, wqe, target, &recv);
	if (!status && !message)
		status = deliver_message(target, rq, &recv, local, locals, wqe->length);
	/* Do this before the peer can see the completion and bind the window again. */
	if (!status && unlikely(invalidates))
		wqe->invalidated =
			uroce_key_invalidate(arena, wqe->imm, target->pd, target->number);
	return status ? status
		      : uroce_finish_receive(qp, wqe, target, rq, &recv, IBV_WC_RECV, message);
}

int uroce_send_message(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	struct iovec local[UROCE_MAX_SGE];
	struct uroce_shared_rq *rq;
	size_t locals;
	int status;

	if (!uroce_gather(qp, wqe, 0, local, &locals))
		return IBV_WC_LOC_PROT_ERR;
	rq = uroce_recv_lock(target);
	if (unlikely(!rq))
		return UROCE_NOT_READY;
	status = send_to_receive(qp, wqe, target, rq, local, locals);
	uroce_recv_unlock(target, rq);
	return status;
}
