/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: completion queues. */
#include "compat/private34/queues.h"

static void fill_cq_response(struct ib_uverbs_create_cq_resp *resp, const struct ibv_cq *cq)
{
	resp->cq_handle = cq->handle;
	resp->cqe = (uint32_t)cq->cqe;
}

HF_IN_ALL(ibv_cmd_create_cq)
int ibv_cmd_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
		      int comp_vector, struct ibv_cq *cq, void *cmd, size_t cmd_size,
		      struct ib_uverbs_create_cq_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_create_cq),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_cq(context, cqe, channel, comp_vector, cq,
							    &data);
	if (!err && resp)
		fill_cq_response(resp, cq);
	return hf_answer(err);
}

int hfi_create_cq_ex_command(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_cq *cq, const struct hf_frame *frame, uint32_t cmd_flags,
			     struct ibv_command_buffer *link)
{
	struct ib_uverbs_ex_create_cq_resp *resp = frame->response;
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(frame, &data);
	if (err)
		return hf_answer(err);
	data.link = link;
	err = hf_compat_calls.hf_provider_create_cq_ex(context, attr, cq, &data, cmd_flags);
	if (!err && resp) {
		fill_cq_response(&resp->base, &cq->cq);
		resp->comp_mask = 0;
		resp->response_length = sizeof(*resp);
	}
	return hf_answer(err);
}

HF_TO_57(ibv_cmd_create_cq_ex)
int ibv_cmd_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			 struct verbs_cq *cq, void *cmd, size_t cmd_size,
			 struct ib_uverbs_ex_create_cq_resp *resp, size_t resp_size,
			 uint32_t cmd_flags)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_cq),
				       resp, resp_size, sizeof(*resp)};

	return hfi_create_cq_ex_command(context, attr, cq, &frame, cmd_flags, NULL);
}

/* New in rdma-core 53: the provider also links attributes of its own to the command. */
HF_TO_57(ibv_cmd_create_cq_ex2)
int ibv_cmd_create_cq_ex2(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			  struct verbs_cq *cq, void *cmd, size_t cmd_size,
			  struct ib_uverbs_ex_create_cq_resp *resp, size_t resp_size,
			  uint32_t cmd_flags, struct ibv_command_buffer *link)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_cq),
				       resp, resp_size, sizeof(*resp)};

	return hfi_create_cq_ex_command(context, attr, cq, &frame, cmd_flags, link);
}

HF_IN_ALL(ibv_cmd_resize_cq)
int ibv_cmd_resize_cq(struct ibv_cq *cq, int cqe, void *cmd, size_t cmd_size,
		      struct ib_uverbs_resize_cq_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_resize_cq),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_resize_cq(cq, cqe, &data);
	if (!err && resp)
		resp->cqe = (uint32_t)cq->cqe;
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_modify_cq)
int ibv_cmd_modify_cq(struct ibv_cq *cq, struct ibv_modify_cq_attr *attr, void *cmd,
		      size_t cmd_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME_EX(struct ib_uverbs_ex_modify_cq),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_modify_cq(cq, attr, &data);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_poll_cq)
int ibv_cmd_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc)
{
	return hf_compat_calls.hf_provider_poll_cq(cq, num_entries, wc);
}

HF_IN_ALL(ibv_cmd_req_notify_cq)
int ibv_cmd_req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	return hf_answer(hf_compat_calls.hf_provider_req_notify_cq(cq, solicited_only));
}

HF_IN_ALL(ibv_cmd_destroy_cq)
int ibv_cmd_destroy_cq(struct ibv_cq *cq)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_cq(cq));
}

HF_IN_ALL(verbs_init_cq)
void verbs_init_cq(struct ibv_cq *cq, struct ibv_context *context, struct ibv_comp_channel *channel,
		   void *cq_context)
{
	hf_compat_calls.hf_provider_init_cq(cq, context, channel, cq_context);
}
