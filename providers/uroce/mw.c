/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory windows of types 1 and 2B. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "providers/uroce/uroce.h"
#include "providers/uroce/wire_receive.h"

enum {
	WINDOW_WRITES = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC,
	WINDOW_ACCESS = WINDOW_WRITES | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_ZERO_BASED,
};

struct ibv_mw *uroce_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type)
{
	struct uroce_context *context = uroce_context_of(pd->context);
	struct uroce_mw *mw;
	uint32_t key;

	if ((type != IBV_MW_TYPE_1 && type != IBV_MW_TYPE_2) || atomic_load(&context->gone)) {
		errno = atomic_load(&context->gone) ? EIO : EINVAL;
		return NULL;
	}
	mw = calloc(1, sizeof(*mw));
	if (!mw)
		return NULL;
	mw->shared = uroce_key_new(context, &key);
	if (!mw->shared) {
		free(mw);
		errno = ENOMEM;
		return NULL;
	}
	atomic_store(&mw->shared->pd, uroce_pd_of(pd)->number);
	atomic_store(&mw->shared->qp, 0);
	atomic_store(&mw->shared->flags, UROCE_MR_TAKEN | UROCE_MR_WINDOW |
						 (type == IBV_MW_TYPE_2 ? UROCE_MR_WINDOW_2 : 0));
	atomic_store(&mw->shared->key, key);
	mw->mw.context = pd->context;
	mw->mw.pd = pd;
	mw->mw.rkey = key;
	mw->mw.handle = key >> 16;
	mw->mw.type = type;
	atomic_fetch_add(&uroce_pd_of(pd)->users, 1);
	return &mw->mw;
}

static void leave_region(struct uroce_mw *mw)
{
	if (mw->region)
		uroce_mr_put(mw->region);
	mw->region = NULL;
}

int uroce_dealloc_mw(struct ibv_mw *ibv)
{
	struct uroce_mw *mw = container_of(ibv, struct uroce_mw, mw);
	struct uroce_context *context = uroce_context_of(ibv->context);

	if (context->pid == getpid()) {
		atomic_store(&mw->shared->key, 0);
		uroce_access_wait(context);
		uroce_wire_wait(context);
		uroce_key_free(context, mw->shared);
	}
	leave_region(mw);
	atomic_fetch_sub(&uroce_pd_of(ibv->pd)->users, 1);
	free(mw);
	return 0;
}

/* IBA 10.6.6.2: what the region must allow. */
static bool can_bind(const struct uroce_mw *mw, const struct uroce_mr *region,
		     const struct ibv_mw_bind_info *info)
{
	const struct ibv_mr *ibv = &region->verbs.ibv_mr;
	const uint64_t first = atomic_load(&region->shared->iova);
	const uint32_t flags = atomic_load(&mw->shared->flags);

	if (ibv->pd != mw->mw.pd || !(region->verbs.access & IBV_ACCESS_MW_BIND) ||
	    info->mw_access_flags & ~((unsigned int)WINDOW_ACCESS | IBV_ACCESS_LOCAL_WRITE))
		return false;
	if (info->mw_access_flags & WINDOW_WRITES &&
	    !(region->verbs.access & IBV_ACCESS_LOCAL_WRITE))
		return false;
	/* A window of type 2 that is bound must be invalidated first. */
	if (flags & UROCE_MR_WINDOW_2 && flags & UROCE_MR_VALID)
		return false;
	return info->addr >= first && info->addr - first <= ibv->length &&
	       info->length <= ibv->length - (info->addr - first);
}

bool uroce_mw_bind(struct uroce_context *context, struct uroce_mw *mw, struct uroce_mr *region,
		   const struct ibv_mw_bind_info *info, uint32_t key, uint32_t qpn)
{
	struct uroce_shared_mr *shared = mw->shared;
	const uint32_t flags = atomic_load(&shared->flags) & ~(uint32_t)UROCE_MR_VALID;

	if (info->length && (!region || !can_bind(mw, region, info)))
		return false;
	atomic_store(&shared->key, 0);
	atomic_store(&shared->flags, flags);
	uroce_access_wait(context);
	uroce_wire_finish_copies(context);
	leave_region(mw);
	if (info->length) {
		atomic_store(&shared->iova,
			     info->mw_access_flags & IBV_ACCESS_ZERO_BASED ? 0 : info->addr);
		atomic_store(&shared->length, info->length);
		atomic_store(&shared->address,
			     (uintptr_t)region->verbs.ibv_mr.addr +
				     (info->addr - atomic_load(&region->shared->iova)));
		/* A window gives remote access alone; programs ask for the local one as well. */
		atomic_store(&shared->access,
			     info->mw_access_flags & ~(unsigned int)IBV_ACCESS_LOCAL_WRITE);
		atomic_store(&shared->qp, flags & UROCE_MR_WINDOW_2 ? qpn : 0);
		atomic_store(&shared->parent, region->verbs.ibv_mr.lkey);
		atomic_store(&shared->flags, flags | UROCE_MR_VALID);
		atomic_fetch_add(&region->uses, 1);
		mw->region = region;
	}
	atomic_store(&shared->key, key);
	return true;
}
