/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices: headers of RoCEv2 packets and their invariant CRC, against packets that scapy built. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "providers/uroce/wire/headers.h"
#include "providers/uroce/wire/icrc.h"

/*
 * UDP payloads with their ICRC as scapy's contrib.roce builds them, from 10.0.0.1 to 10.0.0.2 or from fd00::1 to
 * fd00::2, UDP source port 0xc123, do-not-fragment set. (It has no sum over IPv6: those are zlib's crc32 of the
 * fields that annex A17.3.3 lists.)
 */
struct known_packet {
	const char *hex;
	bool is_ipv6;
	uint16_t identification;
	struct uroce_packet expected;
	const char *payload;
};

static const struct known_packet known_packets[] = {
	{"04f0ffff0012345680abcdef68656c6c6f000000"
	 "3eda11f2",
	 false,
	 0x1234,
	 {.opcode = 0x04,
	  .is_solicited = true,
	  .wants_ack = true,
	  .pkey = 0xffff,
	  .qpn = 0x123456,
	  .psn = 0xabcdef},
	 "hello"},
	{"1140ffff00000011000000101f000007"
	 "df150386",
	 false,
	 0,
	 {.opcode = 0x11, .pkey = 0xffff, .qpn = 0x11, .psn = 0x10, .syndrome = 0x1f, .msn = 7},
	 ""},
	{"1140ffff000000110000001062000007"
	 "a9a83db8",
	 true,
	 0,
	 {.opcode = 0x11, .pkey = 0xffff, .qpn = 0x11, .psn = 0x10, .syndrome = 0x62, .msn = 7},
	 ""},
	{"0b40800100000022800000001122334455667788a1b2c3d400001000cafebabe"
	 "30313233343536373839616263646566"
	 "13662f20",
	 true,
	 0,
	 {.opcode = 0x0b,
	  .wants_ack = true,
	  .pkey = 0x8001,
	  .qpn = 0x22,
	  .va = 0x1122334455667788,
	  .rkey = 0xa1b2c3d4,
	  .length = 0x1000,
	  .imm = 0xbebafeca},
	 "0123456789abcdef"},
	{"1340ffff0000002280ffffff1122334455667788a1b2c3d401020304050607081112131415161718"
	 "21a30a3f",
	 false,
	 0xffff,
	 {.opcode = 0x13,
	  .wants_ack = true,
	  .pkey = 0xffff,
	  .qpn = 0x22,
	  .psn = 0xffffff,
	  .va = 0x1122334455667788,
	  .rkey = 0xa1b2c3d4,
	  .swap_add = 0x0102030405060708,
	  .compare = 0x1112131415161718},
	 ""},
	{"6460ffff0000002200000005111111110000033361620000"
	 "123d8e68",
	 false,
	 1,
	 {.opcode = 0x64,
	  .pkey = 0xffff,
	  .qpn = 0x22,
	  .psn = 5,
	  .qkey = 0x11111111,
	  .source_qpn = 0x333},
	 "ab"},
};

static size_t from_hex(const char *hex, uint8_t *to)
{
	size_t size = strlen(hex) / 2;

	for (size_t i = 0; i < size; i++) {
		unsigned int value;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
		to[i] = (uint8_t)value;
	}
	return size;
}

static struct uroce_flow flow_of(bool is_ipv6)
{
	struct uroce_flow flow = {.is_ipv6 = is_ipv6,
				  .source = {10, 0, 0, 1},
				  .destination = {10, 0, 0, 2},
				  .source_port = 0xc123,
				  .destination_port = UROCE_UDP_PORT};

	if (is_ipv6) {
		flow.source[0] = flow.destination[0] = 0xfd;
		flow.source[3] = flow.destination[3] = 0;
		flow.source[15] = 1;
		flow.destination[15] = 2;
	}
	return flow;
}

/* Member by member: there is padding between them. */
static void assert_same_packet(const struct uroce_packet *packet, const struct uroce_packet *other)
{
	assert_int_equal(packet->opcode, other->opcode);
	assert_int_equal(packet->is_solicited, other->is_solicited);
	assert_int_equal(packet->wants_ack, other->wants_ack);
	assert_int_equal(packet->pkey, other->pkey);
	assert_int_equal(packet->qpn, other->qpn);
	assert_int_equal(packet->psn, other->psn);
	assert_int_equal(packet->va, other->va);
	assert_int_equal(packet->rkey, other->rkey);
	assert_int_equal(packet->length, other->length);
	assert_int_equal(packet->swap_add, other->swap_add);
	assert_int_equal(packet->compare, other->compare);
	assert_int_equal(packet->original, other->original);
	assert_int_equal(packet->syndrome, other->syndrome);
	assert_int_equal(packet->msn, other->msn);
	assert_int_equal(packet->imm, other->imm);
	assert_int_equal(packet->invalidate, other->invalidate);
	assert_int_equal(packet->qkey, other->qkey);
	assert_int_equal(packet->source_qpn, other->source_qpn);
	assert_ptr_equal(packet->payload, other->payload);
	assert_int_equal(packet->payload_size, other->payload_size);
}

static void a_known_packet_is_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(known_packets); i++) {
		const struct known_packet *known = &known_packets[i];
		struct uroce_packet packet, expected = known->expected;
		uint8_t bytes[256];
		size_t size = from_hex(known->hex, bytes) - UROCE_ICRC_SIZE;

		assert_int_equal(uroce_headers_parse(bytes, size, &packet), UROCE_HEADER_OK);
		assert_int_equal(packet.payload_size, strlen(known->payload));
		assert_memory_equal(packet.payload, known->payload, packet.payload_size);
		expected.payload = packet.payload;
		expected.payload_size = packet.payload_size;
		assert_same_packet(&packet, &expected);
		assert_int_equal(uroce_bth_qpn(bytes), expected.qpn);
	}
}

static void a_known_packet_is_built(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(known_packets); i++) {
		const struct known_packet *known = &known_packets[i];
		struct uroce_packet packet = known->expected;
		struct uroce_flow flow = flow_of(known->is_ipv6);
		uint8_t bytes[256], built[256] = {0};
		size_t size = from_hex(known->hex, bytes), at;

		packet.payload_size = (uint32_t)strlen(known->payload);
		at = uroce_headers_build(&packet, built);
		memcpy(built + at, known->payload, packet.payload_size);
		at += packet.payload_size + uroce_pad(packet.payload_size);
		uroce_icrc_put(uroce_icrc_sum(&flow, known->identification, built, at), built + at);
		assert_int_equal(at + UROCE_ICRC_SIZE, size);
		assert_memory_equal(built, bytes, size);
	}
}

static void the_identification_of_an_ipv4_packet_is_found(void **state)
{
	static struct uroce_icrc icrc;

	(void)state;
	uroce_icrc_init(&icrc);
	for (size_t i = 0; i < HF_ARRAY_SIZE(known_packets); i++) {
		const struct known_packet *known = &known_packets[i];
		struct uroce_flow flow = flow_of(known->is_ipv6);
		uint8_t bytes[256];
		size_t size = from_hex(known->hex, bytes);
		uint16_t identification = 0;

		assert_true(uroce_icrc_check(&icrc, &flow, bytes, size, &identification));
		assert_int_equal(identification, known->identification);
		for (uint32_t any = 0; any < 0x10000 && !known->is_ipv6; any += 257) {
			uroce_icrc_put(uroce_icrc_sum(&flow, (uint16_t)any, bytes, size - 4),
				       bytes + size - 4);
			assert_true(uroce_icrc_check(&icrc, &flow, bytes, size, &identification));
			assert_int_equal(identification, any);
		}
	}
}

/* Over IPv6 no damaged packet passes, over IPv4 one in 65536: of all with one bit wrong none. */
static void a_damaged_packet_is_refused(void **state)
{
	static struct uroce_icrc icrc;

	(void)state;
	uroce_icrc_init(&icrc);
	for (size_t i = 0; i < HF_ARRAY_SIZE(known_packets); i++) {
		const struct known_packet *known = &known_packets[i];
		struct uroce_flow flow = flow_of(known->is_ipv6);
		uint8_t bytes[256];
		size_t size = from_hex(known->hex, bytes);
		uint16_t identification = 0;

		for (size_t bit = 0; bit < size * 8; bit++) {
			if (bit / 8 == 4)
				continue; /* not summed */
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(uroce_icrc_check(&icrc, &flow, bytes, size, &identification));
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_false(uroce_icrc_check(&icrc, &flow, bytes, size - 4, &identification));
		flow.source[3] ^= 1;
		flow.destination_port ^= 1;
		assert_false(uroce_icrc_check(&icrc, &flow, bytes, size, &identification));
	}
}

static void a_packet_that_ends_early_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(known_packets); i++) {
		struct uroce_packet packet;
		uint8_t bytes[256];
		size_t size = from_hex(known_packets[i].hex, bytes) - UROCE_ICRC_SIZE;
		size_t headers = size - (strlen(known_packets[i].payload) + 3) / 4 * 4;

		for (size_t cut = 0; cut < headers; cut++)
			assert_int_equal(uroce_headers_parse(bytes, cut, &packet),
					 UROCE_HEADER_SHORT);
	}
}

static enum uroce_header_fault parse_with(const char *hex, size_t index, uint8_t value, size_t size)
{
	struct uroce_packet packet;
	uint8_t bytes[8192] = {0};

	from_hex(hex, bytes);
	bytes[index] = value;
	return uroce_headers_parse(bytes, size, &packet);
}

static void what_no_sender_may_send_is_refused(void **state)
{
	const char *send = known_packets[0].hex, *ack = known_packets[1].hex;

	(void)state;
	/* A version that is not ours. */
	assert_int_equal(parse_with(send, 1, 0x01, 20), UROCE_HEADER_VERSION);
	assert_int_equal(parse_with(send, 1, 0x08, 20), UROCE_HEADER_VERSION);
	/* Opcodes that a service does not have: READ over UC, WRITE over UD, reserved ones. */
	assert_int_equal(parse_with(send, 0, 0x2c, 20), UROCE_HEADER_OPCODE);
	assert_int_equal(parse_with(send, 0, 0x6a, 20), UROCE_HEADER_OPCODE);
	assert_int_equal(parse_with(send, 0, 0x15, 20), UROCE_HEADER_OPCODE);
	assert_int_equal(parse_with(send, 0, 0x1f, 20), UROCE_HEADER_OPCODE);
	assert_int_equal(parse_with(send, 0, 0x44, 20), UROCE_HEADER_OPCODE);
	assert_int_equal(parse_with(send, 0, 0x81, 20), UROCE_HEADER_OPCODE);
	/* No multiple of four; more pad than payload; more than the largest MTU; a payload behind an ACK. */
	assert_int_equal(parse_with(send, 1, 0, 19), UROCE_HEADER_LENGTH);
	assert_int_equal(parse_with(send, 1, 0x30, 12), UROCE_HEADER_LENGTH);
	assert_int_equal(parse_with(send, 1, 0, 12 + 4100), UROCE_HEADER_LENGTH);
	assert_int_equal(parse_with(send, 1, 0, 12 + 4096), UROCE_HEADER_OK);
	assert_int_equal(parse_with(ack, 1, 0, 20), UROCE_HEADER_LENGTH);
}

static void every_opcode_is_built_as_it_is_parsed(void **state)
{
	unsigned int known = 0;

	(void)state;
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		struct uroce_packet packet = {.opcode = (uint8_t)opcode,
					      .pkey = 0x8765,
					      .qpn = 0xfedcba,
					      .psn = 0x123456,
					      .wants_ack = true},
				    parsed;
		unsigned int flags = uroce_op_flags((uint8_t)opcode);
		uint8_t bytes[64] = {0};
		size_t size;

		if (!flags)
			continue;
		known++;
		packet.payload_size = flags & UROCE_HAS_PAYLOAD ? 2 : 0;
		if (flags & (UROCE_HAS_RETH | UROCE_HAS_ATOMIC))
			packet.va = 0x0123456789abcdef, packet.rkey = 0xdeadbeef;
		if (flags & UROCE_HAS_RETH)
			packet.length = UINT32_MAX;
		if (flags & UROCE_HAS_ATOMIC)
			packet.swap_add = 1, packet.compare = UINT64_MAX;
		if (flags & UROCE_HAS_AETH)
			packet.syndrome = 0x3f, packet.msn = 0xffffff;
		if (flags & UROCE_HAS_ATOMIC_ACK)
			packet.original = UINT64_MAX - 5;
		if (flags & UROCE_HAS_IMM)
			packet.imm = 0x04030201;
		if (flags & UROCE_HAS_IETH)
			packet.invalidate = 0x01020304;
		if (flags & UROCE_HAS_DETH)
			packet.qkey = 0x80010000, packet.source_qpn = 1;
		size = uroce_headers_build(&packet, bytes);
		assert_true(size <= UROCE_HEADERS_MAX);
		packet.payload = bytes + size;
		size += (flags & UROCE_HAS_PAYLOAD) ? 4 : 0;
		assert_int_equal(uroce_headers_parse(bytes, size, &parsed), UROCE_HEADER_OK);
		assert_same_packet(&packet, &parsed);
	}
	assert_int_equal(known, 23 + 12 + 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_packet_is_parsed),
		cmocka_unit_test(a_known_packet_is_built),
		cmocka_unit_test(the_identification_of_an_ipv4_packet_is_found),
		cmocka_unit_test(a_damaged_packet_is_refused),
		cmocka_unit_test(a_packet_that_ends_early_is_refused),
		cmocka_unit_test(what_no_sender_may_send_is_refused),
		cmocka_unit_test(every_opcode_is_built_as_it_is_parsed),
	};

	return cmocka_run_group_tests_name("uroce packets", tests, NULL, NULL);
}
