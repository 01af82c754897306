/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Transport headers, parsed and built. Everything is big-endian (IBA vol. 1, 9.2 to 9.4). */
#include "providers/uroce/wire/headers.h"

#include <string.h>

#define FIRST  UROCE_IS_FIRST
#define LAST   UROCE_IS_LAST
#define ONLY   (UROCE_IS_FIRST | UROCE_IS_LAST)
#define SEND   (UROCE_IS_KNOWN | UROCE_IS_SEND | UROCE_HAS_PAYLOAD)
#define WRITE  (UROCE_IS_KNOWN | UROCE_IS_WRITE | UROCE_HAS_PAYLOAD)
#define ANSWER (UROCE_IS_KNOWN | UROCE_IS_RESPONSE)
#define READ   (ANSWER | UROCE_IS_READ | UROCE_HAS_PAYLOAD)
#define ATOMIC (UROCE_IS_KNOWN | UROCE_IS_ATOMIC | UROCE_HAS_ATOMIC | ONLY)

/* IBA 9.2.1, table 38: by the lower five bits, for RC. */
static const uint16_t op_flags[32] = {
	[UROCE_OP_SEND_FIRST] = SEND | FIRST,
	[UROCE_OP_SEND_MIDDLE] = SEND,
	[UROCE_OP_SEND_LAST] = SEND | LAST,
	[UROCE_OP_SEND_LAST_IMM] = SEND | LAST | UROCE_HAS_IMM,
	[UROCE_OP_SEND_ONLY] = SEND | ONLY,
	[UROCE_OP_SEND_ONLY_IMM] = SEND | ONLY | UROCE_HAS_IMM,
	[UROCE_OP_WRITE_FIRST] = WRITE | FIRST | UROCE_HAS_RETH,
	[UROCE_OP_WRITE_MIDDLE] = WRITE,
	[UROCE_OP_WRITE_LAST] = WRITE | LAST,
	[UROCE_OP_WRITE_LAST_IMM] = WRITE | LAST | UROCE_HAS_IMM,
	[UROCE_OP_WRITE_ONLY] = WRITE | ONLY | UROCE_HAS_RETH,
	[UROCE_OP_WRITE_ONLY_IMM] = WRITE | ONLY | UROCE_HAS_RETH | UROCE_HAS_IMM,
	[UROCE_OP_READ_REQUEST] = UROCE_IS_KNOWN | UROCE_IS_READ | UROCE_HAS_RETH | ONLY,
	[UROCE_OP_READ_FIRST] = READ | FIRST | UROCE_HAS_AETH,
	[UROCE_OP_READ_MIDDLE] = READ,
	[UROCE_OP_READ_LAST] = READ | LAST | UROCE_HAS_AETH,
	[UROCE_OP_READ_ONLY] = READ | ONLY | UROCE_HAS_AETH,
	[UROCE_OP_ACK] = ANSWER | UROCE_HAS_AETH,
	[UROCE_OP_ATOMIC_ACK] = ANSWER | UROCE_IS_ATOMIC | UROCE_HAS_AETH | UROCE_HAS_ATOMIC_ACK,
	[UROCE_OP_COMPARE_SWAP] = ATOMIC,
	[UROCE_OP_FETCH_ADD] = ATOMIC,
	[UROCE_OP_SEND_LAST_INV] = SEND | LAST | UROCE_HAS_IETH,
	[UROCE_OP_SEND_ONLY_INV] = SEND | ONLY | UROCE_HAS_IETH,
};

enum {
	SOLICITED = 0x80,
	MIGRATED = 0x40, /* as every QP that has no alternate path sends it (IBA 17.2.8) */
	PAD_SHIFT = 4,
	VERSION_MASK = 0x0f,
	ACK_REQUEST = 0x80,
};

unsigned int uroce_op_flags(uint8_t opcode)
{
	enum uroce_op op = uroce_op(opcode);

	switch (uroce_service(opcode)) {
	case UROCE_SERVICE_RC:
		return op_flags[op];
	case UROCE_SERVICE_UC:
		return op <= UROCE_OP_WRITE_ONLY_IMM ? op_flags[op] : 0;
	case UROCE_SERVICE_UD:
		if (op == UROCE_OP_SEND_ONLY || op == UROCE_OP_SEND_ONLY_IMM)
			return op_flags[op] | UROCE_HAS_DETH;
		return 0;
	default:
		return 0;
	}
}

static uint32_t get16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t get24(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 16 | get16(bytes + 1);
}

static uint32_t get32(const uint8_t *bytes)
{
	return get16(bytes) << 16 | get16(bytes + 2);
}

static uint64_t get64(const uint8_t *bytes)
{
	return (uint64_t)get32(bytes) << 32 | get32(bytes + 4);
}

static void put24(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 16);
	to[1] = (uint8_t)(value >> 8);
	to[2] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 24);
	put24(to + 1, value);
}

static void put64(uint8_t *to, uint64_t value)
{
	put32(to, (uint32_t)(value >> 32));
	put32(to + 4, (uint32_t)value);
}

static size_t extended_size(unsigned int flags)
{
	size_t size = 0;

	if (flags & UROCE_HAS_DETH)
		size += 8;
	if (flags & UROCE_HAS_RETH)
		size += 16;
	if (flags & UROCE_HAS_ATOMIC)
		size += 28;
	if (flags & UROCE_HAS_AETH)
		size += 4;
	if (flags & UROCE_HAS_ATOMIC_ACK)
		size += 8;
	if (flags & (UROCE_HAS_IMM | UROCE_HAS_IETH))
		size += 4;
	return size;
}

/* IBA 9.3, in the order in which they follow each other; returns where the payload begins. */
static const uint8_t *parse_extended(const uint8_t *at, unsigned int flags,
				     struct uroce_packet *ret)
{
	if (flags & UROCE_HAS_DETH) {
		ret->qkey = get32(at);
		ret->source_qpn = get24(at + 5);
		at += 8;
	}
	if (flags & UROCE_HAS_RETH) {
		ret->va = get64(at);
		ret->rkey = get32(at + 8);
		ret->length = get32(at + 12);
		at += 16;
	}
	if (flags & UROCE_HAS_ATOMIC) {
		ret->va = get64(at);
		ret->rkey = get32(at + 8);
		ret->swap_add = get64(at + 12);
		ret->compare = get64(at + 20);
		at += 28;
	}
	if (flags & UROCE_HAS_AETH) {
		ret->syndrome = at[0];
		ret->msn = get24(at + 1);
		at += 4;
	}
	if (flags & UROCE_HAS_ATOMIC_ACK) {
		ret->original = get64(at);
		at += 8;
	}
	if (flags & UROCE_HAS_IMM) {
		memcpy(&ret->imm, at, sizeof(ret->imm));
		at += 4;
	}
	if (flags & UROCE_HAS_IETH) {
		ret->invalidate = get32(at);
		at += 4;
	}
	return at;
}

enum uroce_header_fault uroce_headers_parse(const uint8_t *bytes, size_t size,
					    struct uroce_packet *ret)
{
	struct uroce_packet packet = {0};
	unsigned int flags;
	size_t pad, rest;

	if (size < UROCE_BTH_SIZE)
		return UROCE_HEADER_SHORT;
	if (bytes[1] & VERSION_MASK)
		return UROCE_HEADER_VERSION;
	flags = uroce_op_flags(bytes[0]);
	if (!flags)
		return UROCE_HEADER_OPCODE;
	if (size < UROCE_BTH_SIZE + extended_size(flags))
		return UROCE_HEADER_SHORT;
	rest = size - UROCE_BTH_SIZE - extended_size(flags);
	pad = bytes[1] >> PAD_SHIFT & 3;
	if (rest < pad || rest - pad > UROCE_MTU_MAX || rest % 4)
		return UROCE_HEADER_LENGTH;
	if (rest && !(flags & UROCE_HAS_PAYLOAD))
		return UROCE_HEADER_LENGTH;
	packet.opcode = bytes[0];
	packet.is_solicited = bytes[1] & SOLICITED;
	packet.pkey = (uint16_t)get16(bytes + 2);
	packet.qpn = get24(bytes + 5);
	packet.wants_ack = bytes[8] & ACK_REQUEST;
	packet.psn = get24(bytes + 9);
	packet.payload = parse_extended(bytes + UROCE_BTH_SIZE, flags, &packet);
	packet.payload_size = (uint32_t)(rest - pad);
	*ret = packet;
	return UROCE_HEADER_OK;
}

static uint8_t *build_extended(uint8_t *to, unsigned int flags, const struct uroce_packet *packet)
{
	if (flags & UROCE_HAS_DETH) {
		put32(to, packet->qkey);
		put32(to + 4, packet->source_qpn & UROCE_QPN_MASK);
		to += 8;
	}
	if (flags & UROCE_HAS_RETH) {
		put64(to, packet->va);
		put32(to + 8, packet->rkey);
		put32(to + 12, packet->length);
		to += 16;
	}
	if (flags & UROCE_HAS_ATOMIC) {
		put64(to, packet->va);
		put32(to + 8, packet->rkey);
		put64(to + 12, packet->swap_add);
		put64(to + 20, packet->compare);
		to += 28;
	}
	if (flags & UROCE_HAS_AETH) {
		put32(to, packet->msn & UROCE_PSN_MASK);
		to[0] = packet->syndrome;
		to += 4;
	}
	if (flags & UROCE_HAS_ATOMIC_ACK) {
		put64(to, packet->original);
		to += 8;
	}
	if (flags & UROCE_HAS_IMM) {
		memcpy(to, &packet->imm, sizeof(packet->imm));
		to += 4;
	}
	if (flags & UROCE_HAS_IETH) {
		put32(to, packet->invalidate);
		to += 4;
	}
	return to;
}

size_t uroce_headers_build(const struct uroce_packet *packet, uint8_t *to)
{
	to[0] = packet->opcode;
	to[1] = (uint8_t)((packet->is_solicited ? SOLICITED : 0) | MIGRATED |
			  uroce_pad(packet->payload_size) << PAD_SHIFT);
	to[2] = (uint8_t)(packet->pkey >> 8);
	to[3] = (uint8_t)packet->pkey;
	put32(to + 4, packet->qpn & UROCE_QPN_MASK);
	put32(to + 8, packet->psn & UROCE_PSN_MASK);
	to[8] = packet->wants_ack ? ACK_REQUEST : 0;
	return (size_t)(build_extended(to + UROCE_BTH_SIZE, uroce_op_flags(packet->opcode),
				       packet) -
			to);
}
