/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices: the responder against a scripted peer. Each test names the section of IBA vol. 1 it is of. */
#include <string.h>

#include "t/unit/uroce_bed.h"

enum { PSN = 0xfffffe }; /* wraps soon */

static uint8_t data[4096];

static struct bed_side *rc_side(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	return bed_new(UROCE_SERVICE_RC, 2, 1, PSN);
}

static void give_op(struct bed_side *side, enum uroce_op op, uint32_t psn, uint32_t size)
{
	struct uroce_packet packet = bed_packet(side, op, psn, data, size);

	bed_give(side, &packet);
}

/* The one answer to what was given. */
static void assert_answer(struct bed_side *side, uint8_t syndrome, uint32_t psn, uint32_t msn)
{
	struct uroce_packet packet;

	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	packet = bed_sent(side, 0);
	assert_int_equal(packet.opcode, UROCE_OP_ACK);
	assert_int_equal(packet.qpn, 1);
	assert_int_equal(packet.syndrome, syndrome);
	assert_int_equal(packet.psn, psn & UROCE_PSN_MASK);
	assert_int_equal(packet.msn, msn);
	bed_forget(side);
}

static void assert_no_answer(struct bed_side *side)
{
	bed_run(side);
	assert_int_equal(side->frame_count, 0);
}

static void assert_fault(struct bed_side *side, enum uroce_wire_fault fault)
{
	assert_int_equal(side->faults, 1);
	assert_int_equal(side->fault, fault);
	/* Nothing is executed after it. */
	give_op(side, UROCE_OP_WRITE_ONLY, side->qp.resp.psn, 4);
	assert_no_answer(side);
	bed_free(side);
}

/* --- 9.7: acknowledged in order ------------------------------------------------------------------- */

static void s9_7_2_a_send_is_received_and_acknowledged(void **state)
{
	struct bed_side *side = rc_side();
	uint8_t to[600] = {0};

	(void)state;
	bed_post_receive(side, to, sizeof(to));
	give_op(side, UROCE_OP_SEND_FIRST, PSN, BED_MTU);
	give_op(side, UROCE_OP_SEND_MIDDLE, PSN + 1, BED_MTU);
	assert_int_equal(side->received_count, 0);
	give_op(side, UROCE_OP_SEND_LAST_IMM, PSN + 2, 5);
	assert_int_equal(side->received_count, 1);
	assert_int_equal(side->received[0].length, 2 * BED_MTU + 5);
	assert_true(side->received[0].has_imm);
	assert_memory_equal(to + BED_MTU, data, BED_MTU);
	assert_memory_equal(to + (size_t)2 * BED_MTU, data, 5);
	assert_int_equal(to[2 * BED_MTU + 5], 0);
	assert_int_equal(side->established, 1);
	/* IBA 9.7.5.1.2: one acknowledgement for all. */
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN + 2, 1);
	bed_free(side);
}

static void s9_7_3_1_a_packet_that_does_not_ask_gets_no_acknowledgement(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_WRITE_ONLY, PSN, data, 8);

	(void)state;
	packet.wants_ack = false;
	bed_give(side, &packet);
	assert_memory_equal(side->memory, data, 8);
	assert_no_answer(side);
	bed_free(side);
}

static void s9_7_4_1_4_a_gap_is_told_once(void **state)
{
	struct bed_side *side = rc_side();

	(void)state;
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 1, 8);
	assert_answer(side, UROCE_NAK_SEQUENCE, PSN, 0);
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 2, 8);
	assert_no_answer(side);
	assert_int_equal(side->memory[1], 0);
	/* The missing one comes; another gap is told again. */
	give_op(side, UROCE_OP_WRITE_ONLY, PSN, 8);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN, 1);
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 3, 8);
	assert_answer(side, UROCE_NAK_SEQUENCE, PSN + 1, 1);
	assert_int_equal(side->counters[UROCE_COUNT_OUT_OF_SEQUENCE_REQUEST], 3);
	bed_free(side);
}

static void s9_7_4_1_4_half_of_all_psns_are_old(void **state)
{
	struct bed_side *side = rc_side();

	(void)state;
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 0x7fffff, 8);
	assert_answer(side, UROCE_NAK_SEQUENCE, PSN, 0);
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 0x800000, 8);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN - 1, 0);
	assert_int_equal(side->memory[1], 0);
	bed_free(side);
}

static void s9_7_5_1_5_a_repeated_send_or_write_is_only_acknowledged(void **state)
{
	struct bed_side *side = rc_side();
	uint8_t to[64], other[64];

	(void)state;
	bed_post_receive(side, to, sizeof(to));
	bed_post_receive(side, other, sizeof(other));
	give_op(side, UROCE_OP_SEND_ONLY, PSN, 8);
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 1, 8);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN + 1, 2);
	memset(side->memory, 0, 8);
	give_op(side, UROCE_OP_SEND_ONLY, PSN, 8);
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 1, 8);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN + 1, 2);
	assert_int_equal(side->received_count, 1);
	assert_int_equal(side->memory[1], 0);
	bed_free(side);
}

/* --- READ ------------------------------------------------------------------------------------------ */

static struct uroce_packet read_asked(const struct bed_side *side, uint32_t psn, uint32_t at,
				      uint32_t length)
{
	struct uroce_packet packet = bed_packet(side, UROCE_OP_READ_REQUEST, psn, NULL, 0);

	packet.va += at;
	packet.length = length;
	return packet;
}

static void assert_read_answer(struct bed_side *side, uint32_t index, enum uroce_op op,
			       uint32_t psn, uint32_t at, uint32_t size)
{
	struct uroce_packet packet = bed_sent(side, index);

	assert_int_equal(packet.opcode, op);
	assert_int_equal(packet.psn, psn & UROCE_PSN_MASK);
	assert_int_equal(packet.payload_size, size);
	assert_memory_equal(packet.payload, side->memory + at, size);
}

static void s9_7_5_1_1_a_read_is_answered_in_order_before_later_acknowledgements(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = read_asked(side, PSN, 1000, 2 * BED_MTU + 9);

	(void)state;
	memcpy(side->memory + 1000, data, 1000);
	bed_give(side, &packet);
	/* The answer has three PSNs (IBA 9.7.3.3). */
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 3, 8);
	bed_run(side);
	assert_int_equal(side->frame_count, 4);
	assert_read_answer(side, 0, UROCE_OP_READ_FIRST, PSN, 1000, BED_MTU);
	assert_read_answer(side, 1, UROCE_OP_READ_MIDDLE, PSN + 1, 1000 + BED_MTU, BED_MTU);
	assert_read_answer(side, 2, UROCE_OP_READ_LAST, PSN + 2, 1000 + 2 * BED_MTU, 9);
	assert_int_equal(bed_sent(side, 3).opcode, UROCE_OP_ACK);
	assert_int_equal(bed_sent(side, 3).psn, (PSN + 3) & UROCE_PSN_MASK);
	bed_free(side);
}

static void s9_7_5_1_a_read_of_nothing_is_answered_without_a_key(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = read_asked(side, PSN, 0, 0);

	(void)state;
	packet.rkey = 5;
	bed_give(side, &packet);
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	assert_read_answer(side, 0, UROCE_OP_READ_ONLY, PSN, 0, 0);
	bed_free(side);
}

static void s9_7_5_2_5_a_repeated_read_is_answered_again_from_any_packet(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = read_asked(side, PSN, 0, 4 * BED_MTU);

	(void)state;
	memcpy(side->memory, data, sizeof(data));
	bed_give(side, &packet);
	bed_run(side);
	assert_int_equal(side->frame_count, 4);
	bed_forget(side);
	packet = read_asked(side, PSN + 2, 2 * BED_MTU, 2 * BED_MTU);
	bed_give(side, &packet);
	bed_run(side);
	assert_int_equal(side->frame_count, 2);
	assert_read_answer(side, 0, UROCE_OP_READ_FIRST, PSN + 2, 2 * BED_MTU, BED_MTU);
	assert_read_answer(side, 1, UROCE_OP_READ_LAST, PSN + 3, 3 * BED_MTU, BED_MTU);
	bed_forget(side);
	/* Not another range, not more than there was, not under another key. */
	packet = read_asked(side, PSN + 2, 3 * BED_MTU, BED_MTU);
	bed_give(side, &packet);
	packet = read_asked(side, PSN + 2, 2 * BED_MTU, 3 * BED_MTU);
	bed_give(side, &packet);
	packet = read_asked(side, PSN, 0, 4 * BED_MTU);
	packet.rkey++;
	bed_give(side, &packet);
	packet = read_asked(side, PSN - 9, 0, 4 * BED_MTU);
	bed_give(side, &packet);
	assert_no_answer(side);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_DUPLICATE], 4);
	bed_free(side);
}

static void s9_7_4_1_5_a_read_out_of_bounds_is_an_access_error(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = read_asked(side, PSN, BED_MEMORY - 8, 9);

	(void)state;
	bed_give(side, &packet);
	assert_answer(side, UROCE_NAK_REMOTE_ACCESS, PSN, 0);
	assert_fault(side, UROCE_WIRE_FAULT_ACCESS);
}

static void s9_7_4_1_5_memory_that_went_away_is_an_access_error(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = read_asked(side, PSN, 0, 9);

	(void)state;
	side->is_unmapped = true;
	bed_give(side, &packet);
	assert_answer(side, UROCE_NAK_REMOTE_ACCESS, PSN, 1);
	assert_fault(side, UROCE_WIRE_FAULT_ACCESS);
}

static void s9_7_4_1_2_more_reads_than_agreed_are_an_invalid_request(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet;

	(void)state;
	side->frame_limit = 0;
	for (uint32_t i = 0; i < 5; i++) {
		packet = read_asked(side, PSN + i, 0, 8);
		bed_give(side, &packet);
	}
	bed_run(side);
	assert_int_equal(side->frame_count, 0);
	side->frame_limit = BED_FRAMES;
	bed_run(side);
	/* Those before are answered first. */
	assert_int_equal(side->frame_count, 5);
	assert_int_equal(bed_sent(side, 3).opcode, UROCE_OP_READ_ONLY);
	assert_int_equal(bed_sent(side, 4).syndrome, UROCE_NAK_INVALID_REQUEST);
	bed_forget(side);
	assert_fault(side, UROCE_WIRE_FAULT_REQUEST);
}

static void s9_7_5_1_5_a_repeated_read_gives_way_to_a_new_one(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		packet = read_asked(side, PSN + i, 0, 8);
		bed_give(side, &packet);
	}
	bed_run(side);
	assert_int_equal(side->frame_count, 4);
	bed_forget(side);
	/* Sent twice by the peer, which has the first answer by now: it may ask for four others. */
	packet = read_asked(side, PSN, 0, 8);
	bed_give(side, &packet);
	packet = read_asked(side, PSN + 1, 0, 8);
	bed_give(side, &packet);
	packet = read_asked(side, PSN + 4, 0, 8);
	bed_give(side, &packet);
	bed_run(side);
	assert_int_equal(side->faults, 0);
	assert_int_equal(side->frame_count, 2);
	assert_int_equal(bed_sent(side, 0).psn, (PSN + 1) & UROCE_PSN_MASK);
	assert_int_equal(bed_sent(side, 1).psn, (PSN + 4) & UROCE_PSN_MASK);
	bed_free(side);
}

/* --- atomics --------------------------------------------------------------------------------------- */

static void s9_4_5_a_repeated_atomic_gives_the_same_result_and_is_not_executed(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_FETCH_ADD, PSN, NULL, 0);
	uint64_t value = 40;

	(void)state;
	packet.swap_add = 2;
	memcpy(side->memory, &value, 8);
	for (unsigned int i = 0; i < 3; i++) {
		bed_give(side, &packet);
		bed_run(side);
		assert_int_equal(side->frame_count, 1);
		assert_int_equal(bed_sent(side, 0).opcode, UROCE_OP_ATOMIC_ACK);
		assert_int_equal(bed_sent(side, 0).psn, PSN);
		assert_int_equal(bed_sent(side, 0).original, 40);
		bed_forget(side);
		memcpy(&value, side->memory, 8);
		assert_int_equal(value, 42);
	}
	bed_free(side);
}

static void s9_4_5_compare_and_swap_swaps_what_is_equal(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_COMPARE_SWAP, PSN, NULL, 0);
	uint64_t value = 7;

	(void)state;
	memcpy(side->memory, &value, 8);
	packet.compare = 8;
	packet.swap_add = 9;
	bed_give(side, &packet);
	memcpy(&value, side->memory, 8);
	assert_int_equal(value, 7);
	packet.compare = 7;
	packet.psn++;
	bed_give(side, &packet);
	memcpy(&value, side->memory, 8);
	assert_int_equal(value, 9);
	bed_free(side);
}

static void s9_4_5_an_atomic_that_cannot_be_done_now_is_as_if_it_were_lost(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_FETCH_ADD, PSN, NULL, 0);
	uint64_t value = 40;

	(void)state;
	packet.swap_add = 2;
	memcpy(side->memory, &value, 8);
	side->is_busy = true;
	for (unsigned int i = 0; i < 200; i++) {
		bed_give(side, &packet);
		bed_run(side);
		assert_int_equal(side->frame_count, 0);
	}
	side->is_busy = false;
	bed_give(side, &packet);
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	assert_int_equal(bed_sent(side, 0).opcode, UROCE_OP_ATOMIC_ACK);
	assert_int_equal(bed_sent(side, 0).original, 40);
	memcpy(&value, side->memory, 8);
	assert_int_equal(value, 42);
	bed_free(side);
}

static void s9_4_5_an_unaligned_atomic_is_an_invalid_request(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_FETCH_ADD, PSN, NULL, 0);

	(void)state;
	packet.va += 4;
	bed_give(side, &packet);
	assert_answer(side, UROCE_NAK_INVALID_REQUEST, PSN, 0);
	assert_fault(side, UROCE_WIRE_FAULT_REQUEST);
}

/* --- 9.7.4.1: what is refused ------------------------------------------------------------------------ */

static void s9_7_4_1_2_an_opcode_out_of_order_is_an_invalid_request(void **state)
{
	static const struct {
		enum uroce_op before, op; /* equal: none before */
	} cases[] = {
		{UROCE_OP_SEND_MIDDLE, UROCE_OP_SEND_MIDDLE},
		{UROCE_OP_SEND_LAST, UROCE_OP_SEND_LAST},
		{UROCE_OP_WRITE_MIDDLE, UROCE_OP_WRITE_MIDDLE},
		{UROCE_OP_SEND_FIRST, UROCE_OP_WRITE_MIDDLE},
		{UROCE_OP_SEND_FIRST, UROCE_OP_SEND_ONLY},
		{UROCE_OP_SEND_FIRST, UROCE_OP_READ_REQUEST},
		{UROCE_OP_SEND_FIRST, UROCE_OP_FETCH_ADD},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct bed_side *side = rc_side();
		uint32_t psn = PSN;
		uint8_t to[1024];
		unsigned int flags = uroce_op_flags((uint8_t)cases[i].op);

		bed_post_receive(side, to, sizeof(to));
		if (cases[i].before != cases[i].op)
			give_op(side, cases[i].before, psn++, BED_MTU);
		give_op(side, cases[i].op, psn, flags & UROCE_HAS_PAYLOAD ? BED_MTU : 0);
		assert_answer(side, UROCE_NAK_INVALID_REQUEST, psn, 0);
		assert_fault(side, UROCE_WIRE_FAULT_REQUEST);
	}
}

static void s9_7_4_1_6_a_packet_of_a_wrong_size_is_an_invalid_request(void **state)
{
	static const struct {
		enum uroce_op op;
		uint32_t size;
	} cases[] = {{UROCE_OP_SEND_FIRST, BED_MTU - 1},
		     {UROCE_OP_SEND_FIRST, BED_MTU + 1},
		     {UROCE_OP_SEND_FIRST, 0},
		     {UROCE_OP_SEND_ONLY, BED_MTU + 1},
		     {UROCE_OP_WRITE_ONLY, BED_MTU + 1}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct bed_side *side = rc_side();
		uint8_t to[1024];

		bed_post_receive(side, to, sizeof(to));
		give_op(side, cases[i].op, PSN, cases[i].size);
		assert_answer(side, UROCE_NAK_INVALID_REQUEST, PSN, 0);
		assert_fault(side, UROCE_WIRE_FAULT_REQUEST);
	}
}

/* The length in the RETH and what arrives are the same: not less, not more. */
static void s9_7_4_1_6_a_write_of_another_length_is_an_invalid_request(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct bed_side *side = rc_side();
		struct uroce_packet packet = bed_packet(side, UROCE_OP_WRITE_ONLY, PSN, data, 8);
		uint32_t psn = PSN;

		if (i < 2) {
			packet.length = i ? 9 : 7;
		} else {
			packet = bed_packet(side, UROCE_OP_WRITE_FIRST, PSN, data, BED_MTU);
			packet.length = i == 2 ? BED_MTU : BED_MTU + 8;
		}
		bed_give(side, &packet);
		if (i > 2)
			give_op(side, UROCE_OP_WRITE_LAST, ++psn, i == 3 ? 7 : 9);
		assert_answer(side, UROCE_NAK_INVALID_REQUEST, psn, 0);
		assert_fault(side, UROCE_WIRE_FAULT_REQUEST);
	}
}

static void s9_7_4_1_5_a_write_without_access_touches_nothing(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct bed_side *side = rc_side();
		struct uroce_packet packet =
			bed_packet(side, UROCE_OP_WRITE_FIRST, PSN, data, BED_MTU);

		packet.length = 2 * BED_MTU;
		if (i == 0)
			packet.rkey++;
		else if (i == 1)
			packet.va -= 1;
		else if (i == 2)
			packet.va += BED_MEMORY - 2 * BED_MTU + 1;
		else
			side->access &= ~IBV_ACCESS_REMOTE_WRITE;
		bed_give(side, &packet);
		for (size_t byte = 0; byte < BED_MEMORY; byte++)
			assert_int_equal(side->memory[byte], 0);
		assert_answer(side, UROCE_NAK_REMOTE_ACCESS, PSN, 0);
		assert_fault(side, UROCE_WIRE_FAULT_ACCESS);
	}
}

static void s9_7_5_2_8_without_a_receive_request_the_answer_is_rnr(void **state)
{
	struct bed_side *side = rc_side();
	uint8_t to[64];

	(void)state;
	give_op(side, UROCE_OP_SEND_ONLY, PSN, 8);
	assert_answer(side, UROCE_RNR_NAK | BED_RNR_TIMER, PSN, 0);
	/* What was sent behind it is dropped without a word. */
	give_op(side, UROCE_OP_SEND_ONLY, PSN + 1, 8);
	assert_no_answer(side);
	bed_post_receive(side, to, sizeof(to));
	give_op(side, UROCE_OP_SEND_ONLY, PSN, 8);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN, 1);
	/* WRITE with immediate: before its data is written. */
	give_op(side, UROCE_OP_WRITE_ONLY_IMM, PSN + 1, 8);
	assert_answer(side, UROCE_RNR_NAK | BED_RNR_TIMER, PSN + 1, 1);
	assert_int_equal(side->memory[1], 0);
	assert_int_equal(side->counters[UROCE_COUNT_SENT_RNR], 2);
	bed_free(side);
}

static void s9_9_3_1_a_receive_request_that_is_too_small_fails_both_sides(void **state)
{
	struct bed_side *side = rc_side();
	uint8_t to[8];

	(void)state;
	bed_post_receive(side, to, 7);
	give_op(side, UROCE_OP_SEND_ONLY, PSN, 8);
	assert_int_equal(side->received[0].status, IBV_WC_LOC_LEN_ERR);
	assert_answer(side, UROCE_NAK_INVALID_REQUEST, PSN, 0);
	assert_fault(side, UROCE_WIRE_FAULT_LOCAL);
}

static void s9_9_3_1_a_receive_request_without_access_is_an_operational_error(void **state)
{
	struct bed_side *side = rc_side();
	uint8_t to[8];

	(void)state;
	bed_post_receive(side, to, 8);
	side->is_local_denied = true;
	give_op(side, UROCE_OP_SEND_ONLY, PSN, 8);
	assert_int_equal(side->received[0].status, IBV_WC_LOC_PROT_ERR);
	assert_answer(side, UROCE_NAK_REMOTE_OPERATION, PSN, 0);
	assert_fault(side, UROCE_WIRE_FAULT_LOCAL);
}

static void s9_4_1_1_3_send_with_invalidate_takes_the_key(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_SEND_ONLY_INV, PSN, data, 8);
	uint8_t to[8];

	(void)state;
	bed_post_receive(side, to, 8);
	packet.invalidate = BED_RKEY;
	bed_give(side, &packet);
	assert_int_equal(side->invalidated, BED_RKEY);
	assert_true(side->received[0].invalidated);
	assert_int_equal(side->received[0].imm, BED_RKEY);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN, 1);
	bed_post_receive(side, to, 8);
	packet.psn++;
	packet.invalidate++;
	bed_give(side, &packet);
	assert_answer(side, UROCE_NAK_REMOTE_ACCESS, PSN + 1, 1);
	assert_fault(side, UROCE_WIRE_FAULT_ACCESS);
}

/* --- 9.6.1: what is dropped ------------------------------------------------------------------------- */

static void s9_6_1_what_is_not_for_this_qp_is_dropped(void **state)
{
	struct bed_side *side = rc_side();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_WRITE_ONLY, PSN, data, 8);

	(void)state;
	packet.pkey = 0x7ffe;
	bed_give(side, &packet);
	packet.pkey = 0xffff;
	packet.qpn = 3;
	bed_give(side, &packet);
	packet.qpn = 2;
	packet.opcode |= 0x20;
	bed_give(side, &packet);
	packet.opcode = 0x64;
	bed_give(side, &packet);
	assert_no_answer(side);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_PKEY], 1);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_STATE], 3);
	/* A limited member and a full one may talk (IBA 10.9.3). */
	packet = bed_packet(side, UROCE_OP_WRITE_ONLY, PSN, data, 8);
	packet.pkey = 0x7fff;
	bed_give(side, &packet);
	assert_answer(side, UROCE_ACK_NO_CREDITS, PSN, 1);
	bed_free(side);
}

/* --- UC and UD -------------------------------------------------------------------------------------- */

static void s9_8_2_uc_drops_the_rest_of_a_message_with_a_gap(void **state)
{
	struct bed_side *side = bed_new(UROCE_SERVICE_UC, 2, 1, PSN);
	uint8_t to[1024] = {0};

	(void)state;
	bed_post_receive(side, to, sizeof(to));
	give_op(side, UROCE_OP_SEND_FIRST, PSN, BED_MTU);
	give_op(side, UROCE_OP_SEND_LAST, PSN + 2, 4);
	give_op(side, UROCE_OP_SEND_MIDDLE, PSN + 3, BED_MTU);
	assert_int_equal(side->received_count, 0);
	/* The next message is received, with the same request. */
	give_op(side, UROCE_OP_SEND_ONLY_IMM, PSN + 9, 4);
	assert_int_equal(side->received_count, 1);
	assert_int_equal(side->received[0].length, 4);
	/* One that begins before another is complete takes its place. */
	bed_post_receive(side, to, sizeof(to));
	give_op(side, UROCE_OP_SEND_FIRST, PSN + 10, BED_MTU);
	give_op(side, UROCE_OP_SEND_ONLY, PSN + 11, 4);
	assert_int_equal(side->received_count, 2);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_MESSAGE], 2);
	assert_no_answer(side);
	assert_int_equal(side->faults, 0);
	bed_free(side);
}

static void s9_8_2_uc_drops_what_it_cannot_execute(void **state)
{
	struct bed_side *side = bed_new(UROCE_SERVICE_UC, 2, 1, PSN);
	struct uroce_packet packet = bed_packet(side, UROCE_OP_WRITE_ONLY, PSN, data, 8);

	(void)state;
	packet.rkey++;
	bed_give(side, &packet);
	give_op(side, UROCE_OP_SEND_ONLY, PSN + 1, 8);
	assert_no_answer(side);
	assert_int_equal(side->faults, 0);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_NO_RECEIVE], 1);
	give_op(side, UROCE_OP_WRITE_ONLY, PSN + 2, 8);
	assert_memory_equal(side->memory, data, 8);
	bed_free(side);
}

static void s9_8_3_ud_checks_the_q_key_and_puts_the_header_before_the_data(void **state)
{
	struct bed_side *side = bed_new(UROCE_SERVICE_UD, 2, 0, 0);
	struct uroce_packet packet = bed_packet(side, UROCE_OP_SEND_ONLY, 77, data, 8);
	uint8_t to[UROCE_GRH_SIZE + 8] = {0};

	(void)state;
	packet.source_qpn = 0x345;
	bed_give(side, &packet);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_NO_RECEIVE], 1);
	bed_post_receive(side, to, sizeof(to));
	packet.qkey++;
	bed_give(side, &packet);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_QKEY], 1);
	packet.qkey--;
	packet.payload_size = 9;
	bed_give(side, &packet);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_NO_RECEIVE], 2);
	packet.payload_size = 8;
	bed_give(side, &packet);
	assert_int_equal(side->received_count, 1);
	assert_int_equal(side->received[0].length, UROCE_GRH_SIZE + 8);
	assert_int_equal(side->received[0].source_qpn, 0x345);
	assert_int_equal(to[0], 0x60);
	assert_memory_equal(to + UROCE_GRH_SIZE, data, 8);
	packet.payload_size = BED_MTU + 1;
	bed_give(side, &packet);
	assert_int_equal(side->counters[UROCE_COUNT_INVALID_REQUEST], 1);
	assert_no_answer(side);
	bed_free(side);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(s9_7_2_a_send_is_received_and_acknowledged),
		cmocka_unit_test(s9_7_3_1_a_packet_that_does_not_ask_gets_no_acknowledgement),
		cmocka_unit_test(s9_7_4_1_4_a_gap_is_told_once),
		cmocka_unit_test(s9_7_4_1_4_half_of_all_psns_are_old),
		cmocka_unit_test(s9_7_5_1_5_a_repeated_send_or_write_is_only_acknowledged),
		cmocka_unit_test(
			s9_7_5_1_1_a_read_is_answered_in_order_before_later_acknowledgements),
		cmocka_unit_test(s9_7_5_1_a_read_of_nothing_is_answered_without_a_key),
		cmocka_unit_test(s9_7_5_2_5_a_repeated_read_is_answered_again_from_any_packet),
		cmocka_unit_test(s9_7_4_1_5_a_read_out_of_bounds_is_an_access_error),
		cmocka_unit_test(s9_7_4_1_5_memory_that_went_away_is_an_access_error),
		cmocka_unit_test(s9_7_4_1_2_more_reads_than_agreed_are_an_invalid_request),
		cmocka_unit_test(s9_7_5_1_5_a_repeated_read_gives_way_to_a_new_one),
		cmocka_unit_test(
			s9_4_5_a_repeated_atomic_gives_the_same_result_and_is_not_executed),
		cmocka_unit_test(s9_4_5_compare_and_swap_swaps_what_is_equal),
		cmocka_unit_test(s9_4_5_an_atomic_that_cannot_be_done_now_is_as_if_it_were_lost),
		cmocka_unit_test(s9_4_5_an_unaligned_atomic_is_an_invalid_request),
		cmocka_unit_test(s9_7_4_1_2_an_opcode_out_of_order_is_an_invalid_request),
		cmocka_unit_test(s9_7_4_1_6_a_packet_of_a_wrong_size_is_an_invalid_request),
		cmocka_unit_test(s9_7_4_1_6_a_write_of_another_length_is_an_invalid_request),
		cmocka_unit_test(s9_7_4_1_5_a_write_without_access_touches_nothing),
		cmocka_unit_test(s9_7_5_2_8_without_a_receive_request_the_answer_is_rnr),
		cmocka_unit_test(s9_9_3_1_a_receive_request_that_is_too_small_fails_both_sides),
		cmocka_unit_test(s9_9_3_1_a_receive_request_without_access_is_an_operational_error),
		cmocka_unit_test(s9_4_1_1_3_send_with_invalidate_takes_the_key),
		cmocka_unit_test(s9_6_1_what_is_not_for_this_qp_is_dropped),
		cmocka_unit_test(s9_8_2_uc_drops_the_rest_of_a_message_with_a_gap),
		cmocka_unit_test(s9_8_2_uc_drops_what_it_cannot_execute),
		cmocka_unit_test(s9_8_3_ud_checks_the_q_key_and_puts_the_header_before_the_data),
	};

	return cmocka_run_group_tests_name("uroce responder", tests, NULL, NULL);
}
