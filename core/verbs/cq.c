/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion queues and their events: ibv_create_cq(), ibv_get_cq_event() and the like. */
#include <errno.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "core/verbs/cq.h"

HF_EXPORT struct ibv_cq *ibv_create_cq(struct ibv_context *context, int cqe, void *cq_context,
				       struct ibv_comp_channel *channel, int comp_vector)
{
	struct ibv_cq *cq;

	cq = hfi_private_of(context)->ops.create_cq(context, cqe, channel, comp_vector);
	if (cq)
		hf_provider_init_cq(cq, context, channel, cq_context);
	return cq;
}

struct ibv_cq_ex *hfi_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr)
{
	struct ibv_cq_ex *cq;

	if (attr->wc_flags & ~(uint64_t)IBV_CREATE_CQ_SUP_WC_FLAGS) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	cq = hfi_private_of(context)->ops.create_cq_ex(context, attr);
	if (cq)
		hf_provider_init_cq(ibv_cq_ex_to_cq(cq), context, attr->channel, attr->cq_context);
	return cq;
}

HF_EXPORT int ibv_resize_cq(struct ibv_cq *cq, int cqe)
{
	return hfi_private_of(cq->context)->ops.resize_cq(cq, cqe);
}

HF_EXPORT int ibv_destroy_cq(struct ibv_cq *cq)
{
	struct ibv_context *context = cq->context;
	struct ibv_comp_channel *channel = cq->channel;
	int err;

	err = hfi_private_of(context)->ops.destroy_cq(cq);
	if (err || !channel)
		return err;
	pthread_mutex_lock(&context->mutex);
	channel->refcnt--;
	pthread_mutex_unlock(&context->mutex);
	return 0;
}
