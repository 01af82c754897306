/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The extended calls go from programs straight to the provider, which has hf_provider_init_qp(). */
#include <errno.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

static const struct verbs_context_ops *qp_ops(const struct ibv_qp *qp)
{
	return &hfi_private_of(qp->context)->ops;
}

HF_EXPORT struct ibv_qp *ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	return hfi_private_of(pd->context)->ops.create_qp(pd, attr);
}

HF_EXPORT int ibv_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask)
{
	const int err = qp_ops(qp)->modify_qp(qp, attr, attr_mask);

	if (!err && attr_mask & IBV_QP_STATE)
		qp->state = attr->qp_state;
	return err;
}

HF_EXPORT int ibv_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
			   struct ibv_qp_init_attr *init_attr)
{
	const int err = qp_ops(qp)->query_qp(qp, attr, attr_mask, init_attr);

	if (!err && attr_mask & IBV_QP_STATE)
		qp->state = attr->qp_state;
	return err;
}

HF_EXPORT int ibv_destroy_qp(struct ibv_qp *qp)
{
	return qp_ops(qp)->destroy_qp(qp);
}

HF_EXPORT int ibv_query_ece(struct ibv_qp *qp, struct ibv_ece *ece)
{
	return qp_ops(qp)->query_ece(qp, ece);
}

HF_EXPORT int ibv_set_ece(struct ibv_qp *qp, struct ibv_ece *ece)
{
	/* Options that belong to no vendor: libibverbs does not ask the provider either. */
	if (!ece->vendor_id) {
		errno = EOPNOTSUPP;
		return EOPNOTSUPP;
	}
	return qp_ops(qp)->set_ece(qp, ece);
}

HF_EXPORT int ibv_query_qp_data_in_order(struct ibv_qp *qp, enum ibv_wr_opcode op, uint32_t flags)
{
	const uint32_t known = IBV_QUERY_QP_DATA_IN_ORDER_RETURN_CAPS |
			       IBV_QUERY_QP_DATA_IN_ORDER_DEVICE_ONLY;
	int found;

	if (flags & ~known)
		return 0;
	found = qp_ops(qp)->query_qp_data_in_order(qp, op, flags);
	/* The whole message in order implies that each part of it is. */
	if (found & IBV_QUERY_QP_DATA_IN_ORDER_WHOLE_MSG)
		found |= IBV_QUERY_QP_DATA_IN_ORDER_ALIGNED_128_BYTES;
	if (flags & IBV_QUERY_QP_DATA_IN_ORDER_RETURN_CAPS)
		return found;
	return !!(found & IBV_QUERY_QP_DATA_IN_ORDER_WHOLE_MSG);
}
