/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates, resets and destroys queue pairs. */
#include <errno.h>
#include <stdlib.h>

#include "providers/rxe/rxe.h"

#define OP(name) (UINT32_C(1) << IBV_WR_##name)

enum {
	ALL_OPS = OP(SEND) | OP(SEND_WITH_IMM),
	UC_OPS = ALL_OPS | OP(RDMA_WRITE) | OP(RDMA_WRITE_WITH_IMM) | OP(BIND_MW),
	RC_OPS = UC_OPS | OP(RDMA_READ) | OP(ATOMIC_CMP_AND_SWP) | OP(ATOMIC_FETCH_AND_ADD) |
		 OP(LOCAL_INV) | OP(SEND_WITH_INV),
	/* In these bits IBV_QP_EX_WITH_X is 1 << IBV_WR_X. */
	COMMON_BITS = OP(DRIVER1) - 1,
};

/* device_cap_flags_ex of ib_uverbs_ex_query_device; Linux 6.3. */
static const uint64_t DEVICE_ATOMIC_WRITE = UINT64_C(1) << 40;

static bool rxe_has_atomic_write(struct ibv_context *context)
{
	struct ibv_device_attr_ex attr;
	uint64_t version;

	return !hf_provider_query_device(context, NULL, &attr, sizeof(attr), &version, NULL) &&
	       attr.device_cap_flags_ex & DEVICE_ATOMIC_WRITE;
}

static uint32_t opcodes_of(enum ibv_qp_type type)
{
	switch (type) {
	case IBV_QPT_RC:
		return RC_OPS;
	case IBV_QPT_UC:
		return UC_OPS;
	case IBV_QPT_UD:
		return ALL_OPS;
	default:
		return 0;
	}
}

/* Checks send_ops_flags, and adds ATOMIC_WRITE to *opcodes if asked for. 0 or a positive errno value. */
static int rxe_check_send_ops(struct ibv_context *context, const struct ibv_qp_init_attr_ex *attr,
			      uint32_t *opcodes)
{
	const uint64_t flags = attr->send_ops_flags;

	if (!(attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS))
		return 0;
	if (flags & IBV_QP_EX_WITH_ATOMIC_WRITE) {
		if (attr->qp_type != IBV_QPT_RC || !rxe_has_atomic_write(context))
			return EOPNOTSUPP;
		*opcodes |= OP(ATOMIC_WRITE);
	}
	if (flags & ~(uint64_t)(IBV_QP_EX_WITH_ATOMIC_WRITE | (*opcodes & COMMON_BITS)))
		return EOPNOTSUPP;
	return 0;
}

static int map_rings(struct rxe_qp *qp, const struct ibv_qp_cap *cap,
		     const struct rxe_create_qp_resp *response)
{
	const int cmd_fd = qp->verbs.qp.context->cmd_fd;
	size_t data = (size_t)cap->max_send_sge * sizeof(struct rxe_sge);
	int err;

	if (data < cap->max_inline_data)
		data = cap->max_inline_data;
	err = rxe_queue_map(&qp->sq, cmd_fd, &response->sq_mi, sizeof(struct rxe_send_wqe) + data);
	if (err)
		return -err;
	qp->max_sge = cap->max_send_sge;
	qp->max_inline = cap->max_inline_data;
	if (qp->verbs.qp.srq)
		return 0;
	return rxe_rq_map(&qp->rq, cmd_fd, &response->rq_mi, cap->max_recv_sge);
}

static void rxe_free_qp(struct rxe_qp *qp)
{
	rxe_rq_unmap(&qp->rq);
	rxe_queue_unmap(&qp->sq);
	free(qp);
}

/* Finishes a creation that the kernel answered with `err`: maps the rings, or frees the QP. */
static struct ibv_qp *rxe_finish_qp(struct rxe_qp *qp, int err, const struct ibv_qp_cap *cap,
				    const struct rxe_create_qp_resp *response)
{
	if (err)
		goto free_qp;
	err = map_rings(qp, cap, response);
	if (err)
		goto destroy_qp;
	return &qp->verbs.qp;

destroy_qp:
	hf_provider_destroy_qp(&qp->verbs.qp);
free_qp:
	rxe_free_qp(qp);
	errno = err;
	return NULL;
}

struct ibv_qp *rxe_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct rxe_create_qp_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_qp *qp = calloc(1, sizeof(*qp));
	int err;

	if (!qp)
		return NULL;
	qp->opcodes = opcodes_of(attr->qp_type);
	err = hf_provider_create_qp(pd, &qp->verbs.qp, attr, &data);
	return rxe_finish_qp(qp, err, &attr->cap, &response);
}

struct ibv_qp *rxe_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr)
{
	struct rxe_create_qp_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	const uint32_t known = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS |
			       IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
	/* The kernel driver supports no create_flags. */
	bool flagged = attr->comp_mask & IBV_QP_INIT_ATTR_CREATE_FLAGS && attr->create_flags;
	uint32_t opcodes = opcodes_of(attr->qp_type);
	struct rxe_qp *qp;
	int err;

	err = attr->comp_mask & ~known || flagged ? EOPNOTSUPP
						  : rxe_check_send_ops(context, attr, &opcodes);
	if (err) {
		errno = err;
		return NULL;
	}
	qp = calloc(1, sizeof(*qp));
	if (!qp)
		return NULL;
	qp->opcodes = opcodes;
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) {
		rxe_set_qp_calls(&qp->verbs.qp_ex);
		qp->verbs.comp_mask |= VERBS_QP_EX;
	}
	err = hf_provider_create_qp_ex(context, &qp->verbs, attr, &data);
	return rxe_finish_qp(qp, err, &attr->cap, &response);
}

/* A reset discards the QP's completions: the program may use their wr_ids again. */
int rxe_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	int err = default_modify_qp(qp, attr, mask);

	if (err || !(mask & IBV_QP_STATE) || attr->qp_state != IBV_QPS_RESET)
		return err;
	if (qp->send_cq)
		rxe_cq_discard(qp->send_cq, qp->qp_num);
	if (qp->recv_cq && qp->recv_cq != qp->send_cq)
		rxe_cq_discard(qp->recv_cq, qp->qp_num);
	return 0;
}

int rxe_destroy_qp(struct ibv_qp *ibv)
{
	int err = hf_provider_destroy_qp(ibv);

	if (!err)
		rxe_free_qp(container_of(ibv, struct rxe_qp, verbs.qp));
	return err;
}
