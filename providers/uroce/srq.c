/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared receive queues. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "providers/uroce/uroce.h"

/* With context->lock. */
static int take_srq_index(struct uroce_context *context, struct uroce_srq *srq)
{
	for (uint32_t i = 0; i < UROCE_SRQS; i++) {
		const uint32_t index = (context->next_srq + i) % UROCE_SRQS;

		if (context->srqs[index])
			continue;
		srq->shared = &context->arena->srqs[index];
		if (uroce_arena_back(context, srq->shared, sizeof(*srq->shared)))
			return ENOMEM;
		srq->index = index;
		context->next_srq = index + 1;
		return 0;
	}
	return ENOMEM;
}

static int take_srq_place(struct uroce_context *context, struct uroce_srq *srq, uint32_t pd,
			  const struct ibv_srq_attr *attr)
{
	int err;

	pthread_mutex_lock(&context->lock);
	err = take_srq_index(context, srq);
	if (!err)
		err = uroce_rq_make(context, &srq->rq, &srq->shared->rq, attr->max_wr,
				    attr->max_sge);
	if (!err) {
		atomic_store(&srq->shared->pd, pd);
		atomic_store(&srq->shared->due, 0);
		context->srqs[srq->index] = srq;
		if (srq->index >= context->srqs_end)
			context->srqs_end = srq->index + 1;
	}
	pthread_mutex_unlock(&context->lock);
	return err;
}

static struct ibv_srq *new_srq(struct ibv_pd *pd, struct ibv_srq_attr *attr, void *srq_context)
{
	struct uroce_context *context = uroce_context_of(pd->context);
	struct uroce_srq *srq;
	int err = 0;

	if (!attr->max_wr || attr->max_wr > UROCE_MAX_WR || attr->max_sge > UROCE_MAX_SGE)
		err = EINVAL;
	else if (atomic_load(&context->gone))
		err = EIO;
	if (err) {
		errno = err;
		return NULL;
	}
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return NULL;
	hf_provider_init_srq(&srq->verbs.srq, pd->context, pd, srq_context);
	srq->events = hf_provider_srq_events(pd->context, &srq->verbs.srq);
	if (!srq->events) {
		err = errno;
		goto free_srq;
	}
	err = take_srq_place(context, srq, uroce_pd_of(pd)->number, attr);
	if (err)
		goto end_events;
	srq->verbs.srq_type = IBV_SRQT_BASIC;
	srq->verbs.srq_num = srq->index + 1;
	srq->verbs.srq.handle = srq->index;
	atomic_fetch_add(&uroce_pd_of(pd)->users, 1);
	return &srq->verbs.srq;

end_events:
	hf_provider_events_end(srq->events);
free_srq:
	free(srq);
	errno = err;
	return NULL;
}

struct ibv_srq *uroce_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	return new_srq(pd, &attr->attr, attr->srq_context);
}

struct ibv_srq *uroce_create_srq_ex(struct ibv_context *context, struct ibv_srq_init_attr_ex *attr)
{
	const uint32_t known = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD;

	(void)context;
	if (attr->comp_mask & ~known ||
	    (attr->comp_mask & IBV_SRQ_INIT_ATTR_TYPE && attr->srq_type != IBV_SRQT_BASIC)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	if (!(attr->comp_mask & IBV_SRQ_INIT_ATTR_PD)) {
		errno = EINVAL;
		return NULL;
	}
	return new_srq(attr->pd, &attr->attr, attr->srq_context);
}

/* Sizes cannot be changed. */
int uroce_modify_srq(struct ibv_srq *ibv, struct ibv_srq_attr *attr, int mask)
{
	struct uroce_srq *srq = uroce_srq_of(ibv);

	if (atomic_load(&uroce_context_of(ibv->context)->gone))
		return EIO;
	if (mask & IBV_SRQ_MAX_WR)
		return EOPNOTSUPP;
	if (mask & ~IBV_SRQ_LIMIT)
		return EINVAL;
	if (mask & IBV_SRQ_LIMIT) {
		if (attr->srq_limit > srq->rq.max_wr)
			return EINVAL;
		atomic_store(&srq->shared->rq.limit, attr->srq_limit);
	}
	return 0;
}

int uroce_query_srq(struct ibv_srq *ibv, struct ibv_srq_attr *attr)
{
	struct uroce_srq *srq = uroce_srq_of(ibv);

	attr->max_wr = srq->rq.max_wr;
	attr->max_sge = srq->rq.max_sge;
	attr->srq_limit = atomic_load(&srq->shared->rq.limit);
	return 0;
}

int uroce_get_srq_num(struct ibv_srq *srq, uint32_t *number)
{
	*number = uroce_srq_of(srq)->verbs.srq_num;
	return 0;
}

int uroce_post_srq_recv(struct ibv_srq *ibv, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct uroce_context *context = uroce_context_of(ibv->context);

	if (unlikely(atomic_load_explicit(&context->gone, memory_order_relaxed))) {
		*bad = wr;
		return EIO;
	}
	return uroce_rq_post(context, &uroce_srq_of(ibv)->rq, wr, bad, NULL, NULL);
}

void uroce_srq_report(struct uroce_srq *srq)
{
	if (atomic_load(&srq->shared->due) && atomic_exchange(&srq->shared->due, 0))
		hf_provider_report_event(srq->events, IBV_EVENT_SRQ_LIMIT_REACHED);
}

int uroce_destroy_srq(struct ibv_srq *ibv)
{
	struct uroce_context *context = uroce_context_of(ibv->context);
	struct uroce_srq *srq = uroce_srq_of(ibv);
	bool ours;

	if (atomic_load(&srq->users))
		return EBUSY;
	ours = uroce_lock_to_end(context);
	context->srqs[srq->index] = NULL;
	if (ours)
		uroce_rq_free(context, &srq->rq);
	uroce_unlock_to_end(context, ours);
	atomic_fetch_sub(&uroce_pd_of(ibv->pd)->users, 1);
	hf_provider_events_end(srq->events);
	free(srq);
	return 0;
}
