/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A provider whose objects exist in memory only. A queue pair completes each request at once. The
 * completion contains what was posted: qp_num, byte_len (the number of segments), imm_data, slid (the
 * handle of an address), sl (1: a receive), vendor_err (the key of a remote address). Requests with wr_id
 * OBJECTS_BAD are refused. Contexts read events from a duplicate of the descriptor OBJECTS_ASYNC_FD.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast-provider/provider.h>

#include "t/lib/fake/objects.h"

struct object_cq {
	struct ibv_cq cq;
	struct ibv_wc list[128];
	int first, count, armed;
};

static uint32_t handles = 100;

static struct ibv_pd *object_alloc_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));

	(void)context;
	if (pd)
		pd->handle = ++handles;
	return pd;
}

static int object_dealloc_pd(struct ibv_pd *pd)
{
	free(pd);
	return 0;
}

static struct ibv_mr *object_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
				    int access)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	(void)iova;
	if (!mr)
		return NULL;
	handles++;
	mr->ibv_mr = (struct ibv_mr){
		.context = pd->context,
		.pd = pd,
		.addr = addr,
		.length = length,
		.handle = handles,
		.lkey = handles + 1000,
		.rkey = handles + 2000,
	};
	mr->access = access;
	return &mr->ibv_mr;
}

static int object_dereg_mr(struct verbs_mr *mr)
{
	free(mr);
	return 0;
}

static struct ibv_ah *object_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct ibv_ah *ah = calloc(1, sizeof(*ah));

	(void)attr;
	if (ah)
		*ah = (struct ibv_ah){pd->context, pd, ++handles};
	return ah;
}

static int object_destroy_ah(struct ibv_ah *ah)
{
	free(ah);
	return 0;
}

static struct ibv_cq *object_create_cq(struct ibv_context *context, int cqe,
				       struct ibv_comp_channel *channel, int vector)
{
	struct object_cq *cq = calloc(1, sizeof(*cq));

	(void)context;
	(void)channel;
	(void)vector;
	if (!cq)
		return NULL;
	cq->cq.handle = ++handles;
	cq->cq.cqe = cqe + 1;
	return &cq->cq;
}

static int object_resize_cq(struct ibv_cq *cq, int cqe)
{
	cq->cqe = cqe + 1;
	return 0;
}

static int object_destroy_cq(struct ibv_cq *cq)
{
	free(cq);
	return 0;
}

static int req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	(void)solicited_only;
	((struct object_cq *)(void *)cq)->armed++;
	return 0;
}

static int poll_cq(struct ibv_cq *verbs, int count, struct ibv_wc *wc)
{
	struct object_cq *cq = (struct object_cq *)(void *)verbs;
	int got = 0;

	for (; got < count && cq->first < cq->count; got++)
		wc[got] = cq->list[cq->first++];
	if (cq->first == cq->count)
		cq->first = cq->count = 0;
	return got;
}

static struct ibv_srq *object_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	struct verbs_srq *srq = calloc(1, sizeof(*srq));

	if (!srq)
		return NULL;
	srq->srq.context = pd->context;
	srq->srq.srq_context = attr->srq_context;
	srq->srq.pd = pd;
	srq->srq.handle = ++handles;
	attr->attr.max_wr = OBJECTS_SRQ_WR;
	return &srq->srq;
}

static int object_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	(void)srq;
	*attr = (struct ibv_srq_attr){OBJECTS_SRQ_WR, 1, 0};
	return 0;
}

static int object_destroy_srq(struct ibv_srq *srq)
{
	free(srq);
	return 0;
}

static int post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad_wr)
{
	(void)srq;
	for (; wr; wr = wr->next) {
		if (wr->wr_id == OBJECTS_BAD) {
			*bad_wr = wr;
			return ENOMEM;
		}
	}
	return 0;
}

static struct ibv_qp *object_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct verbs_qp *verbs = calloc(1, sizeof(*verbs));
	struct ibv_qp *qp = &verbs->qp;

	if (!verbs)
		return NULL;
	qp->context = pd->context;
	qp->qp_context = attr->qp_context;
	qp->pd = pd;
	qp->send_cq = attr->send_cq;
	qp->recv_cq = attr->recv_cq;
	qp->srq = attr->srq;
	qp->handle = ++handles;
	qp->qp_num = handles + 3000;
	qp->qp_type = attr->qp_type;
	pthread_mutex_init(&qp->mutex, NULL);
	pthread_cond_init(&qp->cond, NULL);
	attr->cap.max_inline_data = OBJECTS_INLINE;
	return qp;
}

/* Sets the flag at its offset in the headers that this file is built with. */
static struct ibv_qp *object_create_qp_ex(struct ibv_context *context,
					  struct ibv_qp_init_attr_ex *attr)
{
	struct ibv_qp_init_attr plain = {
		.qp_context = attr->qp_context,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.srq = attr->srq,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
	};
	struct ibv_qp *qp;

	if (!(attr->comp_mask & IBV_QP_INIT_ATTR_PD) || attr->pd->context != context) {
		errno = EINVAL;
		return NULL;
	}
	qp = object_create_qp(attr->pd, &plain);
	if (qp && attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS)
		((struct verbs_qp *)(void *)qp)->comp_mask |= VERBS_QP_EX;
	return qp;
}

static int object_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	(void)qp;
	(void)attr;
	(void)mask;
	return 0;
}

static int object_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
			   struct ibv_qp_init_attr *init_attr)
{
	(void)mask;
	memset(attr, 0, sizeof(*attr));
	attr->qp_state = qp->state;
	attr->rate_limit = 0xffffffff;
	*init_attr = (struct ibv_qp_init_attr){qp->qp_context,
					       qp->send_cq,
					       qp->recv_cq,
					       qp->srq,
					       {.max_inline_data = OBJECTS_INLINE},
					       qp->qp_type,
					       1};
	return 0;
}

static int object_destroy_qp(struct ibv_qp *qp)
{
	free(qp);
	return 0;
}

static struct ibv_wc *push_completion(struct ibv_cq *verbs, struct ibv_qp *qp, uint64_t id)
{
	struct object_cq *cq = (struct object_cq *)(void *)verbs;
	struct ibv_wc *wc;

	if (cq->count == (int)(sizeof(cq->list) / sizeof(cq->list[0])))
		return NULL;
	wc = &cq->list[cq->count++];
	*wc = (struct ibv_wc){.wr_id = id, .qp_num = qp->qp_num};
	return wc;
}

static int object_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad_wr)
{
	for (; wr; wr = wr->next) {
		struct ibv_wc *wc = wr->wr_id == OBJECTS_BAD
					    ? NULL
					    : push_completion(qp->send_cq, qp, wr->wr_id);

		if (!wc) {
			*bad_wr = wr;
			return ENOMEM;
		}
		wc->byte_len = (uint32_t)wr->num_sge;
		wc->imm_data = wr->imm_data;
		if (qp->qp_type == IBV_QPT_UD) {
			wc->slid = (uint16_t)wr->wr.ud.ah->handle;
			wc->src_qp = wr->wr.ud.remote_qpn;
		} else if (wr->opcode == IBV_WR_ATOMIC_CMP_AND_SWP) {
			wc->vendor_err = wr->wr.atomic.rkey;
			wc->src_qp = (uint32_t)wr->wr.atomic.swap;
		} else {
			wc->vendor_err = wr->wr.rdma.rkey;
		}
	}
	return 0;
}

static int object_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad_wr)
{
	for (; wr; wr = wr->next) {
		struct ibv_wc *wc = wr->wr_id == OBJECTS_BAD
					    ? NULL
					    : push_completion(qp->recv_cq, qp, wr->wr_id);

		if (!wc) {
			*bad_wr = wr;
			return ENOMEM;
		}
		wc->byte_len = (uint32_t)wr->num_sge;
		wc->sl = 1;
	}
	return 0;
}

static int object_query_device(struct ibv_context *context,
			       const struct ibv_query_device_ex_input *input,
			       struct ibv_device_attr_ex *attr, size_t size)
{
	(void)context;
	(void)input;
	memset(attr, 0, size);
	attr->orig_attr.max_qp = 7;
	return 0;
}

static int object_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	(void)context;
	*attr = (struct ibv_port_attr){
		.state = IBV_PORT_ACTIVE, .lid = port, .port_cap_flags2 = 0xffff};
#ifdef OBJECTS_OF_LATER
	attr->speed_of_later = 4711; /* see t/tree/newer-headers */
#endif
	return 0;
}

static void object_free_context(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)context -
						 offsetof(struct verbs_context, context));

	hf_provider_context_uninit(verbs);
	free(verbs);
}

static const struct verbs_context_ops operations = {
	.alloc_pd = object_alloc_pd,
	.dealloc_pd = object_dealloc_pd,
	.reg_mr = object_reg_mr,
	.dereg_mr = object_dereg_mr,
	.create_ah = object_create_ah,
	.destroy_ah = object_destroy_ah,
	.create_cq = object_create_cq,
	.resize_cq = object_resize_cq,
	.destroy_cq = object_destroy_cq,
	.req_notify_cq = req_notify_cq,
	.poll_cq = poll_cq,
	.create_srq = object_create_srq,
	.query_srq = object_query_srq,
	.destroy_srq = object_destroy_srq,
	.post_srq_recv = post_srq_recv,
	.create_qp = object_create_qp,
	.create_qp_ex = object_create_qp_ex,
	.modify_qp = object_modify_qp,
	.query_qp = object_query_qp,
	.destroy_qp = object_destroy_qp,
	.post_send = object_post_send,
	.post_recv = object_post_recv,
	.query_device_ex = object_query_device,
	.query_port = object_query_port,
	.free_context = object_free_context,
};

static struct verbs_context *object_alloc_context(struct ibv_device *device, int cmd_fd,
						  void *private_data)
{
	struct verbs_context *context =
		hf_provider_context_alloc(device, cmd_fd, sizeof(*context), 0, 0);

	const char *async_fd = getenv("OBJECTS_ASYNC_FD");

	(void)private_data;
	if (!context)
		return NULL;
	context->context.num_comp_vectors = 3;
	if (async_fd)
		context->context.async_fd = fcntl(atoi(async_fd), F_DUPFD_CLOEXEC, 0);
	hf_provider_set_ops(context, &operations);
	return context;
}

static struct verbs_device *object_alloc_device(struct verbs_sysfs_dev *sysfs)
{
	(void)sysfs;
	return calloc(1, sizeof(struct verbs_device));
}

static void object_uninit_device(struct verbs_device *device)
{
	free(device);
}

static const struct verbs_device_ops device_ops = {
	.name = "objects",
	.match_max_abi_version = 100,
	.alloc_context = object_alloc_context,
	.alloc_device = object_alloc_device,
	.uninit_device = object_uninit_device,
};

static const struct hf_provider_descriptor descriptor = {
	.size = sizeof(descriptor),
	.abi = HF_PROVIDER_ABI,
	.name = "objects",
	.version = "1",
	.ops = &device_ops,
	.qp_ex_size = sizeof(struct ibv_qp_ex),
};

__attribute__((visibility("default"))) const struct hf_provider_descriptor *
hf_provider_describe(void)
{
	return &descriptor;
}
