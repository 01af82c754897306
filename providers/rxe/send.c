/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Posts lists of send and receive requests to a QP. */
#include <errno.h>
#include <string.h>

#include "providers/rxe/rxe.h"

enum {
	SEND_FLAGS = IBV_SEND_FENCE | IBV_SEND_SIGNALED | IBV_SEND_SOLICITED | IBV_SEND_INLINE |
		     IBV_SEND_IP_CSUM,
	/* Requests that send data, and so may be inline. */
	SENDING = 1 << IBV_WR_SEND | 1 << IBV_WR_SEND_WITH_IMM | 1 << IBV_WR_SEND_WITH_INV |
		  1 << IBV_WR_RDMA_WRITE | 1 << IBV_WR_RDMA_WRITE_WITH_IMM,
};

static struct rxe_qp *rxe_qp_of(struct ibv_qp *qp)
{
	return container_of(qp, struct rxe_qp, verbs.qp);
}

static int rxe_fill_inline(struct rxe_qp *qp, struct rxe_send_wqe *wqe,
			   const struct ibv_send_wr *wr)
{
	uint32_t length = 0;

	if (unlikely(!(SENDING & 1U << wr->opcode)))
		return EINVAL;
	for (int i = 0; i < wr->num_sge; i++) {
		const struct ibv_sge *sge = &wr->sg_list[i];

		if (unlikely(sge->length > qp->max_inline - length))
			return EINVAL;
		/* An entry of length 0 may have an invalid address. */
		if (sge->length)
			memcpy(wqe->dma.inline_data + length, (const void *)(uintptr_t)sge->addr,
			       sge->length);
		length += sge->length;
	}
	rxe_wqe_set_length(&wqe->dma, length, 0);
	return 0;
}

static int rxe_fill_sge_list(struct rxe_qp *qp, struct rxe_send_wqe *wqe,
			     const struct ibv_send_wr *wr)
{
	const uint32_t num_sge = (uint32_t)wr->num_sge;
	uint64_t length = 0;

	if (unlikely(num_sge > qp->max_sge))
		return EINVAL;
	for (uint32_t i = 0; i < num_sge; i++) {
		length += wr->sg_list[i].length;
		memcpy(&wqe->dma.sge[i], &wr->sg_list[i], sizeof(wqe->dma.sge[i]));
	}
	if (unlikely(length > UINT32_MAX))
		return EINVAL;
	rxe_wqe_set_length(&wqe->dma, (uint32_t)length, num_sge);
	return 0;
}

/* The eight bytes are at sg_list[0].addr and are copied, as with IBV_SEND_INLINE. */
static int fill_atomic_write(struct rxe_send_wqe *wqe, const struct ibv_send_wr *wr)
{
	if (wr->num_sge != 1 || wr->sg_list[0].length != sizeof(uint64_t))
		return EINVAL;
	memcpy(wqe->dma.inline_data, (const void *)(uintptr_t)wr->sg_list[0].addr,
	       sizeof(uint64_t));
	rxe_wqe_set_length(&wqe->dma, sizeof(uint64_t), 0);
	return 0;
}

static int rxe_fill_send_wqe(struct rxe_qp *qp, struct rxe_send_wqe *wqe,
			     const struct ibv_send_wr *wr, uint32_t ssn)
{
	const uint32_t opcode = wr->opcode;

	if (unlikely(opcode >= RXE_OPCODES || !(qp->opcodes & 1U << opcode)))
		return EINVAL;
	rxe_wqe_begin(wqe, wr->wr_id, opcode, wr->send_flags & SEND_FLAGS, ssn);
	wqe->wr.ex.imm_data = wr->imm_data; /* or invalidate_rkey: both are unions */
	if (qp->verbs.qp.qp_type == IBV_QPT_UD) {
		rxe_set_address(wqe, wr->wr.ud.ah, wr->wr.ud.remote_qpn, wr->wr.ud.remote_qkey);
	} else if (opcode <= IBV_WR_RDMA_READ) {
		rxe_wqe_set_remote(wqe, wr->wr.rdma.remote_addr, wr->wr.rdma.rkey);
	} else {
		switch (opcode) {
		case IBV_WR_ATOMIC_CMP_AND_SWP:
		case IBV_WR_ATOMIC_FETCH_AND_ADD:
			rxe_wqe_set_atomic(wqe, wr->wr.atomic.remote_addr, wr->wr.atomic.rkey,
					   wr->wr.atomic.compare_add, wr->wr.atomic.swap);
			break;
		case IBV_WR_BIND_MW:
			rxe_wqe_set_bind(wqe, wr->bind_mw.mw, wr->bind_mw.rkey,
					 &wr->bind_mw.bind_info);
			rxe_wqe_set_length(&wqe->dma, 0, 0);
			return 0;
		case IBV_WR_LOCAL_INV:
			rxe_wqe_set_length(&wqe->dma, 0, 0);
			return 0;
		case IBV_WR_ATOMIC_WRITE:
			rxe_wqe_set_remote(wqe, wr->wr.rdma.remote_addr, wr->wr.rdma.rkey);
			return fill_atomic_write(wqe, wr);
		default:
			break;
		}
	}
	return unlikely(wr->send_flags & IBV_SEND_INLINE) ? rxe_fill_inline(qp, wqe, wr)
							  : rxe_fill_sge_list(qp, wqe, wr);
}

int rxe_post_send(struct ibv_qp *ibv, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct rxe_qp *qp = rxe_qp_of(ibv);
	struct ibv_send_wr *const first = wr;
	uint32_t start, index, room;
	int err = 0, wake_err;

	if (unlikely(ibv->state < IBV_QPS_RTS)) {
		*bad = wr;
		return EINVAL;
	}
	lock_take(&qp->lock);
	start = index = rxe_queue_producer(&qp->sq);
	room = rxe_queue_room(&qp->sq, start);
	for (; wr; wr = wr->next, index++, room--) {
		err = unlikely(!room) ? ENOMEM
				      : rxe_fill_send_wqe(qp, rxe_queue_at(&qp->sq, index), wr,
							  qp->ssn + 1);
		if (unlikely(err)) {
			*bad = wr;
			break;
		}
		qp->ssn++;
	}
	rxe_queue_produce(&qp->sq, index);
	lock_release(&qp->lock);
	if (unlikely(index == start))
		return err;
	/* The kernel reads the send queue only when it is called. */
	wake_err = default_wake_kernel(ibv);
	if (unlikely(wake_err && !err)) {
		*bad = first;
		err = wake_err;
	}
	return err;
}

int rxe_post_recv(struct ibv_qp *ibv, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct rxe_qp *qp = rxe_qp_of(ibv);
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};
	int err;

	if (unlikely(!qp->rq.queue.buf || ibv->state == IBV_QPS_RESET)) {
		*bad = wr;
		return EINVAL;
	}
	err = rxe_rq_post(&qp->rq, wr, bad);
	/* The kernel flushes receive requests only on a change to ERR, so request the change again. */
	if (unlikely(ibv->state == IBV_QPS_ERR))
		hf_provider_modify_qp(ibv, &attr, IBV_QP_STATE, NULL);
	return err;
}

/* Binds a window of type 1, which gets its next key. */
int rxe_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind)
{
	struct ibv_send_wr *bad, wr = {
					 .wr_id = bind->wr_id,
					 .opcode = IBV_WR_BIND_MW,
					 .send_flags = bind->send_flags,
					 .bind_mw = {.mw = mw,
						     .rkey = ibv_inc_rkey(mw->rkey),
						     .bind_info = bind->bind_info},
				 };
	const struct ibv_mr *mr = bind->bind_info.mr;
	int err;

	if (bind->bind_info.mw_access_flags & IBV_ACCESS_ZERO_BASED)
		return EINVAL;
	if (!mr && bind->bind_info.length)
		return EINVAL;
	if (mr && (mr->pd != mw->pd || mw->pd != qp->pd))
		return EPERM;
	err = rxe_post_send(qp, &wr, &bad);
	if (!err)
		mw->rkey = wr.bind_mw.rkey;
	return err;
}
