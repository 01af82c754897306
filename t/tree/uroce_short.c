/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Short messages and lists of short WRITEs of the provider uroce on the direct path. Inline data waits in the CQ until
 * the receiver polls, so all that can happen before that is tried here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "t/tree/uroce_bed.h"

enum { MAX_INLINE = 64, AT = 4096 };

static void send_inline(struct uroce_end ends[2], uint32_t length, char fill)
{
	const struct ibv_send_wr wr = {.opcode = IBV_WR_SEND, .send_flags = IBV_SEND_INLINE};

	memset(ends[0].memory, fill, MAX_INLINE);
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, length), 0);
	/* Inline data is the program's again at once. */
	memset(ends[0].memory, 'x', MAX_INLINE);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
}

static void expect_message(struct uroce_end *end, uint64_t id, size_t at, uint32_t length,
			   char fill)
{
	const struct ibv_wc wc = uroce_bed_wait(end);

	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_int_equal(wc.wr_id, id);
	assert_int_equal(wc.byte_len, length);
	for (uint32_t i = 0; i < length; i++)
		assert_int_equal(end->memory[at + i], fill);
	assert_int_equal(end->memory[at + length], 0);
}

static void close_ends(struct uroce_end ends[2])
{
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
	assert_int_equal(uroce_bed_close(&ends[1]), 0);
}

/* Messages wait in the CQ only where no WRITE or READ of the same QP could overtake them. */
static void pair_without_remote_access(struct uroce_bed *bed, struct uroce_end ends[2])
{
	struct uroce_options options = bed_options;

	options.access = 0;
	uroce_bed_pair(bed, ends, &options);
}

static void every_length(void **state)
{
	struct uroce_end ends[2];

	pair_without_remote_access(*state, ends);
	for (uint32_t length = 0; length <= MAX_INLINE; length++) {
		memset(ends[1].memory, 0, BED_SIZE);
		/* Across a page. */
		uroce_bed_recv(&ends[1], length, AT - 32, MAX_INLINE);
		send_inline(ends, length, (char)('a' + length % 20));
		expect_message(&ends[1], length, AT - 32, length, (char)('a' + length % 20));
	}
	close_ends(ends);
}

/* The first entry of the request cannot take it all, or there is none. */
static void receive_requests_of_other_shapes(void **state)
{
	struct uroce_end ends[2];
	struct ibv_sge sge[2];
	struct ibv_recv_wr wr = {.wr_id = 5, .sg_list = sge, .num_sge = 2}, *bad;

	pair_without_remote_access(*state, ends);
	sge[0] = (struct ibv_sge){(uintptr_t)ends[1].memory, 3, ends[1].mr->lkey};
	sge[1] = (struct ibv_sge){(uintptr_t)ends[1].memory + 3, 100, ends[1].mr->lkey};
	assert_int_equal(ibv_post_recv(ends[1].qp, &wr, &bad), 0);
	send_inline(ends, 8, 's');
	expect_message(&ends[1], 5, 0, 8, 's');
	wr = (struct ibv_recv_wr){.wr_id = 6};
	assert_int_equal(ibv_post_recv(ends[1].qp, &wr, &bad), 0);
	send_inline(ends, 0, 's');
	expect_message(&ends[1], 6, 50, 0, 's');
	close_ends(ends);
}

static void deregistered_before_it_is_polled(void **state)
{
	struct uroce_end ends[2];

	pair_without_remote_access(*state, ends);
	uroce_bed_recv(&ends[1], 1, AT, MAX_INLINE);
	uroce_bed_recv(&ends[1], 2, AT + 100, MAX_INLINE);
	send_inline(ends, 8, 'd');
	send_inline(ends, 9, 'e');
	assert_int_equal(ibv_dereg_mr(ends[1].mr), 0);
	ends[1].mr = NULL;
	/* From here on nobody writes to the memory. */
	assert_int_equal(ends[1].memory[AT + 7], 'd');
	assert_int_equal(ends[1].memory[AT + 108], 'e');
	memset(ends[1].memory, 0, BED_SIZE);
	for (uint64_t id = 1; id <= 2; id++) {
		const struct ibv_wc wc = uroce_bed_wait(&ends[1]);

		assert_int_equal(wc.status, IBV_WC_SUCCESS);
		assert_int_equal(wc.wr_id, id);
	}
	for (size_t i = 0; i < BED_SIZE; i++)
		assert_int_equal(ends[1].memory[i], 0);
	close_ends(ends);
}

static void registered_elsewhere_before_it_is_polled(void **state)
{
	struct uroce_end ends[2];

	pair_without_remote_access(*state, ends);
	uroce_bed_recv(&ends[1], 1, AT, MAX_INLINE);
	send_inline(ends, 8, 'd');
	assert_int_equal(ibv_rereg_mr(ends[1].mr, IBV_REREG_MR_CHANGE_TRANSLATION, NULL,
				      ends[1].memory, 16, 0),
			 0);
	assert_int_equal(ends[1].memory[AT + 7], 'd');
	expect_message(&ends[1], 1, AT, 8, 'd');
	close_ends(ends);
}

static void resized_before_it_is_polled(void **state)
{
	/* To a CQ that has no payloads, and back. */
	static const int sizes[] = {20000, 8};
	struct uroce_end ends[2];

	pair_without_remote_access(*state, ends);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(ends[1].memory, 0, BED_SIZE);
		uroce_bed_recv(&ends[1], 1, AT, MAX_INLINE);
		uroce_bed_recv(&ends[1], 2, AT + 100, MAX_INLINE);
		send_inline(ends, 8, 'd');
		assert_int_equal(ibv_resize_cq(ends[1].cq, sizes[i]), 0);
		send_inline(ends, 9, 'e');
		expect_message(&ends[1], 1, AT, 8, 'd');
		expect_message(&ends[1], 2, AT + 100, 9, 'e');
	}
	close_ends(ends);
}

static void reset_before_it_is_polled(void **state)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};
	struct uroce_end ends[2];
	struct ibv_wc wc;

	pair_without_remote_access(*state, ends);
	uroce_bed_recv(&ends[1], 1, AT, MAX_INLINE);
	send_inline(ends, 8, 'd');
	assert_int_equal(ibv_modify_qp(ends[1].qp, &attr, IBV_QP_STATE), 0);
	memset(ends[1].memory, 0, BED_SIZE);
	assert_int_equal(ibv_poll_cq(ends[1].cq, 1, &wc), 0);
	assert_int_equal(ends[1].memory[AT], 0);
	close_ends(ends);
}

static void post_entries(struct uroce_end *end, uint64_t id, struct ibv_sge *sge, int count)
{
	struct ibv_recv_wr wr = {.wr_id = id, .sg_list = sge, .num_sge = count}, *bad;

	assert_int_equal(ibv_post_recv(end->qp, &wr, &bad), 0);
}

/* The last message is what memory has in the end, wherever the ones before it wait. */
static void a_longer_message_to_the_same_memory(void **state)
{
	for (int deregister = 0; deregister < 2; deregister++) {
		struct uroce_end ends[2];
		struct ibv_sge sge[2];

		pair_without_remote_access(*state, ends);
		uroce_bed_recv(&ends[1], 1, AT, 16);
		/* One that begins in the middle of it, in two parts, the second one first. */
		sge[0] = (struct ibv_sge){(uintptr_t)ends[1].memory + AT + 12, 100,
					  ends[1].mr->lkey};
		sge[1] = (struct ibv_sge){(uintptr_t)ends[1].memory + AT + 4, 4, ends[1].mr->lkey};
		post_entries(&ends[1], 2, sge, 2);
		uroce_bed_recv(&ends[1], 3, AT + 2, 1);
		send_inline(ends, 16, 'i');
		memset(ends[0].memory, 'l', 100);
		memset(ends[0].memory + 100, 'm', 4);
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 104, 0, 0), 0);
		assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
		send_inline(ends, 1, 'j');
		if (deregister) {
			assert_int_equal(ibv_dereg_mr(ends[1].mr), 0);
			ends[1].mr = NULL;
			assert_memory_equal(ends[1].memory + AT, "iijimmmmiiiilllll", 17);
		}
		for (uint64_t id = 1; id <= 3; id++) {
			const struct ibv_wc wc = uroce_bed_wait(&ends[1]);

			assert_int_equal(wc.status, IBV_WC_SUCCESS);
			assert_int_equal(wc.wr_id, id);
		}
		assert_memory_equal(ends[1].memory + AT, "iijimmmmiiiilllll", 17);
		close_ends(ends);
	}
}

/* Data that cannot be read is the sender's error, as without a message that waits. */
static void a_message_from_unmapped_memory(void **state)
{
	struct uroce_end ends[2];

	pair_without_remote_access(*state, ends);
	uroce_bed_recv(&ends[1], 1, 0, 16);
	uroce_bed_recv(&ends[1], 2, 0, 16);
	send_inline(ends, 8, 'i');
	ends[0].mapped = BED_SIZE / 2;
	assert_int_equal(munmap(ends[0].memory + BED_SIZE / 2, BED_SIZE / 2), 0);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, BED_SIZE - 8, 8, 0, 0), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_LOC_PROT_ERR);
	expect_message(&ends[1], 1, 0, 8, 'i');
	close_ends(ends);
}

/* What was written after a message is in memory after it, whenever the receiver polls. */
static void a_write_after_a_message(void **state)
{
	const struct ibv_send_wr message = {.opcode = IBV_WR_SEND, .send_flags = IBV_SEND_INLINE};
	struct uroce_end ends[2];

	uroce_bed_pair(*state, ends, &bed_options);
	uroce_bed_recv(&ends[1], 1, 0, 8);
	memset(ends[0].memory, 'm', 8);
	assert_int_equal(uroce_bed_post(&ends[0], &message, 0, 8), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	memset(ends[0].memory, 'w', 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 8,
					(uintptr_t)ends[1].memory, ends[1].mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_SUCCESS);
	assert_memory_equal(ends[1].memory, "wwwwwwww", 8);
	close_ends(ends);
}

/* One of a list is wrong: those before it are done, those after it are flushed. */
static void a_list_of_writes(void **state)
{
	enum { COUNT = 12, WRONG = 7 };

	for (int wrong = 0; wrong < 2; wrong++) {
		struct uroce_end ends[2];
		struct ibv_send_wr wr[COUNT], *bad;
		struct ibv_sge sge[COUNT];

		uroce_bed_pair(*state, ends, &bed_options);
		for (size_t i = 0; i < COUNT; i++) {
			ends[0].memory[i] = (char)('a' + i);
			sge[i] = (struct ibv_sge){(uintptr_t)ends[0].memory + i, 1,
						  ends[0].mr->lkey};
			wr[i] = (struct ibv_send_wr){
				.wr_id = i,
				.opcode = IBV_WR_RDMA_WRITE,
				.sg_list = &sge[i],
				.num_sge = 1,
				.next = i + 1 < COUNT ? &wr[i + 1] : NULL,
				.wr.rdma = {(uintptr_t)ends[1].memory + 2 * i, ends[1].mr->rkey},
			};
		}
		wr[WRONG].wr.rdma.rkey ^= (uint32_t)wrong;
		assert_int_equal(ibv_post_send(ends[0].qp, wr, &bad), 0);
		for (size_t i = 0; i < COUNT; i++) {
			const struct ibv_wc wc = uroce_bed_wait(&ends[0]);

			assert_int_equal(wc.wr_id, i);
			assert_int_equal(wc.status, !wrong || i < WRONG ? IBV_WC_SUCCESS
						    : i == WRONG	? IBV_WC_REM_ACCESS_ERR
									: IBV_WC_WR_FLUSH_ERR);
			assert_int_equal(ends[1].memory[2 * i],
					 wrong && i >= WRONG ? 0 : (char)('a' + i));
			assert_int_equal(ends[1].memory[2 * i + 1], 0);
		}
		close_ends(ends);
	}
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, uroce_bed_setup, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(every_length),
		WITH_BED(receive_requests_of_other_shapes),
		WITH_BED(deregistered_before_it_is_polled),
		WITH_BED(registered_elsewhere_before_it_is_polled),
		WITH_BED(resized_before_it_is_polled),
		WITH_BED(reset_before_it_is_polled),
		WITH_BED(a_longer_message_to_the_same_memory),
		WITH_BED(a_message_from_unmapped_memory),
		WITH_BED(a_write_after_a_message),
		WITH_BED(a_list_of_writes),
	};

	setenv("HOLDFAST_UROCE_PATH", "direct", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
