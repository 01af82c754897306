/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates, resizes and destroys completion queues. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "providers/rxe/rxe.h"

static void rxe_free_cq(struct rxe_cq *cq)
{
	rxe_queue_unmap(&cq->queue);
	free(cq);
}

static int map_ring(struct rxe_cq *cq, const struct mminfo *info)
{
	return -rxe_queue_map(&cq->queue, cq->verbs.cq.context->cmd_fd, info,
			      sizeof(struct ib_uverbs_wc));
}

/* Finishes a creation that the kernel answered with `err`: maps the ring, or frees the CQ. */
static struct rxe_cq *rxe_finish_cq(struct rxe_cq *cq, int err, const struct mminfo *info)
{
	if (err)
		goto free_cq;
	err = map_ring(cq, info);
	if (err)
		goto destroy_cq;
	return cq;

destroy_cq:
	hf_provider_destroy_cq(&cq->verbs.cq);
free_cq:
	rxe_free_cq(cq);
	errno = err;
	return NULL;
}

struct ibv_cq *rxe_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			     int comp_vector)
{
	struct rxe_create_cq_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_cq *cq = calloc(1, sizeof(*cq));
	int err;

	if (!cq)
		return NULL;
	err = hf_provider_create_cq(context, cqe, channel, comp_vector, &cq->verbs.cq, &data);
	cq = rxe_finish_cq(cq, err, &response.mi);
	return cq ? &cq->verbs.cq : NULL;
}

struct ibv_cq_ex *rxe_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr)
{
	struct rxe_create_cq_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_cq *cq;
	int err;

	if (!cq_ex_supported(attr)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return NULL;
	cq->unlocked = cq_ex_single_threaded(attr);
	err = hf_provider_create_cq_ex(context, attr, &cq->verbs, &data, 0);
	cq = rxe_finish_cq(cq, err, &response.mi);
	if (!cq)
		return NULL;
	rxe_set_cq_calls(&cq->verbs.cq_ex, attr->wc_flags);
	return &cq->verbs.cq_ex;
}

/* The kernel moves the completions into a new ring: do not poll the old one meanwhile. */
int rxe_resize_cq(struct ibv_cq *ibv, int cqe)
{
	struct rxe_cq *cq = container_of(ibv, struct rxe_cq, verbs.cq);
	struct rxe_resize_cq_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_queue old;
	int err;

	lock_take(&cq->lock);
	old = cq->queue;
	err = hf_provider_resize_cq(ibv, cqe, &data);
	if (err)
		goto unlock;
	/* On failure keep the old ring: polling it is safe, although nothing arrives there any more. */
	err = map_ring(cq, &response.mi);
	if (err)
		goto unlock;
	rxe_queue_unmap(&old);

unlock:
	lock_release(&cq->lock);
	return err;
}

/* Walks from the newest completion to the oldest and moves those that stay towards the newest end. */
void rxe_cq_discard(struct ibv_cq *ibv, uint32_t qp_num)
{
	struct rxe_cq *cq = container_of(ibv, struct rxe_cq, verbs.cq);
	uint32_t first, end, to;

	lock_take(&cq->lock);
	first = rxe_queue_consumer(&cq->queue);
	end = to = first + rxe_queue_count(&cq->queue, first);
	while (end-- != first) {
		const struct ib_uverbs_wc *wc = rxe_queue_at(&cq->queue, end);

		if (wc->qp_num != qp_num && --to != end)
			memcpy(rxe_queue_at(&cq->queue, to), wc, sizeof(*wc));
	}
	rxe_queue_consume(&cq->queue, to);
	lock_release(&cq->lock);
}

int rxe_destroy_cq(struct ibv_cq *ibv)
{
	int err = hf_provider_destroy_cq(ibv);

	if (!err)
		rxe_free_cq(container_of(ibv, struct rxe_cq, verbs.cq));
	return err;
}
