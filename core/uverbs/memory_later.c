/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory commands of Linux 6.18 and later: DMA handles, registration with one, dma-bufs of device memory. */
#include <errno.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/later.h"
#include "core/uverbs/memory.h"
#include "core/uverbs/queues.h"

enum { DMAH_HANDLE, DMAH_CPU_ID, DMAH_MEM_TYPE, DMAH_PH };
enum { FREE_DMAH_HANDLE };
enum {
	MR_HANDLE,
	MR_PD,
	MR_DMAH,
	MR_IOVA,
	MR_ADDR,
	MR_LENGTH,
	MR_ACCESS,
	MR_FD,
	MR_FD_OFFSET,
	MR_LKEY,
	MR_RKEY,
};
enum { DMABUF_FD, DMABUF_PGOFF };

enum {
	DMAH_KNOWN = IBV_DMAH_INIT_ATTR_MASK_CPU_ID | IBV_DMAH_INIT_ATTR_MASK_PH |
		     IBV_DMAH_INIT_ATTR_MASK_TPH_MEM_TYPE,
	MR_KNOWN = IBV_REG_MR_MASK_IOVA | IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_FD |
		   IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_DMAH,
	/* A dma-buf has no address to register by. */
	MR_OF_FD = IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA,
};

HF_EXPORT int hf_provider_alloc_dmah(struct ibv_context *context, struct verbs_dmah *dmah,
				     const struct ibv_dmah_init_attr *attr)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	if (attr->comp_mask & ~(uint32_t)DMAH_KNOWN)
		return EOPNOTSUPP;
	hfi_command_start(&command, context, HF_OBJECT_DMAH, HF_METHOD_DMAH_ALLOC);
	handle = hfi_command_out_handle(&command, DMAH_HANDLE);
	if (attr->comp_mask & IBV_DMAH_INIT_ATTR_MASK_CPU_ID)
		hfi_command_in_u32(&command, DMAH_CPU_ID, attr->cpu_id);
	if (attr->comp_mask & IBV_DMAH_INIT_ATTR_MASK_TPH_MEM_TYPE)
		hfi_command_in_const(&command, DMAH_MEM_TYPE, attr->tph_mem_type);
	if (attr->comp_mask & IBV_DMAH_INIT_ATTR_MASK_PH)
		hfi_command_in(&command, DMAH_PH, &attr->ph, sizeof(attr->ph));
	err = hfi_command_run_later(&command, context);
	if (err)
		return err;
	dmah->dmah.context = context;
	dmah->handle = (uint32_t)handle->data;
	return 0;
}

HF_EXPORT int hf_provider_free_dmah(struct verbs_dmah *dmah)
{
	return -hfi_destroy_command(dmah->dmah.context, HF_OBJECT_DMAH, HF_METHOD_DMAH_FREE,
				    FREE_DMAH_HANDLE, dmah->handle);
}

static int check_memory(uint64_t mask)
{
	const bool by_fd = mask & IBV_REG_MR_MASK_FD, by_address = mask & IBV_REG_MR_MASK_ADDR;

	if (mask & ~(uint64_t)MR_KNOWN)
		return EOPNOTSUPP;
	if (by_fd == by_address)
		return EINVAL;
	if (by_fd)
		return (mask & MR_OF_FD) == MR_OF_FD ? 0 : EINVAL;
	return mask & IBV_REG_MR_MASK_FD_OFFSET ? EINVAL : 0;
}

static void add_memory(struct hf_command *command, const struct ibv_mr_init_attr *attr,
		       uint64_t iova)
{
	hfi_command_in_u64(command, MR_IOVA, iova);
	if (attr->comp_mask & IBV_REG_MR_MASK_FD) {
		hfi_command_in_fd(command, MR_FD, attr->fd);
		hfi_command_in_u64(command, MR_FD_OFFSET, attr->fd_offset);
	} else {
		hfi_command_in_u64(command, MR_ADDR, (uintptr_t)attr->addr);
	}
	hfi_command_in_u64(command, MR_LENGTH, attr->length);
	hfi_command_in_const(command, MR_ACCESS, (uint32_t)attr->access);
}

HF_EXPORT int hf_provider_reg_mr_ex(struct ibv_pd *pd, struct verbs_mr *mr,
				    const struct ibv_mr_init_attr *attr)
{
	const bool by_fd = attr->comp_mask & IBV_REG_MR_MASK_FD;
	struct hf_memory_answer answer = {
		.type = by_fd ? IBV_MR_TYPE_DMABUF_MR : IBV_MR_TYPE_MR,
		.access = attr->access,
	};
	const uint64_t iova = attr->comp_mask & IBV_REG_MR_MASK_IOVA ? attr->iova
								     : (uintptr_t)attr->addr;
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	err = check_memory(attr->comp_mask);
	if (err) {
		errno = err;
		return err;
	}
	hfi_command_start(&command, pd->context, UVERBS_OBJECT_MR, HF_METHOD_REG_MR);
	handle = hfi_command_out_handle(&command, MR_HANDLE);
	hfi_command_in_handle(&command, MR_PD, pd->handle);
	if (attr->comp_mask & IBV_REG_MR_MASK_DMAH)
		hfi_command_in_handle(&command, MR_DMAH,
				      hf_container_of(attr->dmah, struct verbs_dmah, dmah)->handle);
	add_memory(&command, attr, iova);
	hfi_command_out(&command, MR_LKEY, &answer.lkey, sizeof(answer.lkey));
	hfi_command_out(&command, MR_RKEY, &answer.rkey, sizeof(answer.rkey));
	err = hfi_command_run_later(&command, pd->context);
	if (err == EOPNOTSUPP && !by_fd && !(attr->comp_mask & IBV_REG_MR_MASK_DMAH))
		return hf_provider_reg_mr(pd, attr->addr, attr->length, iova, attr->access, mr,
					  NULL);
	if (err)
		return err;
	answer.handle = (uint32_t)handle->data;
	hfi_memory_take(mr, pd, &answer);
	return 0;
}

HF_EXPORT int hf_provider_export_dmabuf(struct ibv_context *context, uint64_t offset, int *fd)
{
	struct ib_uverbs_attr *answer;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, HF_OBJECT_DMABUF, HF_METHOD_DMABUF_ALLOC);
	answer = hfi_command_out_fd(&command, DMABUF_FD);
	hfi_command_in_u64(&command, DMABUF_PGOFF, offset);
	err = hfi_command_run_later(&command, context);
	if (!err)
		*fd = (int)answer->data_s64;
	return err;
}
