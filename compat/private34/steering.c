/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: flows, flow actions, counters, work queues, and commands that providers build. */
#include "compat/private34/steering.h"

HF_IN_ALL(execute_ioctl)
int execute_ioctl(struct ibv_context *context, struct ibv_command_buffer *buffer)
{
	return hf_answer(hf_compat_calls.hf_provider_ioctl(context, buffer));
}

HF_IN_ALL(__ioctl_final_num_attrs)
unsigned int __ioctl_final_num_attrs(unsigned int count, struct ibv_command_buffer *link)
{
	return hf_compat_calls.hf_provider_ioctl_attrs(count, link);
}

HF_IN_ALL(ibv_cmd_create_flow)
int ibv_cmd_create_flow(struct ibv_qp *qp, struct ibv_flow *flow, struct ibv_flow_attr *attr,
			void *driver_request, size_t driver_size)
{
	const struct hf_driver_data data = {.in = driver_request, .in_size = driver_size};

	return hf_answer(hf_compat_calls.hf_provider_create_flow(qp, flow, attr, &data));
}

HF_IN_ALL(ibv_cmd_destroy_flow)
int ibv_cmd_destroy_flow(struct ibv_flow *flow)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_flow(flow));
}

HF_IN_ALL(ibv_cmd_create_flow_action_esp)
int ibv_cmd_create_flow_action_esp(struct ibv_context *context,
				   struct ibv_flow_action_esp_attr *attr,
				   struct verbs_flow_action *action,
				   struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(
		hf_compat_calls.hf_provider_create_flow_action_esp(context, attr, action, &data));
}

HF_IN_ALL(ibv_cmd_modify_flow_action_esp)
int ibv_cmd_modify_flow_action_esp(struct verbs_flow_action *action,
				   struct ibv_flow_action_esp_attr *attr,
				   struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(hf_compat_calls.hf_provider_modify_flow_action_esp(action, attr, &data));
}

HF_IN_ALL(ibv_cmd_destroy_flow_action)
int ibv_cmd_destroy_flow_action(struct verbs_flow_action *action)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_flow_action(action));
}

HF_IN_ALL(ibv_cmd_create_counters)
int ibv_cmd_create_counters(struct ibv_context *context, struct ibv_counters_init_attr *attr,
			    struct verbs_counters *counters, struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(
		hf_compat_calls.hf_provider_create_counters(context, attr, counters, &data));
}

HF_IN_ALL(ibv_cmd_destroy_counters)
int ibv_cmd_destroy_counters(struct verbs_counters *counters)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_counters(counters));
}

HF_IN_ALL(ibv_cmd_read_counters)
int ibv_cmd_read_counters(struct verbs_counters *counters, uint64_t *values, uint32_t count,
			  uint32_t flags, struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(
		hf_compat_calls.hf_provider_read_counters(counters, values, count, flags, &data));
}

HF_IN_ALL(ibv_cmd_create_wq)
int ibv_cmd_create_wq(struct ibv_context *context, struct ibv_wq_init_attr *attr, struct ibv_wq *wq,
		      struct ibv_create_wq *cmd, size_t cmd_size,
		      struct ib_uverbs_ex_create_wq_resp *resp, size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_wq),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_wq(context, attr, wq, &data);
	if (!err && resp)
		*resp = (struct ib_uverbs_ex_create_wq_resp){
			.response_length = sizeof(*resp),
			.wq_handle = wq->handle,
			.max_wr = attr->max_wr,
			.max_sge = attr->max_sge,
			.wqn = wq->wq_num,
		};
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_modify_wq)
int ibv_cmd_modify_wq(struct ibv_wq *wq, struct ibv_wq_attr *attr, struct ibv_modify_wq *cmd,
		      size_t cmd_size)
{
	const struct hf_frame frame = {
		.request = cmd,
		.request_size = cmd_size,
		.request_core = HF_FRAME_EX(struct ib_uverbs_ex_modify_wq),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_modify_wq(wq, attr, &data);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_destroy_wq)
int ibv_cmd_destroy_wq(struct ibv_wq *wq)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_wq(wq));
}

HF_IN_ALL(ibv_cmd_create_rwq_ind_table)
int ibv_cmd_create_rwq_ind_table(struct ibv_context *context,
				 struct ibv_rwq_ind_table_init_attr *attr,
				 struct ibv_rwq_ind_table *table,
				 struct ib_uverbs_ex_create_rwq_ind_table_resp *resp,
				 size_t resp_size)
{
	const struct hf_frame frame = {
		.response = resp,
		.response_size = resp_size,
		.response_core = sizeof(*resp),
	};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (!err)
		err = hf_compat_calls.hf_provider_create_rwq_ind_table(context, attr, table, &data);
	if (!err && resp)
		*resp = (struct ib_uverbs_ex_create_rwq_ind_table_resp){
			.response_length = sizeof(*resp),
			.ind_tbl_handle = (uint32_t)table->ind_tbl_handle,
			.ind_tbl_num = (uint32_t)table->ind_tbl_num,
		};
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_destroy_rwq_ind_table)
int ibv_cmd_destroy_rwq_ind_table(struct ibv_rwq_ind_table *table)
{
	return hf_answer(hf_compat_calls.hf_provider_destroy_rwq_ind_table(table));
}
