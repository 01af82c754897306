/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Queue pairs: modify, query and destroy them in the kernel. */
#include <errno.h>
#include <string.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/queues.h"

static void put_path(struct ib_uverbs_qp_dest *to, const struct ibv_ah_attr *from)
{
	memcpy(to->dgid, from->grh.dgid.raw, sizeof(to->dgid));
	to->flow_label = from->grh.flow_label;
	to->dlid = from->dlid;
	to->sgid_index = from->grh.sgid_index;
	to->hop_limit = from->grh.hop_limit;
	to->traffic_class = from->grh.traffic_class;
	to->sl = from->sl;
	to->src_path_bits = from->src_path_bits;
	to->static_rate = from->static_rate;
	to->is_global = from->is_global;
	to->port_num = from->port_num;
}

static void convert_path(struct ibv_ah_attr *to, const struct ib_uverbs_qp_dest *from)
{
	memcpy(to->grh.dgid.raw, from->dgid, sizeof(from->dgid));
	to->grh.flow_label = from->flow_label;
	to->grh.sgid_index = from->sgid_index;
	to->grh.hop_limit = from->hop_limit;
	to->grh.traffic_class = from->traffic_class;
	to->dlid = from->dlid;
	to->sl = from->sl;
	to->src_path_bits = from->src_path_bits;
	to->static_rate = from->static_rate;
	to->is_global = from->is_global;
	to->port_num = from->port_num;
}

/* Copies only the attributes in the mask: the program need not initialise the others. */
static void put_attributes(struct ib_uverbs_modify_qp *to, const struct ibv_qp_attr *from, int mask)
{
#define PUT(bit, member)                           \
	do {                                       \
		if (mask & (bit))                  \
			to->member = from->member; \
	} while (0)

	to->attr_mask = (uint32_t)mask;
	if (mask & IBV_QP_STATE)
		to->qp_state = (uint8_t)from->qp_state;
	if (mask & IBV_QP_CUR_STATE)
		to->cur_qp_state = (uint8_t)from->cur_qp_state;
	if (mask & IBV_QP_PATH_MTU)
		to->path_mtu = (uint8_t)from->path_mtu;
	if (mask & IBV_QP_PATH_MIG_STATE)
		to->path_mig_state = (uint8_t)from->path_mig_state;
	PUT(IBV_QP_EN_SQD_ASYNC_NOTIFY, en_sqd_async_notify);
	PUT(IBV_QP_ACCESS_FLAGS, qp_access_flags);
	PUT(IBV_QP_PKEY_INDEX, pkey_index);
	PUT(IBV_QP_PORT, port_num);
	PUT(IBV_QP_QKEY, qkey);
	PUT(IBV_QP_TIMEOUT, timeout);
	PUT(IBV_QP_RETRY_CNT, retry_cnt);
	PUT(IBV_QP_RNR_RETRY, rnr_retry);
	PUT(IBV_QP_RQ_PSN, rq_psn);
	PUT(IBV_QP_MAX_QP_RD_ATOMIC, max_rd_atomic);
	PUT(IBV_QP_MIN_RNR_TIMER, min_rnr_timer);
	PUT(IBV_QP_SQ_PSN, sq_psn);
	PUT(IBV_QP_MAX_DEST_RD_ATOMIC, max_dest_rd_atomic);
	PUT(IBV_QP_DEST_QPN, dest_qp_num);
	if (mask & IBV_QP_AV)
		put_path(&to->dest, &from->ah_attr);
	if (mask & IBV_QP_ALT_PATH) {
		put_path(&to->alt_dest, &from->alt_ah_attr);
		to->alt_pkey_index = from->alt_pkey_index;
		to->alt_port_num = from->alt_port_num;
		to->alt_timeout = from->alt_timeout;
	}
#undef PUT
}

HF_EXPORT int hf_provider_modify_qp(struct ibv_qp *qp, const struct ibv_qp_attr *attr,
				    int attr_mask, const struct hf_driver_data *data)
{
	struct ib_uverbs_modify_qp request = {.qp_handle = qp->handle};

	if (attr_mask >= IBV_QP_RATE_LIMIT || attr_mask < 0)
		return EOPNOTSUPP;
	put_attributes(&request, attr, attr_mask);
	return -hfi_write_command(qp->context, IB_USER_VERBS_CMD_MODIFY_QP, &request,
				  sizeof(request), NULL, 0, data);
}

HF_EXPORT int hf_provider_modify_qp_ex(struct ibv_qp *qp, const struct ibv_qp_attr *attr,
				       int attr_mask, const struct hf_driver_data *data)
{
	struct ib_uverbs_ex_modify_qp request = {.base.qp_handle = qp->handle};
	struct ib_uverbs_ex_modify_qp_resp response = {0};

	if (attr_mask >= IBV_QP_RATE_LIMIT << 1 || attr_mask < 0)
		return EOPNOTSUPP;
	put_attributes(&request.base, attr, attr_mask);
	if (attr_mask & IBV_QP_RATE_LIMIT)
		request.rate_limit = attr->rate_limit;
	return -hfi_write_command(qp->context,
				  IB_USER_VERBS_EX_CMD_MODIFY_QP | IB_USER_VERBS_CMD_FLAG_EXTENDED,
				  &request, sizeof(request), &response, sizeof(response), data);
}

static struct ibv_qp_cap cap_of(const struct ib_uverbs_query_qp_resp *from)
{
	return (struct ibv_qp_cap){
		.max_send_wr = from->max_send_wr,
		.max_recv_wr = from->max_recv_wr,
		.max_send_sge = from->max_send_sge,
		.max_recv_sge = from->max_recv_sge,
		.max_inline_data = from->max_inline_data,
	};
}

static void take_attributes(struct ibv_qp_attr *to, const struct ib_uverbs_query_qp_resp *from)
{
	to->qp_state = (enum ibv_qp_state)from->qp_state;
	to->cur_qp_state = (enum ibv_qp_state)from->cur_qp_state;
	to->path_mtu = (enum ibv_mtu)from->path_mtu;
	to->path_mig_state = (enum ibv_mig_state)from->path_mig_state;
	to->qkey = from->qkey;
	to->rq_psn = from->rq_psn;
	to->sq_psn = from->sq_psn;
	to->dest_qp_num = from->dest_qp_num;
	to->qp_access_flags = from->qp_access_flags;
	to->pkey_index = from->pkey_index;
	to->alt_pkey_index = from->alt_pkey_index;
	to->sq_draining = from->sq_draining;
	to->max_rd_atomic = from->max_rd_atomic;
	to->max_dest_rd_atomic = from->max_dest_rd_atomic;
	to->min_rnr_timer = from->min_rnr_timer;
	to->port_num = from->port_num;
	to->timeout = from->timeout;
	to->retry_cnt = from->retry_cnt;
	to->rnr_retry = from->rnr_retry;
	to->alt_port_num = from->alt_port_num;
	to->alt_timeout = from->alt_timeout;
	to->cap = cap_of(from);
	convert_path(&to->ah_attr, &from->dest);
	convert_path(&to->alt_ah_attr, &from->alt_dest);
}

HF_EXPORT int hf_provider_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
				   struct ibv_qp_init_attr *init_attr,
				   const struct hf_driver_data *data)
{
	const struct ib_uverbs_query_qp request = {
		.qp_handle = qp->handle,
		.attr_mask = (uint32_t)attr_mask,
	};
	struct ib_uverbs_query_qp_resp response = {0};
	int err;

	/* The kernel's answer has no member for it. */
	if (attr_mask & IBV_QP_RATE_LIMIT)
		return EOPNOTSUPP;
	err = hfi_write_command(qp->context, IB_USER_VERBS_CMD_QUERY_QP, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	take_attributes(attr, &response);
	*init_attr = (struct ibv_qp_init_attr){
		.qp_context = qp->qp_context,
		.send_cq = qp->send_cq,
		.recv_cq = qp->recv_cq,
		.srq = qp->srq,
		.cap = cap_of(&response),
		.qp_type = qp->qp_type,
		.sq_sig_all = response.sq_sig_all,
	};
	return 0;
}

HF_EXPORT int hf_provider_destroy_qp(struct ibv_qp *qp)
{
	struct hf_events events = {.completed = &qp->events_completed};
	struct ib_uverbs_destroy_qp_resp response = {0};
	int err;

	err = hfi_destroy_counted(qp->context, UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY,
				  UVERBS_ATTR_DESTROY_QP_HANDLE, qp->handle,
				  UVERBS_ATTR_DESTROY_QP_RESP, &response, sizeof(response));
	if (hfi_method_is_missing(err)) {
		const struct ib_uverbs_destroy_qp request = {.qp_handle = qp->handle};

		err = hfi_write_command(qp->context, IB_USER_VERBS_CMD_DESTROY_QP, &request,
					sizeof(request), &response, sizeof(response), NULL);
		if (hfi_answer_is_gone(qp->context, err))
			err = 1;
	}
	events.reported = response.events_reported;
	return hfi_events_finish(qp->context, err, &qp->mutex, &qp->cond, &events, 1);
}
