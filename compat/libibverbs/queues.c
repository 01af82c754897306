/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Forwards the calls for completion queues and channels, shared receive queues and queue pairs. */
#include "compat/ibverbs_1_0/ibverbs_1_0.h"

extern __typeof__(ibv_create_comp_channel) shim_ibv_create_comp_channel;
HF_SYMVER(shim_ibv_create_comp_channel, "ibv_create_comp_channel@@IBVERBS_1.0")
/* IBVERBS_1.0 has no version of its own of this call, so it also gets IBVERBS_1.0 contexts. */
HF_EXPORT struct ibv_comp_channel *shim_ibv_create_comp_channel(struct ibv_context *context)
{
	if (context->abi_compat == &v1_0_context_mark)
		context = ((struct v1_0_context *)(void *)context)->real;
	return hf_compat_calls.ibv_create_comp_channel(context);
}

HF_FORWARD(1.0, int, ibv_destroy_comp_channel, (struct ibv_comp_channel * channel), (channel))

HF_FORWARD(1.1, struct ibv_cq *, ibv_create_cq,
	   (struct ibv_context * context, int cqe, void *cq_context,
	    struct ibv_comp_channel *channel, int comp_vector),
	   (context, cqe, cq_context, channel, comp_vector))
HF_FORWARD(1.1, int, ibv_resize_cq, (struct ibv_cq * cq, int cqe), (cq, cqe))
HF_FORWARD(1.1, int, ibv_destroy_cq, (struct ibv_cq * cq), (cq))
HF_FORWARD(1.1, int, ibv_get_cq_event,
	   (struct ibv_comp_channel * channel, struct ibv_cq **cq, void **cq_context),
	   (channel, cq, cq_context))
HF_FORWARD(1.1, void, ibv_ack_cq_events, (struct ibv_cq * cq, unsigned int count), (cq, count))

HF_FORWARD(1.1, struct ibv_srq *, ibv_create_srq,
	   (struct ibv_pd * pd, struct ibv_srq_init_attr *attr), (pd, attr))
HF_FORWARD(1.1, int, ibv_modify_srq, (struct ibv_srq * srq, struct ibv_srq_attr *attr, int mask),
	   (srq, attr, mask))
HF_FORWARD(1.1, int, ibv_query_srq, (struct ibv_srq * srq, struct ibv_srq_attr *attr), (srq, attr))
HF_FORWARD(1.1, int, ibv_destroy_srq, (struct ibv_srq * srq), (srq))

HF_FORWARD(1.1, struct ibv_qp *, ibv_create_qp, (struct ibv_pd * pd, struct ibv_qp_init_attr *attr),
	   (pd, attr))
HF_FORWARD(1.1, int, ibv_modify_qp, (struct ibv_qp * qp, struct ibv_qp_attr *attr, int mask),
	   (qp, attr, mask))
HF_FORWARD(1.1, int, ibv_query_qp,
	   (struct ibv_qp * qp, struct ibv_qp_attr *attr, int mask,
	    struct ibv_qp_init_attr *init_attr),
	   (qp, attr, mask, init_attr))
HF_FORWARD(1.1, int, ibv_destroy_qp, (struct ibv_qp * qp), (qp))
HF_FORWARD(1.6, struct ibv_qp_ex *, ibv_qp_to_qp_ex, (struct ibv_qp * qp), (qp))
HF_FORWARD(1.10, int, ibv_query_ece, (struct ibv_qp * qp, struct ibv_ece *ece), (qp, ece))
HF_FORWARD(1.10, int, ibv_set_ece, (struct ibv_qp * qp, struct ibv_ece *ece), (qp, ece))
HF_FORWARD(1.14, int, ibv_query_qp_data_in_order,
	   (struct ibv_qp * qp, enum ibv_wr_opcode op, uint32_t flags), (qp, op, flags))
