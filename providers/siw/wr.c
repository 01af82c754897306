/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ibv_wr_* calls, which build requests in the array: ibv_wr_start() takes the lock and
 * ibv_wr_complete() publishes all requests since. The kernel reads requests in order, so it is enough
 * to store the first one's flags last. After an error none of the requests is published.
 */
#include <errno.h>
#include <string.h>

#include "providers/siw/siw.h"

static struct siw_qp *siw_qp_of_ex(struct ibv_qp_ex *qp)
{
	return container_of(qp, struct siw_qp, verbs.qp_ex);
}

static void siw_wr_fail(struct siw_qp *qp, int err)
{
	if (!qp->err)
		qp->err = err;
	qp->sqe = NULL;
}

static void siw_wr_start(struct ibv_qp_ex *ibv)
{
	struct siw_qp *qp = siw_qp_of_ex(ibv);

	lock_take(&qp->lock);
	qp->next = qp->sq.next;
	qp->sqe = NULL;
	qp->err = 0;
}

/* Clears the flags of the requests since ibv_wr_start(). Those of the first were not stored yet. */
static void discard_requests(struct siw_qp *qp)
{
	while (qp->next - qp->sq.next > 1) {
		struct siw_sqe *sqe = siw_array_at(&qp->sq, --qp->next, sizeof(*sqe));

		__atomic_store_n(&sqe->flags, 0, __ATOMIC_RELAXED);
	}
}

static int siw_wr_complete(struct ibv_qp_ex *ibv)
{
	struct siw_qp *qp = siw_qp_of_ex(ibv);
	const bool any = qp->next != qp->sq.next;
	struct siw_sqe *first = siw_array_at(&qp->sq, qp->sq.next, sizeof(*first));
	int err = qp->err;

	if (unlikely(err)) {
		discard_requests(qp);
	} else if (any) {
		__atomic_store_n(&first->flags, qp->first_sqe_flags, __ATOMIC_RELEASE);
		qp->sq.next = qp->next;
	}
	lock_release(&qp->lock);
	return !err && any ? default_wake_kernel(&ibv->qp_base) : err;
}

static void siw_wr_abort(struct ibv_qp_ex *ibv)
{
	struct siw_qp *qp = siw_qp_of_ex(ibv);

	discard_requests(qp);
	lock_release(&qp->lock);
}

/* Begins the next request. NULL after an error. */
static struct siw_sqe *siw_wr_begin(struct siw_qp *qp, uint8_t opcode)
{
	const struct ibv_qp_ex *ibv = &qp->verbs.qp_ex;
	const uint32_t begun = qp->next - qp->sq.next;
	struct siw_sqe *sqe = siw_array_at(&qp->sq, qp->next, sizeof(*sqe));

	if (unlikely(qp->err))
		return NULL;
	if (unlikely(begun > qp->sq.mask || __atomic_load_n(&sqe->flags, __ATOMIC_ACQUIRE))) {
		siw_wr_fail(qp, ENOMEM);
		return NULL;
	}
	qp->next++;
	sqe->id = ibv->wr_id;
	sqe->opcode = opcode;
	sqe->num_sge = 0;
	/* SIW_WQE_INLINE is set by the inline setters. */
	qp->sqe_flags = begun ? &sqe->flags : &qp->first_sqe_flags;
	*qp->sqe_flags = siw_sqe_flags(qp, ibv->wr_flags, opcode);
	qp->sqe = sqe;
	return sqe;
}

/* ---- Builders: each begins a request ---- */

static void siw_wr_send(struct ibv_qp_ex *qp)
{
	siw_wr_begin(siw_qp_of_ex(qp), SIW_OP_SEND);
}

static void siw_wr_send_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct siw_sqe *sqe = siw_wr_begin(siw_qp_of_ex(qp), SIW_OP_SEND_REMOTE_INV);

	if (sqe)
		sqe->rkey = rkey;
}

static void siw_wr_rdma_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	struct siw_sqe *sqe = siw_wr_begin(siw_qp_of_ex(qp), SIW_OP_WRITE);

	if (!sqe)
		return;
	sqe->rkey = rkey;
	sqe->raddr = addr;
}

static void siw_wr_rdma_read(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	struct siw_sqe *sqe = siw_wr_begin(siw_qp_of_ex(qp), SIW_OP_READ);

	if (!sqe)
		return;
	sqe->rkey = rkey;
	sqe->raddr = addr;
	/* The kernel reads the first entry of a read even if num_sge is 0. */
	sqe->sge[0] = (struct siw_sge){0};
	sqe->num_sge = 1;
}

/* ---- Setters: the data of the last request ---- */

static void siw_set_sge_list(struct ibv_qp_ex *ibv, size_t num_sge, const struct ibv_sge *list)
{
	struct siw_qp *qp = siw_qp_of_ex(ibv);

	if (unlikely(!qp->sqe))
		return;
	/* iWARP reads into a single entry. */
	if (unlikely(num_sge > (qp->sqe->opcode == SIW_OP_READ ? 1 : qp->max_sge))) {
		siw_wr_fail(qp, EINVAL);
		return;
	}
	if (unlikely(!num_sge))
		return;
	memcpy(qp->sqe->sge, list, num_sge * sizeof(*list));
	qp->sqe->num_sge = (uint8_t)num_sge;
}

static void siw_set_sge(struct ibv_qp_ex *qp, uint32_t lkey, uint64_t addr, uint32_t length)
{
	const struct ibv_sge sge = {.addr = addr, .length = length, .lkey = lkey};

	siw_set_sge_list(qp, 1, &sge);
}

static void siw_set_inline_data_list(struct ibv_qp_ex *ibv, size_t num_buf,
				     const struct ibv_data_buf *list)
{
	struct siw_qp *qp = siw_qp_of_ex(ibv);
	size_t length = 0;

	if (unlikely(!qp->sqe))
		return;
	if (unlikely(!siw_sqe_can_inline(qp->sqe))) {
		siw_wr_fail(qp, EINVAL);
		return;
	}
	for (size_t i = 0; i < num_buf; i++) {
		if (unlikely(list[i].length > SIW_MAX_INLINE - length)) {
			siw_wr_fail(qp, EINVAL);
			return;
		}
		if (list[i].length)
			memcpy(siw_sqe_inline(qp->sqe) + length, list[i].addr, list[i].length);
		length += list[i].length;
	}
	siw_sqe_set_inline(qp->sqe, (uint32_t)length);
	*qp->sqe_flags |= SIW_WQE_INLINE;
}

static void siw_set_inline_data(struct ibv_qp_ex *qp, void *addr, size_t length)
{
	const struct ibv_data_buf buf = {.addr = addr, .length = length};

	siw_set_inline_data_list(qp, 1, &buf);
}

void siw_set_qp_calls(struct ibv_qp_ex *qp)
{
	qp->wr_start = siw_wr_start;
	qp->wr_complete = siw_wr_complete;
	qp->wr_abort = siw_wr_abort;
	qp->wr_send = siw_wr_send;
	qp->wr_send_inv = siw_wr_send_inv;
	qp->wr_rdma_write = siw_wr_rdma_write;
	qp->wr_rdma_read = siw_wr_rdma_read;
	qp->wr_set_sge = siw_set_sge;
	qp->wr_set_sge_list = siw_set_sge_list;
	qp->wr_set_inline_data = siw_set_inline_data;
	qp->wr_set_inline_data_list = siw_set_inline_data_list;
}
