/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Polls a CQ. */
#include <errno.h>

#include "providers/siw/siw.h"

static const uint8_t opcodes[SIW_NUM_OPCODES] = {
	[SIW_OP_WRITE] = IBV_WC_RDMA_WRITE,
	[SIW_OP_READ] = IBV_WC_RDMA_READ,
	[SIW_OP_READ_LOCAL_INV] = IBV_WC_RDMA_READ,
	[SIW_OP_SEND] = IBV_WC_SEND,
	[SIW_OP_SEND_WITH_IMM] = IBV_WC_SEND,
	[SIW_OP_SEND_REMOTE_INV] = IBV_WC_SEND,
	[SIW_OP_FETCH_AND_ADD] = IBV_WC_FETCH_ADD,
	[SIW_OP_COMP_AND_SWAP] = IBV_WC_COMP_SWAP,
	[SIW_OP_RECEIVE] = IBV_WC_RECV,
	[SIW_OP_INVAL_STAG] = IBV_WC_LOCAL_INV,
};

static const uint8_t statuses[SIW_NUM_WC_STATUS] = {
	[SIW_WC_SUCCESS] = IBV_WC_SUCCESS,
	[SIW_WC_LOC_LEN_ERR] = IBV_WC_LOC_LEN_ERR,
	[SIW_WC_LOC_PROT_ERR] = IBV_WC_LOC_PROT_ERR,
	[SIW_WC_LOC_QP_OP_ERR] = IBV_WC_LOC_QP_OP_ERR,
	[SIW_WC_WR_FLUSH_ERR] = IBV_WC_WR_FLUSH_ERR,
	[SIW_WC_BAD_RESP_ERR] = IBV_WC_BAD_RESP_ERR,
	[SIW_WC_LOC_ACCESS_ERR] = IBV_WC_LOC_ACCESS_ERR,
	[SIW_WC_REM_ACCESS_ERR] = IBV_WC_REM_ACCESS_ERR,
	[SIW_WC_REM_INV_REQ_ERR] = IBV_WC_REM_INV_REQ_ERR,
	[SIW_WC_GENERAL_ERR] = IBV_WC_GENERAL_ERR,
};

/* Moves the oldest completion to *wc and frees its element. False if there is none. */
static bool poll_one(struct siw_cq *cq, struct ibv_wc *wc)
{
	struct siw_cqe *cqe = siw_array_at(&cq->array, cq->array.next, sizeof(*cqe));
	uint8_t opcode;
	uint16_t status;

	if (!(__atomic_load_n(&cqe->flags, __ATOMIC_ACQUIRE) & SIW_WQE_VALID))
		return false;
	opcode = cqe->opcode;
	status = cqe->status;
	*wc = (struct ibv_wc){
		.wr_id = cqe->id,
		.status = status < SIW_NUM_WC_STATUS ? statuses[status] : IBV_WC_GENERAL_ERR,
		.opcode = opcode < SIW_NUM_OPCODES ? opcodes[opcode] : IBV_WC_SEND,
		.byte_len = cqe->bytes,
		.qp_num = (uint32_t)cqe->qp_id,
	};
	__atomic_store_n(&cqe->flags, 0, __ATOMIC_RELEASE);
	cq->array.next++;
	return true;
}

int siw_poll_cq(struct ibv_cq *ibv, int num_entries, struct ibv_wc *wc)
{
	struct siw_cq *cq = container_of(ibv, struct siw_cq, verbs.cq);
	int count = 0;

	lock_take_unless(&cq->lock, cq->unlocked);
	while (count < num_entries && poll_one(cq, wc + count))
		count++;
	lock_release_unless(&cq->lock, cq->unlocked);
	return count;
}

/* ---- Extended polling: one completion at a time ---- */

static struct siw_cq *siw_cq_of_ex(struct ibv_cq_ex *cq)
{
	return container_of(cq, struct siw_cq, verbs.cq_ex);
}

static int siw_next_poll(struct ibv_cq_ex *ibv)
{
	struct siw_cq *cq = siw_cq_of_ex(ibv);

	if (!poll_one(cq, &cq->current))
		return ENOENT;
	ibv->wr_id = cq->current.wr_id;
	ibv->status = cq->current.status;
	return 0;
}

static int siw_start_poll(struct ibv_cq_ex *ibv, struct ibv_poll_cq_attr *attr)
{
	struct siw_cq *cq = siw_cq_of_ex(ibv);
	int err;

	if (attr->comp_mask)
		return EINVAL;
	lock_take_unless(&cq->lock, cq->unlocked);
	err = siw_next_poll(ibv);
	if (err)
		lock_release_unless(&cq->lock, cq->unlocked);
	return err;
}

static void siw_end_poll(struct ibv_cq_ex *ibv)
{
	struct siw_cq *cq = siw_cq_of_ex(ibv);

	lock_release_unless(&cq->lock, cq->unlocked);
}

static enum ibv_wc_opcode siw_read_opcode(struct ibv_cq_ex *cq)
{
	return siw_cq_of_ex(cq)->current.opcode;
}

static uint32_t siw_read_byte_len(struct ibv_cq_ex *cq)
{
	return siw_cq_of_ex(cq)->current.byte_len;
}

static uint32_t siw_read_qp_num(struct ibv_cq_ex *cq)
{
	return siw_cq_of_ex(cq)->current.qp_num;
}

/* For fields that iWARP does not have. */
static uint32_t read_zero(struct ibv_cq_ex *cq)
{
	(void)cq;
	return 0;
}

static uint8_t read_zero_byte(struct ibv_cq_ex *cq)
{
	(void)cq;
	return 0;
}

void siw_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags)
{
	static const struct cq_ex_readers readers = {
		.opcode = siw_read_opcode,
		.vendor_err = read_zero,
		.wc_flags = read_zero,
		.byte_len = siw_read_byte_len,
		.imm_data = read_zero,
		.qp_num = siw_read_qp_num,
		.src_qp = read_zero,
		.slid = read_zero,
		.sl = read_zero_byte,
		.dlid_path_bits = read_zero_byte,
	};

	cq->start_poll = siw_start_poll;
	cq->next_poll = siw_next_poll;
	cq->end_poll = siw_end_poll;
	cq_ex_set_readers(cq, wc_flags, &readers);
}
