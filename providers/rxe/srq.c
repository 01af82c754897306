/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared receive queues. The kernel driver supports only the basic type. */
#include <errno.h>
#include <stdlib.h>

#include "providers/rxe/rxe.h"

static struct rxe_srq *rxe_srq_of(struct ibv_srq *srq)
{
	return container_of(srq, struct rxe_srq, verbs.srq);
}

struct ibv_srq *rxe_create_srq_ex(struct ibv_context *context, struct ibv_srq_init_attr_ex *attr)
{
	struct rxe_create_srq_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_srq *srq;
	int err;

	if (attr->comp_mask & IBV_SRQ_INIT_ATTR_TYPE && attr->srq_type != IBV_SRQT_BASIC) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return NULL;
	err = hf_provider_create_srq_ex(context, &srq->verbs, attr, &data);
	if (err)
		goto free_srq;
	err = rxe_rq_map(&srq->rq, context->cmd_fd, &response.mi, attr->attr.max_sge);
	if (err)
		goto destroy_srq;
	srq->verbs.srq_num = response.srq_num;
	return &srq->verbs.srq;

destroy_srq:
	hf_provider_destroy_srq(&srq->verbs.srq);
free_srq:
	free(srq);
	errno = err;
	return NULL;
}

struct ibv_srq *rxe_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	struct ibv_srq_init_attr_ex full = {
		.srq_context = attr->srq_context,
		.attr = attr->attr,
		.comp_mask = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD,
		.srq_type = IBV_SRQT_BASIC,
		.pd = pd,
	};
	struct ibv_srq *srq = rxe_create_srq_ex(pd->context, &full);

	if (srq)
		attr->attr = full.attr;
	return srq;
}

int rxe_modify_srq(struct ibv_srq *ibv, struct ibv_srq_attr *attr, int mask)
{
	struct rxe_srq *srq = rxe_srq_of(ibv);
	struct mminfo info = {0};
	const struct rxe_modify_srq_cmd command = {.mmap_info_addr = (uintptr_t)&info};
	const struct hf_driver_data data = {.in = &command, .in_size = sizeof(command)};
	struct rxe_queue ring, old;
	uint32_t producer, count;
	int err;

	if (!(mask & IBV_SRQ_MAX_WR))
		return hf_provider_modify_srq(ibv, attr, mask, &data);

	/* The kernel moves the requests into a new ring: do not post to the old one meanwhile. */
	lock_take(&srq->rq.lock);
	old = srq->rq.queue;
	producer = rxe_queue_producer(&old);
	count = old.mask - rxe_queue_room(&old, producer);
	/* Kernel 6.1 uses the ring after freeing it if max_wr is less than the requests in it. */
	err = attr->max_wr < count ? EINVAL : hf_provider_modify_srq(ibv, attr, mask, &data);
	if (err)
		goto unlock;
	err = -rxe_queue_map(&ring, ibv->context->cmd_fd, &info,
			     rxe_rq_element_size(srq->rq.max_sge));
	if (err)
		goto unlock;
	srq->rq.queue = ring;
	rxe_queue_unmap(&old);

unlock:
	lock_release(&srq->rq.lock);
	return err;
}

int rxe_get_srq_num(struct ibv_srq *srq, uint32_t *number)
{
	*number = rxe_srq_of(srq)->verbs.srq_num;
	return 0;
}

int rxe_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	return rxe_rq_post(&rxe_srq_of(srq)->rq, wr, bad);
}

int rxe_destroy_srq(struct ibv_srq *ibv)
{
	struct rxe_srq *srq = rxe_srq_of(ibv);
	int err = hf_provider_destroy_srq(ibv);

	if (err)
		return err;
	rxe_rq_unmap(&srq->rq);
	free(srq);
	return 0;
}
