/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: the data path, which a program's inline functions call through the context. */
#include "compat/ibverbs_1_0/ibverbs_1_0.h"

/* So many at a time: a list may be longer than the stack is deep. */
enum { BATCH = 16 };

static int poll_cq(struct old_cq *cq, int count, struct ibv_wc *wc)
{
	struct ibv_cq *real = cq->real;

	return real->context->ops.poll_cq(real, count, wc);
}

static int req_notify_cq(struct old_cq *cq, int solicited_only)
{
	struct ibv_cq *real = cq->real;

	return real->context->ops.req_notify_cq(real, solicited_only);
}

static void take_send(struct ibv_send_wr *to, const struct old_send_wr *from, bool datagram)
{
	*to = (struct ibv_send_wr){
		.wr_id = from->wr_id,
		.sg_list = from->sg_list,
		.num_sge = from->num_sge,
		.opcode = from->opcode,
		.send_flags = from->send_flags,
		.imm_data = from->imm_data,
	};
	if (datagram) {
		to->wr.ud.ah = from->wr.ud.ah->real;
		to->wr.ud.remote_qpn = from->wr.ud.remote_qpn;
		to->wr.ud.remote_qkey = from->wr.ud.remote_qkey;
	} else if (from->opcode == IBV_WR_ATOMIC_CMP_AND_SWP ||
		   from->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
		to->wr.atomic.remote_addr = from->wr.atomic.remote_addr;
		to->wr.atomic.compare_add = from->wr.atomic.compare_add;
		to->wr.atomic.swap = from->wr.atomic.swap;
		to->wr.atomic.rkey = from->wr.atomic.rkey;
	} else {
		to->wr.rdma.remote_addr = from->wr.rdma.remote_addr;
		to->wr.rdma.rkey = from->wr.rdma.rkey;
	}
}

/* The old request at which a batch failed; the batch itself where a provider names none. */
static struct old_send_wr *failed_send(struct old_send_wr *old, const struct ibv_send_wr *batch,
				       const struct ibv_send_wr *bad)
{
	for (; bad && batch != bad && batch->next; batch = batch->next)
		old = old->next;
	return old;
}

static int post_send(struct old_qp *qp, struct old_send_wr *wr, struct old_send_wr **bad_wr)
{
	struct ibv_send_wr batch[BATCH], *bad = NULL;
	struct ibv_qp *real = qp->real;
	const bool datagram = real->qp_type == IBV_QPT_UD;

	do {
		struct old_send_wr *first = wr;
		size_t count = 0;
		int ret;

		for (; wr && count < BATCH; wr = wr->next) {
			take_send(&batch[count], wr, datagram);
			if (count)
				batch[count - 1].next = &batch[count];
			count++;
		}
		ret = real->context->ops.post_send(real, count ? batch : NULL, &bad);
		if (ret) {
			if (first)
				*bad_wr = failed_send(first, batch, bad);
			return ret;
		}
	} while (wr);
	return 0;
}

static struct old_recv_wr *failed_recv(struct old_recv_wr *old, const struct ibv_recv_wr *batch,
				       const struct ibv_recv_wr *bad)
{
	for (; bad && batch != bad && batch->next; batch = batch->next)
		old = old->next;
	return old;
}

/* Takes up to BATCH requests; returns the rest. */
static struct old_recv_wr *take_recv(struct ibv_recv_wr *batch, struct old_recv_wr *wr)
{
	for (size_t i = 0; wr && i < BATCH; i++, wr = wr->next) {
		batch[i] = (struct ibv_recv_wr){
			.wr_id = wr->wr_id,
			.sg_list = wr->sg_list,
			.num_sge = wr->num_sge,
		};
		if (i)
			batch[i - 1].next = &batch[i];
	}
	return wr;
}

static int post_recv(struct old_qp *qp, struct old_recv_wr *wr, struct old_recv_wr **bad_wr)
{
	struct ibv_recv_wr batch[BATCH], *bad = NULL;
	struct ibv_qp *real = qp->real;

	do {
		struct old_recv_wr *first = wr;
		int ret;

		wr = take_recv(batch, wr);
		ret = real->context->ops.post_recv(real, first ? batch : NULL, &bad);
		if (ret) {
			if (first)
				*bad_wr = failed_recv(first, batch, bad);
			return ret;
		}
	} while (wr);
	return 0;
}

static int post_srq_recv(struct old_srq *srq, struct old_recv_wr *wr, struct old_recv_wr **bad_wr)
{
	struct ibv_recv_wr batch[BATCH], *bad = NULL;
	struct ibv_srq *real = srq->real;

	do {
		struct old_recv_wr *first = wr;
		int ret;

		wr = take_recv(batch, wr);
		ret = real->context->ops.post_srq_recv(real, first ? batch : NULL, &bad);
		if (ret) {
			if (first)
				*bad_wr = failed_recv(first, batch, bad);
			return ret;
		}
	} while (wr);
	return 0;
}

void old_set_ops(struct old_context_ops *ops)
{
	ops->poll_cq = poll_cq;
	ops->req_notify_cq = req_notify_cq;
	ops->post_srq_recv = post_srq_recv;
	ops->post_send = post_send;
	ops->post_recv = post_recv;
}
