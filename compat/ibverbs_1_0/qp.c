/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: queue pairs. */
#include <stdlib.h>
#include <string.h>

#include "compat/ibverbs_1_0/ibverbs_1_0.h"

HF_IBVERBS_1_0(struct v1_0_qp *, ibv_create_qp,
	       (struct v1_0_pd * pd, struct v1_0_qp_init_attr *attr))
{
	struct v1_0_qp *qp = calloc(1, sizeof(*qp));
	struct ibv_qp_init_attr real = {
		.qp_context = qp,
		.send_cq = attr->send_cq ? attr->send_cq->real : NULL,
		.recv_cq = attr->recv_cq ? attr->recv_cq->real : NULL,
		.srq = attr->srq ? attr->srq->real : NULL,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
	};

	if (!qp)
		return NULL;
	qp->real = hf_compat_calls.ibv_create_qp(pd->real, &real);
	if (!qp->real) {
		free(qp);
		return NULL;
	}
	attr->cap = real.cap;
	qp->context = pd->context;
	qp->qp_context = attr->qp_context;
	qp->pd = pd;
	qp->send_cq = attr->send_cq;
	qp->recv_cq = attr->recv_cq;
	qp->srq = attr->srq;
	qp->handle = qp->real->handle;
	qp->qp_num = qp->real->qp_num;
	qp->state = qp->real->state;
	qp->qp_type = qp->real->qp_type;
	return qp;
}

HF_IBVERBS_1_0(int, ibv_modify_qp, (struct v1_0_qp * qp, struct ibv_qp_attr *attr, int mask))
{
	int ret = hf_compat_calls.ibv_modify_qp(qp->real, attr, mask & ~IBV_QP_RATE_LIMIT);

	if (!ret)
		qp->state = qp->real->state;
	return ret;
}

HF_IBVERBS_1_0(int, ibv_query_qp,
	       (struct v1_0_qp * qp, struct ibv_qp_attr *attr, int mask,
		struct v1_0_qp_init_attr *init_attr))
{
	struct ibv_qp_init_attr real;
	struct ibv_qp_attr full;
	int ret;

	memset(&full, 0, sizeof(full));
	ret = hf_compat_calls.ibv_query_qp(qp->real, &full, mask, &real);
	if (ret)
		return ret;
	qp->state = qp->real->state;
	/* The struct of IBVERBS_1.0 ends before rate_limit. */
	memcpy(attr, &full, offsetof(struct ibv_qp_attr, rate_limit));
	*init_attr = (struct v1_0_qp_init_attr){
		.qp_context = qp->qp_context,
		.send_cq = qp->send_cq,
		.recv_cq = qp->recv_cq,
		.srq = qp->srq,
		.cap = real.cap,
		.qp_type = real.qp_type,
		.sq_sig_all = real.sq_sig_all,
	};
	return 0;
}

HF_IBVERBS_1_0(int, ibv_destroy_qp, (struct v1_0_qp * qp))
{
	int ret = hf_compat_calls.ibv_destroy_qp(qp->real);

	if (!ret)
		free(qp);
	return ret;
}

HF_IBVERBS_1_0(int, ibv_attach_mcast, (struct v1_0_qp * qp, const union ibv_gid *gid, uint16_t lid))
{
	return hf_compat_calls.ibv_attach_mcast(qp->real, gid, lid);
}

HF_IBVERBS_1_0(int, ibv_detach_mcast, (struct v1_0_qp * qp, const union ibv_gid *gid, uint16_t lid))
{
	return hf_compat_calls.ibv_detach_mcast(qp->real, gid, lid);
}
