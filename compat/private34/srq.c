/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: shared receive queues. */
#include "compat/private34/queues.h"

static void fill_srq_response(struct ib_uverbs_create_srq_resp *resp, const struct ibv_srq *srq,
			      const struct ibv_srq_attr *attr, uint32_t number)
{
	resp->srq_handle = srq->handle;
	resp->max_wr = attr->max_wr;
	resp->max_sge = attr->max_sge;
	resp->srqn = number;
}

HF_IN_ALL(ibv_cmd_create_srq)
int ibv_cmd_create_srq(struct ibv_pd *pd, struct ibv_srq *srq, struct ibv_srq_init_attr *attr,
		       void *cmd, size_t cmd_size, struct ib_uverbs_create_srq_resp *resp,
		       size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_create_srq),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_srq(pd, srq, attr, &data);
	if (!err && resp)
		fill_srq_response(resp, srq, &attr->attr, 0);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_create_srq_ex)
int ibv_cmd_create_srq_ex(struct ibv_context *context, struct verbs_srq *srq,
			  struct ibv_srq_init_attr_ex *attr, void *cmd, size_t cmd_size,
			  struct ib_uverbs_create_srq_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_create_xsrq),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_srq_ex(context, srq, attr, &data);
	if (!err && resp)
		fill_srq_response(resp, &srq->srq, &attr->attr, srq->srq_num);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_modify_srq)
int ibv_cmd_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int attr_mask, void *cmd,
		       size_t cmd_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_modify_srq),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_modify_srq(srq, attr, attr_mask, &data);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_query_srq)
int ibv_cmd_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, void *cmd, size_t cmd_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_query_srq),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_query_srq(srq, attr, &data);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_destroy_srq)
int ibv_cmd_destroy_srq(struct ibv_srq *srq)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_srq(srq));
}
