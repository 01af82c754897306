/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 59 on: DMA handles, registration with one, dma-bufs of device memory, the speed of a port. */
#ifndef HF_COMPAT_PRIVATE59_MEMORY_H
#define HF_COMPAT_PRIVATE59_MEMORY_H

#include "compat/private34/private34.h"

int ibv_cmd_alloc_dmah_59(struct ibv_context *context, struct verbs_dmah *dmah,
			  struct ibv_dmah_init_attr *attr);
int ibv_cmd_free_dmah_59(struct verbs_dmah *dmah);
int ibv_cmd_reg_mr_ex_59(struct ibv_pd *pd, struct verbs_mr *mr, struct ibv_mr_init_attr *attr);
int ibv_cmd_export_dmabuf_fd_59(struct ibv_context *context, off_t offset);
int ibv_cmd_query_port_speed_59(struct ibv_context *context, uint32_t port, uint64_t *speed);

#endif
