/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory commands that only exist as native methods: dma-buf, device memory, advice, queries. */
#include <errno.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/memory.h"
#include "core/uverbs/uverbs.h"

/* Runs a command that registers memory, and takes over the new region. */
static int register_native(struct hf_command *command, const struct ib_uverbs_attr *handle,
			   struct ibv_pd *pd, struct verbs_mr *mr, struct hf_memory_answer *answer,
			   const struct hf_driver_data *data)
{
	int err;

	hfi_command_driver_data(command, data);
	err = hfi_command_run(command, pd->context);
	if (err)
		return -err;
	answer->handle = (uint32_t)handle->data;
	hfi_memory_take(mr, pd, answer);
	return 0;
}

HF_EXPORT int hf_provider_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length,
					uint64_t iova, int fd, int access, struct verbs_mr *mr,
					const struct hf_driver_data *data)
{
	struct hf_memory_answer answer = {.type = IBV_MR_TYPE_DMABUF_MR, .access = access};
	const uint64_t size = length;
	struct ib_uverbs_attr *handle;
	struct hf_command command;

	hfi_command_start(&command, pd->context, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_REG_DMABUF_MR_HANDLE);
	hfi_command_in_handle(&command, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, pd->handle);
	hfi_command_in(&command, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, &offset, sizeof(offset));
	hfi_command_in(&command, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, &size, sizeof(size));
	hfi_command_in(&command, UVERBS_ATTR_REG_DMABUF_MR_IOVA, &iova, sizeof(iova));
	hfi_command_in_fd(&command, UVERBS_ATTR_REG_DMABUF_MR_FD, fd);
	hfi_command_in_const(&command, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, (uint32_t)access);
	hfi_command_out(&command, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, &answer.lkey,
			sizeof(answer.lkey));
	hfi_command_out(&command, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, &answer.rkey,
			sizeof(answer.rkey));
	return register_native(&command, handle, pd, mr, &answer, data);
}

HF_EXPORT int hf_provider_advise_mr(struct ibv_pd *pd, enum ib_uverbs_advise_mr_advice advice,
				    uint32_t flags, const struct ibv_sge *sg_list, uint32_t num_sge)
{
	struct hf_command command;

	static_assert(sizeof(struct ibv_sge) == sizeof(struct ib_uverbs_sge),
		      "handed to the kernel as they are");
	hfi_command_start(&command, pd->context, UVERBS_OBJECT_MR, UVERBS_METHOD_ADVISE_MR);
	hfi_command_in_handle(&command, UVERBS_ATTR_ADVISE_MR_PD_HANDLE, pd->handle);
	hfi_command_in_const(&command, UVERBS_ATTR_ADVISE_MR_ADVICE, advice);
	hfi_command_in_const(&command, UVERBS_ATTR_ADVISE_MR_FLAGS, flags);
	hfi_command_in(&command, UVERBS_ATTR_ADVISE_MR_SGE_LIST, sg_list,
		       num_sge * sizeof(*sg_list));
	return -hfi_command_run(&command, pd->context);
}

HF_EXPORT int hf_provider_query_mr(struct ibv_pd *pd, struct verbs_mr *mr, uint32_t handle)
{
	struct hf_memory_answer answer = {.handle = handle, .type = IBV_MR_TYPE_IMPORTED_MR};
	struct hf_command command;
	uint64_t length = 0;
	int err;

	hfi_command_start(&command, pd->context, UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);
	hfi_command_in_handle(&command, UVERBS_ATTR_QUERY_MR_HANDLE, handle);
	hfi_command_out(&command, UVERBS_ATTR_QUERY_MR_RESP_LKEY, &answer.lkey,
			sizeof(answer.lkey));
	hfi_command_out(&command, UVERBS_ATTR_QUERY_MR_RESP_RKEY, &answer.rkey,
			sizeof(answer.rkey));
	hfi_command_out(&command, UVERBS_ATTR_QUERY_MR_RESP_LENGTH, &length, sizeof(length));
	err = hfi_command_run(&command, pd->context);
	if (err)
		return -err;
	hfi_memory_take(mr, pd, &answer);
	mr->ibv_mr.pd = pd;
	mr->ibv_mr.addr = NULL; /* it is another process's address */
	mr->ibv_mr.length = length;
	return 0;
}

HF_EXPORT int hf_provider_alloc_dm(struct ibv_context *context,
				   const struct ibv_alloc_dm_attr *attr, struct verbs_dm *dm,
				   const struct hf_driver_data *data)
{
	const uint64_t length = attr->length;
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_DM, UVERBS_METHOD_DM_ALLOC);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_ALLOC_DM_HANDLE);
	hfi_command_in(&command, UVERBS_ATTR_ALLOC_DM_LENGTH, &length, sizeof(length));
	hfi_command_in(&command, UVERBS_ATTR_ALLOC_DM_ALIGNMENT, &attr->log_align_req,
		       sizeof(attr->log_align_req));
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	if (err)
		return -err;
	dm->dm.context = context;
	dm->handle = (uint32_t)handle->data;
	dm->dm.handle = dm->handle;
	return 0;
}

HF_EXPORT int hf_provider_free_dm(struct verbs_dm *dm)
{
	return -hfi_destroy_command(dm->dm.context, UVERBS_OBJECT_DM, UVERBS_METHOD_DM_FREE,
				    UVERBS_ATTR_FREE_DM_HANDLE, dm->handle);
}

HF_EXPORT int hf_provider_reg_dm_mr(struct ibv_pd *pd, struct verbs_dm *dm, uint64_t offset,
				    size_t length, unsigned int access, struct verbs_mr *mr,
				    const struct hf_driver_data *data)
{
	struct hf_memory_answer answer = {.type = IBV_MR_TYPE_MR, .access = (int)access};
	const uint64_t size = length;
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, pd->context, UVERBS_OBJECT_MR, UVERBS_METHOD_DM_MR_REG);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_REG_DM_MR_HANDLE);
	hfi_command_in(&command, UVERBS_ATTR_REG_DM_MR_OFFSET, &offset, sizeof(offset));
	hfi_command_in(&command, UVERBS_ATTR_REG_DM_MR_LENGTH, &size, sizeof(size));
	hfi_command_in_handle(&command, UVERBS_ATTR_REG_DM_MR_PD_HANDLE, pd->handle);
	hfi_command_in_const(&command, UVERBS_ATTR_REG_DM_MR_ACCESS_FLAGS, access);
	hfi_command_in_handle(&command, UVERBS_ATTR_REG_DM_MR_DM_HANDLE, dm->handle);
	hfi_command_out(&command, UVERBS_ATTR_REG_DM_MR_RESP_LKEY, &answer.lkey,
			sizeof(answer.lkey));
	hfi_command_out(&command, UVERBS_ATTR_REG_DM_MR_RESP_RKEY, &answer.rkey,
			sizeof(answer.rkey));
	err = register_native(&command, handle, pd, mr, &answer, data);
	if (err)
		return err;
	mr->ibv_mr.pd = pd;
	mr->ibv_mr.addr = NULL; /* it is at no address of the process */
	mr->ibv_mr.length = length;
	return 0;
}
