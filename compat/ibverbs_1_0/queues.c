/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: completion queues and shared receive queues. */
#include <stdlib.h>

#include "compat/ibverbs_1_0/ibverbs_1_0.h"

HF_IBVERBS_1_0(struct v1_0_cq *, ibv_create_cq,
	       (struct v1_0_context * context, int cqe, void *cq_context,
		struct ibv_comp_channel *channel, int comp_vector))
{
	struct v1_0_cq *cq = calloc(1, sizeof(*cq));

	if (!cq)
		return NULL;
	/* Events use the context pointer to find our object, so it is set at creation. */
	cq->real = hf_compat_calls.ibv_create_cq(context->real, cqe, cq, channel, comp_vector);
	if (!cq->real) {
		free(cq);
		return NULL;
	}
	cq->context = context;
	cq->cq_context = cq_context;
	cq->handle = cq->real->handle;
	cq->cqe = cq->real->cqe;
	return cq;
}

HF_IBVERBS_1_0(int, ibv_resize_cq, (struct v1_0_cq * cq, int cqe))
{
	int ret = hf_compat_calls.ibv_resize_cq(cq->real, cqe);

	if (!ret)
		cq->cqe = cq->real->cqe;
	return ret;
}

HF_IBVERBS_1_0(int, ibv_destroy_cq, (struct v1_0_cq * cq))
{
	int ret = hf_compat_calls.ibv_destroy_cq(cq->real);

	if (!ret)
		free(cq);
	return ret;
}

HF_IBVERBS_1_0(struct v1_0_srq *, ibv_create_srq,
	       (struct v1_0_pd * pd, struct ibv_srq_init_attr *attr))
{
	struct v1_0_srq *srq = calloc(1, sizeof(*srq));
	struct ibv_srq_init_attr real = *attr;

	if (!srq)
		return NULL;
	real.srq_context = srq;
	srq->real = hf_compat_calls.ibv_create_srq(pd->real, &real);
	if (!srq->real) {
		free(srq);
		return NULL;
	}
	attr->attr = real.attr;
	srq->context = pd->context;
	srq->srq_context = attr->srq_context;
	srq->pd = pd;
	srq->handle = srq->real->handle;
	return srq;
}

HF_IBVERBS_1_0(int, ibv_modify_srq, (struct v1_0_srq * srq, struct ibv_srq_attr *attr, int mask))
{
	return hf_compat_calls.ibv_modify_srq(srq->real, attr, mask);
}

HF_IBVERBS_1_0(int, ibv_query_srq, (struct v1_0_srq * srq, struct ibv_srq_attr *attr))
{
	return hf_compat_calls.ibv_query_srq(srq->real, attr);
}

HF_IBVERBS_1_0(int, ibv_destroy_srq, (struct v1_0_srq * srq))
{
	int ret = hf_compat_calls.ibv_destroy_srq(srq->real);

	if (!ret)
		free(srq);
	return ret;
}
