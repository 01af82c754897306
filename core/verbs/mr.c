/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory regions. Pages that a device writes to are protected from fork. */
#include <errno.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "core/verbs/mr.h"

#undef ibv_reg_mr
#undef ibv_reg_mr_iova

static struct verbs_mr *verbs_mr_of(struct ibv_mr *mr)
{
	return hf_container_of(mr, struct verbs_mr, ibv_mr);
}

static const struct verbs_context_ops *context_ops(struct ibv_context *context)
{
	return &hfi_private_of(context)->ops;
}

/* With on-demand paging the device follows the page tables, so a fork does no harm. */
static bool is_pinned(int access)
{
	return !(access & IBV_ACCESS_ON_DEMAND);
}

/* Converts a result of fork protection, -1 with errno or an errno value, to an errno value. */
static int fork_error(int ret)
{
	if (!ret)
		return 0;
	return ret > 0 ? ret : errno;
}

int hfi_mr_protect(void *addr, size_t length, int access)
{
	int err = is_pinned(access) ? fork_error(ibv_dontfork_range(addr, length)) : 0;

	if (err)
		errno = err;
	return err;
}

void hfi_mr_unprotect(void *addr, size_t length, int access)
{
	const int saved = errno;

	if (is_pinned(access))
		ibv_dofork_range(addr, length);
	errno = saved;
}

struct ibv_mr *hfi_mr_describe(struct ibv_mr *mr, struct ibv_pd *pd, enum ibv_mr_type type,
			       void *start, size_t length, int access)
{
	struct verbs_mr *verbs = verbs_mr_of(mr);

	verbs->mr_type = type;
	verbs->access = access;
	mr->addr = start;
	mr->length = length;
	mr->pd = pd;
	mr->context = pd->context;
	return mr;
}

static struct ibv_mr *reg_mr_fork_safe(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
				       int access)
{
	struct ibv_mr *mr;

	if (hfi_mr_protect(addr, length, access))
		return NULL;
	mr = context_ops(pd->context)->reg_mr(pd, addr, length, iova, access);
	if (!mr) {
		hfi_mr_unprotect(addr, length, access);
		return NULL;
	}
	return hfi_mr_describe(mr, pd, IBV_MR_TYPE_MR, addr, length, access);
}

HF_EXPORT struct ibv_mr *ibv_reg_mr(struct ibv_pd *pd, void *addr, size_t length, int access)
{
	return reg_mr_fork_safe(pd, addr, length, (uintptr_t)addr, access);
}

HF_EXPORT struct ibv_mr *ibv_reg_mr_iova(struct ibv_pd *pd, void *addr, size_t length,
					 uint64_t iova, int access)
{
	return reg_mr_fork_safe(pd, addr, length, iova, access);
}

int hfi_mr_access(const struct ibv_pd *pd, unsigned int access)
{
	const struct verbs_device *device = (const void *)pd->context->device;
	const unsigned int needed = access & ~(unsigned int)IBV_ACCESS_OPTIONAL_RANGE;
	bool takes_optional = __atomic_load_n(&device->core_support, __ATOMIC_RELAXED) &
			      IB_UVERBS_CORE_SUPPORT_OPTIONAL_MR_ACCESS;

	return (int)(takes_optional ? access : needed);
}

HF_EXPORT struct ibv_mr *ibv_reg_mr_iova2(struct ibv_pd *pd, void *addr, size_t length,
					  uint64_t iova, unsigned int access)
{
	if (!hfi_is_live(pd->context)) {
		errno = EBADF;
		return NULL;
	}
	return reg_mr_fork_safe(pd, addr, length, iova, hfi_mr_access(pd, access));
}

HF_EXPORT struct ibv_mr *ibv_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length,
					   uint64_t iova, int fd, int access)
{
	const struct verbs_context_ops *ops = context_ops(pd->context);
	struct ibv_mr *mr = ops->reg_dmabuf_mr(pd, offset, length, iova, fd, access);
	/* The memory has no address in this process: addr is the offset in the buffer. */
	void *start = (void *)(uintptr_t)offset;

	return mr ? hfi_mr_describe(mr, pd, IBV_MR_TYPE_DMABUF_MR, start, length, access) : NULL;
}

HF_EXPORT int ibv_dereg_mr(struct ibv_mr *mr)
{
	const struct verbs_mr *verbs = verbs_mr_of(mr);
	/* Memory without an address was never protected: a null MR, or memory on the device. */
	const bool is_protected = verbs->mr_type == IBV_MR_TYPE_MR && is_pinned(verbs->access);
	const size_t length = mr->length;
	void *addr = mr->addr;
	int err;

	err = context_ops(mr->context)->dereg_mr(verbs_mr_of(mr));
	if (!err && is_protected && addr)
		ibv_dofork_range(addr, length);
	return err;
}

static bool rereg_is_valid(const struct verbs_mr *mr, int flags, const void *addr, size_t length,
			   int access)
{
	if (mr->mr_type != IBV_MR_TYPE_MR || flags & ~IBV_REREG_MR_FLAGS_SUPPORTED)
		return false;
	if (flags & IBV_REREG_MR_CHANGE_TRANSLATION && (!addr || !length))
		return false;
	return !access || flags & IBV_REREG_MR_CHANGE_ACCESS;
}

/* Memory that is protected from fork; size 0: none. */
struct kept {
	void *addr;
	size_t size;
};

static struct kept kept_by(const struct verbs_mr *mr)
{
	if (!mr->ibv_mr.addr || !is_pinned(mr->access))
		return (struct kept){0};
	return (struct kept){mr->ibv_mr.addr, mr->ibv_mr.length};
}

static int protect_from_fork(const struct kept *kept)
{
	return kept->size ? fork_error(ibv_dontfork_range(kept->addr, kept->size)) : 0;
}

static int unprotect_from_fork(const struct kept *kept)
{
	return kept->size ? ibv_dofork_range(kept->addr, kept->size) : 0;
}

HF_EXPORT int ibv_rereg_mr(struct ibv_mr *mr, int flags, struct ibv_pd *pd, void *addr,
			   size_t length, int access)
{
	struct verbs_mr *verbs = verbs_mr_of(mr);
	const struct kept before = kept_by(verbs);
	struct verbs_mr changed = *verbs;
	struct kept after;
	int err;

	if (!rereg_is_valid(verbs, flags, addr, length, access)) {
		errno = EINVAL;
		return IBV_REREG_MR_ERR_INPUT;
	}
	if (flags & IBV_REREG_MR_CHANGE_TRANSLATION) {
		changed.ibv_mr.addr = addr;
		changed.ibv_mr.length = length;
	}
	if (flags & IBV_REREG_MR_CHANGE_ACCESS)
		changed.access = access;
	/* Protect the new range first, so that pages in both ranges are protected all the time. */
	after = kept_by(&changed);
	err = protect_from_fork(&after);
	if (err) {
		errno = err;
		return IBV_REREG_MR_ERR_DONT_FORK_NEW;
	}
	err = context_ops(mr->context)->rereg_mr(verbs, flags, pd, addr, length, access);
	if (err) {
		int ret = IBV_REREG_MR_ERR_CMD;

		if (unprotect_from_fork(&after))
			ret = IBV_REREG_MR_ERR_CMD_AND_DO_FORK_NEW;
		errno = err > 0 ? err : errno;
		return ret;
	}
	if (flags & IBV_REREG_MR_CHANGE_PD)
		mr->pd = pd;
	mr->addr = changed.ibv_mr.addr;
	mr->length = changed.ibv_mr.length;
	verbs->access = changed.access;
	return unprotect_from_fork(&before) ? IBV_REREG_MR_ERR_DO_FORK_OLD : 0;
}

HF_EXPORT struct ibv_mr *ibv_import_mr(struct ibv_pd *pd, uint32_t mr_handle)
{
	struct ibv_mr *mr = context_ops(pd->context)->import_mr(pd, mr_handle);

	if (mr) {
		mr->context = pd->context;
		mr->pd = pd;
		verbs_mr_of(mr)->mr_type = IBV_MR_TYPE_IMPORTED_MR;
	}
	return mr;
}

HF_EXPORT void ibv_unimport_mr(struct ibv_mr *mr)
{
	context_ops(mr->context)->unimport_mr(mr);
}
