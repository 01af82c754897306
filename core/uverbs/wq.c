/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Receive work queues and their indirection tables. */
#include <errno.h>
#include <stdlib.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/command.h"
#include "core/uverbs/queues.h"

#define EXTENDED(cmd) (IB_USER_VERBS_EX_CMD_##cmd | IB_USER_VERBS_CMD_FLAG_EXTENDED)

static uint32_t flags_of(const struct ibv_wq_init_attr *attr)
{
	return attr->comp_mask & IBV_WQ_INIT_ATTR_FLAGS ? attr->create_flags : 0;
}

static int create_wq_by_ioctl(struct ibv_context *context, const struct ibv_wq_init_attr *attr,
			      const struct ibv_wq *wq, const struct hf_driver_data *data,
			      struct ib_uverbs_ex_create_wq_resp *ret)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_CREATE);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_CREATE_WQ_HANDLE);
	hfi_command_in_handle(&command, UVERBS_ATTR_CREATE_WQ_PD_HANDLE, attr->pd->handle);
	hfi_command_in_handle(&command, UVERBS_ATTR_CREATE_WQ_CQ_HANDLE, attr->cq->handle);
	hfi_command_in_u64(&command, UVERBS_ATTR_CREATE_WQ_USER_HANDLE, (uintptr_t)wq);
	hfi_command_in_const(&command, UVERBS_ATTR_CREATE_WQ_TYPE, attr->wq_type);
	hfi_command_event_fd(&command, UVERBS_ATTR_CREATE_WQ_EVENT_FD, context);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_WQ_MAX_WR, attr->max_wr);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_WQ_MAX_SGE, attr->max_sge);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_WQ_FLAGS, flags_of(attr));
	hfi_command_out(&command, UVERBS_ATTR_CREATE_WQ_RESP_MAX_WR, &ret->max_wr,
			sizeof(ret->max_wr));
	hfi_command_out(&command, UVERBS_ATTR_CREATE_WQ_RESP_MAX_SGE, &ret->max_sge,
			sizeof(ret->max_sge));
	hfi_command_out(&command, UVERBS_ATTR_CREATE_WQ_RESP_WQ_NUM, &ret->wqn, sizeof(ret->wqn));
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	if (!err)
		ret->wq_handle = (uint32_t)handle->data;
	return err;
}

static int create_older(struct ibv_context *context, const struct ibv_wq_init_attr *attr,
			const struct ibv_wq *wq, const struct hf_driver_data *data,
			struct ib_uverbs_ex_create_wq_resp *ret)
{
	const struct ib_uverbs_ex_create_wq request = {
		.wq_type = attr->wq_type,
		.user_handle = (uintptr_t)wq,
		.pd_handle = attr->pd->handle,
		.cq_handle = attr->cq->handle,
		.max_wr = attr->max_wr,
		.max_sge = attr->max_sge,
		.create_flags = flags_of(attr),
	};

	return hfi_write_command(context, EXTENDED(CREATE_WQ), &request, sizeof(request), ret,
				 sizeof(*ret), data);
}

HF_EXPORT void hf_provider_init_wq(struct ibv_wq *wq, struct ibv_context *context,
				   const struct ibv_wq_init_attr *attr)
{
	wq->context = context;
	wq->wq_context = attr->wq_context;
	wq->pd = attr->pd;
	wq->cq = attr->cq;
	wq->wq_type = attr->wq_type;
	wq->state = IBV_WQS_RESET;
	hfi_events_init(context, &wq->mutex, &wq->cond, &wq->events_completed);
}

HF_EXPORT int hf_provider_create_wq(struct ibv_context *context, struct ibv_wq_init_attr *attr,
				    struct ibv_wq *wq, const struct hf_driver_data *data)
{
	struct ib_uverbs_ex_create_wq_resp response = {0};
	int err;

	if (attr->comp_mask >= IBV_WQ_INIT_ATTR_RESERVED)
		return EINVAL;
	if (flags_of(attr) >= IBV_WQ_FLAGS_RESERVED)
		return EOPNOTSUPP;
	err = create_wq_by_ioctl(context, attr, wq, data, &response);
	if (hfi_method_is_missing(err))
		err = create_older(context, attr, wq, data, &response);
	if (err)
		return -err;
	attr->max_wr = response.max_wr;
	attr->max_sge = response.max_sge;
	hf_provider_init_wq(wq, context, attr);
	wq->wq_num = response.wqn;
	wq->handle = response.wq_handle;
	return 0;
}

HF_EXPORT int hf_provider_modify_wq(struct ibv_wq *wq, const struct ibv_wq_attr *attr,
				    const struct hf_driver_data *data)
{
	struct ib_uverbs_ex_modify_wq request = {
		.attr_mask = attr->attr_mask,
		.wq_handle = wq->handle,
	};
	int err;

	if (attr->attr_mask >= IBV_WQ_ATTR_RESERVED)
		return EINVAL;
	if (attr->attr_mask & IBV_WQ_ATTR_STATE)
		request.wq_state = attr->wq_state;
	if (attr->attr_mask & IBV_WQ_ATTR_CURR_STATE)
		request.curr_wq_state = attr->curr_wq_state;
	if (attr->attr_mask & IBV_WQ_ATTR_FLAGS) {
		if (attr->flags_mask >= IBV_WQ_FLAGS_RESERVED)
			return EOPNOTSUPP;
		request.flags = attr->flags;
		request.flags_mask = attr->flags_mask;
	}
	err = hfi_write_command(wq->context, EXTENDED(MODIFY_WQ), &request, sizeof(request), NULL,
				0, data);
	if (err)
		return -err;
	if (attr->attr_mask & IBV_WQ_ATTR_STATE)
		wq->state = attr->wq_state;
	return 0;
}

static int destroy_older(struct ibv_wq *wq, uint32_t *reported)
{
	const struct ib_uverbs_ex_destroy_wq request = {.wq_handle = wq->handle};
	struct ib_uverbs_ex_destroy_wq_resp response = {0};
	int err;

	err = hfi_write_command(wq->context, EXTENDED(DESTROY_WQ), &request, sizeof(request),
				&response, sizeof(response), NULL);
	*reported = response.events_reported;
	return hfi_answer_is_gone(wq->context, err) ? 1 : err;
}

HF_EXPORT int hf_provider_destroy_wq(struct ibv_wq *wq)
{
	struct hf_events events = {.completed = &wq->events_completed};
	uint32_t reported = 0;
	int err;

	err = hfi_destroy_counted(wq->context, UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_DESTROY,
				  UVERBS_ATTR_DESTROY_WQ_HANDLE, wq->handle,
				  UVERBS_ATTR_DESTROY_WQ_RESP, &reported, sizeof(reported));
	if (hfi_method_is_missing(err))
		err = destroy_older(wq, &reported);
	events.reported = reported;
	return hfi_events_finish(wq->context, err, &wq->mutex, &wq->cond, &events, 1);
}

HF_EXPORT int hf_provider_create_rwq_ind_table(struct ibv_context *context,
					       const struct ibv_rwq_ind_table_init_attr *attr,
					       struct ibv_rwq_ind_table *table,
					       const struct hf_driver_data *data)
{
	struct ib_uverbs_ex_create_rwq_ind_table_resp response = {0};
	struct ib_uverbs_ex_create_rwq_ind_table *request;
	size_t count, size;
	int err;

	if (attr->comp_mask >= IBV_CREATE_IND_TABLE_RESERVED ||
	    attr->log_ind_tbl_size > IB_USER_VERBS_MAX_LOG_IND_TBL_SIZE)
		return EINVAL;
	count = (size_t)1 << attr->log_ind_tbl_size;
	/* A command's length is a multiple of 8 bytes (ib_user_verbs.h); an odd number of handles is padded. */
	size = (sizeof(*request) + count * sizeof(request->wq_handles[0]) + 7) & ~(size_t)7;
	request = calloc(1, size);
	if (!request)
		return ENOMEM;
	request->log_ind_tbl_size = attr->log_ind_tbl_size;
	for (size_t i = 0; i < count; i++)
		request->wq_handles[i] = attr->ind_tbl[i]->handle;
	err = -hfi_write_command(context, EXTENDED(CREATE_RWQ_IND_TBL), request, size, &response,
				 sizeof(response), data);
	free(request);
	if (err)
		return err;
	table->context = context;
	table->ind_tbl_handle = (int)response.ind_tbl_handle;
	table->ind_tbl_num = (int)response.ind_tbl_num;
	return 0;
}

HF_EXPORT int hf_provider_destroy_rwq_ind_table(struct ibv_rwq_ind_table *table)
{
	return -hfi_destroy_command(table->context, UVERBS_OBJECT_RWQ_IND_TBL,
				    UVERBS_METHOD_RWQ_IND_TBL_DESTROY,
				    UVERBS_ATTR_DESTROY_RWQ_IND_TBL_HANDLE,
				    (uint32_t)table->ind_tbl_handle);
}
