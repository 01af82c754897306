/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ibv_wr_* calls, which build requests in the ring: ibv_wr_start() takes the lock and
 * ibv_wr_complete() publishes all requests since. After an error none of them is published.
 */
#include <errno.h>
#include <string.h>

#include "providers/rxe/rxe.h"

static struct rxe_qp *rxe_qp_of_ex(struct ibv_qp_ex *qp)
{
	return container_of(qp, struct rxe_qp, verbs.qp_ex);
}

static void rxe_wr_fail(struct rxe_qp *qp, int err)
{
	if (!qp->err)
		qp->err = err;
	qp->wqe = NULL;
}

static void rxe_wr_start(struct ibv_qp_ex *ibv)
{
	struct rxe_qp *qp = rxe_qp_of_ex(ibv);

	lock_take(&qp->lock);
	qp->next = rxe_queue_producer(&qp->sq);
	qp->room = rxe_queue_room(&qp->sq, qp->next);
	qp->first_ssn = qp->ssn;
	qp->wqe = NULL;
	qp->err = ibv->qp_base.state < IBV_QPS_RTS ? EINVAL : 0;
}

static int rxe_wr_complete(struct ibv_qp_ex *ibv)
{
	struct rxe_qp *qp = rxe_qp_of_ex(ibv);
	const bool any = qp->ssn != qp->first_ssn;
	int err = qp->err;

	if (unlikely(err))
		qp->ssn = qp->first_ssn;
	else
		rxe_queue_produce(&qp->sq, qp->next);
	lock_release(&qp->lock);
	return !err && any ? default_wake_kernel(&ibv->qp_base) : err;
}

static void rxe_wr_abort(struct ibv_qp_ex *ibv)
{
	struct rxe_qp *qp = rxe_qp_of_ex(ibv);

	qp->ssn = qp->first_ssn;
	lock_release(&qp->lock);
}

/* Begins the next request. NULL after an error. */
static struct rxe_send_wqe *rxe_wr_begin(struct rxe_qp *qp, enum ibv_wr_opcode opcode)
{
	struct ibv_qp_ex *ibv = &qp->verbs.qp_ex;
	struct rxe_send_wqe *wqe;

	if (unlikely(qp->err))
		return NULL;
	if (unlikely(!qp->room)) {
		rxe_wr_fail(qp, ENOMEM);
		return NULL;
	}
	qp->room--;
	wqe = rxe_queue_at(&qp->sq, qp->next++);
	/* IBV_SEND_INLINE is not copied: the inline setters set it. */
	rxe_wqe_begin(wqe, ibv->wr_id, opcode,
		      ibv->wr_flags & (IBV_SEND_FENCE | IBV_SEND_SIGNALED | IBV_SEND_SOLICITED |
				       IBV_SEND_IP_CSUM),
		      ++qp->ssn);
	rxe_wqe_set_length(&wqe->dma, 0, 0);
	qp->wqe = wqe;
	return wqe;
}

/* ---- Builders: each begins a request ---- */

static void rxe_wr_send(struct ibv_qp_ex *qp)
{
	rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_SEND);
}

static void wr_send_imm(struct ibv_qp_ex *qp, __be32 imm_data)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_SEND_WITH_IMM);

	if (wqe)
		wqe->wr.ex.imm_data = imm_data;
}

static void rxe_wr_send_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_SEND_WITH_INV);

	if (wqe)
		wqe->wr.ex.invalidate_rkey = rkey;
}

static void rxe_wr_rdma_read(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_RDMA_READ);

	if (wqe)
		rxe_wqe_set_remote(wqe, addr, rkey);
}

static void rxe_wr_rdma_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_RDMA_WRITE);

	if (wqe)
		rxe_wqe_set_remote(wqe, addr, rkey);
}

static void wr_rdma_write_imm(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, __be32 imm_data)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_RDMA_WRITE_WITH_IMM);

	if (!wqe)
		return;
	rxe_wqe_set_remote(wqe, addr, rkey);
	wqe->wr.ex.imm_data = imm_data;
}

static void wr_atomic_cmp_swp(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, uint64_t compare,
			      uint64_t swap)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_ATOMIC_CMP_AND_SWP);

	if (wqe)
		rxe_wqe_set_atomic(wqe, addr, rkey, compare, swap);
}

static void wr_atomic_fetch_add(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, uint64_t add)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_ATOMIC_FETCH_AND_ADD);

	if (wqe)
		rxe_wqe_set_atomic(wqe, addr, rkey, add, 0);
}

static void wr_atomic_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, const void *value)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_ATOMIC_WRITE);

	if (!wqe)
		return;
	rxe_wqe_set_remote(wqe, addr, rkey);
	memcpy(wqe->dma.inline_data, value, sizeof(uint64_t));
	rxe_wqe_set_length(&wqe->dma, sizeof(uint64_t), 0);
}

static void wr_bind_mw(struct ibv_qp_ex *qp, struct ibv_mw *mw, uint32_t rkey,
		       const struct ibv_mw_bind_info *info)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_BIND_MW);

	if (wqe)
		rxe_wqe_set_bind(wqe, mw, rkey, info);
}

static void wr_local_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct rxe_send_wqe *wqe = rxe_wr_begin(rxe_qp_of_ex(qp), IBV_WR_LOCAL_INV);

	if (wqe)
		wqe->wr.ex.invalidate_rkey = rkey;
}

/* ---- Setters: address and data of the last request ---- */

static void set_ud_addr(struct ibv_qp_ex *qp, struct ibv_ah *ah, uint32_t qpn, uint32_t qkey)
{
	struct rxe_send_wqe *wqe = rxe_qp_of_ex(qp)->wqe;

	if (wqe)
		rxe_set_address(wqe, ah, qpn, qkey);
}

static void rxe_set_sge(struct ibv_qp_ex *ibv, uint32_t lkey, uint64_t addr, uint32_t length)
{
	struct rxe_qp *qp = rxe_qp_of_ex(ibv);

	if (unlikely(!qp->wqe))
		return;
	if (unlikely(!qp->max_sge)) {
		rxe_wr_fail(qp, EINVAL);
		return;
	}
	qp->wqe->dma.sge[0] = (struct rxe_sge){.addr = addr, .length = length, .lkey = lkey};
	rxe_wqe_set_length(&qp->wqe->dma, length, 1);
}

static void rxe_set_sge_list(struct ibv_qp_ex *ibv, size_t num_sge, const struct ibv_sge *list)
{
	struct rxe_qp *qp = rxe_qp_of_ex(ibv);
	uint64_t length = 0;

	if (unlikely(!qp->wqe))
		return;
	for (size_t i = 0; i < num_sge && i < qp->max_sge; i++) {
		length += list[i].length;
		memcpy(&qp->wqe->dma.sge[i], &list[i], sizeof(list[i]));
	}
	if (unlikely(num_sge > qp->max_sge || length > UINT32_MAX))
		rxe_wr_fail(qp, EINVAL);
	else
		rxe_wqe_set_length(&qp->wqe->dma, (uint32_t)length, (uint32_t)num_sge);
}

static void rxe_set_inline_data_list(struct ibv_qp_ex *ibv, size_t num_buf,
				     const struct ibv_data_buf *list)
{
	struct rxe_qp *qp = rxe_qp_of_ex(ibv);
	uint32_t length = 0;

	if (unlikely(!qp->wqe))
		return;
	for (size_t i = 0; i < num_buf; i++) {
		if (unlikely(list[i].length > qp->max_inline - length)) {
			rxe_wr_fail(qp, EINVAL);
			return;
		}
		if (list[i].length)
			memcpy(qp->wqe->dma.inline_data + length, list[i].addr, list[i].length);
		length += (uint32_t)list[i].length;
	}
	qp->wqe->wr.send_flags |= IBV_SEND_INLINE;
	rxe_wqe_set_length(&qp->wqe->dma, length, 0);
}

static void rxe_set_inline_data(struct ibv_qp_ex *qp, void *addr, size_t length)
{
	const struct ibv_data_buf buf = {.addr = addr, .length = length};

	rxe_set_inline_data_list(qp, 1, &buf);
}

void rxe_set_qp_calls(struct ibv_qp_ex *qp)
{
	qp->wr_start = rxe_wr_start;
	qp->wr_complete = rxe_wr_complete;
	qp->wr_abort = rxe_wr_abort;
	qp->wr_send = rxe_wr_send;
	qp->wr_send_imm = wr_send_imm;
	qp->wr_send_inv = rxe_wr_send_inv;
	qp->wr_rdma_read = rxe_wr_rdma_read;
	qp->wr_rdma_write = rxe_wr_rdma_write;
	qp->wr_rdma_write_imm = wr_rdma_write_imm;
	qp->wr_atomic_cmp_swp = wr_atomic_cmp_swp;
	qp->wr_atomic_fetch_add = wr_atomic_fetch_add;
	qp->wr_atomic_write = wr_atomic_write;
	qp->wr_bind_mw = wr_bind_mw;
	qp->wr_local_inv = wr_local_inv;
	qp->wr_set_ud_addr = set_ud_addr;
	qp->wr_set_sge = rxe_set_sge;
	qp->wr_set_sge_list = rxe_set_sge_list;
	qp->wr_set_inline_data = rxe_set_inline_data;
	qp->wr_set_inline_data_list = rxe_set_inline_data_list;
}
