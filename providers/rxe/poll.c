/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Taking completions out of a CQ: the ring holds struct ib_uverbs_wc. */
#include <errno.h>
#include <string.h>

#include "providers/rxe/rxe.h"

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

/* IB_WC_WITH_INVALIDATE of the kernel's rdma/ib_verbs.h, where programs have IBV_WC_IP_CSUM_OK. */
enum { KERNEL_WC_WITH_INV = 1 << 2 };

static inline unsigned int wc_flags(unsigned int flags)
{
	if (unlikely(flags & KERNEL_WC_WITH_INV))
		flags ^= KERNEL_WC_WITH_INV | IBV_WC_WITH_INV;
	return flags;
}

static inline void lock(struct rxe_cq *cq)
{
	if (likely(!cq->unlocked))
		lock_take(&cq->lock);
}

static inline void unlock(struct rxe_cq *cq)
{
	if (likely(!cq->unlocked))
		lock_release(&cq->lock);
}

int rxe_poll_cq(struct ibv_cq *ibv, int num_entries, struct ibv_wc *wc)
{
	struct rxe_cq *cq = container_of(ibv, struct rxe_cq, verbs.cq);
	uint32_t index, count, wanted = num_entries > 0 ? (uint32_t)num_entries : 0;
	struct rxe_queue queue;

	lock(cq);
	/* A copy: what is written to *wc could change the original for all the compiler knows. */
	queue = cq->queue;
	index = rxe_queue_consumer(&queue);
	count = rxe_queue_count(&queue, index);
	if (count > wanted)
		count = wanted;
	if (count) {
		const uint32_t end = index + count;

		do {
			memcpy(wc, rxe_queue_at(&queue, index), sizeof(*wc));
			wc->wc_flags = wc_flags(wc->wc_flags);
			wc++;
		} while (++index != end);
		rxe_queue_consume(&queue, end);
	}
	unlock(cq);
	return (int)count;
}

/* ---- one after the other, in place ---- */

static struct rxe_cq *cq_of(struct ibv_cq_ex *cq)
{
	return container_of(cq, struct rxe_cq, verbs.cq_ex);
}

/* Makes the oldest completion the current one; it stays in the ring until it has been read. */
static int take(struct rxe_cq *cq, uint32_t index)
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

static int start_poll(struct ibv_cq_ex *ibv, struct ibv_poll_cq_attr *attr)
{
	struct rxe_cq *cq = cq_of(ibv);
	int err;

	if (unlikely(attr->comp_mask))
		return EINVAL;
	lock(cq);
	err = take(cq, rxe_queue_consumer(&cq->queue));
	if (err)
		unlock(cq);
	return err;
}

static int next_poll(struct ibv_cq_ex *ibv)
{
	struct rxe_cq *cq = cq_of(ibv);
	uint32_t index = rxe_queue_consumer(&cq->queue);

	if (likely(cq->current))
		rxe_queue_consume(&cq->queue, ++index);
	return take(cq, index);
}

static void end_poll(struct ibv_cq_ex *ibv)
{
	struct rxe_cq *cq = cq_of(ibv);

	if (cq->current)
		rxe_queue_consume(&cq->queue, rxe_queue_consumer(&cq->queue) + 1);
	cq->current = NULL;
	unlock(cq);
}

static enum ibv_wc_opcode read_opcode(struct ibv_cq_ex *cq)
{
	return (enum ibv_wc_opcode)cq_of(cq)->current->opcode;
}

static uint32_t read_vendor_err(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->vendor_err;
}

static uint32_t read_byte_len(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->byte_len;
}

static __be32 read_imm_data(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->ex.imm_data;
}

static uint32_t read_qp_num(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->qp_num;
}

static uint32_t read_src_qp(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->src_qp;
}

static unsigned int read_wc_flags(struct ibv_cq_ex *cq)
{
	return wc_flags(cq_of(cq)->current->wc_flags);
}

static uint32_t read_slid(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->slid;
}

static uint8_t read_sl(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->sl;
}

static uint8_t read_dlid_path_bits(struct ibv_cq_ex *cq)
{
	return cq_of(cq)->current->dlid_path_bits;
}

void rxe_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags)
{
	cq->start_poll = start_poll;
	cq->next_poll = next_poll;
	cq->end_poll = end_poll;
	cq->read_opcode = read_opcode;
	cq->read_vendor_err = read_vendor_err;
	cq->read_wc_flags = read_wc_flags;
	if (wc_flags & IBV_WC_EX_WITH_BYTE_LEN)
		cq->read_byte_len = read_byte_len;
	if (wc_flags & IBV_WC_EX_WITH_IMM)
		cq->read_imm_data = read_imm_data;
	if (wc_flags & IBV_WC_EX_WITH_QP_NUM)
		cq->read_qp_num = read_qp_num;
	if (wc_flags & IBV_WC_EX_WITH_SRC_QP)
		cq->read_src_qp = read_src_qp;
	if (wc_flags & IBV_WC_EX_WITH_SLID)
		cq->read_slid = read_slid;
	if (wc_flags & IBV_WC_EX_WITH_SL)
		cq->read_sl = read_sl;
	if (wc_flags & IBV_WC_EX_WITH_DLID_PATH_BITS)
		cq->read_dlid_path_bits = read_dlid_path_bits;
}
