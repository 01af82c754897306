/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Posts receive requests to the array of a QP or an SRQ, and creates SRQs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "providers/siw/siw.h"

int siw_rq_map(struct siw_rq *rq, int cmd_fd, uint64_t key, uint32_t elements, uint32_t max_sge)
{
	int err = siw_array_map(&rq->array, cmd_fd, key, elements, sizeof(struct siw_rqe), 0);

	if (err)
		return err;
	rq->max_sge = max_sge < SIW_MAX_SGE ? max_sge : SIW_MAX_SGE;
	return 0;
}

void siw_rq_unmap(struct siw_rq *rq)
{
	if (!rq->array.start)
		return;
	siw_array_unmap(&rq->array);
}

static int siw_post_one_recv(struct siw_rq *rq, const struct ibv_recv_wr *wr)
{
	struct siw_rqe *rqe = siw_array_at(&rq->array, rq->array.next, sizeof(*rqe));
	const uint32_t num_sge = (uint32_t)wr->num_sge;

	if (__atomic_load_n(&rqe->flags, __ATOMIC_ACQUIRE))
		return ENOMEM;
	if (num_sge > rq->max_sge)
		return EINVAL;
	rqe->id = wr->wr_id;
	rqe->num_sge = (uint8_t)num_sge;
	/* One by one: an empty list may be NULL, which memcpy() does not allow. */
	for (uint32_t i = 0; i < num_sge; i++)
		memcpy(&rqe->sge[i], &wr->sg_list[i], sizeof(rqe->sge[0]));
	__atomic_store_n(&rqe->flags, SIW_WQE_VALID, __ATOMIC_RELEASE);
	rq->array.next++;
	return 0;
}

int siw_rq_post(struct siw_rq *rq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	int err = 0;

	lock_take(&rq->lock);
	for (; wr; wr = wr->next) {
		err = siw_post_one_recv(rq, wr);
		if (err) {
			*bad = wr;
			break;
		}
	}
	lock_release(&rq->lock);
	return err;
}

/* ---- Shared receive queues ---- */

static struct siw_srq *siw_srq_of(struct ibv_srq *srq)
{
	return container_of(srq, struct siw_srq, verbs.srq);
}

struct ibv_srq *siw_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	struct siw_uresp_create_srq response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct siw_srq *srq = calloc(1, sizeof(*srq));
	int err;

	if (!srq)
		return NULL;
	err = hf_provider_create_srq(pd, &srq->verbs.srq, attr, &data);
	if (err)
		goto free_srq;
	err = siw_rq_map(&srq->rq, pd->context->cmd_fd, response.srq_key, response.num_rqe,
			 attr->attr.max_sge);
	if (err)
		goto destroy_srq;
	attr->attr.max_wr = response.num_rqe;
	return &srq->verbs.srq;

destroy_srq:
	hf_provider_destroy_srq(&srq->verbs.srq);
free_srq:
	free(srq);
	errno = err;
	return NULL;
}

int siw_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask)
{
	return hf_provider_modify_srq(srq, attr, mask, NULL);
}

int siw_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	return siw_rq_post(&siw_srq_of(srq)->rq, wr, bad);
}

int siw_destroy_srq(struct ibv_srq *srq)
{
	int err = hf_provider_destroy_srq(srq);

	if (err)
		return err;
	siw_rq_unmap(&siw_srq_of(srq)->rq);
	free(siw_srq_of(srq));
	return 0;
}
