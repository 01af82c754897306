/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices: the responder at the edges of what it counts. Each test names the section of IBA vol. 1 it is of. */
#include <string.h>

#include "t/unit/uroce_bed.h"

enum { PSN = 0xfffffc, AGREED = 4 }; /* wraps soon; the bed's max_dest_rd_atomic */

static uint8_t data[2 * UROCE_MTU_MAX];

static struct bed_side *responder(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 + i / 256);
	return bed_new(UROCE_SERVICE_RC, 2, 1, PSN);
}

/* Gives a packet; the one frame that answers it. */
static struct uroce_packet answer_to(struct bed_side *side, const struct uroce_packet *packet)
{
	struct uroce_packet answer;

	bed_forget(side);
	bed_give(side, packet);
	bed_run(side);
	assert_int_equal(side->frame_count, 1);
	answer = bed_sent(side, 0);
	assert_int_equal(answer.psn, packet->psn);
	return answer;
}

static void expect_silence(struct bed_side *side, const struct uroce_packet *packet)
{
	bed_forget(side);
	bed_give(side, packet);
	bed_run(side);
	assert_int_equal(side->frame_count, 0);
	assert_int_equal(side->faults, 0);
}

/* A READ or an atomic, by turns. */
static struct uroce_packet numbered(const struct bed_side *side, uint32_t number)
{
	struct uroce_packet packet =
		bed_packet(side, number % 2 ? UROCE_OP_READ_REQUEST : UROCE_OP_FETCH_ADD,
			   PSN + number, NULL, 0);

	packet.length = 8;
	packet.swap_add = 1;
	return packet;
}

/* As many READs and atomics are remembered as were agreed on; what is older is not executed, and not answered. */
static void s9_7_5_1_5_the_last_ones_can_be_repeated(void **state)
{
	enum { COUNT = AGREED + 3 };
	struct bed_side *side = responder();
	struct uroce_packet packet;
	uint64_t value;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		packet = numbered(side, i);
		answer_to(side, &packet);
	}
	for (uint32_t i = 0; i < COUNT - AGREED; i++) {
		packet = numbered(side, i);
		expect_silence(side, &packet);
		assert_int_equal(side->counters[UROCE_COUNT_DROP_DUPLICATE], i + 1);
	}
	for (uint32_t i = COUNT - AGREED; i < COUNT; i++) {
		struct uroce_packet answer;

		packet = numbered(side, i);
		answer = answer_to(side, &packet);
		assert_int_equal(answer.opcode, i % 2 ? UROCE_OP_READ_ONLY : UROCE_OP_ATOMIC_ACK);
		assert_true(i % 2 || answer.original == i / 2);
	}
	memcpy(&value, side->memory, 8);
	assert_int_equal(value, (COUNT + 1) / 2);
	bed_free(side);
}

/* Another range, key or operation under an old PSN is nothing that was asked before. */
static void s9_7_5_1_5_what_only_looks_repeated_is_dropped(void **state)
{
	struct bed_side *side = responder();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_READ_REQUEST, PSN, NULL, 0), other;

	(void)state;
	packet.length = 2 * BED_MTU;
	bed_give(side, &packet);
	bed_run(side);
	for (unsigned int i = 0; i < 6; i++) {
		other = packet;
		other.va += i == 0;
		other.rkey += i == 1;
		other.length += i == 2;
		other.psn += i == 3; /* from the second packet on, but with the first one's range */
		if (i == 4)
			other.opcode = UROCE_OP_FETCH_ADD;
		if (i == 5)
			other.opcode = UROCE_OP_COMPARE_SWAP;
		expect_silence(side, &other);
		assert_int_equal(side->counters[UROCE_COUNT_DROP_DUPLICATE], i + 1);
	}
	bed_free(side);
}

/* 2^23 back is the oldest PSN, one less far ahead the newest (IBA 9.7.1): neither is executed. */
static void s9_7_1_the_window_of_psns_has_two_halves(void **state)
{
	static const struct {
		uint32_t distance;
		bool is_old;
	} cases[] = {{0xffffff, true}, {0x800000, true}, {0x7fffff, false}, {1, false}};
	static const enum uroce_op ops[] = {UROCE_OP_SEND_ONLY, UROCE_OP_WRITE_ONLY,
					    UROCE_OP_READ_REQUEST, UROCE_OP_FETCH_ADD};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases) * HF_ARRAY_SIZE(ops); i++) {
		const enum uroce_op op = ops[i % HF_ARRAY_SIZE(ops)];
		const uint32_t distance = cases[i / HF_ARRAY_SIZE(ops)].distance;
		const bool is_old = cases[i / HF_ARRAY_SIZE(ops)].is_old;
		const bool has_data = op == UROCE_OP_SEND_ONLY || op == UROCE_OP_WRITE_ONLY;
		struct bed_side *side = responder();
		struct uroce_packet packet =
			bed_packet(side, op, PSN + distance, data + 1, has_data ? 8 : 0);
		uint8_t to[8] = {0};

		bed_post_receive(side, to, sizeof(to));
		packet.length = 8;
		packet.swap_add = 1;
		bed_give(side, &packet);
		bed_run(side);
		assert_int_equal(side->received_count + side->memory[0] + to[0], 0);
		assert_int_equal(side->counters[UROCE_COUNT_DUPLICATE_REQUEST], is_old);
		assert_int_equal(side->counters[UROCE_COUNT_OUT_OF_SEQUENCE_REQUEST], !is_old);
		assert_int_equal(side->frame_count, !is_old || has_data);
		if (!is_old)
			assert_int_equal(bed_sent(side, 0).syndrome, UROCE_NAK_SEQUENCE);
		bed_free(side);
	}
}

/* Each message counts once, whatever it is, in 24 bits. */
static void s9_7_7_1_the_msn_counts_messages(void **state)
{
	struct bed_side *side = responder();
	struct uroce_packet packet;
	uint8_t to[8];

	(void)state;
	side->qp.resp.msn = UROCE_PSN_MASK - 1;
	bed_post_receive(side, to, sizeof(to));
	packet = bed_packet(side, UROCE_OP_SEND_ONLY, PSN, data, 8);
	assert_int_equal(answer_to(side, &packet).msn, UROCE_PSN_MASK);
	packet = bed_packet(side, UROCE_OP_READ_REQUEST, PSN + 1, NULL, 0);
	packet.length = 8;
	assert_int_equal(answer_to(side, &packet).msn, 0);
	packet = bed_packet(side, UROCE_OP_FETCH_ADD, PSN + 2, NULL, 0);
	assert_int_equal(answer_to(side, &packet).msn, 1);
	packet = bed_packet(side, UROCE_OP_WRITE_FIRST, PSN + 3, data, BED_MTU);
	packet.length = BED_MTU + 1;
	assert_int_equal(answer_to(side, &packet).msn, 1);
	packet = bed_packet(side, UROCE_OP_WRITE_LAST, PSN + 4, data, 1);
	assert_int_equal(answer_to(side, &packet).msn, 2);
	bed_free(side);
}

/* A LAST with immediate data that finds no receive request is tried again; what came before is not lost. */
static void s9_7_5_2_8_a_write_with_immediate_waits_for_a_receive_request(void **state)
{
	struct bed_side *side = responder();
	struct uroce_packet packet = bed_packet(side, UROCE_OP_WRITE_FIRST, PSN, data, BED_MTU);

	(void)state;
	packet.length = BED_MTU + 4;
	bed_give(side, &packet);
	packet = bed_packet(side, UROCE_OP_WRITE_LAST_IMM, PSN + 1, data + BED_MTU, 4);
	packet.imm = 5;
	packet.is_solicited = true;
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(answer_to(side, &packet).syndrome, UROCE_RNR_NAK | BED_RNR_TIMER);
	bed_post_receive(side, NULL, 0);
	assert_int_equal(answer_to(side, &packet).syndrome, UROCE_ACK_NO_CREDITS);
	assert_int_equal(side->received_count, 1);
	assert_int_equal(side->received[0].length, BED_MTU + 4);
	assert_int_equal(side->received[0].imm, 5);
	assert_true(side->received[0].is_solicited);
	assert_memory_equal(side->memory, data, BED_MTU + 4);
	bed_free(side);
}

/* 11.4.2.2: only what is the last of a message can solicit. */
static void s9_2_3_a_solicited_event_is_of_the_last_packet(void **state)
{
	struct bed_side *side = responder();
	uint8_t to[BED_MTU + 4];

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct uroce_packet packet =
			bed_packet(side, UROCE_OP_SEND_FIRST, PSN + 2 * i, data, BED_MTU);

		bed_post_receive(side, to, sizeof(to));
		packet.is_solicited = i == 0;
		bed_give(side, &packet);
		packet = bed_packet(side, UROCE_OP_SEND_LAST, PSN + 2 * i + 1, data, 4);
		packet.is_solicited = i == 1;
		bed_give(side, &packet);
		assert_int_equal(side->received[i].is_solicited, i == 1);
	}
	bed_free(side);
}

/* A FIRST is as long as the path's MTU, and an ONLY at most. */
static void s9_7_4_1_6_each_mtu_is_a_border(void **state)
{
	static const int32_t beside[] = {-1, 0, 1};

	(void)state;
	for (uint32_t mtu = 256; mtu <= UROCE_MTU_MAX; mtu *= 2) {
		for (size_t i = 0; i < 2 * HF_ARRAY_SIZE(beside); i++) {
			const enum uroce_op op = i % 2 ? UROCE_OP_WRITE_ONLY : UROCE_OP_WRITE_FIRST;
			const int32_t more = beside[i / 2];
			struct bed_side *side = responder();
			struct uroce_packet packet =
				bed_packet(side, op, PSN, data, (uint32_t)((int32_t)mtu + more));
			const bool is_right = more == 0 || (more < 0 && op == UROCE_OP_WRITE_ONLY);

			side->qp.mtu = mtu;
			if (op == UROCE_OP_WRITE_FIRST)
				packet.length = 2 * mtu;
			assert_int_equal(answer_to(side, &packet).syndrome,
					 is_right ? UROCE_ACK_NO_CREDITS
						  : UROCE_NAK_INVALID_REQUEST);
			assert_int_equal(side->faults, !is_right);
			bed_free(side);
		}
	}
}

/* 10.9.3: the lower 15 bits agree, and one of both is a full member. */
static void s9_6_1_1_3_p_keys_match(void **state)
{
	static const struct {
		uint16_t mine, theirs;
		bool match;
	} cases[] = {{0xffff, 0xffff, true},  {0xffff, 0x7fff, true},  {0x7fff, 0xffff, true},
		     {0x7fff, 0x7fff, false}, {0xffff, 0xfffe, false}, {0x8001, 0x0001, true},
		     {0x8001, 0x8002, false}, {0xffff, 0, false}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct bed_side *side = responder();
		struct uroce_packet packet = bed_packet(side, UROCE_OP_WRITE_ONLY, PSN, data, 8);

		side->qp.pkey = cases[i].mine;
		packet.pkey = cases[i].theirs;
		bed_give(side, &packet);
		bed_run(side);
		assert_int_equal(side->frame_count, cases[i].match);
		assert_int_equal(side->memory[1] == data[1], cases[i].match);
		assert_int_equal(side->counters[UROCE_COUNT_DROP_PKEY], !cases[i].match);
		bed_free(side);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(s9_7_5_1_5_the_last_ones_can_be_repeated),
		cmocka_unit_test(s9_7_5_1_5_what_only_looks_repeated_is_dropped),
		cmocka_unit_test(s9_7_1_the_window_of_psns_has_two_halves),
		cmocka_unit_test(s9_7_7_1_the_msn_counts_messages),
		cmocka_unit_test(s9_7_5_2_8_a_write_with_immediate_waits_for_a_receive_request),
		cmocka_unit_test(s9_2_3_a_solicited_event_is_of_the_last_packet),
		cmocka_unit_test(s9_7_4_1_6_each_mtu_is_a_border),
		cmocka_unit_test(s9_6_1_1_3_p_keys_match),
	};

	return cmocka_run_group_tests_name("uroce responder's limits", tests, NULL, NULL);
}
