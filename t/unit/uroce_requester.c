/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices: the requester against a scripted peer. Each test names the section of IBA vol. 1 it is of. */
#include <string.h>

#include "t/unit/uroce_bed.h"

enum { PSN = 0xfffffe }; /* wraps soon */

static uint8_t data[1 << 16];

static struct bed_side *requester(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 + i / 256);
	return bed_new(UROCE_SERVICE_RC, 2, 1, PSN);
}

static void give_ack(struct bed_side *side, uint8_t syndrome, uint32_t psn)
{
	struct uroce_packet packet = bed_ack(side, syndrome, psn);

	bed_give(side, &packet);
}

static void give_answer(struct bed_side *side, enum uroce_op op, uint32_t psn, uint32_t at,
			uint32_t size)
{
	struct uroce_packet packet = bed_packet(side, op, psn, data + at, size);

	packet.syndrome = UROCE_ACK_NO_CREDITS;
	bed_give(side, &packet);
}

static void assert_sent(const struct bed_side *side, uint32_t index, enum uroce_op op, uint32_t psn,
			uint32_t size)
{
	struct uroce_packet packet = bed_sent(side, index);

	assert_int_equal(packet.opcode, uroce_opcode(side->qp.service, op));
	assert_int_equal(packet.psn, psn & UROCE_PSN_MASK);
	assert_int_equal(packet.payload_size, size);
	assert_int_equal(packet.qpn, 1);
}

static void assert_done(const struct bed_side *side, uint32_t index, enum ibv_wc_status status)
{
	assert_true(index < side->done_count);
	assert_int_equal(side->done[index].position, index);
	assert_int_equal(side->done[index].status, status);
}

/* --- what is sent ------------------------------------------------------------------------------------ */

static void s9_7_2_a_message_is_cut_at_the_mtu(void **state)
{
	struct bed_side *side = requester();
	struct uroce_request *request = bed_post(side, UROCE_REQUEST_WRITE, data, 2 * BED_MTU + 1);

	(void)state;
	request->has_imm = true;
	request->imm = 77;
	request->is_solicited = true;
	bed_run(side);
	assert_int_equal(side->frame_count, 3);
	assert_sent(side, 0, UROCE_OP_WRITE_FIRST, PSN, BED_MTU);
	assert_sent(side, 1, UROCE_OP_WRITE_MIDDLE, PSN + 1, BED_MTU);
	assert_sent(side, 2, UROCE_OP_WRITE_LAST_IMM, PSN + 2, 1);
	assert_int_equal(bed_sent(side, 0).length, 2 * BED_MTU + 1);
	assert_false(bed_sent(side, 1).is_solicited);
	assert_true(bed_sent(side, 2).is_solicited);
	assert_int_equal(bed_sent(side, 2).imm, 77);
	assert_memory_equal(bed_sent(side, 1).payload, data + BED_MTU, BED_MTU);
	/* IBA 9.7.3.1: the last of a burst asks for an acknowledgement. */
	assert_false(bed_sent(side, 0).wants_ack);
	assert_true(bed_sent(side, 2).wants_ack);
	bed_free(side);
}

static void s9_7_2_every_kind_of_send_has_its_opcode(void **state)
{
	static const struct {
		enum uroce_request_kind kind;
		bool has_imm, invalidates;
		enum uroce_op only, last;
	} cases[] = {
		{UROCE_REQUEST_SEND, false, false, UROCE_OP_SEND_ONLY, UROCE_OP_SEND_LAST},
		{UROCE_REQUEST_SEND, true, false, UROCE_OP_SEND_ONLY_IMM, UROCE_OP_SEND_LAST_IMM},
		{UROCE_REQUEST_SEND, false, true, UROCE_OP_SEND_ONLY_INV, UROCE_OP_SEND_LAST_INV},
		{UROCE_REQUEST_WRITE, false, false, UROCE_OP_WRITE_ONLY, UROCE_OP_WRITE_LAST},
		{UROCE_REQUEST_WRITE, true, false, UROCE_OP_WRITE_ONLY_IMM,
		 UROCE_OP_WRITE_LAST_IMM},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct bed_side *side = requester();

		for (unsigned int j = 0; j < 2; j++) {
			struct uroce_request *request =
				bed_post(side, cases[i].kind, data, j ? BED_MTU + 4 : 4);

			request->has_imm = cases[i].has_imm;
			request->invalidates = cases[i].invalidates;
			request->imm = 0x12345678;
		}
		bed_run(side);
		assert_sent(side, 0, cases[i].only, PSN, 4);
		assert_sent(side, 2, cases[i].last, PSN + 2, 4);
		if (cases[i].invalidates)
			assert_int_equal(bed_sent(side, 2).invalidate, 0x12345678);
		bed_free(side);
	}
}

static void s9_7_5_1_2_one_acknowledgement_completes_all_before_it(void **state)
{
	struct bed_side *side = requester();

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		bed_post(side, UROCE_REQUEST_WRITE, data, BED_MTU + 1);
	bed_run(side);
	assert_int_equal(side->frame_count, 10);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 6);
	assert_int_equal(side->done_count, 3);
	/* An old one, and one for what was never sent, do nothing. */
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 2);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 10);
	assert_int_equal(side->done_count, 3);
	assert_int_equal(side->counters[UROCE_COUNT_DROP_STALE], 2);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 9);
	assert_int_equal(side->done_count, 5);
	assert_int_equal(side->tx.used, 0);
	assert_int_equal(bed_run(side), UROCE_WIRE_NEVER);
	bed_free(side);
}

static void s9_7_5_1_4_a_sequence_nak_makes_it_go_back(void **state)
{
	struct bed_side *side = requester();

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		bed_post(side, UROCE_REQUEST_WRITE, data, 2 * BED_MTU);
	bed_run(side);
	bed_forget(side);
	give_ack(side, UROCE_NAK_SEQUENCE, PSN + 3);
	assert_int_equal(side->done_count, 1);
	bed_run(side);
	assert_int_equal(side->frame_count, 3);
	assert_sent(side, 0, UROCE_OP_WRITE_LAST, PSN + 3, BED_MTU);
	assert_sent(side, 1, UROCE_OP_WRITE_FIRST, PSN + 4, BED_MTU);
	/* The acknowledgement of what was sent first is as good. */
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 5);
	assert_int_equal(side->done_count, 3);
	bed_free(side);
}

static void s9_7_6_1_3_silence_is_retried_and_then_an_error(void **state)
{
	struct bed_side *side = requester();
	uint64_t deadline;

	(void)state;
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	for (unsigned int i = 0; i <= 7; i++) {
		deadline = bed_run(side);
		/* Not less than was asked for, and not more than four times that. */
		assert_int_equal(deadline, side->now + (UINT64_C(4096) << (14 + (i < 2 ? i : 2))));
		assert_int_equal(side->frame_count, 2);
		assert_int_equal(side->done_count, 0);
		bed_forget(side);
		side->now = deadline;
	}
	assert_int_equal(bed_run(side), UROCE_WIRE_NEVER);
	assert_int_equal(side->frame_count, 0);
	assert_int_equal(side->done_count, 1);
	assert_done(side, 0, IBV_WC_RETRY_EXC_ERR);
	assert_int_equal(side->counters[UROCE_COUNT_RETRY_EXCEEDED], 1);
	bed_free(side);
}

static void s9_7_6_1_3_progress_begins_the_count_anew(void **state)
{
	struct bed_side *side = requester();

	(void)state;
	bed_post(side, UROCE_REQUEST_WRITE, data, 20 * BED_MTU);
	for (uint32_t i = 0; i < 19; i++) {
		for (unsigned int j = 0; j < 7; j++)
			side->now = bed_run(side);
		bed_run(side);
		bed_forget(side);
		give_ack(side, UROCE_ACK_NO_CREDITS, PSN + i);
	}
	assert_int_equal(side->done_count, 0);
	bed_run(side);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 19);
	assert_done(side, 0, IBV_WC_SUCCESS);
	bed_free(side);
}

static void s9_7_6_1_3_a_timeout_of_0_is_for_ever(void **state)
{
	struct bed_side *side = requester();
	struct uroce_wire_rts rts = {.psn = PSN, .reads = 1};

	(void)state;
	uroce_wire_ready_to_send(&side->qp, &rts);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	assert_int_equal(bed_run(side), UROCE_WIRE_NEVER);
	bed_free(side);
}

/* Half of all PSNs are old, whatever is in flight. */
static void s9_7_1_an_answer_outside_what_is_in_flight_does_nothing(void **state)
{
	static const uint32_t distances[] = {0xffffff, 0x800001, 0x800000, 0x7fffff, 0x400000, 3};
	static const uint8_t syndromes[] = {UROCE_ACK_NO_CREDITS,    UROCE_RNR_NAK | 1,
					    UROCE_NAK_SEQUENCE,	     UROCE_NAK_INVALID_REQUEST,
					    UROCE_NAK_REMOTE_ACCESS, UROCE_NAK_REMOTE_OPERATION};
	struct bed_side *side = requester();
	uint32_t stale = 0;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	for (size_t i = 0; i < HF_ARRAY_SIZE(distances); i++) {
		for (size_t j = 0; j < HF_ARRAY_SIZE(syndromes); j++) {
			give_ack(side, syndromes[j], PSN + distances[i]);
			assert_int_equal(side->counters[UROCE_COUNT_DROP_STALE], ++stale);
		}
		give_answer(side, UROCE_OP_READ_ONLY, PSN + distances[i], 0, 8);
		give_answer(side, UROCE_OP_ATOMIC_ACK, PSN + distances[i], 0, 0);
		stale += 2;
		assert_int_equal(side->counters[UROCE_COUNT_DROP_STALE], stale);
	}
	assert_int_equal(side->done_count, 0);
	bed_forget(side);
	bed_run(side);
	assert_int_equal(side->frame_count, 0);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 2);
	assert_int_equal(side->done_count, 3);
	bed_free(side);
}

/* IBA 9.7.7.2: a peer may say that it has no receive request left; SENDs are tried all the same, and RNR tells. */
static void s9_7_7_2_no_credits_stop_nothing(void **state)
{
	(void)state;
	for (unsigned int credits = 0; credits <= UROCE_SYNDROME_VALUE; credits++) {
		struct bed_side *side = requester();

		for (unsigned int i = 0; i < 2; i++) {
			bed_post(side, UROCE_REQUEST_SEND, data, 8);
			bed_run(side);
			give_ack(side, (uint8_t)credits, PSN + i);
			assert_int_equal(side->done_count, i + 1);
			assert_done(side, i, IBV_WC_SUCCESS);
		}
		bed_free(side);
	}
}

/* IBA 9.7.5.2.1: kinds and codes that nobody may send. */
static void s9_7_5_2_1_a_reserved_syndrome_ends_the_connection(void **state)
{
	static const uint8_t reserved[] = {0x40, 0x5f, 0x64, 0x6f, 0x7f};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(reserved); i++) {
		struct bed_side *side = requester();

		bed_post(side, UROCE_REQUEST_WRITE, data, 8);
		bed_run(side);
		give_ack(side, reserved[i], PSN);
		assert_done(side, 0, IBV_WC_BAD_RESP_ERR);
		bed_free(side);
	}
}

/* IBA 9.7.6.1.3: 7 is a number like the others, and not for ever. */
static void s9_9_2_1_1_each_retry_count_is_a_number(void **state)
{
	(void)state;
	for (uint8_t limit = 0; limit <= 7; limit++) {
		struct bed_side *side = requester();
		const struct uroce_wire_rts rts = {
			.psn = PSN, .reads = 1, .timeout = 1, .retry_count = limit};
		uint32_t sent = 0;

		uroce_wire_ready_to_send(&side->qp, &rts);
		bed_post(side, UROCE_REQUEST_WRITE, data, 8);
		while (!side->done_count) {
			const uint64_t deadline = bed_run(side);

			sent += side->frame_count;
			bed_forget(side);
			if (!side->done_count)
				side->now = deadline;
		}
		assert_int_equal(sent, limit + 1);
		assert_done(side, 0, IBV_WC_RETRY_EXC_ERR);
		bed_free(side);
	}
}

static void s9_7_5_2_8_every_rnr_timer_is_the_tables(void **state)
{
	/* Table 45, in units of 10 us, from 1 on. */
	static const uint32_t table[] = {1,    2,    3,	    4,	   6,	  8,	 12,   16,
					 24,   32,   48,    64,	   96,	  128,	 192,  256,
					 384,  512,  768,   1024,  1536,  2048,	 3072, 4096,
					 6144, 8192, 12288, 16384, 24576, 32768, 49152};

	(void)state;
	assert_int_equal(uroce_rnr_ns(0), UINT64_C(655360000));
	for (size_t i = 0; i < HF_ARRAY_SIZE(table); i++)
		assert_int_equal(uroce_rnr_ns((uint8_t)(i + 1)), table[i] * UINT64_C(10000));
}

static void s9_7_5_2_8_rnr_waits_as_long_as_the_peer_says(void **state)
{
	static const struct {
		uint8_t code;
		uint64_t us;
	} times[] = {{0, 655360}, {1, 10}, {5, 60}, {12, 640}, {14, 1280}, {31, 491520}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(times); i++) {
		struct bed_side *side = requester();

		bed_post(side, UROCE_REQUEST_SEND, data, 8);
		bed_post(side, UROCE_REQUEST_SEND, data, 8);
		bed_run(side);
		bed_forget(side);
		give_ack(side, UROCE_RNR_NAK | times[i].code, PSN + 1);
		assert_int_equal(side->done_count, 1);
		assert_int_equal(bed_run(side), side->now + times[i].us * 1000);
		assert_int_equal(side->frame_count, 0);
		side->now += times[i].us * 1000 - 1;
		bed_run(side);
		assert_int_equal(side->frame_count, 0);
		side->now += 1;
		bed_run(side);
		assert_int_equal(side->frame_count, 1);
		assert_sent(side, 0, UROCE_OP_SEND_ONLY, PSN + 1, 8);
		bed_free(side);
	}
}

static void s9_7_5_2_8_rnr_retries_end_or_go_on_for_ever(void **state)
{
	(void)state;
	for (unsigned int limit = 0; limit <= UROCE_RETRY_FOREVER; limit++) {
		struct bed_side *side = requester();
		struct uroce_wire_rts rts = {
			.psn = PSN, .reads = 1, .retry_count = 1, .rnr_retry = (uint8_t)limit};
		uint32_t tries = 0;

		uroce_wire_ready_to_send(&side->qp, &rts);
		bed_post(side, UROCE_REQUEST_SEND, data, 8);
		while (!side->done_count && tries < 100) {
			uint64_t deadline = bed_run(side);

			if (deadline != UROCE_WIRE_NEVER)
				side->now = deadline;
			bed_run(side);
			bed_forget(side);
			give_ack(side, UROCE_RNR_NAK | 1, PSN);
			tries++;
		}
		if (limit == UROCE_RETRY_FOREVER) {
			assert_int_equal(tries, 100);
		} else {
			assert_int_equal(tries, limit + 1);
			assert_done(side, 0, IBV_WC_RNR_RETRY_EXC_ERR);
		}
		bed_free(side);
	}
}

static void s9_9_2_each_nak_has_its_status(void **state)
{
	static const struct {
		uint8_t syndrome;
		enum ibv_wc_status status;
	} cases[] = {{UROCE_NAK_INVALID_REQUEST, IBV_WC_REM_INV_REQ_ERR},
		     {UROCE_NAK_REMOTE_ACCESS, IBV_WC_REM_ACCESS_ERR},
		     {UROCE_NAK_REMOTE_OPERATION, IBV_WC_REM_OP_ERR},
		     {0x7f, IBV_WC_BAD_RESP_ERR}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct bed_side *side = requester();

		for (unsigned int j = 0; j < 3; j++)
			bed_post(side, UROCE_REQUEST_WRITE, data, 8);
		bed_run(side);
		give_ack(side, cases[i].syndrome, PSN + 1);
		assert_int_equal(side->done_count, 2);
		assert_done(side, 0, IBV_WC_SUCCESS);
		assert_done(side, 1, cases[i].status);
		bed_free(side);
	}
}

/* --- READ and atomics -------------------------------------------------------------------------------- */

static void s9_7_5_1_1_the_answer_of_a_read_is_placed(void **state)
{
	struct bed_side *side = requester();
	uint8_t to[3 * BED_MTU] = {0};

	(void)state;
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_post(side, UROCE_REQUEST_READ, to, 2 * BED_MTU + 8);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	assert_int_equal(side->frame_count, 3);
	assert_sent(side, 1, UROCE_OP_READ_REQUEST, PSN + 1, 0);
	assert_int_equal(bed_sent(side, 1).length, 2 * BED_MTU + 8);
	assert_sent(side, 2, UROCE_OP_WRITE_ONLY, PSN + 4, 8);
	/* It acknowledges what is before it. */
	give_answer(side, UROCE_OP_READ_FIRST, PSN + 1, 0, BED_MTU);
	assert_int_equal(side->done_count, 1);
	give_answer(side, UROCE_OP_READ_MIDDLE, PSN + 2, BED_MTU, BED_MTU);
	give_answer(side, UROCE_OP_READ_LAST, PSN + 3, 2 * BED_MTU, 8);
	assert_int_equal(side->done_count, 2);
	assert_memory_equal(to, data, (size_t)2 * BED_MTU + 8);
	assert_int_equal(to[2 * BED_MTU + 8], 0);
	assert_int_equal(side->done[1].length, 2 * BED_MTU + 8);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 4);
	assert_int_equal(side->done_count, 3);
	assert_int_equal(side->rx.used, 0);
	bed_free(side);
}

static void s9_7_5_1_1_a_lost_answer_is_asked_for_again_once(void **state)
{
	struct bed_side *side = requester();
	uint8_t to[5 * BED_MTU] = {0};
	struct uroce_packet packet;

	(void)state;
	bed_post(side, UROCE_REQUEST_READ, to, 4 * BED_MTU);
	bed_run(side);
	bed_forget(side);
	give_answer(side, UROCE_OP_READ_FIRST, PSN, 0, BED_MTU);
	give_answer(side, UROCE_OP_READ_MIDDLE, PSN + 2, 2 * BED_MTU, BED_MTU);
	give_answer(side, UROCE_OP_READ_LAST, PSN + 3, 3 * BED_MTU, BED_MTU);
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	packet = bed_sent(side, 0);
	assert_int_equal(packet.psn, (PSN + 1) & UROCE_PSN_MASK);
	assert_int_equal(packet.va, BED_VA + BED_MTU);
	assert_int_equal(packet.length, 3 * BED_MTU);
	give_answer(side, UROCE_OP_READ_FIRST, PSN + 1, BED_MTU, BED_MTU);
	give_answer(side, UROCE_OP_READ_MIDDLE, PSN + 2, 2 * BED_MTU, BED_MTU);
	give_answer(side, UROCE_OP_READ_LAST, PSN + 3, 3 * BED_MTU, BED_MTU);
	assert_done(side, 0, IBV_WC_SUCCESS);
	assert_memory_equal(to, data, (size_t)4 * BED_MTU);
	bed_free(side);
}

static void s9_7_5_1_1_an_acknowledgement_past_a_read_does_not_complete_it(void **state)
{
	struct bed_side *side = requester();
	uint8_t to[8];

	(void)state;
	bed_post(side, UROCE_REQUEST_READ, to, 8);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	bed_forget(side);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 1);
	assert_int_equal(side->done_count, 0);
	bed_run(side);
	assert_int_equal(side->frame_count, 2);
	assert_sent(side, 0, UROCE_OP_READ_REQUEST, PSN, 0);
	bed_free(side);
}

static void s9_9_2_an_answer_of_another_size_ends_the_connection(void **state)
{
	struct bed_side *side = requester();
	uint8_t to[8];

	(void)state;
	bed_post(side, UROCE_REQUEST_READ, to, 8);
	bed_run(side);
	give_answer(side, UROCE_OP_READ_ONLY, PSN, 0, 9);
	assert_done(side, 0, IBV_WC_BAD_RESP_ERR);
	bed_free(side);
}

static void s9_7_3_1_no_more_reads_than_the_peer_has_room_for(void **state)
{
	struct bed_side *side = requester();
	uint8_t to[8][8];

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		bed_post(side, i % 2 ? UROCE_REQUEST_READ : UROCE_REQUEST_FETCH_ADD, to[i], 8);
	bed_run(side);
	assert_int_equal(side->frame_count, 4);
	bed_forget(side);
	give_answer(side, UROCE_OP_ATOMIC_ACK, PSN, 0, 0);
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	assert_int_equal(side->done[0].length, 8);
	bed_free(side);
}

/* A long READ is several requests, each no more than what the socket's buffer holds. */
static void s9_7_3_1_a_long_read_is_cut(void **state)
{
	struct bed_side *side = requester();
	static uint8_t to[1 << 16];
	uint32_t packets = sizeof(to) / BED_MTU, answered = 0;

	(void)state;
	bed_post(side, UROCE_REQUEST_READ, to, sizeof(to));
	while (answered < packets) {
		uint32_t asked;

		bed_run(side);
		assert_true(side->frame_count);
		asked = bed_sent(side, 0).length / BED_MTU;
		assert_true(side->rx.used <= side->rx.limit);
		for (uint32_t i = 1; i < side->frame_count; i++)
			asked += bed_sent(side, i).length / BED_MTU;
		bed_forget(side);
		for (uint32_t i = 0; i < asked; i++, answered++)
			give_answer(side, UROCE_OP_READ_MIDDLE, PSN + answered, answered * BED_MTU,
				    BED_MTU);
	}
	assert_int_equal(answered, packets);
	assert_done(side, 0, IBV_WC_SUCCESS);
	assert_memory_equal(to, data, sizeof(to));
	bed_free(side);
}

static void s10_8_3_3_a_fence_waits_for_reads(void **state)
{
	struct bed_side *side = requester();
	uint8_t to[8];

	(void)state;
	bed_post(side, UROCE_REQUEST_READ, to, 8);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8)->fence = true;
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	give_answer(side, UROCE_OP_READ_ONLY, PSN, 0, 8);
	bed_run(side);
	assert_int_equal(side->frame_count, 2);
	bed_free(side);
}

/* --- the queue --------------------------------------------------------------------------------------- */

static void s10_3_1_5_a_queue_that_drains_begins_nothing(void **state)
{
	struct bed_side *side = requester();

	(void)state;
	side->tx.limit = 40 * uroce_window_cost(BED_MTU);
	bed_post(side, UROCE_REQUEST_WRITE, data, 255 * BED_MTU);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	side->qp.req.is_draining = true;
	assert_false(uroce_wire_drained(&side->qp));
	while (!side->done_count) {
		give_ack(side, UROCE_ACK_NO_CREDITS, side->qp.req.psn - 1);
		bed_run(side);
		bed_forget(side);
	}
	bed_run(side);
	assert_int_equal(side->done_count, 1);
	assert_int_equal(side->frame_count, 0);
	assert_true(uroce_wire_drained(&side->qp));
	side->qp.req.is_draining = false;
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	bed_free(side);
}

static void s10_8_local_operations_are_done_in_order_and_once(void **state)
{
	struct bed_side *side = requester();

	(void)state;
	bed_post(side, UROCE_REQUEST_LOCAL, NULL, 0);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_post(side, UROCE_REQUEST_LOCAL, NULL, 0);
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	assert_int_equal(side->locals, 2);
	assert_int_equal(side->done_count, 1);
	give_ack(side, UROCE_NAK_SEQUENCE, PSN);
	bed_run(side);
	assert_int_equal(side->locals, 2);
	assert_int_equal(side->frame_count, 4);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN);
	assert_int_equal(side->done_count, 3);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + 1);
	assert_int_equal(side->done_count, 4);
	bed_free(side);
}

static void s9_9_2_memory_without_access_is_a_local_error_after_those_before(void **state)
{
	struct bed_side *side = requester();

	(void)state;
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	side->is_local_denied = true;
	bed_post(side, UROCE_REQUEST_WRITE, data, 8);
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	assert_int_equal(side->done_count, 0);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN);
	assert_done(side, 0, IBV_WC_SUCCESS);
	assert_done(side, 1, IBV_WC_LOC_PROT_ERR);
	bed_free(side);
}

static void the_window_is_shared_and_lets_everyone_through(void **state)
{
	struct bed_side *side = requester();
	uint32_t sent;

	(void)state;
	side->tx.limit = 40 * uroce_window_cost(BED_MTU);
	bed_post(side, UROCE_REQUEST_WRITE, data, 255 * BED_MTU);
	bed_run(side);
	sent = side->frame_count;
	assert_true(sent > 16 && sent < 255);
	/* Beside a peer that is silent there is room for others. */
	assert_true(side->tx.limit - side->tx.used >= side->tx.limit / 10);
	give_ack(side, UROCE_ACK_NO_CREDITS, PSN + sent - 1);
	assert_int_equal(side->tx.used, 0);
	/* Others have it all: it waits, but not for ever. */
	side->tx.used = side->tx.limit;
	bed_forget(side);
	while (!side->frame_count) {
		uint64_t deadline = bed_run(side);

		assert_true(deadline != UROCE_WIRE_NEVER);
		side->now = deadline;
		assert_true(side->now < 2 * BED_SECOND);
	}
	assert_int_equal(side->frame_count, 1);
	assert_true(bed_sent(side, 0).wants_ack);
	side->tx.used -= side->tx.limit;
	bed_free(side);
}

static void s9_8_1_uc_and_ud_complete_when_sent(void **state)
{
	struct bed_side *side = bed_new(UROCE_SERVICE_UC, 2, 1, PSN);
	struct uroce_request *request;

	(void)state;
	bed_post(side, UROCE_REQUEST_SEND, data, BED_MTU + 1);
	bed_run(side);
	assert_int_equal(side->frame_count, 2);
	assert_sent(side, 1, UROCE_OP_SEND_LAST, PSN + 1, 1);
	assert_done(side, 0, IBV_WC_SUCCESS);
	bed_free(side);
	side = bed_new(UROCE_SERVICE_UD, 2, 0, PSN);
	request = bed_post(side, UROCE_REQUEST_SEND, data, 8);
	request->dest_qpn = 1;
	request->qkey = 0x80010000;
	request->has_imm = true;
	assert_int_equal(bed_run(side), UROCE_WIRE_NEVER);
	assert_sent(side, 0, UROCE_OP_SEND_ONLY_IMM, PSN, 8);
	assert_int_equal(bed_sent(side, 0).qkey, 0x80010000);
	assert_int_equal(bed_sent(side, 0).source_qpn, 2);
	assert_done(side, 0, IBV_WC_SUCCESS);
	bed_free(side);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(s9_7_2_a_message_is_cut_at_the_mtu),
		cmocka_unit_test(s9_7_2_every_kind_of_send_has_its_opcode),
		cmocka_unit_test(s9_7_5_1_2_one_acknowledgement_completes_all_before_it),
		cmocka_unit_test(s9_7_5_1_4_a_sequence_nak_makes_it_go_back),
		cmocka_unit_test(s9_7_6_1_3_silence_is_retried_and_then_an_error),
		cmocka_unit_test(s9_7_6_1_3_progress_begins_the_count_anew),
		cmocka_unit_test(s9_7_6_1_3_a_timeout_of_0_is_for_ever),
		cmocka_unit_test(s9_7_1_an_answer_outside_what_is_in_flight_does_nothing),
		cmocka_unit_test(s9_7_7_2_no_credits_stop_nothing),
		cmocka_unit_test(s9_7_5_2_1_a_reserved_syndrome_ends_the_connection),
		cmocka_unit_test(s9_9_2_1_1_each_retry_count_is_a_number),
		cmocka_unit_test(s9_7_5_2_8_every_rnr_timer_is_the_tables),
		cmocka_unit_test(s9_7_5_2_8_rnr_waits_as_long_as_the_peer_says),
		cmocka_unit_test(s9_7_5_2_8_rnr_retries_end_or_go_on_for_ever),
		cmocka_unit_test(s9_9_2_each_nak_has_its_status),
		cmocka_unit_test(s9_7_5_1_1_the_answer_of_a_read_is_placed),
		cmocka_unit_test(s9_7_5_1_1_a_lost_answer_is_asked_for_again_once),
		cmocka_unit_test(s9_7_5_1_1_an_acknowledgement_past_a_read_does_not_complete_it),
		cmocka_unit_test(s9_9_2_an_answer_of_another_size_ends_the_connection),
		cmocka_unit_test(s9_7_3_1_no_more_reads_than_the_peer_has_room_for),
		cmocka_unit_test(s9_7_3_1_a_long_read_is_cut),
		cmocka_unit_test(s10_8_3_3_a_fence_waits_for_reads),
		cmocka_unit_test(s10_3_1_5_a_queue_that_drains_begins_nothing),
		cmocka_unit_test(s10_8_local_operations_are_done_in_order_and_once),
		cmocka_unit_test(s9_9_2_memory_without_access_is_a_local_error_after_those_before),
		cmocka_unit_test(the_window_is_shared_and_lets_everyone_through),
		cmocka_unit_test(s9_8_1_uc_and_ud_complete_when_sent),
	};

	return cmocka_run_group_tests_name("uroce requester", tests, NULL, NULL);
}
