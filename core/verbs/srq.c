/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The extended calls go from programs straight to the provider, which has hf_provider_init_srq(). */
#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_srq *ibv_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	return hfi_private_of(pd->context)->ops.create_srq(pd, attr);
}

HF_EXPORT int ibv_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int attr_mask)
{
	return hfi_private_of(srq->context)->ops.modify_srq(srq, attr, attr_mask);
}

HF_EXPORT int ibv_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	return hfi_private_of(srq->context)->ops.query_srq(srq, attr);
}

HF_EXPORT int ibv_destroy_srq(struct ibv_srq *srq)
{
	return hfi_private_of(srq->context)->ops.destroy_srq(srq);
}
