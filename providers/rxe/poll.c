/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Polls a CQ, whose ring holds struct ib_uverbs_wc. */
#include <errno.h>
#include <string.h>

#include "providers/rxe/rxe.h"

/* Checks that a completion can be copied from the kernel's struct to the program's. */
#define SAME_PLACE(ours, theirs)                                                               \
	_Static_assert(offsetof(struct ibv_wc, ours) == offsetof(struct ib_uverbs_wc, theirs), \
		       "a completion's " #ours)

SAME_PLACE(wr_id, wr_id);
SAME_PLACE(status, status);
SAME_PLACE(opcode, opcode);
SAME_PLACE(vendor_err, vendor_err);
SAME_PLACE(byte_len, byte_len);
SAME_PLACE(imm_data, ex);
SAME_PLACE(qp_num, qp_num);
SAME_PLACE(src_qp, src_qp);
SAME_PLACE(wc_flags, wc_flags);
SAME_PLACE(pkey_index, pkey_index);
SAME_PLACE(slid, slid);
SAME_PLACE(sl, sl);
SAME_PLACE(dlid_path_bits, dlid_path_bits);
_Static_assert(sizeof(struct ibv_wc) == sizeof(struct ib_uverbs_wc), "a completion's size");

/* IB_WC_WITH_INVALIDATE of the kernel's rdma/ib_verbs.h; in programs this bit is IBV_WC_IP_CSUM_OK. */
enum { KERNEL_WC_WITH_INV = 1 << 2 };

static inline unsigned int wc_flags(unsigned int flags)
{
	if (unlikely(flags & KERNEL_WC_WITH_INV))
		flags ^= KERNEL_WC_WITH_INV | IBV_WC_WITH_INV;
	return flags;
}

int rxe_poll_cq(struct ibv_cq *ibv, int num_entries, struct ibv_wc *wc)
{
	struct rxe_cq *cq = container_of(ibv, struct rxe_cq, verbs.cq);
	uint32_t index, count, max = num_entries > 0 ? (uint32_t)num_entries : 0;
	struct rxe_queue queue;

	lock_take_unless(&cq->lock, cq->unlocked);
	/* A local copy: the compiler must assume that writes to *wc change cq->queue. */
	queue = cq->queue;
	index = rxe_queue_consumer(&queue);
	count = rxe_queue_count(&queue, index);
	if (count > max)
		count = max;
	if (count) {
		const uint32_t end = index + count;

		do {
			memcpy(wc, rxe_queue_at(&queue, index), sizeof(*wc));
			wc->wc_flags = wc_flags(wc->wc_flags);
			wc++;
		} while (++index != end);
		rxe_queue_consume(&queue, end);
	}
	lock_release_unless(&cq->lock, cq->unlocked);
	return (int)count;
}

/* ---- Extended polling: one completion at a time, read in the ring ---- */

static struct rxe_cq *rxe_cq_of_ex(struct ibv_cq_ex *cq)
{
	return container_of(cq, struct rxe_cq, verbs.cq_ex);
}

/* Makes the oldest completion the current one. It stays in the ring until the next one is asked for. */
static int set_current(struct rxe_cq *cq, uint32_t index)
{
	const struct ib_uverbs_wc *wc;

	if (!rxe_queue_count(&cq->queue, index)) {
		cq->current = NULL;
		return ENOENT;
	}
	wc = rxe_queue_at(&cq->queue, index);
	cq->current = wc;
	cq->verbs.cq_ex.status = (enum ibv_wc_status)wc->status;
	cq->verbs.cq_ex.wr_id = wc->wr_id;
	return 0;
}

static int rxe_start_poll(struct ibv_cq_ex *ibv, struct ibv_poll_cq_attr *attr)
{
	struct rxe_cq *cq = rxe_cq_of_ex(ibv);
	int err;

	if (unlikely(attr->comp_mask))
		return EINVAL;
	lock_take_unless(&cq->lock, cq->unlocked);
	err = set_current(cq, rxe_queue_consumer(&cq->queue));
	if (err)
		lock_release_unless(&cq->lock, cq->unlocked);
	return err;
}

static int rxe_next_poll(struct ibv_cq_ex *ibv)
{
	struct rxe_cq *cq = rxe_cq_of_ex(ibv);
	uint32_t index = rxe_queue_consumer(&cq->queue);

	if (likely(cq->current))
		rxe_queue_consume(&cq->queue, ++index);
	return set_current(cq, index);
}

static void rxe_end_poll(struct ibv_cq_ex *ibv)
{
	struct rxe_cq *cq = rxe_cq_of_ex(ibv);

	if (cq->current)
		rxe_queue_consume(&cq->queue, rxe_queue_consumer(&cq->queue) + 1);
	cq->current = NULL;
	lock_release_unless(&cq->lock, cq->unlocked);
}

static enum ibv_wc_opcode rxe_read_opcode(struct ibv_cq_ex *cq)
{
	return (enum ibv_wc_opcode)rxe_cq_of_ex(cq)->current->opcode;
}

static uint32_t read_vendor_err(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->vendor_err;
}

static uint32_t rxe_read_byte_len(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->byte_len;
}

static __be32 read_imm_data(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->ex.imm_data;
}

static uint32_t rxe_read_qp_num(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->qp_num;
}

static uint32_t read_src_qp(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->src_qp;
}

static unsigned int read_wc_flags(struct ibv_cq_ex *cq)
{
	return wc_flags(rxe_cq_of_ex(cq)->current->wc_flags);
}

static uint32_t read_slid(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->slid;
}

static uint8_t read_sl(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->sl;
}

static uint8_t read_dlid_path_bits(struct ibv_cq_ex *cq)
{
	return rxe_cq_of_ex(cq)->current->dlid_path_bits;
}

void rxe_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags)
{
	static const struct cq_ex_readers readers = {
		.opcode = rxe_read_opcode,
		.vendor_err = read_vendor_err,
		.wc_flags = read_wc_flags,
		.byte_len = rxe_read_byte_len,
		.imm_data = read_imm_data,
		.qp_num = rxe_read_qp_num,
		.src_qp = read_src_qp,
		.slid = read_slid,
		.sl = read_sl,
		.dlid_path_bits = read_dlid_path_bits,
	};

	cq->start_poll = rxe_start_poll;
	cq->next_poll = rxe_next_poll;
	cq->end_poll = rxe_end_poll;
	cq_ex_set_readers(cq, wc_flags, &readers);
}
