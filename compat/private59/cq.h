/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 59 on: a completion queue in memory of the provider. */
#ifndef HF_COMPAT_PRIVATE59_CQ_H
#define HF_COMPAT_PRIVATE59_CQ_H

#include "compat/private34/queues.h"

struct verbs_create_cq_prov_attr {
	uint64_t length;
	union {
		uint8_t *ptr;
		struct {
			uint64_t offset;
			int fd;
		} dmabuf;
	} memory;
};

HF_SIZE(verbs_create_cq_prov_attr, 24);
HF_LAYOUT(verbs_create_cq_prov_attr, memory.ptr, 8);
HF_LAYOUT(verbs_create_cq_prov_attr, memory.dmabuf.fd, 16);

int ibv_cmd_create_cq_ex_59(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			    struct verbs_create_cq_prov_attr *memory, struct verbs_cq *cq,
			    void *cmd, size_t cmd_size, struct ib_uverbs_ex_create_cq_resp *resp,
			    size_t resp_size, uint32_t cmd_flags);
int ibv_cmd_create_cq_ex2_59(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_create_cq_prov_attr *memory, struct verbs_cq *cq,
			     void *cmd, size_t cmd_size, struct ib_uverbs_ex_create_cq_resp *resp,
			     size_t resp_size, uint32_t cmd_flags, struct ibv_command_buffer *link);

#endif
