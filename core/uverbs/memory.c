/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protection domains, memory regions and windows, XRC domains: mostly older commands. */
#include <errno.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/memory.h"
#include "core/uverbs/uverbs.h"

/* xrcd.comp_mask of private ABI 34: the handle is valid. */
enum { XRCD_HANDLE = 1 << 0 };

HF_EXPORT int hf_provider_alloc_pd(struct ibv_context *context, struct ibv_pd *pd,
				   const struct hf_driver_data *data)
{
	const struct ib_uverbs_alloc_pd request = {0};
	struct ib_uverbs_alloc_pd_resp response = {0};
	int err;

	err = hfi_write_command(context, IB_USER_VERBS_CMD_ALLOC_PD, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	pd->context = context;
	pd->handle = response.pd_handle;
	return 0;
}

HF_EXPORT int hf_provider_dealloc_pd(struct ibv_pd *pd)
{
	return -hfi_destroy_command(pd->context, UVERBS_OBJECT_PD, UVERBS_METHOD_PD_DESTROY,
				    UVERBS_ATTR_DESTROY_PD_HANDLE, pd->handle);
}

void hfi_memory_take(struct verbs_mr *mr, struct ibv_pd *pd, const struct hf_memory_answer *answer)
{
	mr->ibv_mr.context = pd->context;
	mr->ibv_mr.handle = answer->handle;
	mr->ibv_mr.lkey = answer->lkey;
	mr->ibv_mr.rkey = answer->rkey;
	mr->mr_type = answer->type;
	mr->access = answer->access;
}

HF_EXPORT int hf_provider_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
				 int access, struct verbs_mr *mr, const struct hf_driver_data *data)
{
	const struct ib_uverbs_reg_mr request = {
		.start = (uintptr_t)addr,
		.length = length,
		.hca_va = hca_va,
		.pd_handle = pd->handle,
		.access_flags = (uint32_t)access,
	};
	struct ib_uverbs_reg_mr_resp response = {0};
	int err;

	err = hfi_write_command(pd->context, IB_USER_VERBS_CMD_REG_MR, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	hfi_memory_take(mr, pd,
			&(struct hf_memory_answer){
				.handle = response.mr_handle,
				.lkey = response.lkey,
				.rkey = response.rkey,
				.type = IBV_MR_TYPE_MR,
				.access = access,
			});
	return 0;
}

HF_EXPORT int hf_provider_rereg_mr(struct verbs_mr *mr, uint32_t flags, void *addr, size_t length,
				   uint64_t hca_va, int access, struct ibv_pd *pd,
				   const struct hf_driver_data *data)
{
	const struct ib_uverbs_rereg_mr request = {
		.mr_handle = mr->ibv_mr.handle,
		.flags = flags,
		.start = (uintptr_t)addr,
		.length = length,
		.hca_va = hca_va,
		.pd_handle = flags & IBV_REREG_MR_CHANGE_PD && pd ? pd->handle : 0,
		.access_flags = (uint32_t)access,
	};
	struct ib_uverbs_rereg_mr_resp response = {0};
	int err;

	if (flags & IBV_REREG_MR_CHANGE_PD && !pd)
		return EINVAL;
	err = hfi_write_command(mr->ibv_mr.context, IB_USER_VERBS_CMD_REREG_MR, &request,
				sizeof(request), &response, sizeof(response), data);
	if (err)
		return -err;
	mr->ibv_mr.lkey = response.lkey;
	mr->ibv_mr.rkey = response.rkey;
	if (flags & IBV_REREG_MR_CHANGE_ACCESS)
		mr->access = access;
	if (flags & IBV_REREG_MR_CHANGE_PD)
		mr->ibv_mr.pd = pd;
	return 0;
}

HF_EXPORT int hf_provider_dereg_mr(struct verbs_mr *mr)
{
	return -hfi_destroy_command(mr->ibv_mr.context, UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY,
				    UVERBS_ATTR_DESTROY_MR_HANDLE, mr->ibv_mr.handle);
}

HF_EXPORT int hf_provider_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type, struct ibv_mw *mw,
				   const struct hf_driver_data *data)
{
	const struct ib_uverbs_alloc_mw request = {
		.pd_handle = pd->handle,
		.mw_type = (uint8_t)type,
	};
	struct ib_uverbs_alloc_mw_resp response = {0};
	int err;

	err = hfi_write_command(pd->context, IB_USER_VERBS_CMD_ALLOC_MW, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	mw->context = pd->context;
	mw->pd = pd;
	mw->handle = response.mw_handle;
	mw->rkey = response.rkey;
	mw->type = type;
	return 0;
}

HF_EXPORT int hf_provider_dealloc_mw(struct ibv_mw *mw)
{
	return -hfi_destroy_command(mw->context, UVERBS_OBJECT_MW, UVERBS_METHOD_MW_DESTROY,
				    UVERBS_ATTR_DESTROY_MW_HANDLE, mw->handle);
}

HF_EXPORT int hf_provider_open_xrcd(struct ibv_context *context, struct verbs_xrcd *xrcd,
				    const struct ibv_xrcd_init_attr *attr,
				    const struct hf_driver_data *data)
{
	const uint32_t needed = IBV_XRCD_INIT_ATTR_FD | IBV_XRCD_INIT_ATTR_OFLAGS;
	struct ib_uverbs_open_xrcd_resp response = {0};
	struct ib_uverbs_open_xrcd request = {0};
	int err;

	if (attr->comp_mask >= IBV_XRCD_INIT_ATTR_RESERVED)
		return EOPNOTSUPP;
	if ((attr->comp_mask & needed) != needed)
		return EINVAL;
	request.fd = (uint32_t)attr->fd;
	request.oflags = (uint32_t)attr->oflags;
	err = hfi_write_command(context, IB_USER_VERBS_CMD_OPEN_XRCD, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	xrcd->xrcd.context = context;
	xrcd->comp_mask = XRCD_HANDLE;
	xrcd->handle = response.xrcd_handle;
	return 0;
}

HF_EXPORT int hf_provider_close_xrcd(struct verbs_xrcd *xrcd)
{
	return -hfi_destroy_command(xrcd->xrcd.context, UVERBS_OBJECT_XRCD,
				    UVERBS_METHOD_XRCD_DESTROY, UVERBS_ATTR_DESTROY_XRCD_HANDLE,
				    xrcd->handle);
}
