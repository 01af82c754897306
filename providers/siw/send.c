/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Posts lists of send and receive requests to a QP. */
#include <errno.h>
#include <string.h>

#include "providers/siw/siw.h"

static struct siw_qp *siw_qp_of(struct ibv_qp *qp)
{
	return container_of(qp, struct siw_qp, verbs.qp);
}

static int siw_fill_inline(struct siw_sqe *sqe, const struct ibv_send_wr *wr)
{
	uint32_t length = 0;

	if (!siw_sqe_can_inline(sqe))
		return EINVAL;
	for (int i = 0; i < wr->num_sge; i++) {
		const struct ibv_sge *sge = &wr->sg_list[i];

		if (sge->length > SIW_MAX_INLINE - length)
			return EINVAL;
		/* An entry of length 0 may have an invalid address. */
		if (sge->length)
			memcpy(siw_sqe_inline(sqe) + length, (const void *)(uintptr_t)sge->addr,
			       sge->length);
		length += sge->length;
	}
	siw_sqe_set_inline(sqe, length);
	return 0;
}

/* iWARP reads into a single entry. */
static int fill_read(struct siw_sqe *sqe, const struct ibv_send_wr *wr)
{
	if (wr->num_sge < 0 || wr->num_sge > 1)
		return EINVAL;
	memset(&sqe->sge[0], 0, sizeof(sqe->sge[0]));
	if (wr->num_sge)
		memcpy(&sqe->sge[0], wr->sg_list, sizeof(sqe->sge[0]));
	sqe->num_sge = 1;
	return 0;
}

static int siw_fill_sge_list(struct siw_qp *qp, struct siw_sqe *sqe, const struct ibv_send_wr *wr)
{
	if ((uint32_t)wr->num_sge > qp->max_sge)
		return EINVAL;
	/* One by one: an empty list may be NULL, which memcpy() does not allow. */
	for (int i = 0; i < wr->num_sge; i++)
		memcpy(&sqe->sge[i], &wr->sg_list[i], sizeof(sqe->sge[0]));
	sqe->num_sge = (uint8_t)wr->num_sge;
	return 0;
}

static int siw_fill_sqe(struct siw_qp *qp, struct siw_sqe *sqe, const struct ibv_send_wr *wr)
{
	switch (wr->opcode) {
	case IBV_WR_SEND:
		sqe->opcode = SIW_OP_SEND;
		break;
	case IBV_WR_SEND_WITH_INV:
		sqe->opcode = SIW_OP_SEND_REMOTE_INV;
		sqe->rkey = wr->invalidate_rkey;
		break;
	case IBV_WR_RDMA_WRITE:
		sqe->opcode = SIW_OP_WRITE;
		sqe->raddr = wr->wr.rdma.remote_addr;
		sqe->rkey = wr->wr.rdma.rkey;
		break;
	case IBV_WR_RDMA_READ:
		sqe->opcode = SIW_OP_READ;
		sqe->raddr = wr->wr.rdma.remote_addr;
		sqe->rkey = wr->wr.rdma.rkey;
		break;
	default:
		return EINVAL;
	}
	sqe->id = wr->wr_id;
	if (wr->send_flags & IBV_SEND_INLINE)
		return siw_fill_inline(sqe, wr);
	return wr->opcode == IBV_WR_RDMA_READ ? fill_read(sqe, wr) : siw_fill_sge_list(qp, sqe, wr);
}

static int siw_post_one_send(struct siw_qp *qp, const struct ibv_send_wr *wr)
{
	struct siw_sqe *sqe = siw_array_at(&qp->sq, qp->sq.next, sizeof(*sqe));
	uint16_t flags;
	int err;

	if (__atomic_load_n(&sqe->flags, __ATOMIC_ACQUIRE))
		return ENOMEM;
	err = siw_fill_sqe(qp, sqe, wr);
	if (err)
		return err;
	flags = siw_sqe_flags(qp, wr->send_flags, sqe->opcode);
	if (wr->send_flags & IBV_SEND_INLINE)
		flags |= SIW_WQE_INLINE;
	__atomic_store_n(&sqe->flags, flags, __ATOMIC_RELEASE);
	qp->sq.next++;
	return 0;
}

int siw_post_send(struct ibv_qp *ibv, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct siw_qp *qp = siw_qp_of(ibv);
	struct ibv_send_wr *const first = wr;
	int err = 0, wake_err;

	lock_take(&qp->lock);
	for (; wr; wr = wr->next) {
		err = siw_post_one_send(qp, wr);
		if (err) {
			*bad = wr;
			break;
		}
	}
	lock_release(&qp->lock);
	if (wr == first)
		return err;
	/* The kernel stops reading the queue when it is empty. */
	wake_err = default_wake_kernel(ibv);
	if (wake_err && !err) {
		*bad = first;
		err = wake_err;
	}
	return err;
}

int siw_post_recv(struct ibv_qp *ibv, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct siw_qp *qp = siw_qp_of(ibv);

	if (!qp->rq.array.start) {
		*bad = wr;
		return EINVAL;
	}
	return siw_rq_post(&qp->rq, wr, bad);
}
