/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ibv_wr_* calls: ibv_wr_start() takes the lock, the builders fill requests after the tail, and
 * ibv_wr_complete() adds them all. After an error none is added.
 */
#include <errno.h>
#include <string.h>

#include "providers/uroce/qp.h"

int uroce_check_send_ops(enum ibv_qp_type type, uint64_t ops)
{
	const uint64_t datagram = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_IMM;
	const uint64_t unreliable = datagram | IBV_QP_EX_WITH_RDMA_WRITE |
				    IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM | IBV_QP_EX_WITH_LOCAL_INV |
				    IBV_QP_EX_WITH_BIND_MW | IBV_QP_EX_WITH_SEND_WITH_INV;
	const uint64_t reliable = unreliable | IBV_QP_EX_WITH_RDMA_READ |
				  IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP |
				  IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD;
	const uint64_t all = type == IBV_QPT_RC	  ? reliable
			     : type == IBV_QPT_UC ? unreliable
						  : datagram;

	return ops & ~all ? EOPNOTSUPP : 0;
}

static struct uroce_qp *qp_of_ex(struct ibv_qp_ex *qp)
{
	return container_of(qp, struct uroce_qp, verbs.qp_ex);
}

static void wr_fail(struct uroce_qp *qp, int err)
{
	if (!qp->wr_err)
		qp->wr_err = err;
	qp->wr = NULL;
}

static void uroce_wr_start(struct ibv_qp_ex *ibv)
{
	struct uroce_qp *qp = qp_of_ex(ibv);

	pthread_mutex_lock(&qp->lock);
	qp->wr = NULL;
	qp->wr_tail = qp->sq.tail;
	qp->wr_err = uroce_can_post(qp);
}

static int uroce_wr_complete(struct ibv_qp_ex *ibv)
{
	struct uroce_qp *qp = qp_of_ex(ibv);
	const int err = qp->wr_err;

	if (likely(!err)) {
		qp->sq.tail = qp->wr_tail;
		uroce_posted(qp);
	}
	qp->wr = NULL;
	pthread_mutex_unlock(&qp->lock);
	return err;
}

static void uroce_wr_abort(struct ibv_qp_ex *ibv)
{
	struct uroce_qp *qp = qp_of_ex(ibv);

	qp->wr = NULL;
	pthread_mutex_unlock(&qp->lock);
}

/* Begins the next request. NULL after an error. */
static struct uroce_wqe *wr_begin(struct ibv_qp_ex *ibv, enum ibv_wr_opcode opcode)
{
	struct uroce_qp *qp = qp_of_ex(ibv);
	struct uroce_wqe *wqe;

	if (unlikely(qp->wr_err))
		return NULL;
	if (unlikely(!uroce_opcode_fits(qp->verbs.qp.qp_type, opcode))) {
		wr_fail(qp, EINVAL);
		return NULL;
	}
	if (unlikely(qp->wr_tail - qp->sq.head >= qp->sq.max_wr)) {
		wr_fail(qp, ENOMEM);
		return NULL;
	}
	wqe = uroce_sq_at(qp, qp->wr_tail++);
	wqe->wr_id = ibv->wr_id;
	wqe->opcode = (uint8_t)opcode;
	wqe->signaled = qp->all_signaled || ibv->wr_flags & IBV_SEND_SIGNALED;
	wqe->solicited = ibv->wr_flags & IBV_SEND_SOLICITED;
	wqe->fence = ibv->wr_flags & IBV_SEND_FENCE;
	wqe->is_inline = false;
	wqe->num_sge = 0;
	wqe->length = 0;
	wqe->imm = 0;
	wqe->invalidated = false;
	/* UD without an address goes nowhere. */
	wqe->ah = NULL;
	wqe->is_ours = wqe->is_group = false;
	qp->wr = wqe;
	return wqe;
}

/* ---- Builders ---- */

static void uroce_wr_send(struct ibv_qp_ex *qp)
{
	wr_begin(qp, IBV_WR_SEND);
}

static void uroce_wr_send_imm(struct ibv_qp_ex *qp, __be32 imm)
{
	struct uroce_wqe *wqe = wr_begin(qp, IBV_WR_SEND_WITH_IMM);

	if (wqe)
		wqe->imm = imm;
}

static void uroce_wr_send_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct uroce_wqe *wqe = wr_begin(qp, IBV_WR_SEND_WITH_INV);

	if (wqe)
		wqe->imm = rkey;
}

static void uroce_wr_local_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct uroce_wqe *wqe = wr_begin(qp, IBV_WR_LOCAL_INV);

	if (wqe)
		wqe->imm = rkey;
}

static struct uroce_wqe *wr_remote(struct ibv_qp_ex *qp, enum ibv_wr_opcode opcode, uint32_t rkey,
				   uint64_t addr)
{
	struct uroce_wqe *wqe = wr_begin(qp, opcode);

	if (wqe) {
		wqe->rkey = rkey;
		wqe->remote_addr = addr;
	}
	return wqe;
}

static void uroce_wr_rdma_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	wr_remote(qp, IBV_WR_RDMA_WRITE, rkey, addr);
}

static void uroce_wr_rdma_write_imm(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, __be32 imm)
{
	struct uroce_wqe *wqe = wr_remote(qp, IBV_WR_RDMA_WRITE_WITH_IMM, rkey, addr);

	if (wqe)
		wqe->imm = imm;
}

static void uroce_wr_rdma_read(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	wr_remote(qp, IBV_WR_RDMA_READ, rkey, addr);
}

static void uroce_wr_atomic_cmp_swp(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr,
				    uint64_t compare, uint64_t swap)
{
	struct uroce_wqe *wqe = wr_remote(qp, IBV_WR_ATOMIC_CMP_AND_SWP, rkey, addr);

	if (wqe) {
		wqe->compare_add = compare;
		wqe->swap = swap;
	}
}

static void uroce_wr_atomic_fetch_add(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr,
				      uint64_t add)
{
	struct uroce_wqe *wqe = wr_remote(qp, IBV_WR_ATOMIC_FETCH_AND_ADD, rkey, addr);

	if (wqe)
		wqe->compare_add = add;
}

static void uroce_wr_bind_mw(struct ibv_qp_ex *qp, struct ibv_mw *mw, uint32_t rkey,
			     const struct ibv_mw_bind_info *info)
{
	struct uroce_wqe *wqe = wr_begin(qp, IBV_WR_BIND_MW);

	if (!wqe)
		return;
	if (mw->pd != qp->qp_base.pd || (info->length && !info->mr) || (rkey ^ mw->rkey) >> 8) {
		wr_fail(qp_of_ex(qp), EINVAL);
		return;
	}
	wqe->mw = container_of(mw, struct uroce_mw, mw);
	wqe->mr = info->mr ? container_of(info->mr, struct uroce_mr, verbs.ibv_mr) : NULL;
	wqe->bind_addr = info->addr;
	wqe->bind_length = info->length;
	wqe->bind_access = info->mw_access_flags;
	wqe->bind_rkey = rkey;
}

/* ---- Setters ---- */

static void uroce_wr_set_sge_list(struct ibv_qp_ex *ibv, size_t num_sge, const struct ibv_sge *list)
{
	struct uroce_qp *qp = qp_of_ex(ibv);
	uint64_t length = 0;

	if (unlikely(!qp->wr))
		return;
	for (size_t i = 0; i < num_sge && i <= UROCE_MAX_SGE; i++)
		length += list[i].length;
	if (unlikely(num_sge > qp->sq.max_sge || length > UINT32_MAX)) {
		wr_fail(qp, EINVAL);
		return;
	}
	if (num_sge)
		memcpy(qp->wr->sge, list, num_sge * sizeof(*list));
	qp->wr->num_sge = (uint32_t)num_sge;
	qp->wr->length = (uint32_t)length;
	qp->wr->is_inline = false;
}

static void uroce_wr_set_sge(struct ibv_qp_ex *qp, uint32_t lkey, uint64_t addr, uint32_t length)
{
	const struct ibv_sge sge = {.addr = addr, .length = length, .lkey = lkey};

	uroce_wr_set_sge_list(qp, 1, &sge);
}

static void uroce_wr_set_inline_data_list(struct ibv_qp_ex *ibv, size_t num_buf,
					  const struct ibv_data_buf *list)
{
	struct uroce_qp *qp = qp_of_ex(ibv);
	size_t length = 0;

	if (unlikely(!qp->wr))
		return;
	for (size_t i = 0; i < num_buf; i++) {
		if (unlikely(list[i].length > qp->sq.max_inline - length)) {
			wr_fail(qp, EINVAL);
			return;
		}
		if (list[i].length)
			memcpy((char *)uroce_wqe_inline(qp, qp->wr) + length, list[i].addr,
			       list[i].length);
		length += list[i].length;
	}
	qp->wr->num_sge = 0;
	qp->wr->length = (uint32_t)length;
	qp->wr->is_inline = true;
}

static void uroce_wr_set_inline_data(struct ibv_qp_ex *qp, void *addr, size_t length)
{
	const struct ibv_data_buf buf = {.addr = addr, .length = length};

	uroce_wr_set_inline_data_list(qp, 1, &buf);
}

static void uroce_wr_set_ud_addr(struct ibv_qp_ex *ibv, struct ibv_ah *ah, uint32_t qpn,
				 uint32_t qkey)
{
	struct uroce_qp *qp = qp_of_ex(ibv);

	if (likely(qp->wr))
		uroce_wqe_address(qp->wr, ah, qpn, qkey);
}

void uroce_set_qp_calls(struct ibv_qp_ex *qp)
{
	qp->wr_start = uroce_wr_start;
	qp->wr_complete = uroce_wr_complete;
	qp->wr_abort = uroce_wr_abort;
	qp->wr_send = uroce_wr_send;
	qp->wr_send_imm = uroce_wr_send_imm;
	qp->wr_send_inv = uroce_wr_send_inv;
	qp->wr_local_inv = uroce_wr_local_inv;
	qp->wr_rdma_write = uroce_wr_rdma_write;
	qp->wr_rdma_write_imm = uroce_wr_rdma_write_imm;
	qp->wr_rdma_read = uroce_wr_rdma_read;
	qp->wr_atomic_cmp_swp = uroce_wr_atomic_cmp_swp;
	qp->wr_atomic_fetch_add = uroce_wr_atomic_fetch_add;
	qp->wr_bind_mw = uroce_wr_bind_mw;
	qp->wr_set_sge = uroce_wr_set_sge;
	qp->wr_set_sge_list = uroce_wr_set_sge_list;
	qp->wr_set_inline_data = uroce_wr_set_inline_data;
	qp->wr_set_inline_data_list = uroce_wr_set_inline_data_list;
	qp->wr_set_ud_addr = uroce_wr_set_ud_addr;
}
