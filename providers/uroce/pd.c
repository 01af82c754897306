/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protection domains and address handles. */
#include <errno.h>
#include <stdlib.h>

#include "providers/uroce/qp.h"

struct ibv_pd *uroce_alloc_pd(struct ibv_context *ibv)
{
	struct uroce_context *context = uroce_context_of(ibv);
	struct uroce_pd *pd;

	if (atomic_load(&context->gone)) {
		errno = EIO;
		return NULL;
	}
	pd = calloc(1, sizeof(*pd));
	if (!pd)
		return NULL;
	pthread_mutex_lock(&context->lock);
	pd->number = ++context->next_pd;
	pthread_mutex_unlock(&context->lock);
	pd->pd.context = ibv;
	pd->pd.handle = pd->number;
	return &pd->pd;
}

int uroce_dealloc_pd(struct ibv_pd *ibv)
{
	struct uroce_pd *pd = uroce_pd_of(ibv);

	if (atomic_load(&pd->users))
		return EBUSY;
	free(pd);
	return 0;
}

/* RoCE addresses are GIDs: without one there is nowhere to send to (IBA annex A17.4.1). */
struct ibv_ah *uroce_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct uroce_context *context = uroce_context_of(pd->context);
	struct uroce_ah *ah;
	union ibv_gid source;

	errno = EINVAL;
	if (attr->port_num != 1 || !attr->is_global ||
	    uroce_gid(context, attr->grh.sgid_index, &source)) {
		errno = EINVAL;
		return NULL;
	}
	ah = calloc(1, sizeof(*ah));
	if (!ah)
		return NULL;
	ah->attr = *attr;
	ah->source = source;
	ah->is_group = uroce_gid_is_group(&attr->grh.dgid);
	ah->is_ours = ah->is_group || uroce_gid_is_ours(context, &attr->grh.dgid);
	ah->ah.context = pd->context;
	ah->ah.pd = pd;
	atomic_fetch_add(&uroce_pd_of(pd)->users, 1);
	return &ah->ah;
}

int uroce_destroy_ah(struct ibv_ah *ah)
{
	atomic_fetch_sub(&uroce_pd_of(ah->pd)->users, 1);
	free(uroce_ah_of(ah));
	return 0;
}
