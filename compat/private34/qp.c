/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: queue pairs. */
#include "compat/private34/queues.h"

static void fill_qp_response(struct ib_uverbs_create_qp_resp *resp, const struct ibv_qp *qp,
			     const struct ibv_qp_cap *cap)
{
	*resp = (struct ib_uverbs_create_qp_resp){
		.qp_handle = qp->handle,
		.qpn = qp->qp_num,
		.max_send_wr = cap->max_send_wr,
		.max_recv_wr = cap->max_recv_wr,
		.max_send_sge = cap->max_send_sge,
		.max_recv_sge = cap->max_recv_sge,
		.max_inline_data = cap->max_inline_data,
	};
}

HF_IN_ALL(ibv_cmd_create_qp)
int ibv_cmd_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
		      void *cmd, size_t cmd_size, struct ib_uverbs_create_qp_resp *resp,
		      size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_create_qp),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_qp(pd, qp, attr, &data);
	if (!err && resp)
		fill_qp_response(resp, qp, &attr->cap);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_create_qp_ex)
int ibv_cmd_create_qp_ex(struct ibv_context *context, struct verbs_qp *qp,
			 struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size,
			 struct ib_uverbs_create_qp_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_create_qp),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_qp_ex(context, qp, attr, &data);
	if (!err && resp)
		fill_qp_response(resp, &qp->qp, &attr->cap);
	return hf_answer(err);
}

int hfi_create_qp_ex_command(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, const struct hf_frame *frame,
			     struct ibv_command_buffer *link)
{
	struct ib_uverbs_ex_create_qp_resp *resp = frame->response;
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(frame, &data);
	if (err)
		return hf_answer(err);
	data.link = link;
	err = hf_compat_calls.hf_provider_create_qp_ex(context, qp, attr, &data);
	if (!err && resp) {
		fill_qp_response(&resp->base, &qp->qp, &attr->cap);
		resp->comp_mask = 0;
		resp->response_length = sizeof(*resp);
	}
	return hf_answer(err);
}

HF_TO_59(ibv_cmd_create_qp_ex2)
int ibv_cmd_create_qp_ex2(struct ibv_context *context, struct verbs_qp *qp,
			  struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size,
			  struct ib_uverbs_ex_create_qp_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_qp),
				       resp, resp_size, sizeof(*resp)};

	return hfi_create_qp_ex_command(context, qp, attr, &frame, NULL);
}

HF_IN_ALL(ibv_cmd_open_qp)
int ibv_cmd_open_qp(struct ibv_context *context, struct verbs_qp *qp, int qp_size,
		    struct ibv_qp_open_attr *attr, void *cmd, size_t cmd_size,
		    struct ib_uverbs_create_qp_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_open_qp),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	const struct ibv_qp_cap none = {0};
	struct hf_driver_data data;
	int err;

	/* The size of its struct verbs_qp follows from the provider's layout, determined at load. */
	(void)qp_size;
	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_open_qp(context, qp, attr, &data);
	if (!err && resp)
		fill_qp_response(resp, &qp->qp, &none);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_modify_qp)
int ibv_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask, void *cmd,
		      size_t cmd_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_modify_qp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_modify_qp(qp, attr, attr_mask, &data);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_modify_qp_ex)
int ibv_cmd_modify_qp_ex(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask, void *cmd,
			 size_t cmd_size, struct ib_uverbs_ex_modify_qp_resp *resp,
			 size_t resp_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME_EX(struct ib_uverbs_ex_modify_qp),
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_modify_qp_ex(qp, attr, attr_mask, &data);
	if (!err && resp)
		*resp = (struct ib_uverbs_ex_modify_qp_resp){.response_length = sizeof(*resp)};
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_query_qp)
int ibv_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		     struct ibv_qp_init_attr *init_attr, void *cmd, size_t cmd_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME(struct ib_uverbs_query_qp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_query_qp(qp, attr, attr_mask, init_attr, &data);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_destroy_qp)
int ibv_cmd_destroy_qp(struct ibv_qp *qp)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_qp(qp));
}
