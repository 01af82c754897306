/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sends messages of every kind between QPs of the provider uroce, on the wire, one after the other, and writes what was
 * sent into a file, for t/tree/uroce-captures: a line of JSON for each QP and each message, in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "t/tree/uroce_bed.h"

enum { SINK = BED_SIZE / 2, MTU = 1024 };

static FILE *out;
static const char *gid; /* of IPv6; NULL: IPv4 */

/* What the memory of each end begins with, up to SINK: the reader of the file knows it as well. */
static void fill_memory(struct uroce_end *end, unsigned int number)
{
	for (unsigned int i = 0; i < SINK; i++)
		end->memory[i] = (char)(i * 31 + i / 256 + number * 17);
}

static void begin_pair(const struct uroce_bed *bed, struct uroce_end ends[2], enum ibv_qp_type type)
{
	struct uroce_options options = bed_options;

	options.type = type;
	options.rnr_retry = 0;
	uroce_bed_pair(bed, ends, &options);
	for (unsigned int i = 0; i < 2; i++) {
		fill_memory(&ends[i], i);
		fprintf(out,
			"{\"qp\":%u,\"peer\":%u,\"service\":\"%s\",\"psn\":7,\"mtu\":%d,\"qkey\":%"
			"d}\n",
			ends[i].qp->qp_num, ends[1 - i].qp->qp_num,
			type == IBV_QPT_RC   ? "RC"
			: type == IBV_QPT_UC ? "UC"
					     : "UD",
			MTU, BED_QKEY);
	}
}

static void end_pair(struct uroce_end ends[2])
{
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
	assert_int_equal(uroce_bed_close(&ends[1]), 0);
}

static const char *kind_name(enum ibv_wr_opcode opcode)
{
	switch (opcode) {
	case IBV_WR_RDMA_WRITE:
	case IBV_WR_RDMA_WRITE_WITH_IMM:
		return "WRITE";
	case IBV_WR_RDMA_READ:
		return "READ";
	case IBV_WR_ATOMIC_CMP_AND_SWP:
		return "COMPARE_SWAP";
	case IBV_WR_ATOMIC_FETCH_AND_ADD:
		return "FETCH_ADD";
	default:
		return "SEND";
	}
}

static bool is_atomic(const struct ibv_send_wr *wr)
{
	return wr->opcode == IBV_WR_ATOMIC_CMP_AND_SWP || wr->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD;
}

/* `result` is "ack", or "nak" and a syndrome. */
static void note_message(const struct uroce_end *from, const struct ibv_send_wr *wr, size_t offset,
			 uint32_t length, const char *result)
{
	const bool is_read = wr->opcode == IBV_WR_RDMA_READ;

	fprintf(out,
		"{\"from\":%u,\"kind\":\"%s\",\"length\":%u,\"data\":[%d,%zu],\"solicited\":%d,"
		"\"result\":\"%s\"",
		from->qp->qp_num, kind_name(wr->opcode), length, is_read,
		is_read ? (size_t)0 : offset, !!(wr->send_flags & IBV_SEND_SOLICITED), result);
	if (wr->opcode == IBV_WR_SEND_WITH_IMM || wr->opcode == IBV_WR_RDMA_WRITE_WITH_IMM)
		fprintf(out, ",\"imm\":%u", be32toh(wr->imm_data));
	if (wr->opcode == IBV_WR_SEND_WITH_INV)
		fprintf(out, ",\"invalidate\":%u", wr->invalidate_rkey);
	if (is_atomic(wr))
		fprintf(out,
			",\"va\":\"%llx\",\"rkey\":%u,\"swap_add\":\"%llx\",\"compare\":\"%llx\"",
			(unsigned long long)wr->wr.atomic.remote_addr, wr->wr.atomic.rkey,
			(unsigned long long)(wr->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD
						     ? wr->wr.atomic.compare_add
						     : wr->wr.atomic.swap),
			(unsigned long long)(wr->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD
						     ? 0
						     : wr->wr.atomic.compare_add));
	else if (wr->opcode < IBV_WR_SEND || is_read)
		fprintf(out, ",\"va\":\"%llx\",\"rkey\":%u",
			(unsigned long long)wr->wr.rdma.remote_addr, wr->wr.rdma.rkey);
	fprintf(out, "}\n");
}

static bool has_answer(const struct ibv_send_wr *wr)
{
	return wr->opcode == IBV_WR_RDMA_READ || is_atomic(wr);
}

static bool uses_receive(const struct ibv_send_wr *wr)
{
	return wr->opcode == IBV_WR_SEND || wr->opcode == IBV_WR_SEND_WITH_IMM ||
	       wr->opcode == IBV_WR_SEND_WITH_INV || wr->opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
}

/* What is sent lies at `offset`; answers go into the second half. */
static void send_message(struct uroce_end ends[2], const struct ibv_send_wr *wr, size_t offset,
			 uint32_t length)
{
	struct ibv_wc wc;

	note_message(&ends[0], wr, offset, length, "ack");
	if (uses_receive(wr))
		uroce_bed_recv(&ends[1], 1, SINK, SINK);
	assert_int_equal(uroce_bed_post(&ends[0], wr, has_answer(wr) ? SINK : offset, length), 0);
	wc = uroce_bed_wait(&ends[0]);
	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	if (uses_receive(wr)) {
		wc = uroce_bed_wait(&ends[1]);
		assert_int_equal(wc.status, IBV_WC_SUCCESS);
	}
}

/* Nothing, one byte, each pad, a full packet, and more than one. */
static const uint32_t lengths[] = {0, 1, 2, 3, 4, MTU, MTU + 1, 2 * MTU + 3};

static void each_length(struct uroce_end ends[2], enum ibv_wr_opcode opcode)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(lengths); i++) {
		const struct ibv_send_wr wr = {
			.opcode = opcode,
			.imm_data = htobe32(0x01020304 + (uint32_t)i),
			.send_flags = i % 2 ? IBV_SEND_SOLICITED : 0,
			.wr.rdma = {.remote_addr = (uintptr_t)ends[1].memory +
						   (opcode == IBV_WR_RDMA_READ ? 0 : SINK),
				    .rkey = ends[1].mr->rkey},
		};

		send_message(ends, &wr, 5 * i, lengths[i]);
	}
}

/* A key of a window that the peer invalidates. */
static void send_invalidating(struct uroce_end ends[2], struct ibv_mw *mw, uint32_t length)
{
	struct ibv_send_wr bind = {.opcode = IBV_WR_BIND_MW}, *bad;
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND_WITH_INV};

	bind.bind_mw.mw = mw;
	bind.bind_mw.rkey = mw->rkey = ibv_inc_rkey(mw->rkey);
	bind.bind_mw.bind_info = (struct ibv_mw_bind_info){ends[1].mr, (uintptr_t)ends[1].memory,
							   64, IBV_ACCESS_REMOTE_WRITE};
	assert_int_equal(ibv_post_send(ends[1].qp, &bind, &bad), 0);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_SUCCESS);
	wr.invalidate_rkey = mw->rkey;
	send_message(ends, &wr, 0, length);
}

static void atomics(struct uroce_end ends[2])
{
	struct ibv_send_wr wr = {.opcode = IBV_WR_ATOMIC_FETCH_AND_ADD};

	memset(ends[1].memory + SINK, 0, 8);
	wr.wr.atomic.remote_addr = (uintptr_t)ends[1].memory + SINK;
	wr.wr.atomic.rkey = ends[1].mr->rkey;
	wr.wr.atomic.compare_add = UINT64_C(0x1122334455667788);
	send_message(ends, &wr, 0, 8);
	wr.opcode = IBV_WR_ATOMIC_CMP_AND_SWP;
	wr.wr.atomic.swap = UINT64_C(0x99aabbccddeeff00);
	send_message(ends, &wr, 0, 8);
	wr.opcode = IBV_WR_ATOMIC_FETCH_AND_ADD;
	wr.wr.atomic.compare_add = 1;
	send_message(ends, &wr, 0, 8);
}

static void send_reliable(const struct uroce_bed *bed)
{
	struct uroce_end ends[2];
	struct ibv_mw *mw;

	begin_pair(bed, ends, IBV_QPT_RC);
	each_length(ends, IBV_WR_SEND);
	each_length(ends, IBV_WR_SEND_WITH_IMM);
	each_length(ends, IBV_WR_RDMA_WRITE);
	each_length(ends, IBV_WR_RDMA_WRITE_WITH_IMM);
	each_length(ends, IBV_WR_RDMA_READ);
	mw = ibv_alloc_mw(ends[1].pd, IBV_MW_TYPE_2);
	assert_non_null(mw);
	send_invalidating(ends, mw, 4);
	send_invalidating(ends, mw, MTU + 4);
	assert_int_equal(ibv_dealloc_mw(mw), 0);
	atomics(ends);
	end_pair(ends);
}

static void send_unreliable(const struct uroce_bed *bed)
{
	struct uroce_end ends[2];

	begin_pair(bed, ends, IBV_QPT_UC);
	each_length(ends, IBV_WR_SEND);
	each_length(ends, IBV_WR_SEND_WITH_IMM);
	each_length(ends, IBV_WR_RDMA_WRITE);
	each_length(ends, IBV_WR_RDMA_WRITE_WITH_IMM);
	end_pair(ends);
}

static void send_datagrams(const struct uroce_bed *bed)
{
	struct ibv_ah_attr address = {.is_global = 1, .port_num = 1, .grh = {.hop_limit = 1}};
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND};
	struct uroce_end ends[2];

	begin_pair(bed, ends, IBV_QPT_UD);
	assert_int_equal(ibv_query_gid(ends[0].context, 1, 0, &address.grh.dgid), 0);
	wr.wr.ud.ah = ibv_create_ah(ends[0].pd, &address);
	assert_non_null(wr.wr.ud.ah);
	wr.wr.ud.remote_qpn = ends[1].qp->qp_num;
	wr.wr.ud.remote_qkey = BED_QKEY;
	for (uint32_t i = 0; i < 6; i++) {
		wr.send_flags = i % 2 ? IBV_SEND_SOLICITED : 0;
		send_message(ends, &wr, i, lengths[i]);
	}
	wr.opcode = IBV_WR_SEND_WITH_IMM;
	wr.imm_data = htobe32(0xfedcba98);
	send_message(ends, &wr, 0, 7);
	assert_int_equal(ibv_destroy_ah(wr.wr.ud.ah), 0);
	end_pair(ends);
}

/* Each refusal of a responder. */
static void send_refused(const struct uroce_bed *bed)
{
	static const struct {
		const char *result;
		enum ibv_wr_opcode opcode;
		enum ibv_wc_status status;
	} cases[] = {
		{"nak 98", IBV_WR_RDMA_WRITE, IBV_WC_REM_ACCESS_ERR},
		{"nak 98", IBV_WR_RDMA_READ, IBV_WC_REM_ACCESS_ERR},
		{"nak 97", IBV_WR_ATOMIC_FETCH_AND_ADD, IBV_WC_REM_INV_REQ_ERR},
		{"nak 97", IBV_WR_SEND, IBV_WC_REM_INV_REQ_ERR},
		{"nak 99", IBV_WR_SEND_WITH_IMM, IBV_WC_REM_OP_ERR},
		{"nak 33", IBV_WR_SEND, IBV_WC_RNR_RETRY_EXC_ERR},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct ibv_send_wr wr = {.opcode = cases[i].opcode};
		struct uroce_end ends[2];
		struct ibv_wc wc;

		begin_pair(bed, ends, IBV_QPT_RC);
		if (is_atomic(&wr)) {
			wr.wr.atomic.remote_addr = (uintptr_t)ends[1].memory + 4;
			wr.wr.atomic.rkey = ends[1].mr->rkey;
		} else {
			wr.wr.rdma.remote_addr = (uintptr_t)ends[1].memory;
			wr.wr.rdma.rkey = ends[1].mr->rkey + 1;
		}
		if (wr.opcode == IBV_WR_SEND_WITH_IMM)
			ends[1].mr->lkey++;
		note_message(&ends[0], &wr, 0, 8, cases[i].result);
		if (uses_receive(&wr) && cases[i].status != IBV_WC_RNR_RETRY_EXC_ERR)
			uroce_bed_recv(&ends[1], 1, SINK,
				       wr.opcode == IBV_WR_SEND_WITH_IMM ? 8 : 7);
		if (wr.opcode == IBV_WR_SEND_WITH_IMM)
			ends[1].mr->lkey--;
		assert_int_equal(uroce_bed_post(&ends[0], &wr, has_answer(&wr) ? SINK : 0, 8), 0);
		wc = uroce_bed_wait(&ends[0]);
		assert_int_equal(wc.status, cases[i].status);
		end_pair(ends);
	}
}

static void send_all(void **state)
{
	const struct uroce_bed *bed = *state;

	if (gid)
		assert_int_equal(tree_set(bed->tree, 0, "ports/1/gids/0", gid), 0);
	send_reliable(bed);
	send_unreliable(bed);
	send_datagrams(bed);
	send_refused(bed);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(send_all, uroce_bed_setup_wire, uroce_bed_teardown),
	};
	int failed;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: uroce_traffic FILE [GID]\n");
		return 2;
	}
	out = fopen(argv[1], "w");
	if (!out) {
		perror(argv[1]);
		return 2;
	}
	gid = argv[2];
	failed = cmocka_run_group_tests_name("uroce traffic", tests, NULL, NULL);
	return fclose(out) || failed;
}
