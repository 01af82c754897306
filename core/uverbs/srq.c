/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared receive queues in the kernel. */
#include <errno.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/queues.h"
#include "core/uverbs/uverbs.h"

static bool wants_number(enum ibv_srq_type type)
{
	return type == IBV_SRQT_XRC || type == IBV_SRQT_TM;
}

static int create_srq_by_ioctl(struct ibv_context *context, struct ibv_srq *srq,
			       const struct ibv_srq_init_attr_ex *attr,
			       const struct hf_driver_data *data,
			       struct ib_uverbs_create_srq_resp *ret)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_CREATE_SRQ_HANDLE);
	hfi_command_in_handle(&command, UVERBS_ATTR_CREATE_SRQ_PD_HANDLE, attr->pd->handle);
	hfi_command_in_const(&command, UVERBS_ATTR_CREATE_SRQ_TYPE, attr->srq_type);
	hfi_command_in_u64(&command, UVERBS_ATTR_CREATE_SRQ_USER_HANDLE, (uintptr_t)srq);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_SRQ_MAX_WR, attr->attr.max_wr);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_SRQ_MAX_SGE, attr->attr.max_sge);
	hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_SRQ_LIMIT, attr->attr.srq_limit);
	if (attr->srq_type == IBV_SRQT_TM)
		hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_SRQ_MAX_NUM_TAGS,
				   attr->tm_cap.max_num_tags);
	if (attr->srq_type == IBV_SRQT_XRC)
		hfi_command_in_handle(&command, UVERBS_ATTR_CREATE_SRQ_XRCD_HANDLE,
				      hfi_verbs_xrcd(attr->xrcd)->handle);
	if (wants_number(attr->srq_type))
		hfi_command_in_handle(&command, UVERBS_ATTR_CREATE_SRQ_CQ_HANDLE, attr->cq->handle);
	hfi_command_event_fd(&command, UVERBS_ATTR_CREATE_SRQ_EVENT_FD, context);
	hfi_command_out(&command, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR, &ret->max_wr,
			sizeof(ret->max_wr));
	hfi_command_out(&command, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE, &ret->max_sge,
			sizeof(ret->max_sge));
	/*
	 * The kernel reports it for XRC only (uverbs_std_types_srq.c); a TM SRQ gets it from its
	 * driver.
	 */
	if (attr->srq_type == IBV_SRQT_XRC)
		hfi_command_out(&command, UVERBS_ATTR_CREATE_SRQ_RESP_SRQ_NUM, &ret->srqn,
				sizeof(ret->srqn));
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	ret->srq_handle = (uint32_t)handle->data;
	return err;
}

static int create_xsrq_by_write(struct ibv_context *context, struct ibv_srq *srq,
				const struct ibv_srq_init_attr_ex *attr,
				const struct hf_driver_data *data,
				struct ib_uverbs_create_srq_resp *ret)
{
	struct ib_uverbs_create_xsrq request = {
		.user_handle = (uintptr_t)srq,
		.srq_type = attr->srq_type,
		.pd_handle = attr->pd->handle,
		.max_wr = attr->attr.max_wr,
		.max_sge = attr->attr.max_sge,
		.srq_limit = attr->attr.srq_limit,
		.cq_handle = attr->cq->handle,
	};

	if (attr->srq_type == IBV_SRQT_TM)
		request.max_num_tags = attr->tm_cap.max_num_tags;
	else
		request.xrcd_handle = hfi_verbs_xrcd(attr->xrcd)->handle;
	return hfi_write_command(context, IB_USER_VERBS_CMD_CREATE_XSRQ, &request, sizeof(request),
				 ret, sizeof(*ret), data);
}

/* For kernels without the method. Their drivers have the second command only for the other types. */
static int create_srq_by_write(struct ibv_context *context, struct ibv_srq *srq,
			       const struct ibv_srq_init_attr_ex *attr,
			       const struct hf_driver_data *data,
			       struct ib_uverbs_create_srq_resp *ret)
{
	const struct ib_uverbs_create_srq request = {
		.user_handle = (uintptr_t)srq,
		.pd_handle = attr->pd->handle,
		.max_wr = attr->attr.max_wr,
		.max_sge = attr->attr.max_sge,
		.srq_limit = attr->attr.srq_limit,
	};

	if (attr->srq_type != IBV_SRQT_BASIC)
		return create_xsrq_by_write(context, srq, attr, data, ret);
	return hfi_write_command(context, IB_USER_VERBS_CMD_CREATE_SRQ, &request, sizeof(request),
				 ret, sizeof(*ret), data);
}

static int create_srq_in_kernel(struct ibv_context *context, struct ibv_srq *srq,
				const struct ibv_srq_init_attr_ex *attr,
				const struct hf_driver_data *data,
				struct ib_uverbs_create_srq_resp *ret)
{
	int err;

	hf_provider_init_srq(srq, context, attr->pd, attr->srq_context);
	err = create_srq_by_ioctl(context, srq, attr, data, ret);
	if (hfi_method_is_missing(err))
		err = create_srq_by_write(context, srq, attr, data, ret);
	if (err)
		return -err;
	srq->handle = ret->srq_handle;
	atomic_fetch_add_explicit(&hfi_uverbs_of(context)->mapped, 1, memory_order_relaxed);
	return 0;
}

static void take_sizes(struct ibv_srq_attr *to, const struct ib_uverbs_create_srq_resp *from)
{
	to->max_wr = from->max_wr;
	to->max_sge = from->max_sge;
}

HF_EXPORT void hf_provider_init_srq(struct ibv_srq *srq, struct ibv_context *context,
				    struct ibv_pd *pd, void *srq_context)
{
	srq->context = context;
	srq->srq_context = srq_context;
	srq->pd = pd;
	hfi_events_init(context, &srq->mutex, &srq->cond, &srq->events_completed);
}

HF_EXPORT int hf_provider_create_srq(struct ibv_pd *pd, struct ibv_srq *srq,
				     struct ibv_srq_init_attr *attr,
				     const struct hf_driver_data *data)
{
	const struct ibv_srq_init_attr_ex full = {
		.srq_context = attr->srq_context,
		.attr = attr->attr,
		.srq_type = IBV_SRQT_BASIC,
		.pd = pd,
	};
	struct ib_uverbs_create_srq_resp response = {0};
	int err;

	err = create_srq_in_kernel(pd->context, srq, &full, data, &response);
	if (!err)
		take_sizes(&attr->attr, &response);
	return err;
}

/* Checks that what each type needs is given, and reads no member that the mask does not name. */
static int check_srq_attr(const struct ibv_srq_init_attr_ex *attr, struct ibv_srq_init_attr_ex *ret)
{
	const uint32_t mask = attr->comp_mask;
	const bool has_pd = mask & IBV_SRQ_INIT_ATTR_PD && attr->pd;
	const bool has_cq = mask & IBV_SRQ_INIT_ATTR_CQ && attr->cq;

	if (mask >= IBV_SRQ_INIT_ATTR_RESERVED)
		return EOPNOTSUPP;
	*ret = *attr;
	ret->srq_type = mask & IBV_SRQ_INIT_ATTR_TYPE ? attr->srq_type : IBV_SRQT_BASIC;
	if (!has_pd)
		return EINVAL;
	switch (ret->srq_type) {
	case IBV_SRQT_BASIC:
		return 0;
	case IBV_SRQT_XRC:
		return has_cq && mask & IBV_SRQ_INIT_ATTR_XRCD && attr->xrcd ? 0 : EINVAL;
	case IBV_SRQT_TM:
		return has_cq && mask & IBV_SRQ_INIT_ATTR_TM ? 0 : EINVAL;
	default:
		return EINVAL;
	}
}

HF_EXPORT int hf_provider_create_srq_ex(struct ibv_context *context, struct verbs_srq *srq,
					struct ibv_srq_init_attr_ex *attr,
					const struct hf_driver_data *data)
{
	struct ib_uverbs_create_srq_resp response = {0};
	struct ibv_srq_init_attr_ex full;
	int err;

	err = check_srq_attr(attr, &full);
	if (err)
		return err;
	err = create_srq_in_kernel(context, &srq->srq, &full, data, &response);
	if (err)
		return err;
	srq->srq_type = full.srq_type;
	srq->srq_num = response.srqn;
	if (full.srq_type == IBV_SRQT_XRC)
		srq->xrcd = hfi_verbs_xrcd(full.xrcd);
	if (wants_number(full.srq_type))
		srq->cq = full.cq;
	take_sizes(&attr->attr, &response);
	return 0;
}

HF_EXPORT int hf_provider_modify_srq(struct ibv_srq *srq, const struct ibv_srq_attr *attr,
				     int attr_mask, const struct hf_driver_data *data)
{
	struct ib_uverbs_modify_srq request = {
		.srq_handle = srq->handle,
		.attr_mask = (uint32_t)attr_mask,
	};

	if (attr_mask & IBV_SRQ_MAX_WR)
		request.max_wr = attr->max_wr;
	if (attr_mask & IBV_SRQ_LIMIT)
		request.srq_limit = attr->srq_limit;
	return -hfi_write_command(srq->context, IB_USER_VERBS_CMD_MODIFY_SRQ, &request,
				  sizeof(request), NULL, 0, data);
}

HF_EXPORT int hf_provider_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr,
				    const struct hf_driver_data *data)
{
	const struct ib_uverbs_query_srq request = {.srq_handle = srq->handle};
	struct ib_uverbs_query_srq_resp response = {0};
	int err;

	err = hfi_write_command(srq->context, IB_USER_VERBS_CMD_QUERY_SRQ, &request,
				sizeof(request), &response, sizeof(response), data);
	if (err)
		return -err;
	attr->max_wr = response.max_wr;
	attr->max_sge = response.max_sge;
	attr->srq_limit = response.srq_limit;
	return 0;
}

HF_EXPORT int hf_provider_destroy_srq(struct ibv_srq *srq)
{
	struct hf_events events = {.completed = &srq->events_completed};
	struct ib_uverbs_destroy_srq_resp response = {0};
	int err;

	err = hfi_destroy_counted(srq->context, UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY,
				  UVERBS_ATTR_DESTROY_SRQ_HANDLE, srq->handle,
				  UVERBS_ATTR_DESTROY_SRQ_RESP, &response, sizeof(response));
	if (hfi_method_is_missing(err)) {
		const struct ib_uverbs_destroy_srq request = {.srq_handle = srq->handle};

		err = hfi_write_command(srq->context, IB_USER_VERBS_CMD_DESTROY_SRQ, &request,
					sizeof(request), &response, sizeof(response), NULL);
		if (hfi_answer_is_gone(srq->context, err))
			err = 1;
	}
	events.reported = response.events_reported;
	err = hfi_events_finish(srq->context, err, &srq->mutex, &srq->cond, &events, 1);
	if (!err)
		atomic_fetch_sub_explicit(&hfi_uverbs_of(srq->context)->mapped, 1,
					  memory_order_relaxed);
	return err;
}
