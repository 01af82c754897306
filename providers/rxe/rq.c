/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Posts receive requests to the ring of a QP or an SRQ. */
#include <errno.h>
#include <string.h>

#include "providers/rxe/rxe.h"

size_t rxe_rq_element_size(uint32_t max_sge)
{
	return sizeof(struct rxe_recv_wqe) + (size_t)max_sge * sizeof(struct rxe_sge);
}

int rxe_rq_map(struct rxe_rq *rq, int cmd_fd, const struct mminfo *info, uint32_t max_sge)
{
	int err = rxe_queue_map(&rq->queue, cmd_fd, info, rxe_rq_element_size(max_sge));

	if (err)
		return -err;
	rq->max_sge = max_sge;
	return 0;
}

void rxe_rq_unmap(struct rxe_rq *rq)
{
	if (!rq->queue.buf)
		return;
	rxe_queue_unmap(&rq->queue);
}

static int rxe_fill_recv_wqe(struct rxe_recv_wqe *wqe, const struct ibv_recv_wr *wr,
			     uint32_t max_sge)
{
	const uint32_t num_sge = (uint32_t)wr->num_sge;
	uint64_t length = 0;

	if (unlikely(num_sge > max_sge))
		return EINVAL;
	for (uint32_t i = 0; i < num_sge; i++) {
		length += wr->sg_list[i].length;
		memcpy(&wqe->dma.sge[i], &wr->sg_list[i], sizeof(wqe->dma.sge[i]));
	}
	if (unlikely(length > UINT32_MAX))
		return EINVAL;
	wqe->wr_id = wr->wr_id;
	rxe_wqe_set_length(&wqe->dma, (uint32_t)length, num_sge);
	return 0;
}

int rxe_rq_post(struct rxe_rq *rq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	uint32_t index, room;
	int err = 0;

	lock_take(&rq->lock);
	index = rxe_queue_producer(&rq->queue);
	room = rxe_queue_room(&rq->queue, index);
	for (; wr; wr = wr->next, index++, room--) {
		err = unlikely(!room)
			      ? ENOMEM
			      : rxe_fill_recv_wqe(rxe_queue_at(&rq->queue, index), wr, rq->max_sge);
		if (unlikely(err)) {
			*bad = wr;
			break;
		}
	}
	rxe_queue_produce(&rq->queue, index);
	lock_release(&rq->lock);
	return err;
}
