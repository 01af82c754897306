/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: protection domains, memory, address handles, XRC domains and multicast. */
#include "compat/private34/memory.h"
#include "compat/private34/private34.h"
#include "core/compat_calls.h"

HF_IN_ALL(ibv_cmd_alloc_pd)
int ibv_cmd_alloc_pd(struct ibv_context *context, struct ibv_pd *pd, struct ibv_alloc_pd *cmd,
		     size_t cmd_size, struct ib_uverbs_alloc_pd_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME(struct ib_uverbs_alloc_pd),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_alloc_pd(context, pd, &data);
	if (!err && resp)
		resp->pd_handle = pd->handle;
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_dealloc_pd)
int ibv_cmd_dealloc_pd(struct ibv_pd *pd)
{
	return hf_answer(hf_compat_calls.hf_provider_dealloc_pd(pd));
}

HF_IN_ALL(ibv_cmd_reg_mr)
int ibv_cmd_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va, int access,
		   struct verbs_mr *mr, struct ibv_reg_mr *cmd, size_t cmd_size,
		   struct ib_uverbs_reg_mr_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME(struct ib_uverbs_reg_mr),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_reg_mr(pd, addr, length, hca_va, access, mr,
							 &data);
	if (!err && resp) {
		resp->mr_handle = mr->ibv_mr.handle;
		resp->lkey = mr->ibv_mr.lkey;
		resp->rkey = mr->ibv_mr.rkey;
	}
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_rereg_mr)
int ibv_cmd_rereg_mr(struct verbs_mr *mr, uint32_t flags, void *addr, size_t length,
		     uint64_t hca_va, int access, struct ibv_pd *pd, struct ibv_rereg_mr *cmd,
		     size_t cmd_size, struct ib_uverbs_rereg_mr_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME(struct ib_uverbs_rereg_mr),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_rereg_mr(mr, flags, addr, length, hca_va, access,
							   pd, &data);
	if (!err && resp) {
		resp->lkey = mr->ibv_mr.lkey;
		resp->rkey = mr->ibv_mr.rkey;
	}
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_dereg_mr)
int ibv_cmd_dereg_mr(struct verbs_mr *mr)
{
	return hf_answer(hf_compat_calls.hf_provider_dereg_mr(mr));
}

/*
 * Providers of rdma-core 54 and later pass `link`. Older ones do not: then the argument is
 * undefined and must not be used, but declaring it is harmless in the calling convention.
 */
HF_IN_ALL(ibv_cmd_reg_dmabuf_mr)
int ibv_cmd_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length, uint64_t iova, int fd,
			  int access, struct verbs_mr *mr, struct ibv_command_buffer *link)
{
	struct hf_driver_data data = {0};

	if (hf_compat_calls.hfi_compat_dmabuf_buffer(pd->context))
		data.link = link;
	return hf_answer(hf_compat_calls.hf_provider_reg_dmabuf_mr(pd, offset, length, iova, fd,
								   access, mr, &data));
}

HF_IN_ALL(ibv_cmd_advise_mr)
int ibv_cmd_advise_mr(struct ibv_pd *pd, enum ib_uverbs_advise_mr_advice advice, uint32_t flags,
		      struct ibv_sge *sg_list, uint32_t num_sge)
{
	return hf_answer(
		hf_compat_calls.hf_provider_advise_mr(pd, advice, flags, sg_list, num_sge));
}

HF_IN_ALL(ibv_cmd_query_mr)
int ibv_cmd_query_mr(struct ibv_pd *pd, struct verbs_mr *mr, uint32_t handle)
{
	return hf_answer(hf_compat_calls.hf_provider_query_mr(pd, mr, handle));
}

HF_IN_ALL(ibv_cmd_alloc_mw)
int ibv_cmd_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type, struct ibv_mw *mw,
		     struct ibv_alloc_mw *cmd, size_t cmd_size,
		     struct ib_uverbs_alloc_mw_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME(struct ib_uverbs_alloc_mw),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_alloc_mw(pd, type, mw, &data);
	if (!err && resp) {
		resp->mw_handle = mw->handle;
		resp->rkey = mw->rkey;
	}
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_dealloc_mw)
int ibv_cmd_dealloc_mw(struct ibv_mw *mw)
{
	return hf_answer(hf_compat_calls.hf_provider_dealloc_mw(mw));
}

HF_IN_ALL(ibv_cmd_open_xrcd)
int ibv_cmd_open_xrcd(struct ibv_context *context, struct verbs_xrcd *xrcd, int xrcd_size,
		      struct ibv_xrcd_init_attr *attr, struct ibv_open_xrcd *cmd, size_t cmd_size,
		      struct ib_uverbs_open_xrcd_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME(struct ib_uverbs_open_xrcd),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	(void)xrcd_size;
	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_open_xrcd(context, xrcd, attr, &data);
	if (!err && resp)
		resp->xrcd_handle = xrcd->handle;
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_close_xrcd)
int ibv_cmd_close_xrcd(struct verbs_xrcd *xrcd)
{
	return hf_answer(hf_compat_calls.hf_provider_close_xrcd(xrcd));
}

HF_IN_ALL(ibv_cmd_create_ah)
int ibv_cmd_create_ah(struct ibv_pd *pd, struct ibv_ah *ah, struct ibv_ah_attr *attr,
		      struct ib_uverbs_create_ah_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {NULL, 0, 0, resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_ah(pd, ah, attr, &data);
	if (!err && resp)
		resp->ah_handle = ah->handle;
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_destroy_ah)
int ibv_cmd_destroy_ah(struct ibv_ah *ah)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_ah(ah));
}

HF_IN_ALL(ibv_cmd_attach_mcast)
int ibv_cmd_attach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return hf_answer(hf_compat_calls.hf_provider_attach_mcast(qp, gid, lid));
}

HF_IN_ALL(ibv_cmd_detach_mcast)
int ibv_cmd_detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return hf_answer(hf_compat_calls.hf_provider_detach_mcast(qp, gid, lid));
}

HF_IN_ALL(ibv_cmd_alloc_dm)
int ibv_cmd_alloc_dm(struct ibv_context *context, const struct ibv_alloc_dm_attr *attr,
		     struct verbs_dm *dm, struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(hf_compat_calls.hf_provider_alloc_dm(context, attr, dm, &data));
}

HF_IN_ALL(ibv_cmd_free_dm)
int ibv_cmd_free_dm(struct verbs_dm *dm)
{
	return hf_answer(hf_compat_calls.hf_provider_free_dm(dm));
}

HF_IN_ALL(ibv_cmd_reg_dm_mr)
int ibv_cmd_reg_dm_mr(struct ibv_pd *pd, struct verbs_dm *dm, uint64_t offset, size_t length,
		      unsigned int access, struct verbs_mr *mr, struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(
		hf_compat_calls.hf_provider_reg_dm_mr(pd, dm, offset, length, access, mr, &data));
}
