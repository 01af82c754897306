/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The send queue of the rxe provider: what the kernel finds in it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "providers/rxe/rxe.h"

enum { SLOTS = 8, SHIFT = 9, INLINE = 64, SGES = 4 };

static unsigned int rung;
static int ring_answer;

int hf_provider_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	(void)qp;
	(void)bad;
	assert_null(wr);
	rung++;
	return ring_answer;
}

int hf_provider_modify_qp(struct ibv_qp *qp, const struct ibv_qp_attr *attr, int mask,
			  const struct hf_driver_data *data)
{
	(void)qp;
	(void)data;
	assert_int_equal(mask, IBV_QP_STATE);
	assert_int_equal(attr->qp_state, IBV_QPS_ERR);
	return 0;
}

void rxe_set_address(struct rxe_send_wqe *wqe, const struct ibv_ah *ah, uint32_t qpn, uint32_t qkey)
{
	(void)ah;
	wqe->wr.wr.ud.remote_qpn = qpn;
	wqe->wr.wr.ud.remote_qkey = qkey;
}

struct bed {
	struct rxe_qp qp;
	struct rxe_queue_buf *buf;
	uint32_t consumer;
};

static int set_up_rxe_send(void **state)
{
	const size_t size = sizeof(struct rxe_queue_buf) + ((size_t)SLOTS << SHIFT);
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->buf = calloc(1, size);
	assert_non_null(bed->buf);
	bed->buf->index_mask = SLOTS - 1;
	bed->buf->log2_elem_size = SHIFT;
	/* Remains of earlier requests. */
	memset(bed->buf->data, 0xa5, (size_t)SLOTS << SHIFT);
	assert_int_equal(rxe_queue_init(&bed->qp.sq, bed->buf, size,
					sizeof(struct rxe_send_wqe) + INLINE),
			 0);
	bed->qp.opcodes = 0xffff;
	bed->qp.max_sge = SGES;
	bed->qp.max_inline = INLINE;
	bed->qp.verbs.qp.qp_type = IBV_QPT_RC;
	bed->qp.verbs.qp.state = IBV_QPS_RTS;
	rxe_set_qp_calls(&bed->qp.verbs.qp_ex);
	rung = 0;
	ring_answer = 0;
	*state = bed;
	return 0;
}

static int tear_down_rxe_send(void **state)
{
	struct bed *bed = *state;
	free(bed->buf);
	free(bed);
	return 0;
}

/*
 * Like the kernel: the oldest request, or NULL if there is none. Checks the members that all
 * requests have in common.
 */
static const struct rxe_send_wqe *consume_rxe_wqe(struct bed *bed)
{
	const struct rxe_send_wqe *wqe;

	if (bed->consumer == bed->buf->producer_index)
		return NULL;
	wqe = (const void *)(bed->buf->data + ((size_t)bed->consumer << SHIFT));
	bed->consumer = (bed->consumer + 1) % SLOTS;
	bed->buf->consumer_index = bed->consumer;
	assert_int_equal(wqe->status, 0);
	assert_int_equal(wqe->state, 0);
	assert_int_equal(wqe->has_rd_atomic, 0);
	assert_int_equal(wqe->dma.resid, wqe->dma.length);
	assert_int_equal(wqe->dma.cur_sge, 0);
	assert_int_equal(wqe->dma.sge_offset, 0);
	return wqe;
}

static int post_to_rxe(struct bed *bed, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	return rxe_post_send(&bed->qp.verbs.qp, wr, bad);
}

static void rxe_each_opcode(void **state)
{
	struct bed *bed = *state;
	struct ibv_sge sges[2] = {{.addr = 1, .length = 2, .lkey = 3},
				  {.addr = 4, .length = 5, .lkey = 6}};
	static const enum ibv_wr_opcode opcodes[] = {
		IBV_WR_SEND,	  IBV_WR_SEND_WITH_IMM,	     IBV_WR_SEND_WITH_INV,
		IBV_WR_RDMA_READ, IBV_WR_RDMA_WRITE,	     IBV_WR_RDMA_WRITE_WITH_IMM,
		IBV_WR_LOCAL_INV, IBV_WR_ATOMIC_CMP_AND_SWP, IBV_WR_ATOMIC_FETCH_AND_ADD,
	};

	for (uint32_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct ibv_send_wr wr = {.wr_id = 1000 + i,
					 .sg_list = sges,
					 .num_sge = 2,
					 .opcode = opcodes[i],
					 .send_flags = IBV_SEND_SIGNALED | IBV_SEND_FENCE | 0x8000,
					 .imm_data = 0x11223344},
				   *bad = NULL;
		const bool atomic = opcodes[i] == IBV_WR_ATOMIC_CMP_AND_SWP ||
				    opcodes[i] == IBV_WR_ATOMIC_FETCH_AND_ADD;
		const struct rxe_send_wqe *wqe;

		if (atomic) {
			wr.wr.atomic.remote_addr = 0x5000;
			wr.wr.atomic.compare_add = 0x6000;
			wr.wr.atomic.swap = 0x7000;
			wr.wr.atomic.rkey = 0x8000;
		} else {
			wr.wr.rdma.remote_addr = 0x5000;
			wr.wr.rdma.rkey = 0x8000;
		}
		assert_int_equal(post_to_rxe(bed, &wr, &bad), 0);
		assert_int_equal(rung, i + 1);
		wqe = consume_rxe_wqe(bed);
		assert_non_null(wqe);
		assert_null(consume_rxe_wqe(bed));
		assert_int_equal(wqe->wr.wr_id, 1000 + i);
		assert_int_equal(wqe->wr.opcode, opcodes[i]);
		assert_int_equal(wqe->wr.send_flags, IBV_SEND_SIGNALED | IBV_SEND_FENCE);
		assert_int_equal(wqe->wr.ex.imm_data, 0x11223344);
		assert_int_equal(wqe->ssn, i + 1);
		if (opcodes[i] == IBV_WR_LOCAL_INV) {
			assert_int_equal(wqe->dma.length, 0);
			continue;
		}
		assert_int_equal(wqe->dma.length, 7);
		assert_int_equal(wqe->dma.num_sge, 2);
		assert_int_equal(wqe->dma.sge[1].addr, 4);
		assert_int_equal(wqe->dma.sge[1].length, 5);
		assert_int_equal(wqe->dma.sge[1].lkey, 6);
		if (atomic) {
			assert_int_equal(wqe->wr.wr.atomic.remote_addr, 0x5000);
			assert_int_equal(wqe->wr.wr.atomic.compare_add, 0x6000);
			assert_int_equal(wqe->wr.wr.atomic.swap, 0x7000);
			assert_int_equal(wqe->wr.wr.atomic.rkey, 0x8000);
			assert_int_equal(wqe->iova, 0x5000);
		} else if (opcodes[i] == IBV_WR_RDMA_READ || opcodes[i] == IBV_WR_RDMA_WRITE ||
			   opcodes[i] == IBV_WR_RDMA_WRITE_WITH_IMM) {
			assert_int_equal(wqe->wr.wr.rdma.remote_addr, 0x5000);
			assert_int_equal(wqe->wr.wr.rdma.rkey, 0x8000);
			assert_int_equal(wqe->iova, 0x5000);
		}
	}
}

static void datagram_and_inline(void **state)
{
	struct bed *bed = *state;
	char text[INLINE + 1] = "0123456789abcdef";
	struct ibv_sge sges[2] = {{.addr = (uintptr_t)text, .length = 10},
				  {.addr = (uintptr_t)text + 10, .length = 6}};
	struct ibv_send_wr wr = {.sg_list = sges,
				 .num_sge = 2,
				 .opcode = IBV_WR_SEND,
				 .send_flags = IBV_SEND_INLINE,
				 .wr.ud = {.remote_qpn = 7, .remote_qkey = 8}},
			   *bad = NULL;
	const struct rxe_send_wqe *wqe;

	bed->qp.verbs.qp.qp_type = IBV_QPT_UD;
	assert_int_equal(post_to_rxe(bed, &wr, &bad), 0);
	wqe = consume_rxe_wqe(bed);
	assert_non_null(wqe);
	assert_int_equal(wqe->wr.wr.ud.remote_qpn, 7);
	assert_int_equal(wqe->wr.wr.ud.remote_qkey, 8);
	assert_int_equal(wqe->wr.send_flags, IBV_SEND_INLINE);
	assert_int_equal(wqe->dma.length, 16);
	assert_int_equal(wqe->dma.num_sge, 0);
	assert_memory_equal(wqe->dma.inline_data, text, 16);
	sges[1].length = INLINE - 10;
	assert_int_equal(post_to_rxe(bed, &wr, &bad), 0);
	sges[1].length++;
	assert_int_equal(post_to_rxe(bed, &wr, &bad), EINVAL);
	sges[1].length = UINT32_MAX - 9;
	assert_int_equal(post_to_rxe(bed, &wr, &bad), EINVAL);
	sges[1].length = 0;
	wr.opcode = IBV_WR_RDMA_READ;
	assert_int_equal(post_to_rxe(bed, &wr, &bad), EINVAL);
	assert_ptr_equal(bad, &wr);
}

/* The whole ring, more than once around; an aborted list; nothing of the refused requests. */
static void rxe_full_and_aborted(void **state)
{
	struct bed *bed = *state;
	struct ibv_send_wr wrs[SLOTS + 2] = {{0}}, *bad = NULL;
	uint64_t id = 0, seen = 0;

	for (int i = 0; i < SLOTS + 1; i++) {
		wrs[i].opcode = IBV_WR_SEND;
		wrs[i].next = &wrs[i + 1];
	}
	wrs[SLOTS + 1].opcode = IBV_WR_SEND;
	for (int round = 0; round < 20; round++) {
		const struct rxe_send_wqe *wqe;
		const uint64_t room = (uint64_t)(SLOTS - 1) - (id - seen);

		for (int i = 0; i < SLOTS + 2; i++)
			wrs[i].wr_id = id + (uint64_t)i;
		assert_int_equal(post_to_rxe(bed, wrs, &bad), ENOMEM);
		assert_ptr_equal(bad, &wrs[room]);
		id += room;
		for (int i = 0; i < 1 + round % (SLOTS - 1); i++) {
			wqe = consume_rxe_wqe(bed);
			assert_non_null(wqe);
			assert_int_equal(wqe->wr.wr_id, seen++);
		}
	}
	while (consume_rxe_wqe(bed))
		;
	rung = 0;
	wrs[2].opcode = IBV_WR_TSO;
	bed->qp.opcodes &= ~(1U << IBV_WR_TSO);
	assert_int_equal(post_to_rxe(bed, wrs, &bad), EINVAL);
	assert_ptr_equal(bad, &wrs[2]);
	assert_int_equal(rung, 1);
	assert_non_null(consume_rxe_wqe(bed));
	assert_non_null(consume_rxe_wqe(bed));
	assert_null(consume_rxe_wqe(bed));
	assert_int_equal(post_to_rxe(bed, &wrs[2], &bad), EINVAL);
	assert_int_equal(rung, 1);

	/* The kernel was not notified. */
	wrs[0].next = NULL;
	ring_answer = EIO;
	assert_int_equal(post_to_rxe(bed, wrs, &bad), EIO);
	assert_ptr_equal(bad, wrs);
	bed->qp.verbs.qp.state = IBV_QPS_RTR;
	assert_int_equal(post_to_rxe(bed, wrs, &bad), EINVAL);
}

static void garbage(void **state)
{
	struct bed *bed = *state;
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND}, *bad;

	for (uint32_t i = 0; i < 1000; i++) {
		bed->buf->consumer_index = i * 0x9e3779b9;
		bed->buf->producer_index = i * 0x7f4a7c15;
		bed->buf->index_mask = i;
		bed->buf->log2_elem_size = i;
		for (int j = 0; j < SLOTS; j++)
			post_to_rxe(bed, &wr, &bad);
		assert_in_range(bed->buf->producer_index, 0, SLOTS - 1);
	}
}

static void rxe_wr_builders(void **state)
{
	struct bed *bed = *state;
	struct ibv_qp_ex *qp = &bed->qp.verbs.qp_ex;
	const struct rxe_send_wqe *wqe;
	const uint64_t value = 0x1122334455667788;

	ibv_wr_start(qp);
	qp->wr_id = 1;
	qp->wr_flags = IBV_SEND_SIGNALED | IBV_SEND_INLINE;
	ibv_wr_rdma_write(qp, 2, 3);
	ibv_wr_set_sge(qp, 4, 5, 6);
	qp->wr_id = 2;
	ibv_wr_atomic_write(qp, 7, 8, &value);
	assert_null(consume_rxe_wqe(bed));
	assert_int_equal(ibv_wr_complete(qp), 0);
	assert_int_equal(rung, 1);
	wqe = consume_rxe_wqe(bed);
	assert_non_null(wqe);
	assert_int_equal(wqe->wr.wr_id, 1);
	assert_int_equal(wqe->wr.send_flags, IBV_SEND_SIGNALED);
	assert_int_equal(wqe->dma.num_sge, 1);
	assert_int_equal(wqe->dma.sge[0].addr, 5);
	wqe = consume_rxe_wqe(bed);
	assert_non_null(wqe);
	assert_int_equal(wqe->dma.length, 8);
	assert_memory_equal(wqe->dma.inline_data, &value, 8);

	/* An error, and none of the requests is posted or counted. */
	ibv_wr_start(qp);
	ibv_wr_send(qp);
	for (int i = 0; i < SLOTS; i++)
		ibv_wr_send_imm(qp, 0);
	ibv_wr_set_sge(qp, 4, 5, 6);
	assert_int_equal(ibv_wr_complete(qp), ENOMEM);
	assert_null(consume_rxe_wqe(bed));
	ibv_wr_start(qp);
	ibv_wr_send(qp);
	ibv_wr_abort(qp);
	assert_null(consume_rxe_wqe(bed));
	assert_int_equal(rung, 1);
	ibv_wr_start(qp);
	ibv_wr_send(qp);
	assert_int_equal(ibv_wr_complete(qp), 0);
	wqe = consume_rxe_wqe(bed);
	assert_non_null(wqe);
	assert_int_equal(wqe->ssn, 3);
	assert_int_equal(wqe->dma.num_sge, 0);

	bed->qp.verbs.qp.state = IBV_QPS_INIT;
	ibv_wr_start(qp);
	ibv_wr_send(qp);
	assert_int_equal(ibv_wr_complete(qp), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rxe_each_opcode, set_up_rxe_send,
						tear_down_rxe_send),
		cmocka_unit_test_setup_teardown(datagram_and_inline, set_up_rxe_send,
						tear_down_rxe_send),
		cmocka_unit_test_setup_teardown(rxe_full_and_aborted, set_up_rxe_send,
						tear_down_rxe_send),
		cmocka_unit_test_setup_teardown(garbage, set_up_rxe_send, tear_down_rxe_send),
		cmocka_unit_test_setup_teardown(rxe_wr_builders, set_up_rxe_send,
						tear_down_rxe_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
