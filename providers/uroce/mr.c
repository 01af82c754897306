/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory regions. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "providers/uroce/uroce.h"
#include "providers/uroce/wire_receive.h"

enum {
	ACCESS_WRITES = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC,
	ACCESS_KNOWN = IBV_ACCESS_LOCAL_WRITE | ACCESS_WRITES | IBV_ACCESS_REMOTE_READ |
		       IBV_ACCESS_MW_BIND | IBV_ACCESS_ZERO_BASED | IBV_ACCESS_HUGETLB,
};

/* 0, or why the memory cannot be registered. */
static int check_region(const void *addr, size_t length, int access)
{
	const uintptr_t first = (uintptr_t)addr & ~(uintptr_t)4095;

	if ((unsigned int)access & ~(unsigned int)(ACCESS_KNOWN | IBV_ACCESS_OPTIONAL_RANGE))
		return EOPNOTSUPP;
	if (access & ACCESS_WRITES && !(access & IBV_ACCESS_LOCAL_WRITE))
		return EINVAL;
	if ((uintptr_t)addr + length < (uintptr_t)addr)
		return EINVAL;
	/* Drivers pin the pages, which fails where nothing is mapped. This only looks. */
	if (length && msync((void *)first, (uintptr_t)addr + length - first, MS_ASYNC) &&
	    errno == ENOMEM)
		return EFAULT;
	return 0;
}

static void fill_region(struct uroce_shared_mr *shared, uint32_t pd, uint64_t address,
			uint64_t length, uint64_t iova, uint32_t access)
{
	atomic_store(&shared->pd, pd);
	atomic_store(&shared->access, access);
	atomic_store(&shared->iova, iova);
	atomic_store(&shared->length, length);
	atomic_store(&shared->address, address);
	atomic_store(&shared->qp, 0);
	atomic_store(&shared->parent, 0);
	atomic_store(&shared->flags, UROCE_MR_TAKEN | UROCE_MR_VALID);
}

struct ibv_mr *uroce_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova, int access)
{
	struct uroce_context *context = uroce_context_of(pd->context);
	struct uroce_mr *mr;
	uint32_t key;
	int err = check_region(addr, length, access);

	if (!err && atomic_load(&context->gone))
		err = EIO;
	if (err) {
		errno = err;
		return NULL;
	}
	mr = calloc(1, sizeof(*mr));
	if (!mr)
		return NULL;
	mr->shared = uroce_key_new(context, &key);
	if (!mr->shared) {
		free(mr);
		errno = ENOMEM;
		return NULL;
	}
	atomic_store(&mr->uses, 1);
	fill_region(mr->shared, uroce_pd_of(pd)->number, (uintptr_t)addr, length,
		    access & IBV_ACCESS_ZERO_BASED ? 0 : iova, (uint32_t)access);
	atomic_store(&mr->shared->key, key);
	mr->verbs.ibv_mr.context = pd->context;
	mr->verbs.ibv_mr.handle = key >> 16;
	mr->verbs.ibv_mr.lkey = key;
	mr->verbs.ibv_mr.rkey = key;
	mr->verbs.access = access;
	atomic_fetch_add(&uroce_pd_of(pd)->users, 1);
	return &mr->verbs.ibv_mr;
}

/* Everyone who found the key before has finished, and messages that arrived are in memory, when this returns. */
static void withdraw_key(struct uroce_context *context, struct uroce_mr *mr)
{
	uroce_region_ends(context, mr);
	atomic_store(&mr->shared->key, 0);
	uroce_access_wait(context);
	uroce_wire_wait(context);
	uroce_payloads_settle(context, mr);
	uroce_region_ended(context, mr);
}

int uroce_rereg_mr(struct verbs_mr *verbs, int flags, struct ibv_pd *pd, void *addr, size_t length,
		   int access)
{
	struct uroce_mr *mr = container_of(verbs, struct uroce_mr, verbs);
	struct ibv_mr *ibv = &verbs->ibv_mr;
	const bool moves = flags & IBV_REREG_MR_CHANGE_TRANSLATION;
	void *const at = moves ? addr : ibv->addr;
	const size_t size = moves ? length : ibv->length;
	const int rights = flags & IBV_REREG_MR_CHANGE_ACCESS ? access : verbs->access;
	struct ibv_pd *const domain = flags & IBV_REREG_MR_CHANGE_PD ? pd : ibv->pd;
	const uint32_t key = ibv->lkey;
	int err = check_region(at, size, rights);

	if (!err && atomic_load(&mr->uses) > 1)
		err = EBUSY;
	if (err)
		return err;
	withdraw_key(uroce_context_of(ibv->context), mr);
	fill_region(mr->shared, uroce_pd_of(domain)->number, (uintptr_t)at, size,
		    rights & IBV_ACCESS_ZERO_BASED ? 0 : (uintptr_t)at, (uint32_t)rights);
	atomic_store(&mr->shared->key, key);
	if (domain != ibv->pd) {
		atomic_fetch_sub(&uroce_pd_of(ibv->pd)->users, 1);
		atomic_fetch_add(&uroce_pd_of(domain)->users, 1);
	}
	verbs->access = rights;
	return 0;
}

void uroce_mr_put(struct uroce_mr *mr)
{
	if (atomic_fetch_sub(&mr->uses, 1) == 1)
		free(mr);
}

int uroce_dereg_mr(struct verbs_mr *verbs)
{
	struct uroce_mr *mr = container_of(verbs, struct uroce_mr, verbs);
	struct uroce_context *context = uroce_context_of(verbs->ibv_mr.context);

	/* Of an unplugged device all can be destroyed; then the last window frees it. */
	if (atomic_load(&mr->uses) > 1 && !atomic_load(&context->gone))
		return EBUSY;
	/* In a forked child the region belongs to the parent as well. */
	if (context->pid == getpid()) {
		withdraw_key(context, mr);
		uroce_key_free(context, mr->shared);
	}
	atomic_fetch_sub(&uroce_pd_of(verbs->ibv_mr.pd)->users, 1);
	uroce_mr_put(mr);
	return 0;
}
