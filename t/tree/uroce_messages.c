/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages between QPs of the provider uroce on each path: every opcode and type, and their completions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "t/tree/uroce_bed.h"

static uint64_t address_in(const struct uroce_end *end, size_t offset)
{
	return (uintptr_t)end->memory + offset;
}

static void close_pair(struct uroce_end ends[2])
{
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
	assert_int_equal(uroce_bed_close(&ends[1]), 0);
}

static void expect_send(struct uroce_end *end, enum ibv_wc_opcode opcode)
{
	const struct ibv_wc wc = uroce_bed_wait(end);

	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_int_equal(wc.opcode, opcode);
	assert_int_equal(wc.qp_num, end->qp->qp_num);
}

static struct ibv_wc expect_recv(struct uroce_end *end, uint64_t id, uint32_t length)
{
	const struct ibv_wc wc = uroce_bed_sleep(end);

	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_int_equal(wc.wr_id, id);
	assert_int_equal(wc.byte_len, length);
	assert_int_equal(wc.qp_num, end->qp->qp_num);
	return wc;
}

static void sends_of(const struct uroce_bed *bed, enum ibv_qp_type type)
{
	struct uroce_options options = bed_options;
	struct uroce_end ends[2];
	struct ibv_wc wc;

	options.type = type;
	uroce_bed_pair(bed, ends, &options);
	strcpy(ends[0].memory, "plain");
	uroce_bed_recv(&ends[1], 1, 4096, 100);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 6, 0, 0), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	wc = expect_recv(&ends[1], 1, 6);
	assert_int_equal(wc.opcode, IBV_WC_RECV);
	assert_int_equal(wc.wc_flags, 0);
	assert_string_equal(ends[1].memory + 4096, "plain");

	uroce_bed_recv(&ends[1], 2, 4096, 100);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND_WITH_IMM, 0, 6, 0, 0), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	wc = expect_recv(&ends[1], 2, 6);
	assert_int_equal(wc.wc_flags, IBV_WC_WITH_IMM);
	assert_int_equal(wc.imm_data, 0x01020304);
	close_pair(ends);
}

static void rc_sends(void **state)
{
	sends_of(*state, IBV_QPT_RC);
}

static void uc_sends(void **state)
{
	sends_of(*state, IBV_QPT_UC);
}

/*
 * Looks at memory that the wire may be writing to, as programs do that wait for a WRITE: no lock is between the two, so
 * this is not for ThreadSanitizer to see.
 */
static __attribute__((no_sanitize("thread"))) bool has_arrived(const volatile char *memory,
							       char byte, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (memory[i] != byte)
			return false;
	}
	return true;
}

static void writes_of(const struct uroce_bed *bed, enum ibv_qp_type type)
{
	struct uroce_options options = bed_options;
	struct uroce_end ends[2];
	struct ibv_wc wc;

	options.type = type;
	uroce_bed_pair(bed, ends, &options);
	memset(ends[0].memory, 'w', 5000);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 5000,
					address_in(&ends[1], 3), ends[1].mr->rkey),
			 0);
	expect_send(&ends[0], IBV_WC_RDMA_WRITE);
	/* On the wire a WRITE of UC is complete before it is there. */
	while (!has_arrived(ends[1].memory + 3, 'w', 5000))
		assert_int_equal(ibv_poll_cq(ends[1].cq, 1, &wc), 0);
	assert_int_equal(ends[1].memory[2], 0);
	assert_int_equal(ends[1].memory[5003], 0);

	uroce_bed_recv(&ends[1], 3, 8000, 0);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE_WITH_IMM, 0, 10,
					address_in(&ends[1], 6000), ends[1].mr->rkey),
			 0);
	expect_send(&ends[0], IBV_WC_RDMA_WRITE);
	wc = expect_recv(&ends[1], 3, 10);
	assert_int_equal(wc.opcode, IBV_WC_RECV_RDMA_WITH_IMM);
	assert_int_equal(wc.wc_flags, IBV_WC_WITH_IMM);
	assert_int_equal(ends[1].memory[6009], 'w');
	close_pair(ends);
}

static void rc_writes(void **state)
{
	writes_of(*state, IBV_QPT_RC);
}

static void uc_writes(void **state)
{
	writes_of(*state, IBV_QPT_UC);
}

static void reads_and_atomics(void **state)
{
	struct ibv_send_wr wr = {.opcode = IBV_WR_ATOMIC_FETCH_AND_ADD};
	struct uroce_end ends[2];
	uint64_t *word;

	uroce_bed_pair(*state, ends, &bed_options);
	strcpy(ends[1].memory + 50, "to be read");
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_READ, 100, 11,
					address_in(&ends[1], 50), ends[1].mr->rkey),
			 0);
	expect_send(&ends[0], IBV_WC_RDMA_READ);
	assert_string_equal(ends[0].memory + 100, "to be read");

	word = (uint64_t *)(void *)(ends[1].memory + 800);
	*word = 40;
	wr.wr.atomic.remote_addr = address_in(&ends[1], 800);
	wr.wr.atomic.rkey = ends[1].mr->rkey;
	wr.wr.atomic.compare_add = 2;
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 200, 8), 0);
	expect_send(&ends[0], IBV_WC_FETCH_ADD);
	assert_int_equal(*word, 42);
	assert_int_equal(*(uint64_t *)(void *)(ends[0].memory + 200), 40);
	wr.opcode = IBV_WR_ATOMIC_CMP_AND_SWP;
	wr.wr.atomic.compare_add = 41;
	wr.wr.atomic.swap = 7;
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 200, 8), 0);
	expect_send(&ends[0], IBV_WC_COMP_SWAP);
	assert_int_equal(*word, 42);
	wr.wr.atomic.compare_add = 42;
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 200, 8), 0);
	expect_send(&ends[0], IBV_WC_COMP_SWAP);
	assert_int_equal(*word, 7);
	assert_int_equal(*(uint64_t *)(void *)(ends[0].memory + 200), 42);
	close_pair(ends);
}

static void ud_datagrams(void **state)
{
	struct uroce_options options = bed_options;
	struct ibv_ah_attr address = {.is_global = 1, .port_num = 1, .grh = {.hop_limit = 9}};
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND_WITH_IMM, .imm_data = 5};
	struct uroce_end ends[2];
	struct ibv_wc wc;

	options.type = IBV_QPT_UD;
	uroce_bed_pair(*state, ends, &options);
	assert_int_equal(ibv_query_gid(ends[0].context, 1, 0, &address.grh.dgid), 0);
	wr.wr.ud.ah = ibv_create_ah(ends[0].pd, &address);
	assert_non_null(wr.wr.ud.ah);
	wr.wr.ud.remote_qpn = ends[1].qp->qp_num;
	/* Dropped: another Q_Key, no receive request, one that is too short (IBA 9.8.3). */
	wr.wr.ud.remote_qkey = BED_QKEY + 1;
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 6), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	wr.wr.ud.remote_qkey = BED_QKEY;
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 6), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	uroce_bed_recv(&ends[1], 4, 4096, 46);
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 7), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	assert_int_equal(ibv_poll_cq(ends[1].cq, 1, &wc), 0);

	strcpy(ends[0].memory, "hello");
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 6), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	wc = expect_recv(&ends[1], 4, 46);
	assert_int_equal(wc.wc_flags, IBV_WC_GRH | IBV_WC_WITH_IMM);
	assert_int_equal(wc.src_qp, ends[0].qp->qp_num);
	assert_int_equal(wc.imm_data, 5);
	assert_string_equal(ends[1].memory + 4096 + 40, "hello");
	/* An IPv6 header: version, hop limit, destination. */
	assert_int_equal(ends[1].memory[4096] & 0xf0, 0x60);
	assert_int_equal(ends[1].memory[4096 + 7], 9);
	assert_memory_equal(ends[1].memory + 4096 + 24, &address.grh.dgid, 16);
	/* A message has one packet. */
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 4097), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_LOC_LEN_ERR);
	assert_int_equal(uroce_bed_state(&ends[0]), IBV_QPS_SQE);
	assert_int_equal(ibv_destroy_ah(wr.wr.ud.ah), 0);
	close_pair(ends);
}

static void inline_and_many_entries(void **state)
{
	struct ibv_sge sges[4], *sge = sges;
	struct ibv_send_wr wr = {.sg_list = sges, .num_sge = 4, .opcode = IBV_WR_SEND}, *bad;
	struct ibv_recv_wr recv = {.sg_list = sges, .num_sge = 4}, *bad_recv;
	struct uroce_end ends[2];
	char text[] = "abcd";

	uroce_bed_pair(*state, ends, &bed_options);
	for (int i = 0; i < 4; i++)
		*sge++ = (struct ibv_sge){address_in(&ends[1], 4000 + 100 * (size_t)i), 3,
					  ends[1].mr->lkey};
	assert_int_equal(ibv_post_recv(ends[1].qp, &recv, &bad_recv), 0);
	memcpy(ends[0].memory, "0123456789", 10);
	for (int i = 0; i < 4; i++)
		sges[i] =
			(struct ibv_sge){address_in(&ends[0], 2 * (size_t)i), 2, ends[0].mr->lkey};
	assert_int_equal(ibv_post_send(ends[0].qp, &wr, &bad), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	expect_recv(&ends[1], 0, 8);
	assert_memory_equal(ends[1].memory + 4000, "012", 3);
	assert_memory_equal(ends[1].memory + 4100, "345", 3);
	assert_memory_equal(ends[1].memory + 4200, "67\0", 3);
	/* Inline data needs no key, and may change as soon as it was posted. */
	uroce_bed_recv(&ends[1], 5, 0, 4);
	sges[0] = (struct ibv_sge){(uintptr_t)text, 4, 0};
	wr.num_sge = 1;
	wr.send_flags = IBV_SEND_INLINE;
	assert_int_equal(ibv_post_send(ends[0].qp, &wr, &bad), 0);
	memset(text, 'x', 4);
	expect_send(&ends[0], IBV_WC_SEND);
	expect_recv(&ends[1], 5, 4);
	assert_memory_equal(ends[1].memory, "abcd", 4);
	sges[0].length = 65;
	assert_int_equal(ibv_post_send(ends[0].qp, &wr, &bad), EINVAL);
	close_pair(ends);
}

static void a_request_waits_for_a_receive(void **state)
{
	struct uroce_end ends[2];
	struct ibv_wc wc;

	uroce_bed_pair(*state, ends, &bed_options);
	strcpy(ends[0].memory, "early");
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 6, 0, 0), 0);
	assert_int_equal(ibv_poll_cq(ends[0].cq, 1, &wc), 0);
	/* The sender's thread sends it, while the program does nothing. */
	uroce_bed_recv(&ends[1], 6, 0, 6);
	expect_recv(&ends[1], 6, 6);
	assert_string_equal(ends[1].memory, "early");
	expect_send(&ends[0], IBV_WC_SEND);
	close_pair(ends);
}

static void unsignaled_and_solicited(void **state)
{
	struct uroce_options options = bed_options;
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND};
	struct uroce_end ends[2];
	struct ibv_cq *cq;
	struct ibv_wc wc;
	void *context;

	options.all_signaled = false;
	uroce_bed_pair(*state, ends, &options);
	assert_int_equal(ibv_req_notify_cq(ends[1].cq, 1), 0);
	for (int i = 0; i < 3; i++) {
		uroce_bed_recv(&ends[1], (uint64_t)i, 0, 8);
		wr.send_flags = i == 2 ? IBV_SEND_SOLICITED | IBV_SEND_SIGNALED : 0;
		wr.wr_id = (uint64_t)i;
		assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 8), 0);
		/* Only the last one is an event. */
		if (i == 1)
			assert_int_equal(ibv_poll_cq(ends[0].cq, 1, &wc), 0);
	}
	assert_int_equal(uroce_bed_wait(&ends[0]).wr_id, 2);
	assert_int_equal(ibv_get_cq_event(ends[1].channel, &cq, &context), 0);
	ibv_ack_cq_events(cq, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(uroce_bed_wait(&ends[1]).wr_id, i);
	close_pair(ends);
}

static void extended_calls(void **state)
{
	struct uroce_end ends[2];
	struct ibv_qp_ex *qp;

	uroce_bed_pair(*state, ends, &bed_options);
	qp = ibv_qp_to_qp_ex(ends[0].qp);
	assert_non_null(qp);
	uroce_bed_recv(&ends[1], 1, 0, 10);
	uroce_bed_recv(&ends[1], 2, 0, 10);
	memcpy(ends[0].memory, "0123456789", 10);
	ibv_wr_start(qp);
	qp->wr_id = 9;
	qp->wr_flags = IBV_SEND_SIGNALED;
	ibv_wr_send(qp);
	ibv_wr_set_sge(qp, ends[0].mr->lkey, address_in(&ends[0], 0), 10);
	ibv_wr_send_imm(qp, 77);
	ibv_wr_set_inline_data(qp, ends[0].memory, 5);
	assert_int_equal(ibv_wr_complete(qp), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	expect_send(&ends[0], IBV_WC_SEND);
	expect_recv(&ends[1], 1, 10);
	assert_int_equal(expect_recv(&ends[1], 2, 5).imm_data, 77);
	/* After an error none of the requests is posted. */
	ibv_wr_start(qp);
	ibv_wr_send(qp);
	ibv_wr_set_inline_data(qp, ends[0].memory, 65);
	assert_int_equal(ibv_wr_complete(qp), EINVAL);
	close_pair(ends);
}

static void cq_ex_completions(void **state)
{
	struct ibv_cq_init_attr_ex init = {
		.cqe = 16,
		.wc_flags = IBV_WC_STANDARD_FLAGS | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP,
	};
	struct ibv_poll_cq_attr poll = {0};
	struct uroce_end ends[2];
	struct ibv_cq_ex *cq;

	for (int i = 0; i < 2; i++) {
		uroce_bed_open(*state, &ends[i]);
		if (!i)
			ends[0].cq = ibv_cq_ex_to_cq(ibv_create_cq_ex(ends[0].context, &init));
		uroce_bed_qp(&ends[i], &bed_options);
	}
	for (int i = 0; i < 2; i++)
		uroce_bed_connect(&ends[i], ends[1 - i].qp->qp_num, &bed_options);
	cq = (struct ibv_cq_ex *)ends[0].cq;
	assert_int_equal(ibv_start_poll(cq, &poll), ENOENT);
	uroce_bed_recv(&ends[0], 8, 0, 10);
	assert_int_equal(uroce_bed_send(&ends[1], IBV_WR_SEND_WITH_IMM, 0, 3, 0, 0), 0);
	assert_int_equal(ibv_start_poll(cq, &poll), 0);
	assert_int_equal(cq->wr_id, 8);
	assert_int_equal(cq->status, IBV_WC_SUCCESS);
	assert_int_equal(ibv_wc_read_opcode(cq), IBV_WC_RECV);
	assert_int_equal(ibv_wc_read_byte_len(cq), 3);
	assert_int_equal(ibv_wc_read_imm_data(cq), 0x01020304);
	assert_int_equal(ibv_wc_read_qp_num(cq), ends[0].qp->qp_num);
	assert_int_not_equal(ibv_wc_read_completion_ts(cq), 0);
	assert_int_equal(ibv_next_poll(cq), ENOENT);
	ibv_end_poll(cq);
	close_pair(ends);
}

static void shared_receive_queue(void **state)
{
	struct ibv_srq_init_attr init = {.attr = {.max_wr = 8, .max_sge = 2}};
	struct ibv_srq_attr limit = {.srq_limit = 2};
	struct uroce_end ends[2];
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};

	for (int i = 0; i < 2; i++) {
		uroce_bed_open(*state, &ends[i]);
		if (i)
			ends[1].srq = ibv_create_srq(ends[1].pd, &init);
		uroce_bed_qp(&ends[i], &bed_options);
	}
	for (int i = 0; i < 2; i++)
		uroce_bed_connect(&ends[i], ends[1 - i].qp->qp_num, &bed_options);
	for (int i = 0; i < 3; i++)
		uroce_bed_recv(&ends[1], (uint64_t)i, 0, 8);
	assert_int_equal(ibv_modify_srq(ends[1].srq, &limit, IBV_SRQ_LIMIT), 0);
	assert_int_equal(ibv_destroy_srq(ends[1].srq), EBUSY);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
		expect_send(&ends[0], IBV_WC_SEND);
		expect_recv(&ends[1], (uint64_t)i, 8);
	}
	assert_int_equal(uroce_bed_event(&ends[1]), IBV_EVENT_SRQ_LIMIT_REACHED);
	assert_int_equal(ibv_query_srq(ends[1].srq, &limit), 0);
	assert_int_equal(limit.srq_limit, 0);
	assert_int_equal(ibv_modify_qp(ends[1].qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(uroce_bed_event(&ends[1]), IBV_EVENT_QP_LAST_WQE_REACHED);
	close_pair(ends);
}

static void windows(void **state)
{
	struct ibv_send_wr bind = {.opcode = IBV_WR_BIND_MW}, *bad;
	struct ibv_send_wr send = {.opcode = IBV_WR_SEND_WITH_INV};
	struct uroce_end ends[2];
	struct ibv_mw *mw;
	uint32_t rkey;

	uroce_bed_pair(*state, ends, &bed_options);
	mw = ibv_alloc_mw(ends[1].pd, IBV_MW_TYPE_2);
	assert_non_null(mw);
	rkey = ibv_inc_rkey(mw->rkey);
	bind.bind_mw.mw = mw;
	bind.bind_mw.rkey = rkey;
	bind.bind_mw.bind_info = (struct ibv_mw_bind_info){
		.mr = ends[1].mr,
		.addr = address_in(&ends[1], 100),
		.length = 100,
		.mw_access_flags = IBV_ACCESS_REMOTE_WRITE,
	};
	assert_int_equal(ibv_post_send(ends[1].qp, &bind, &bad), 0);
	expect_send(&ends[1], IBV_WC_BIND_MW);
	assert_int_equal(ibv_dereg_mr(ends[1].mr), EBUSY);
	strcpy(ends[0].memory, "window");
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 7,
					address_in(&ends[1], 193), rkey),
			 0);
	expect_send(&ends[0], IBV_WC_RDMA_WRITE);
	assert_string_equal(ends[1].memory + 193, "window");
	/* Invalidated by the peer: the window is of no use then. */
	uroce_bed_recv(&ends[1], 1, 0, 8);
	send.invalidate_rkey = rkey;
	assert_int_equal(uroce_bed_post(&ends[0], &send, 0, 8), 0);
	expect_send(&ends[0], IBV_WC_SEND);
	assert_int_equal(expect_recv(&ends[1], 1, 8).wc_flags, IBV_WC_WITH_INV);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 7,
					address_in(&ends[1], 150), rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
	assert_int_equal(ibv_dealloc_mw(mw), 0);
	close_pair(ends);
}

static void window_of_type_1(void **state)
{
	struct ibv_mw_bind bind = {.wr_id = 3, .send_flags = IBV_SEND_SIGNALED};
	struct uroce_end ends[2];
	struct ibv_mw *mw;

	uroce_bed_pair(*state, ends, &bed_options);
	mw = ibv_alloc_mw(ends[1].pd, IBV_MW_TYPE_1);
	assert_non_null(mw);
	bind.bind_info = (struct ibv_mw_bind_info){
		.mr = ends[1].mr,
		.addr = address_in(&ends[1], 0),
		.length = 10,
		.mw_access_flags = IBV_ACCESS_REMOTE_READ,
	};
	assert_int_equal(ibv_bind_mw(ends[1].qp, mw, &bind), 0);
	expect_send(&ends[1], IBV_WC_BIND_MW);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_READ, 0, 10, address_in(&ends[1], 0),
					mw->rkey),
			 0);
	expect_send(&ends[0], IBV_WC_RDMA_READ);
	/* One byte too many. */
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_READ, 0, 11, address_in(&ends[1], 0),
					mw->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
	assert_int_equal(ibv_dealloc_mw(mw), 0);
	close_pair(ends);
}

static void within_one_context(void **state)
{
	struct uroce_end end;

	/* A QP that is connected to itself. */
	uroce_bed_open(*state, &end);
	uroce_bed_qp(&end, &bed_options);
	uroce_bed_connect(&end, end.qp->qp_num, &bed_options);
	strcpy(end.memory, "loop");
	uroce_bed_recv(&end, 1, 4096, 8);
	assert_int_equal(uroce_bed_send(&end, IBV_WR_SEND, 0, 5, 0, 0), 0);
	assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_SUCCESS);
	assert_string_equal(end.memory + 4096, "loop");
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void a_cq_is_resized(void **state)
{
	struct uroce_end ends[2];

	uroce_bed_pair(*state, ends, &bed_options);
	for (int i = 0; i < 3; i++)
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 1,
						address_in(&ends[1], 0), ends[1].mr->rkey),
				 0);
	assert_int_equal(ibv_resize_cq(ends[0].cq, 2), EINVAL);
	assert_int_equal(ibv_resize_cq(ends[0].cq, 500), 0);
	assert_int_equal(ends[0].cq->cqe, 500);
	for (int i = 0; i < 3; i++)
		expect_send(&ends[0], IBV_WC_RDMA_WRITE);
	close_pair(ends);
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, uroce_bed_setup, uroce_bed_teardown)
#define ON_WIRE(test)                                                                      \
	{                                                                                  \
#test " on the wire", test, uroce_bed_setup_wire, uroce_bed_teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(rc_sends),
		WITH_BED(uc_sends),
		WITH_BED(rc_writes),
		WITH_BED(uc_writes),
		WITH_BED(reads_and_atomics),
		WITH_BED(ud_datagrams),
		WITH_BED(inline_and_many_entries),
		WITH_BED(a_request_waits_for_a_receive),
		WITH_BED(unsignaled_and_solicited),
		WITH_BED(extended_calls),
		WITH_BED(cq_ex_completions),
		WITH_BED(shared_receive_queue),
		WITH_BED(windows),
		WITH_BED(window_of_type_1),
		WITH_BED(within_one_context),
		WITH_BED(a_cq_is_resized),
		/* The others look at once for what takes a while there. */
		ON_WIRE(rc_sends),
		ON_WIRE(uc_sends),
		ON_WIRE(rc_writes),
		ON_WIRE(uc_writes),
		ON_WIRE(reads_and_atomics),
		ON_WIRE(inline_and_many_entries),
		ON_WIRE(a_request_waits_for_a_receive),
		ON_WIRE(unsignaled_and_solicited),
		ON_WIRE(extended_calls),
		ON_WIRE(shared_receive_queue),
		ON_WIRE(windows),
		ON_WIRE(window_of_type_1),
		ON_WIRE(within_one_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
