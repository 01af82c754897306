/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion queues: create, resize and destroy them in the kernel. */
#include <errno.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/queues.h"
#include "core/uverbs/uverbs.h"

static int create_cq_by_ioctl(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			      uint32_t flags, struct ibv_cq *cq, const struct hf_driver_data *data)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	uint32_t cqe = 0;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_CREATE_CQ_HANDLE);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_CQ_CQE, attr->cqe);
	hfi_command_in_u64(&command, UVERBS_ATTR_CREATE_CQ_USER_HANDLE, (uintptr_t)cq);
	if (attr->channel)
		hfi_command_in_fd(&command, UVERBS_ATTR_CREATE_CQ_COMP_CHANNEL,
				  hfi_kernel_fd_of(attr->channel));
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_CQ_COMP_VECTOR, attr->comp_vector);
	if (flags)
		hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_CQ_FLAGS, flags);
	hfi_command_out(&command, UVERBS_ATTR_CREATE_CQ_RESP_CQE, &cqe, sizeof(cqe));
	hfi_command_event_fd(&command, UVERBS_ATTR_CREATE_CQ_EVENT_FD, context);
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	if (hfi_method_is_missing(err) && data && data->link)
		return EOPNOTSUPP; /* the kernel has the command, but not the linked attributes */
	if (err)
		return -err;
	cq->context = context;
	cq->handle = (uint32_t)handle->data;
	cq->cqe = (int)cqe;
	atomic_fetch_add_explicit(&hfi_uverbs_of(context)->mapped, 1, memory_order_relaxed);
	return 0;
}

HF_EXPORT int hf_provider_create_cq(struct ibv_context *context, int cqe,
				    struct ibv_comp_channel *channel, int comp_vector,
				    struct ibv_cq *cq, const struct hf_driver_data *data)
{
	const struct ibv_cq_init_attr_ex attr = {
		.cqe = (uint32_t)cqe,
		.channel = channel,
		.comp_vector = (uint32_t)comp_vector,
	};

	return create_cq_by_ioctl(context, &attr, 0, cq, data);
}

HF_EXPORT int hf_provider_create_cq_ex(struct ibv_context *context,
				       const struct ibv_cq_init_attr_ex *attr, struct verbs_cq *cq,
				       const struct hf_driver_data *data, uint32_t cmd_flags)
{
	uint32_t flags = 0;

	if (cmd_flags & ~(uint32_t)HF_CREATE_CQ_TS_IGNORED ||
	    attr->comp_mask & ~(uint32_t)(IBV_CQ_INIT_ATTR_MASK_FLAGS | IBV_CQ_INIT_ATTR_MASK_PD))
		return EOPNOTSUPP;
	if (attr->wc_flags &
	    (IBV_WC_EX_WITH_COMPLETION_TIMESTAMP | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK))
		flags |= IB_UVERBS_CQ_FLAGS_TIMESTAMP_COMPLETION;
	if (attr->comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS) {
		/* SINGLE_THREADED concerns the provider alone; the kernel does not know it. */
		if (attr->flags & ~(uint32_t)(IBV_CREATE_CQ_ATTR_SINGLE_THREADED |
					      IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN))
			return EOPNOTSUPP;
		if (attr->flags & IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN)
			flags |= IB_UVERBS_CQ_FLAGS_IGNORE_OVERRUN;
	}
	return create_cq_by_ioctl(context, attr, flags, &cq->cq, data);
}

HF_EXPORT void hf_provider_init_cq(struct ibv_cq *cq, struct ibv_context *context,
				   struct ibv_comp_channel *channel, void *cq_context)
{
	cq->context = context;
	cq->channel = channel;
	cq->cq_context = cq_context;
	hfi_delivered_born(&hfi_uverbs_of(context)->delivered, &cq->comp_events_completed);
	cq->comp_events_completed = 0;
	hfi_events_init(context, &cq->mutex, &cq->cond, &cq->async_events_completed);
	if (!channel)
		return;
	pthread_mutex_lock(&context->mutex);
	channel->refcnt++;
	pthread_mutex_unlock(&context->mutex);
}

HF_EXPORT int hf_provider_resize_cq(struct ibv_cq *cq, int cqe, const struct hf_driver_data *data)
{
	const struct ib_uverbs_resize_cq request = {.cq_handle = cq->handle, .cqe = (uint32_t)cqe};
	struct ib_uverbs_resize_cq_resp response = {0};
	int err;

	err = hfi_write_command(cq->context, IB_USER_VERBS_CMD_RESIZE_CQ, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	cq->cqe = (int)response.cqe;
	return 0;
}

HF_EXPORT int hf_provider_modify_cq(struct ibv_cq *cq, const struct ibv_modify_cq_attr *attr,
				    const struct hf_driver_data *data)
{
	struct ib_uverbs_ex_modify_cq request = {
		.cq_handle = cq->handle,
		.attr_mask = attr->attr_mask,
	};

	if (attr->attr_mask & ~(uint32_t)IBV_CQ_ATTR_MODERATE)
		return EOPNOTSUPP;
	if (attr->attr_mask & IBV_CQ_ATTR_MODERATE) {
		request.attr.cq_count = attr->moderate.cq_count;
		request.attr.cq_period = attr->moderate.cq_period;
	}
	return -hfi_write_command(cq->context,
				  IB_USER_VERBS_EX_CMD_MODIFY_CQ | IB_USER_VERBS_CMD_FLAG_EXTENDED,
				  &request, sizeof(request), NULL, 0, data);
}

HF_EXPORT int hf_provider_destroy_cq(struct ibv_cq *cq)
{
	struct hf_events events[] = {
		{.completed = &cq->comp_events_completed},
		{.completed = &cq->async_events_completed},
	};
	struct ib_uverbs_destroy_cq_resp response = {0};
	int err;

	err = hfi_destroy_counted(cq->context, UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY,
				  UVERBS_ATTR_DESTROY_CQ_HANDLE, cq->handle,
				  UVERBS_ATTR_DESTROY_CQ_RESP, &response, sizeof(response));
	events[0].reported = response.comp_events_reported;
	events[1].reported = response.async_events_reported;
	err = hfi_events_finish(cq->context, err, &cq->mutex, &cq->cond, events,
				HF_ARRAY_SIZE(events));
	if (!err)
		atomic_fetch_sub_explicit(&hfi_uverbs_of(cq->context)->mapped, 1,
					  memory_order_relaxed);
	return err;
}
