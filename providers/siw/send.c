/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Posting lists of requests to a QP. */
#include <errno.h>
#include <string.h>

#include "providers/siw/siw.h"

_Static_assert(sizeof(struct ibv_sge) == sizeof(struct siw_sge), "scatter/gather entries");
_Static_assert(offsetof(struct ibv_sge, length) == offsetof(struct siw_sge, length), "length");
_Static_assert(offsetof(struct ibv_sge, lkey) == offsetof(struct siw_sge, lkey), "lkey");

static struct siw_qp *qp_of(struct ibv_qp *qp)
{
	return container_of(qp, struct siw_qp, verbs.qp);
}

/* The data go where the second and further entries would; the kernel knows, and finds them there. */
static int fill_inline(struct siw_sqe *sqe, const struct ibv_send_wr *wr)
{
	char *const data = (char *)&sqe->sge[1];
	size_t length = 0;

	for (int i = 0; i < wr->num_sge; i++) {
		const struct ibv_sge *sge = &wr->sg_list[i];

		if (sge->length > SIW_MAX_INLINE - length)
			return EINVAL;
		memcpy(data + length, (const void *)(uintptr_t)sge->addr, sge->length);
		length += sge->length;
	}
	sqe->sge[0] = (struct siw_sge){.laddr = (uintptr_t)data, .length = (uint32_t)length};
	sqe->num_sge = 1;
	return 0;
}

/* iWARP puts what it reads into one place. */
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

static int fill_list(struct siw_qp *qp, struct siw_sqe *sqe, const struct ibv_send_wr *wr)
{
	if ((uint32_t)wr->num_sge > qp->max_sge)
		return EINVAL;
	memcpy(sqe->sge, wr->sg_list, (size_t)wr->num_sge * sizeof(sqe->sge[0]));
	sqe->num_sge = (uint8_t)wr->num_sge;
	return 0;
}

static int fill(struct siw_qp *qp, struct siw_sqe *sqe, const struct ibv_send_wr *wr,
		uint16_t *flags)
{
	const bool is_inline = wr->send_flags & IBV_SEND_INLINE;

	*flags = SIW_WQE_VALID | qp->flags;
	if (wr->send_flags & IBV_SEND_SIGNALED)
		*flags |= SIW_WQE_SIGNALLED;
	if (wr->send_flags & IBV_SEND_SOLICITED)
		*flags |= SIW_WQE_SOLICITED;
	if (wr->send_flags & IBV_SEND_FENCE)
		*flags |= SIW_WQE_READ_FENCE;
	if (is_inline)
		*flags |= SIW_WQE_INLINE;
	sqe->id = wr->wr_id;

	switch (wr->opcode) {
	case IBV_WR_SEND:
		sqe->opcode = SIW_OP_SEND;
		break;
	case IBV_WR_SEND_WITH_INV:
		/* The kernel closes the connection over one that is inline. */
		if (is_inline)
			return EINVAL;
		sqe->opcode = SIW_OP_SEND_REMOTE_INV;
		sqe->rkey = wr->invalidate_rkey;
		break;
	case IBV_WR_RDMA_WRITE:
		sqe->opcode = SIW_OP_WRITE;
		sqe->raddr = wr->wr.rdma.remote_addr;
		sqe->rkey = wr->wr.rdma.rkey;
		break;
	case IBV_WR_RDMA_READ:
		/* Nor are reads fenced: they are answered in order as they are. */
		if (is_inline)
			return EINVAL;
		*flags &= (uint16_t)~SIW_WQE_READ_FENCE;
		sqe->opcode = SIW_OP_READ;
		sqe->raddr = wr->wr.rdma.remote_addr;
		sqe->rkey = wr->wr.rdma.rkey;
		return fill_read(sqe, wr);
	default:
		return EINVAL;
	}
	return is_inline ? fill_inline(sqe, wr) : fill_list(qp, sqe, wr);
}

static int post_one(struct siw_qp *qp, const struct ibv_send_wr *wr)
{
	struct siw_sqe *sqe = siw_array_at(&qp->sq, qp->sq.next, sizeof(*sqe));
	uint16_t flags;
	int err;

	if (__atomic_load_n(&sqe->flags, __ATOMIC_ACQUIRE))
		return ENOMEM;
	err = fill(qp, sqe, wr, &flags);
	if (err)
		return err;
	__atomic_store_n(&sqe->flags, flags, __ATOMIC_RELEASE);
	qp->sq.next++;
	return 0;
}

int siw_post_send(struct ibv_qp *ibv, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct siw_qp *qp = qp_of(ibv);
	struct ibv_send_wr *const first = wr;
	struct ibv_send_wr *ignored;
	int err = 0, rung;

	lock_take(&qp->lock);
	for (; wr; wr = wr->next) {
		err = post_one(qp, wr);
		if (err) {
			*bad = wr;
			break;
		}
	}
	lock_release(&qp->lock);
	if (wr == first)
		return err;
	/* The kernel may be asleep over an empty queue. */
	rung = hf_provider_post_send(ibv, NULL, &ignored);
	if (rung && !err) {
		*bad = first;
		err = rung;
	}
	return err;
}

int siw_post_recv(struct ibv_qp *ibv, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct siw_qp *qp = qp_of(ibv);

	if (!qp->rq.array.start) {
		*bad = wr;
		return EINVAL;
	}
	return siw_rq_post(&qp->rq, wr, bad);
}
