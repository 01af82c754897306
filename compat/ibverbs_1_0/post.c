/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: the data path: poll, notify and post, which programs call through the context. */
#include "compat/ibverbs_1_0/ibverbs_1_0.h"

/* How many requests are converted at a time, on the stack. */
enum { BATCH = 16 };

static int old_poll_cq(struct v1_0_cq *cq, int count, struct ibv_wc *wc)
{
	struct ibv_cq *real = cq->real;

	return real->context->ops.poll_cq(real, count, wc);
}

static int old_req_notify_cq(struct v1_0_cq *cq, int solicited_only)
{
	struct ibv_cq *real = cq->real;

	return real->context->ops.req_notify_cq(real, solicited_only);
}

static void convert_send(struct ibv_send_wr *to, const struct v1_0_send_wr *from, bool datagram)
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

/* The program's request at which a batch failed; its first one if the provider names none. */
static struct v1_0_send_wr *failed_send(struct v1_0_send_wr *wr, const struct ibv_send_wr *batch,
					const struct ibv_send_wr *bad)
{
	for (; bad && batch != bad && batch->next; batch = batch->next)
		wr = wr->next;
	return wr;
}

static int old_post_send(struct v1_0_qp *qp, struct v1_0_send_wr *wr, struct v1_0_send_wr **bad_wr)
{
	struct ibv_send_wr batch[BATCH], *bad = NULL;
	struct ibv_qp *real = qp->real;
	const bool datagram = real->qp_type == IBV_QPT_UD;

	do {
		struct v1_0_send_wr *first = wr;
		size_t count = 0;
		int ret;

		for (; wr && count < BATCH; wr = wr->next) {
			convert_send(&batch[count], wr, datagram);
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

static struct v1_0_recv_wr *failed_recv(struct v1_0_recv_wr *wr, const struct ibv_recv_wr *batch,
					const struct ibv_recv_wr *bad)
{
	for (; bad && batch != bad && batch->next; batch = batch->next)
		wr = wr->next;
	return wr;
}

/* Converts up to BATCH requests. Returns the rest of the list. */
static struct v1_0_recv_wr *convert_recv(struct ibv_recv_wr *batch, struct v1_0_recv_wr *wr)
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

static int old_post_recv(struct v1_0_qp *qp, struct v1_0_recv_wr *wr, struct v1_0_recv_wr **bad_wr)
{
	struct ibv_recv_wr batch[BATCH], *bad = NULL;
	struct ibv_qp *real = qp->real;

	do {
		struct v1_0_recv_wr *first = wr;
		int ret;

		wr = convert_recv(batch, wr);
		ret = real->context->ops.post_recv(real, first ? batch : NULL, &bad);
		if (ret) {
			if (first)
				*bad_wr = failed_recv(first, batch, bad);
			return ret;
		}
	} while (wr);
	return 0;
}

static int old_post_srq_recv(struct v1_0_srq *srq, struct v1_0_recv_wr *wr,
			     struct v1_0_recv_wr **bad_wr)
{
	struct ibv_recv_wr batch[BATCH], *bad = NULL;
	struct ibv_srq *real = srq->real;

	do {
		struct v1_0_recv_wr *first = wr;
		int ret;

		wr = convert_recv(batch, wr);
		ret = real->context->ops.post_srq_recv(real, first ? batch : NULL, &bad);
		if (ret) {
			if (first)
				*bad_wr = failed_recv(first, batch, bad);
			return ret;
		}
	} while (wr);
	return 0;
}

void v1_0_set_ops(struct v1_0_context_ops *ops)
{
	ops->poll_cq = old_poll_cq;
	ops->req_notify_cq = old_req_notify_cq;
	ops->post_srq_recv = old_post_srq_recv;
	ops->post_send = old_post_send;
	ops->post_recv = old_post_recv;
}
