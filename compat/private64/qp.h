/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 64 on: a provider links attributes to the creation of a queue pair. */
#ifndef HF_COMPAT_PRIVATE64_QP_H
#define HF_COMPAT_PRIVATE64_QP_H

#include "compat/private34/queues.h"

int ibv_cmd_create_qp_ex2_64(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size,
			     struct ib_uverbs_ex_create_qp_resp *resp, size_t resp_size,
			     struct ibv_command_buffer *link);

#endif
