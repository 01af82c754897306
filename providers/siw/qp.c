/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Queue pairs: made and destroyed. */
#include <errno.h>
#include <stdlib.h>

#include "providers/siw/siw.h"

static int map_arrays(struct siw_qp *qp, const struct ibv_qp_cap *cap,
		      const struct siw_uresp_create_qp *response)
{
	const int cmd_fd = qp->verbs.qp.context->cmd_fd;
	int err;

	err = siw_array_map(&qp->sq, cmd_fd, response->sq_key, response->num_sqe,
			    sizeof(struct siw_sqe), 0);
	/* With an SRQ the kernel answers a size here, but has made no such queue. */
	if (err || qp->verbs.qp.srq || !response->num_rqe)
		return err;
	return siw_rq_map(&qp->rq, cmd_fd, response->rq_key, response->num_rqe, cap->max_recv_sge);
}

static void free_qp(struct siw_qp *qp)
{
	siw_rq_unmap(&qp->rq);
	siw_array_unmap(&qp->sq);
	free(qp);
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
	if (err)
		goto free_qp;
	err = map_arrays(qp, &attr->cap, &response);
	if (err)
		goto destroy_qp;
	qp->max_sge = attr->cap.max_send_sge < SIW_MAX_SGE ? attr->cap.max_send_sge : SIW_MAX_SGE;
	qp->flags = attr->sq_sig_all ? SIW_WQE_SIGNALLED : 0;
	attr->cap.max_send_wr = response.num_sqe;
	if (qp->rq.array.start)
		attr->cap.max_recv_wr = response.num_rqe;
	attr->cap.max_inline_data = SIW_MAX_INLINE;
	return &qp->verbs.qp;

destroy_qp:
	hf_provider_destroy_qp(&qp->verbs.qp);
free_qp:
	free_qp(qp);
	errno = err;
	return NULL;
}

int siw_destroy_qp(struct ibv_qp *ibv)
{
	int err = hf_provider_destroy_qp(ibv);

	if (!err)
		free_qp(container_of(ibv, struct siw_qp, verbs.qp));
	return err;
}
