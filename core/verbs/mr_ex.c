/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_reg_mr_ex(): by the provider's operation, or by the older registrations where it has none. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "core/verbs/mr.h"

enum {
	KNOWN = IBV_REG_MR_MASK_IOVA | IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_FD |
		IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_DMAH | IBV_REG_MR_MASK_BUF,
	OF_FD = IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA,
};

/*
 * The size with the last member, which rdma-core 59 to 63 do not have; programs built with those do
 * not set its bit.
 */
union hf_mr_request {
	struct ibv_mr_init_attr attr;
	struct {
		unsigned char older[64];
		struct ibv_buf *buf;
	};
};

static_assert(sizeof(union hf_mr_request) == 72, "as rdma-core 64 has it");

/* Read only the members that the mask names. */
static int copy_mr_request(const struct ibv_mr_init_attr *from, union hf_mr_request *ret)
{
	const uint64_t mask = from->comp_mask;
	struct ibv_mr_init_attr *to = &ret->attr;

	memset(ret, 0, sizeof(*ret));
	if (mask & ~(uint64_t)KNOWN)
		return EOPNOTSUPP;
	to->length = from->length;
	to->access = from->access;
	to->comp_mask = mask;
	if (mask & IBV_REG_MR_MASK_IOVA)
		to->iova = from->iova;
	if (mask & IBV_REG_MR_MASK_ADDR)
		to->addr = from->addr;
	if (mask & IBV_REG_MR_MASK_FD)
		to->fd = from->fd;
	if (mask & IBV_REG_MR_MASK_FD_OFFSET)
		to->fd_offset = from->fd_offset;
	if (mask & IBV_REG_MR_MASK_DMAH)
		to->dmah = from->dmah;
	if (mask & IBV_REG_MR_MASK_BUF)
		ret->buf = ((const union hf_mr_request *)(const void *)from)->buf;
	return 0;
}

/* Registers a part of a buffer as a part of its dma-buf, or as ordinary memory. */
static int resolve_buffer(const struct ibv_pd *pd, union hf_mr_request *request)
{
	struct ibv_mr_init_attr *attr = &request->attr;
	const struct ibv_buf *buf = request->buf;
	uintptr_t start;

	if (!buf || buf->pd != pd || !(attr->comp_mask & IBV_REG_MR_MASK_ADDR) ||
	    attr->comp_mask & (IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET))
		return EINVAL;
	start = (uintptr_t)attr->addr - (uintptr_t)buf->addr;
	if ((uintptr_t)attr->addr < (uintptr_t)buf->addr || start > buf->size ||
	    attr->length > buf->size - start)
		return EINVAL;
	attr->comp_mask &= ~(uint64_t)IBV_REG_MR_MASK_BUF;
	request->buf = NULL;
	if (buf->dmabuf_fd < 0)
		return 0;
	if (attr->comp_mask & IBV_REG_MR_MASK_IOVA)
		return EINVAL;
	attr->comp_mask &= ~(uint64_t)IBV_REG_MR_MASK_ADDR;
	attr->comp_mask |= OF_FD;
	attr->fd = buf->dmabuf_fd;
	attr->fd_offset = start;
	attr->iova = (uintptr_t)attr->addr;
	return 0;
}

static int check_mr_request(const struct ibv_pd *pd, union hf_mr_request *request)
{
	uint64_t mask = request->attr.comp_mask;
	int err = mask & IBV_REG_MR_MASK_BUF ? resolve_buffer(pd, request) : 0;

	mask = request->attr.comp_mask;
	if (err)
		return err;
	if (mask & IBV_REG_MR_MASK_DMAH && !request->attr.dmah)
		return EINVAL;
	if (mask & IBV_REG_MR_MASK_FD)
		return mask & IBV_REG_MR_MASK_ADDR || (mask & OF_FD) != OF_FD ? EINVAL : 0;
	return mask & IBV_REG_MR_MASK_ADDR && !(mask & IBV_REG_MR_MASK_FD_OFFSET) ? 0 : EINVAL;
}

static struct ibv_mr *register_by_older(struct ibv_pd *pd, const struct ibv_mr_init_attr *attr)
{
	const struct verbs_context_ops *ops = &hfi_private_of(pd->context)->ops;

	if (attr->comp_mask & IBV_REG_MR_MASK_DMAH) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	if (attr->comp_mask & IBV_REG_MR_MASK_FD)
		return ops->reg_dmabuf_mr(pd, attr->fd_offset, attr->length, attr->iova, attr->fd,
					  attr->access);
	return ops->reg_mr(pd, attr->addr, attr->length,
			   attr->comp_mask & IBV_REG_MR_MASK_IOVA ? attr->iova
								  : (uintptr_t)attr->addr,
			   attr->access);
}

HF_EXPORT struct ibv_mr *ibv_reg_mr_ex(struct ibv_pd *pd, struct ibv_mr_init_attr *attr)
{
	const struct hf_later_ops *later = hfi_later_of(pd->context);
	union hf_mr_request request;
	struct ibv_mr *mr;
	void *start;
	bool by_fd;
	int err;

	if (!later)
		return NULL;
	err = copy_mr_request(attr, &request);
	if (!err)
		err = check_mr_request(pd, &request);
	if (err) {
		errno = err;
		return NULL;
	}
	by_fd = request.attr.comp_mask & IBV_REG_MR_MASK_FD;
	/* A dma-buf has no address in the process, unless it is a buffer's. */
	start = attr->comp_mask & IBV_REG_MR_MASK_ADDR ? request.attr.addr
						       : (void *)(uintptr_t)request.attr.fd_offset;
	request.attr.access = hfi_mr_access(pd, (unsigned int)request.attr.access);
	if (!by_fd && hfi_mr_protect(start, request.attr.length, request.attr.access))
		return NULL;
	mr = later->reg_mr_ex ? later->reg_mr_ex(pd, &request.attr)
			      : register_by_older(pd, &request.attr);
	if (!mr) {
		if (!by_fd)
			hfi_mr_unprotect(start, request.attr.length, request.attr.access);
		return NULL;
	}
	return hfi_mr_describe(mr, pd, by_fd ? IBV_MR_TYPE_DMABUF_MR : IBV_MR_TYPE_MR, start,
			       request.attr.length, request.attr.access);
}

HF_EXPORT struct ibv_mr *ibv_reg_buf_mr(struct ibv_pd *pd, struct ibv_buf *buf, void *addr,
					size_t length, int access)
{
	union hf_mr_request request = {
		.attr = {.length = length,
			 .access = access,
			 .comp_mask = IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_BUF,
			 .addr = addr},
	};

	request.buf = buf;
	return ibv_reg_mr_ex(pd, &request.attr);
}
