/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Polls completion queues, with struct ibv_wc or with the extended calls. */
#include <errno.h>
#include <time.h>

#include "providers/common/cq_ex.h"
#include "providers/uroce/qp.h"
#include "providers/uroce/wire_receive.h"

/*
 * The data of a short message goes to its place now. Where that is not mapped any more, the sender was told nothing of
 * it: it has been told long ago that the message arrived.
 */
static void take_payload(struct uroce_cq *cq, struct uroce_cqe *cqe)
{
	const uint32_t index = cq->head & cq->mask;
	struct uroce_target target;
	enum ibv_wc_status status = IBV_WC_SUCCESS;

	pthread_mutex_lock(&cq->payload_lock);
	/* It may have been taken when its memory was deregistered. */
	cqe->status = cq->ring[index].status;
	if (cq->payloads && __atomic_load_n(&cq->ring[index].has_payload, __ATOMIC_RELAXED))
		status = uroce_payload_take(cq, index);
	pthread_mutex_unlock(&cq->payload_lock);
	if (likely(!status && !cqe->status))
		return;
	if (status)
		cqe->status = status;
	target.context = uroce_context_of(cq->verbs.cq.context);
	target.peer = uroce_peer_of_qpn(target.context, cqe->qp_num, &target.qp);
	if (target.peer == &target.context->own)
		uroce_target_fault(&target, UROCE_FAULT_LOCAL);
}

/*
 * Copies the next completion out of shared memory. 1, 0 if there is none, or -1 if the positions cannot
 * be: then the queue is damaged.
 */
static int take_cqe(struct uroce_cq *cq, struct uroce_cqe *cqe)
{
	const uint32_t tail = atomic_load_explicit(&cq->shared->tail, memory_order_acquire);

	if (unlikely(tail - cq->head > cq->mask + 1))
		return -1;
	while (cq->head != tail) {
		*cqe = cq->ring[cq->head & cq->mask];
		if (unlikely(cqe->has_payload) && !cqe->is_void)
			take_payload(cq, cqe);
		atomic_store_explicit(&cq->shared->head, ++cq->head, memory_order_release);
		if (likely(!cqe->is_void))
			return 1;
	}
	return 0;
}

static void to_wc(const struct uroce_cqe *cqe, struct ibv_wc *wc)
{
	*wc = (struct ibv_wc){
		.wr_id = cqe->wr_id,
		.status = cqe->status,
		.opcode = cqe->opcode,
		.vendor_err = cqe->vendor_err,
		.byte_len = cqe->byte_len,
		.imm_data = cqe->imm,
		.qp_num = cqe->qp_num,
		.src_qp = cqe->src_qp,
		.wc_flags = cqe->wc_flags,
		.sl = (uint8_t)cqe->sl,
		.pkey_index = (uint16_t)cqe->pkey_index,
	};
}

/* A program that polls drives the requests that wait. */
static void help(struct uroce_cq *cq)
{
	struct uroce_context *context = uroce_context_of(cq->verbs.cq.context);

	/* Packets are looked for when there is nothing else. */
	if (__atomic_load_n(&context->wire, __ATOMIC_RELAXED) &&
	    atomic_load_explicit(&cq->shared->head, memory_order_relaxed) ==
		    atomic_load_explicit(&cq->shared->tail, memory_order_relaxed))
		uroce_wire_poll(context, false);
	if (unlikely(atomic_load_explicit(&context->waiting, memory_order_relaxed)))
		uroce_progress_all(context, false);
}

int uroce_poll_cq(struct ibv_cq *ibv, int count, struct ibv_wc *wc)
{
	struct uroce_cq *cq = uroce_cq_of(ibv);
	struct uroce_cqe cqe;
	int i = 0, found = 0;

	help(cq);
	lock_take(&cq->lock);
	for (; i < count; i++) {
		found = take_cqe(cq, &cqe);
		if (found <= 0)
			break;
		to_wc(&cqe, &wc[i]);
	}
	lock_release(&cq->lock);
	if (unlikely(found < 0 && !i)) {
		errno = EIO;
		return -1;
	}
	return i;
}

/* ---- Extended calls ---- */

static struct uroce_cq *cq_of_ex(struct ibv_cq_ex *cq)
{
	return container_of(cq, struct uroce_cq, verbs.cq_ex);
}

static int read_next(struct uroce_cq *cq)
{
	const int found = take_cqe(cq, &cq->current);

	if (found <= 0)
		return found ? EIO : ENOENT;
	cq->verbs.cq_ex.wr_id = cq->current.wr_id;
	cq->verbs.cq_ex.status = cq->current.status;
	return 0;
}

static int uroce_start_poll(struct ibv_cq_ex *ibv, struct ibv_poll_cq_attr *attr)
{
	struct uroce_cq *cq = cq_of_ex(ibv);
	int err;

	if (attr->comp_mask)
		return EINVAL;
	help(cq);
	lock_take_unless(&cq->lock, cq->single_threaded);
	err = read_next(cq);
	if (err)
		lock_release_unless(&cq->lock, cq->single_threaded);
	return err;
}

static int uroce_next_poll(struct ibv_cq_ex *ibv)
{
	return read_next(cq_of_ex(ibv));
}

static void uroce_end_poll(struct ibv_cq_ex *ibv)
{
	struct uroce_cq *cq = cq_of_ex(ibv);

	lock_release_unless(&cq->lock, cq->single_threaded);
}

static enum ibv_wc_opcode cqe_opcode(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.opcode;
}

static uint32_t cqe_vendor_err(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.vendor_err;
}

static uint32_t cqe_byte_len(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.byte_len;
}

static __be32 cqe_imm_data(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.imm;
}

static uint32_t cqe_qp_num(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.qp_num;
}

static uint32_t cqe_src_qp(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.src_qp;
}

static unsigned int cqe_wc_flags(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.wc_flags;
}

static uint8_t cqe_sl(struct ibv_cq_ex *cq)
{
	return (uint8_t)cq_of_ex(cq)->current.sl;
}

/* There are no LIDs on Ethernet. */
static uint32_t cqe_zero(struct ibv_cq_ex *cq)
{
	(void)cq;
	return 0;
}

static uint8_t cqe_zero_byte(struct ibv_cq_ex *cq)
{
	(void)cq;
	return 0;
}

static uint64_t cqe_timestamp(struct ibv_cq_ex *cq)
{
	return cq_of_ex(cq)->current.timestamp;
}

static uint64_t cqe_wallclock(struct ibv_cq_ex *cq)
{
	struct timespec wall;

	/* wall clock: that is what programs ask for */
	clock_gettime(CLOCK_REALTIME, &wall);
	return (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec -
	       (uroce_now() - cq_of_ex(cq)->current.timestamp);
}

void uroce_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags)
{
	static const struct cq_ex_readers readers = {
		.opcode = cqe_opcode,
		.vendor_err = cqe_vendor_err,
		.wc_flags = cqe_wc_flags,
		.byte_len = cqe_byte_len,
		.imm_data = cqe_imm_data,
		.qp_num = cqe_qp_num,
		.src_qp = cqe_src_qp,
		.slid = cqe_zero,
		.sl = cqe_sl,
		.dlid_path_bits = cqe_zero_byte,
	};

	cq->start_poll = uroce_start_poll;
	cq->next_poll = uroce_next_poll;
	cq->end_poll = uroce_end_poll;
	cq_ex_set_readers(cq, wc_flags, &readers);
	if (wc_flags & IBV_WC_EX_WITH_COMPLETION_TIMESTAMP)
		cq->read_completion_ts = cqe_timestamp;
	if (wc_flags & IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK)
		cq->read_completion_wallclock_ns = cqe_wallclock;
}
