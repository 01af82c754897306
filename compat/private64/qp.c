/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 64 on: a provider links attributes to the creation of a queue pair. */
#include "compat/private64/qp.h"

HF_SINCE_64(ibv_cmd_create_qp_ex2_64, ibv_cmd_create_qp_ex2)
int ibv_cmd_create_qp_ex2_64(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size,
			     struct ib_uverbs_ex_create_qp_resp *resp, size_t resp_size,
			     struct ibv_command_buffer *link)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_qp),
				       resp, resp_size, sizeof(*resp)};

	return hfi_create_qp_ex_command(context, qp, attr, &frame, link);
}
