/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates a QP, or opens one that another process shares. */
#include <errno.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/queues.h"
#include "core/uverbs/uverbs.h"

enum {
	KNOWN_ATTRS = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_XRCD | IBV_QP_INIT_ATTR_CREATE_FLAGS |
		      IBV_QP_INIT_ATTR_MAX_TSO_HEADER | IBV_QP_INIT_ATTR_IND_TABLE |
		      IBV_QP_INIT_ATTR_RX_HASH | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
	KNOWN_FLAGS = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB | IBV_QP_CREATE_SCATTER_FCS |
		      IBV_QP_CREATE_CVLAN_STRIPPING | IBV_QP_CREATE_SOURCE_QPN |
		      IBV_QP_CREATE_PCI_WRITE_END_PADDING,
	ALL_OPEN_ATTRS = IBV_QP_OPEN_ATTR_NUM | IBV_QP_OPEN_ATTR_XRCD | IBV_QP_OPEN_ATTR_TYPE,
};

/* The kernel's answer about a new QP. */
struct made {
	uint32_t handle;
	uint32_t qp_num;
	struct ib_uverbs_qp_cap cap;
};

/* Adds the objects that a QP of this type has; the kernel refuses others. */
static void add_objects(struct hf_command *command, const struct ibv_qp_init_attr_ex *attr)
{
	if (attr->qp_type == IBV_QPT_XRC_RECV) {
		hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_XRCD_HANDLE,
				      hfi_verbs_xrcd(attr->xrcd)->handle);
		return;
	}
	hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_PD_HANDLE, attr->pd->handle);
	if (attr->rwq_ind_tbl) {
		hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_IND_TABLE_HANDLE,
				      (uint32_t)attr->rwq_ind_tbl->ind_tbl_handle);
		if (attr->cap.max_send_wr && attr->send_cq)
			hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_SEND_CQ_HANDLE,
					      attr->send_cq->handle);
		return;
	}
	if (attr->send_cq)
		hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_SEND_CQ_HANDLE,
				      attr->send_cq->handle);
	if (attr->qp_type == IBV_QPT_XRC_SEND)
		return;
	if (attr->recv_cq)
		hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_RECV_CQ_HANDLE,
				      attr->recv_cq->handle);
	if (attr->srq)
		hfi_command_in_handle(command, UVERBS_ATTR_CREATE_QP_SRQ_HANDLE, attr->srq->handle);
}

static int create_qp_by_ioctl(struct ibv_context *context, struct ibv_qp *qp,
			      const struct ibv_qp_init_attr_ex *attr,
			      const struct hf_driver_data *data, struct made *ret)
{
	const struct ib_uverbs_qp_cap cap = {
		.max_send_wr = attr->cap.max_send_wr,
		.max_recv_wr = attr->cap.max_recv_wr,
		.max_send_sge = attr->cap.max_send_sge,
		.max_recv_sge = attr->cap.max_recv_sge,
		.max_inline_data = attr->cap.max_inline_data,
	};
	/* This form of the command has an attribute of its own for it. */
	const uint32_t flags = (attr->create_flags & ~(uint32_t)IBV_QP_CREATE_SOURCE_QPN) |
			       (attr->sq_sig_all ? IB_UVERBS_QP_CREATE_SQ_SIG_ALL : 0);
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_CREATE_QP_HANDLE);
	add_objects(&command, attr);
	hfi_command_in_u64(&command, UVERBS_ATTR_CREATE_QP_USER_HANDLE, (uintptr_t)qp);
	hfi_command_in(&command, UVERBS_ATTR_CREATE_QP_CAP, &cap, sizeof(cap));
	hfi_command_in_const(&command, UVERBS_ATTR_CREATE_QP_TYPE, attr->qp_type);
	if (flags)
		hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_QP_FLAGS, flags);
	if (attr->create_flags & IBV_QP_CREATE_SOURCE_QPN)
		hfi_command_in_u32(&command, UVERBS_ATTR_CREATE_QP_SOURCE_QPN, attr->source_qpn);
	hfi_command_event_fd(&command, UVERBS_ATTR_CREATE_QP_EVENT_FD, context);
	hfi_command_out(&command, UVERBS_ATTR_CREATE_QP_RESP_CAP, &ret->cap, sizeof(ret->cap));
	hfi_command_out(&command, UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, &ret->qp_num,
			sizeof(ret->qp_num));
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	ret->handle = (uint32_t)handle->data;
	return err;
}

static struct ib_uverbs_ex_create_qp write_request(const struct ibv_qp *qp,
						   const struct ibv_qp_init_attr_ex *attr)
{
	struct ib_uverbs_ex_create_qp request = {
		.user_handle = (uintptr_t)qp,
		.max_send_wr = attr->cap.max_send_wr,
		.max_recv_wr = attr->cap.max_recv_wr,
		.max_send_sge = attr->cap.max_send_sge,
		.max_recv_sge = attr->cap.max_recv_sge,
		.max_inline_data = attr->cap.max_inline_data,
		.sq_sig_all = attr->sq_sig_all != 0,
		.qp_type = (uint8_t)attr->qp_type,
		.create_flags = attr->create_flags,
		.source_qpn = attr->source_qpn,
	};

	if (attr->qp_type == IBV_QPT_XRC_RECV) {
		request.pd_handle = hfi_verbs_xrcd(attr->xrcd)->handle;
		return request;
	}
	request.pd_handle = attr->pd->handle;
	if (attr->send_cq)
		request.send_cq_handle = attr->send_cq->handle;
	if (attr->qp_type == IBV_QPT_XRC_SEND)
		return request;
	if (attr->recv_cq)
		request.recv_cq_handle = attr->recv_cq->handle;
	if (attr->srq) {
		request.srq_handle = attr->srq->handle;
		request.is_srq = 1;
	}
	if (attr->rwq_ind_tbl) {
		request.comp_mask = IB_UVERBS_CREATE_QP_MASK_IND_TABLE;
		request.rwq_ind_tbl_handle = (uint32_t)attr->rwq_ind_tbl->ind_tbl_handle;
	}
	return request;
}

/* For kernels without the method. Not all of their drivers have the extended command. */
static int create_qp_by_write(struct ibv_context *context, struct ibv_qp *qp,
			      const struct ibv_qp_init_attr_ex *attr,
			      const struct hf_driver_data *data, struct made *ret)
{
	const struct ib_uverbs_ex_create_qp ex = write_request(qp, attr);
	struct ib_uverbs_ex_create_qp_resp response = {0};
	int err;

	if (attr->create_flags || attr->rwq_ind_tbl) {
		err = hfi_write_command(
			context, IB_USER_VERBS_EX_CMD_CREATE_QP | IB_USER_VERBS_CMD_FLAG_EXTENDED,
			&ex, sizeof(ex), &response, sizeof(response), data);
	} else {
		const struct ib_uverbs_create_qp request = {
			.user_handle = ex.user_handle,
			.pd_handle = ex.pd_handle,
			.send_cq_handle = ex.send_cq_handle,
			.recv_cq_handle = ex.recv_cq_handle,
			.srq_handle = ex.srq_handle,
			.max_send_wr = ex.max_send_wr,
			.max_recv_wr = ex.max_recv_wr,
			.max_send_sge = ex.max_send_sge,
			.max_recv_sge = ex.max_recv_sge,
			.max_inline_data = ex.max_inline_data,
			.sq_sig_all = ex.sq_sig_all,
			.qp_type = ex.qp_type,
			.is_srq = ex.is_srq,
		};

		err = hfi_write_command(context, IB_USER_VERBS_CMD_CREATE_QP, &request,
					sizeof(request), &response.base, sizeof(response.base),
					data);
	}
	*ret = (struct made){
		.handle = response.base.qp_handle,
		.qp_num = response.base.qpn,
		.cap.max_send_wr = response.base.max_send_wr,
		.cap.max_recv_wr = response.base.max_recv_wr,
		.cap.max_send_sge = response.base.max_send_sge,
		.cap.max_recv_sge = response.base.max_recv_sge,
		.cap.max_inline_data = response.base.max_inline_data,
	};
	return err;
}

static void init_qp(struct ibv_qp *qp, struct ibv_context *context,
		    const struct ibv_qp_init_attr_ex *attr)
{
	qp->context = context;
	qp->qp_context = attr->qp_context;
	qp->pd = attr->pd;
	qp->send_cq = attr->send_cq;
	qp->recv_cq = attr->recv_cq;
	qp->srq = attr->srq;
	qp->qp_type = attr->qp_type;
	qp->state = IBV_QPS_RESET;
	hfi_events_init(context, &qp->mutex, &qp->cond, &qp->events_completed);
}

static int create_qp_in_kernel(struct ibv_context *context, struct ibv_qp *qp,
			       const struct ibv_qp_init_attr_ex *attr,
			       const struct hf_driver_data *data, struct ibv_qp_cap *cap)
{
	struct made made = {0};
	int err;

	/* Initialise it before the command: events may arrive before that returns. */
	init_qp(qp, context, attr);
	err = create_qp_by_ioctl(context, qp, attr, data, &made);
	if (hfi_method_is_missing(err) && data && data->link)
		err = -EOPNOTSUPP; /* the older command would ignore the linked attributes */
	else if (hfi_method_is_missing(err))
		err = create_qp_by_write(context, qp, attr, data, &made);
	if (err)
		return -err;
	qp->handle = made.handle;
	qp->qp_num = made.qp_num;
	*cap = (struct ibv_qp_cap){
		.max_send_wr = made.cap.max_send_wr,
		.max_recv_wr = made.cap.max_recv_wr,
		.max_send_sge = made.cap.max_send_sge,
		.max_recv_sge = made.cap.max_recv_sge,
		.max_inline_data = made.cap.max_inline_data,
	};
	return 0;
}

static struct ibv_qp_init_attr_ex extended_qp_attr(const struct ibv_qp_init_attr *attr,
						   struct ibv_pd *pd)
{
	return (struct ibv_qp_init_attr_ex){
		.qp_context = attr->qp_context,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.srq = attr->srq,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
		.pd = pd,
	};
}

HF_EXPORT void hf_provider_init_qp(struct ibv_qp *qp, struct ibv_context *context,
				   const struct ibv_qp_init_attr *attr, struct ibv_pd *pd)
{
	const struct ibv_qp_init_attr_ex full = extended_qp_attr(attr, pd);

	init_qp(qp, context, &full);
}

HF_EXPORT int hf_provider_create_qp(struct ibv_pd *pd, struct ibv_qp *qp,
				    struct ibv_qp_init_attr *attr,
				    const struct hf_driver_data *data)
{
	const struct ibv_qp_init_attr_ex full = extended_qp_attr(attr, pd);

	/* These attributes have no member for its XRC domain. */
	if (attr->qp_type == IBV_QPT_XRC_RECV)
		return EINVAL;
	return create_qp_in_kernel(pd->context, qp, &full, data, &attr->cap);
}

/* Releases with private ABI 34 differ in where these members are: see holdfast-provider(7). */
static void set_xrcd(struct ibv_context *context, struct verbs_qp *qp, struct verbs_xrcd *xrcd)
{
	char *mask = (char *)qp + hfi_uverbs_of(context)->qp_mask_offset;

	*(uint32_t *)(void *)mask |= VERBS_QP_XRCD;
	*(struct verbs_xrcd **)(void *)(mask + sizeof(uint64_t)) = xrcd;
}

/* Copies only what the mask names: the caller need not initialise the rest. */
static int copy_qp_attr(const struct ibv_qp_init_attr_ex *attr, struct ibv_qp_init_attr_ex *ret)
{
	const uint32_t mask = attr->comp_mask;
	const uint32_t needed = attr->qp_type == IBV_QPT_XRC_RECV ? IBV_QP_INIT_ATTR_XRCD
								  : IBV_QP_INIT_ATTR_PD;

	if (mask & ~(uint32_t)KNOWN_ATTRS)
		return EOPNOTSUPP;
	if (!(mask & needed))
		return EINVAL;
	*ret = (struct ibv_qp_init_attr_ex){
		.qp_context = attr->qp_context,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
	};
	if (mask & IBV_QP_INIT_ATTR_CREATE_FLAGS) {
		/* The kernel's field has bits with other meanings, such as sq_sig_all, so refuse unknown flags. */
		if (attr->create_flags & ~(uint32_t)KNOWN_FLAGS)
			return EINVAL;
		ret->create_flags = attr->create_flags;
		if (attr->create_flags & IBV_QP_CREATE_SOURCE_QPN)
			ret->source_qpn = attr->source_qpn;
	}
	if (attr->qp_type == IBV_QPT_XRC_RECV) {
		ret->xrcd = attr->xrcd;
		return attr->xrcd ? 0 : EINVAL;
	}
	ret->pd = attr->pd;
	ret->send_cq = attr->send_cq;
	if (attr->qp_type != IBV_QPT_XRC_SEND) {
		ret->recv_cq = attr->recv_cq;
		ret->srq = attr->srq;
	}
	if (mask & IBV_QP_INIT_ATTR_IND_TABLE)
		ret->rwq_ind_tbl = attr->rwq_ind_tbl;
	return attr->pd ? 0 : EINVAL;
}

HF_EXPORT int hf_provider_create_qp_ex(struct ibv_context *context, struct verbs_qp *qp,
				       struct ibv_qp_init_attr_ex *attr,
				       const struct hf_driver_data *data)
{
	struct ibv_qp_init_attr_ex full;
	int err;

	err = copy_qp_attr(attr, &full);
	if (!err)
		err = create_qp_in_kernel(context, &qp->qp, &full, data, &attr->cap);
	if (!err && full.xrcd)
		set_xrcd(context, qp, hfi_verbs_xrcd(full.xrcd));
	return err;
}

HF_EXPORT int hf_provider_open_qp(struct ibv_context *context, struct verbs_qp *qp,
				  struct ibv_qp_open_attr *attr, const struct hf_driver_data *data)
{
	struct ib_uverbs_create_qp_resp response = {0};
	struct ibv_qp_init_attr_ex full = {0};
	struct ib_uverbs_open_qp request;
	int err;

	if (attr->comp_mask >= IBV_QP_OPEN_ATTR_RESERVED)
		return EOPNOTSUPP;
	if ((attr->comp_mask & ALL_OPEN_ATTRS) != ALL_OPEN_ATTRS || !attr->xrcd)
		return EINVAL;
	full.qp_type = attr->qp_type;
	if (attr->comp_mask & IBV_QP_OPEN_ATTR_CONTEXT)
		full.qp_context = attr->qp_context;
	init_qp(&qp->qp, context, &full);
	request = (struct ib_uverbs_open_qp){
		.user_handle = (uintptr_t)&qp->qp,
		.pd_handle = hfi_verbs_xrcd(attr->xrcd)->handle,
		.qpn = attr->qp_num,
		.qp_type = (uint8_t)attr->qp_type,
	};
	err = hfi_write_command(context, IB_USER_VERBS_CMD_OPEN_QP, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	qp->qp.handle = response.qp_handle;
	qp->qp.qp_num = attr->qp_num;
	set_xrcd(context, qp, hfi_verbs_xrcd(attr->xrcd));
	return 0;
}
