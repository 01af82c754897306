/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 59 on: DMA handles, registration with one, dma-bufs of device memory, the speed of a port. */
#include "compat/private59/memory.h"

HF_SINCE_59(ibv_cmd_alloc_dmah_59, ibv_cmd_alloc_dmah)
int ibv_cmd_alloc_dmah_59(struct ibv_context *context, struct verbs_dmah *dmah,
			  struct ibv_dmah_init_attr *attr)
{
	return hf_answer(hf_compat_later.hf_provider_alloc_dmah(context, dmah, attr));
}

HF_SINCE_59(ibv_cmd_free_dmah_59, ibv_cmd_free_dmah)
int ibv_cmd_free_dmah_59(struct verbs_dmah *dmah)
{
	return hf_answer(hf_compat_later.hf_provider_free_dmah(dmah));
}

HF_SINCE_59(ibv_cmd_reg_mr_ex_59, ibv_cmd_reg_mr_ex)
int ibv_cmd_reg_mr_ex_59(struct ibv_pd *pd, struct verbs_mr *mr, struct ibv_mr_init_attr *attr)
{
	return hf_answer(hf_compat_later.hf_provider_reg_mr_ex(pd, mr, attr));
}

HF_SINCE_59(ibv_cmd_export_dmabuf_fd_59, ibv_cmd_export_dmabuf_fd)
int ibv_cmd_export_dmabuf_fd_59(struct ibv_context *context, off_t offset)
{
	int fd = -1;

	if (hf_answer(hf_compat_later.hf_provider_export_dmabuf(context, (uint64_t)offset, &fd)))
		return -1;
	return fd;
}

HF_SINCE_59(ibv_cmd_query_port_speed_59, ibv_cmd_query_port_speed)
int ibv_cmd_query_port_speed_59(struct ibv_context *context, uint32_t port, uint64_t *speed)
{
	return hf_answer(hf_compat_later.hf_provider_query_port_speed(context, port, speed));
}
