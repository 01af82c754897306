/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates and destroys queue pairs. */
#include <errno.h>
#include <stdlib.h>

#include "providers/siw/siw.h"

enum {
	MASK = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS |
	       IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
};

/* The operations that the kernel driver accepts from a program. */
static const uint64_t OPS = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_INV |
			    IBV_QP_EX_WITH_RDMA_WRITE | IBV_QP_EX_WITH_RDMA_READ;

/* False if the program asks for an operation or attribute that siw lacks, or for any create_flags. */
static bool is_supported(const struct ibv_qp_init_attr_ex *attr)
{
	const uint32_t mask = attr->comp_mask;

	return !(mask & ~(uint32_t)MASK) &&
	       !(mask & IBV_QP_INIT_ATTR_CREATE_FLAGS && attr->create_flags) &&
	       !(mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS && attr->send_ops_flags & ~OPS);
}

static int map_arrays(struct siw_qp *qp, const struct ibv_qp_cap *cap,
		      const struct siw_uresp_create_qp *response)
{
	const int cmd_fd = qp->verbs.qp.context->cmd_fd;
	int err;

	err = siw_array_map(&qp->sq, cmd_fd, response->sq_key, response->num_sqe,
			    sizeof(struct siw_sqe), 0);
	/* With an SRQ the kernel reports a size here although there is no receive queue. */
	if (err || qp->verbs.qp.srq || !response->num_rqe)
		return err;
	return siw_rq_map(&qp->rq, cmd_fd, response->rq_key, response->num_rqe, cap->max_recv_sge);
}

static void siw_free_qp(struct siw_qp *qp)
{
	siw_rq_unmap(&qp->rq);
	siw_array_unmap(&qp->sq);
	free(qp);
}

/*
 * Finishes a creation that the kernel answered with `err`: maps the arrays and changes *cap to the
 * actual sizes, or frees the QP.
 */
static struct ibv_qp *siw_finish_qp(struct siw_qp *qp, int err, struct ibv_qp_cap *cap,
				    bool signal_all, const struct siw_uresp_create_qp *response)
{
	if (err)
		goto free_qp;
	err = map_arrays(qp, cap, response);
	if (err)
		goto destroy_qp;
	qp->max_sge = cap->max_send_sge < SIW_MAX_SGE ? cap->max_send_sge : SIW_MAX_SGE;
	qp->flags = signal_all ? SIW_WQE_SIGNALLED : 0;
	cap->max_send_wr = response->num_sqe;
	if (qp->rq.array.start)
		cap->max_recv_wr = response->num_rqe;
	cap->max_inline_data = SIW_MAX_INLINE;
	return &qp->verbs.qp;

destroy_qp:
	hf_provider_destroy_qp(&qp->verbs.qp);
free_qp:
	siw_free_qp(qp);
	errno = err;
	return NULL;
}

struct ibv_qp *siw_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct siw_uresp_create_qp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct siw_qp *qp = calloc(1, sizeof(*qp));
	int err;

	if (!qp)
		return NULL;
	err = hf_provider_create_qp(pd, &qp->verbs.qp, attr, &data);
	return siw_finish_qp(qp, err, &attr->cap, attr->sq_sig_all, &response);
}

struct ibv_qp *siw_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr)
{
	struct siw_uresp_create_qp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct siw_qp *qp;
	int err;

	if (!is_supported(attr)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	qp = calloc(1, sizeof(*qp));
	if (!qp)
		return NULL;
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) {
		siw_set_qp_calls(&qp->verbs.qp_ex);
		qp->verbs.comp_mask |= VERBS_QP_EX;
	}
	err = hf_provider_create_qp_ex(context, &qp->verbs, attr, &data);
	return siw_finish_qp(qp, err, &attr->cap, attr->sq_sig_all, &response);
}

int siw_destroy_qp(struct ibv_qp *ibv)
{
	int err = hf_provider_destroy_qp(ibv);

	if (!err)
		siw_free_qp(container_of(ibv, struct siw_qp, verbs.qp));
	return err;
}
