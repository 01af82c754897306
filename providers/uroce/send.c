/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_post_send() and ibv_post_recv(): requests are checked and copied, then the path is called. */
#include <errno.h>
#include <string.h>

#include "providers/uroce/qp.h"

#define OPCODE(opcode) (1U << (opcode))

bool uroce_opcode_fits(enum ibv_qp_type type, enum ibv_wr_opcode opcode)
{
	const uint32_t datagram = OPCODE(IBV_WR_SEND) | OPCODE(IBV_WR_SEND_WITH_IMM);
	const uint32_t unreliable = datagram | OPCODE(IBV_WR_RDMA_WRITE) |
				    OPCODE(IBV_WR_RDMA_WRITE_WITH_IMM) | OPCODE(IBV_WR_LOCAL_INV) |
				    OPCODE(IBV_WR_BIND_MW) | OPCODE(IBV_WR_SEND_WITH_INV);
	const uint32_t reliable = unreliable | OPCODE(IBV_WR_RDMA_READ) |
				  OPCODE(IBV_WR_ATOMIC_CMP_AND_SWP) |
				  OPCODE(IBV_WR_ATOMIC_FETCH_AND_ADD);
	const uint32_t all = type == IBV_QPT_RC	  ? reliable
			     : type == IBV_QPT_UC ? unreliable
						  : datagram;

	return (unsigned int)opcode < 32 && all & OPCODE(opcode);
}

static bool can_be_inline(enum ibv_wr_opcode opcode)
{
	return opcode != IBV_WR_RDMA_READ && opcode != IBV_WR_ATOMIC_CMP_AND_SWP &&
	       opcode != IBV_WR_ATOMIC_FETCH_AND_ADD;
}

int uroce_can_post(const struct uroce_qp *qp)
{
	if (unlikely(atomic_load_explicit(&qp->context->gone, memory_order_relaxed)))
		return EIO;
	/* In SQE and ERR requests are flushed; before RTS there is no send queue yet (IBA 10.3.1). */
	return qp->state == IBV_QPS_RESET || qp->state == IBV_QPS_INIT || qp->state == IBV_QPS_RTR
		       ? EINVAL
		       : 0;
}

void uroce_wqe_address(struct uroce_wqe *wqe, const struct ibv_ah *ibv, uint32_t qpn, uint32_t qkey)
{
	const struct uroce_ah *ah = uroce_ah_of(ibv);

	wqe->ah = ah;
	wqe->address = ah->attr;
	wqe->source_gid = ah->source;
	wqe->is_ours = ah->is_ours;
	wqe->is_group = ah->is_group;
	wqe->dest_qpn = qpn;
	wqe->qkey = qkey;
}

static int copy_entries(const struct uroce_qp *qp, struct uroce_wqe *wqe,
			const struct ibv_send_wr *wr)
{
	uint64_t length = 0;

	if (wr->num_sge < 0 || (uint32_t)wr->num_sge > qp->sq.max_sge)
		return EINVAL;
	for (int i = 0; i < wr->num_sge; i++)
		length += wr->sg_list[i].length;
	if (length > UINT32_MAX)
		return EINVAL;
	wqe->length = (uint32_t)length;
	wqe->is_inline = wr->send_flags & IBV_SEND_INLINE && can_be_inline(wr->opcode);
	if (!wqe->is_inline) {
		wqe->num_sge = (uint32_t)wr->num_sge;
		if (wr->num_sge)
			memcpy(wqe->sge, wr->sg_list, wqe->num_sge * sizeof(wqe->sge[0]));
		return 0;
	}
	if (length > qp->sq.max_inline)
		return EINVAL;
	wqe->num_sge = 0;
	length = 0;
	/* Inline data needs no key, and is read while the program waits: an access error is its own. */
	for (int i = 0; i < wr->num_sge; i++) {
		if (wr->sg_list[i].length)
			memcpy((char *)uroce_wqe_inline(qp, wqe) + length,
			       (const void *)(uintptr_t)wr->sg_list[i].addr, wr->sg_list[i].length);
		length += wr->sg_list[i].length;
	}
	return 0;
}

static int copy_bind(const struct uroce_qp *qp, struct uroce_wqe *wqe, const struct ibv_send_wr *wr)
{
	const struct ibv_mw_bind_info *info = &wr->bind_mw.bind_info;

	if (!wr->bind_mw.mw || (info->length && !info->mr) || wr->bind_mw.mw->pd != qp->verbs.qp.pd)
		return EINVAL;
	wqe->mw = container_of(wr->bind_mw.mw, struct uroce_mw, mw);
	wqe->mr = info->mr ? container_of(info->mr, struct uroce_mr, verbs.ibv_mr) : NULL;
	wqe->bind_addr = info->addr;
	wqe->bind_length = info->length;
	wqe->bind_access = info->mw_access_flags;
	wqe->bind_rkey = wr->bind_mw.rkey;
	return (wqe->bind_rkey ^ wr->bind_mw.mw->rkey) >> 8 ? EINVAL : 0;
}

static int copy_request(struct uroce_qp *qp, const struct ibv_send_wr *wr)
{
	const enum ibv_qp_type type = qp->verbs.qp.qp_type;
	struct uroce_wqe *wqe = uroce_sq_at(qp, qp->sq.tail);

	if (unlikely(qp->sq.tail - qp->sq.head >= qp->sq.max_wr))
		return ENOMEM;
	if (unlikely(!uroce_opcode_fits(type, wr->opcode)))
		return EINVAL;
	wqe->wr_id = wr->wr_id;
	wqe->opcode = (uint8_t)wr->opcode;
	wqe->signaled = qp->all_signaled || wr->send_flags & IBV_SEND_SIGNALED;
	wqe->solicited = wr->send_flags & IBV_SEND_SOLICITED;
	wqe->fence = wr->send_flags & IBV_SEND_FENCE;
	wqe->imm = wr->imm_data;
	wqe->invalidated = false;
	if (type == IBV_QPT_UD) {
		if (!wr->wr.ud.ah)
			return EINVAL;
		uroce_wqe_address(wqe, wr->wr.ud.ah, wr->wr.ud.remote_qpn, wr->wr.ud.remote_qkey);
	} else if (wr->opcode == IBV_WR_BIND_MW) {
		wqe->num_sge = wqe->length = 0;
		wqe->is_inline = false;
		return copy_bind(qp, wqe, wr);
	} else if (wr->opcode == IBV_WR_ATOMIC_CMP_AND_SWP ||
		   wr->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
		wqe->remote_addr = wr->wr.atomic.remote_addr;
		wqe->rkey = wr->wr.atomic.rkey;
		wqe->compare_add = wr->wr.atomic.compare_add;
		wqe->swap = wr->wr.atomic.swap;
	} else {
		wqe->remote_addr = wr->wr.rdma.remote_addr;
		wqe->rkey = wr->wr.rdma.rkey;
	}
	return copy_entries(qp, wqe, wr);
}

void uroce_posted(struct uroce_qp *qp)
{
	uroce_qp_progress(qp);
	if (unlikely(qp->state == IBV_QPS_ERR || qp->state == IBV_QPS_SQE))
		uroce_flush_send(qp);
}

int uroce_post_send(struct ibv_qp *ibv, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);
	int err;

	pthread_mutex_lock(&qp->lock);
	err = uroce_can_post(qp);
	for (; wr && !err; wr = wr->next) {
		err = copy_request(qp, wr);
		/* A full queue may be so only because its requests were not executed yet. */
		if (unlikely(err == ENOMEM)) {
			uroce_posted(qp);
			err = copy_request(qp, wr);
		}
		if (unlikely(err))
			break;
		qp->sq.tail++;
	}
	uroce_posted(qp);
	pthread_mutex_unlock(&qp->lock);
	if (unlikely(err))
		*bad = wr;
	return err;
}

int uroce_post_recv(struct ibv_qp *ibv, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);
	uint32_t state = atomic_load_explicit(&qp->shared->state, memory_order_relaxed);
	int err = 0;

	if (unlikely(atomic_load_explicit(&qp->context->gone, memory_order_relaxed)))
		err = EIO;
	else if (unlikely(qp->srq || state == IBV_QPS_RESET))
		err = EINVAL;
	if (unlikely(err)) {
		*bad = wr;
		return err;
	}
	/* uroce_qp_set_state() takes the same lock: either it is seen here, or the request is there to be flushed. */
	err = uroce_rq_post(qp->context, &qp->rq, wr, bad, &qp->shared->state, &state);
	if (unlikely(state == IBV_QPS_ERR)) {
		pthread_mutex_lock(&qp->lock);
		if (qp->state == IBV_QPS_ERR)
			uroce_flush_recv(qp);
		pthread_mutex_unlock(&qp->lock);
	}
	return err;
}

/* A window of type 1: a request like others, with a new key. */
int uroce_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind)
{
	struct ibv_send_wr wr = {
		.wr_id = bind->wr_id,
		.opcode = IBV_WR_BIND_MW,
		.send_flags = bind->send_flags,
		.bind_mw =
			{
				.mw = mw,
				.rkey = ibv_inc_rkey(mw->rkey),
				.bind_info = bind->bind_info,
			},
	};
	struct ibv_send_wr *bad;
	int err;

	if (mw->type != IBV_MW_TYPE_1)
		return EINVAL;
	err = uroce_post_send(qp, &wr, &bad);
	if (!err)
		mw->rkey = wr.bind_mw.rkey;
	return err;
}
