/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The headers of a RoCEv2 packet behind UDP: base and extended transport headers (IBA vol. 1, 9.2 to 9.4). */
#ifndef UROCE_WIRE_HEADERS_H
#define UROCE_WIRE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

enum {
	UROCE_UDP_PORT = 4791,
	UROCE_BTH_SIZE = 12,
	UROCE_ICRC_SIZE = 4,
	UROCE_HEADERS_MAX = 40, /* BTH and AtomicETH */
	UROCE_MTU_MAX = 4096,
	UROCE_FRAME_MAX = UROCE_HEADERS_MAX + UROCE_MTU_MAX + UROCE_ICRC_SIZE,
	UROCE_PSN_MASK = 0xffffff,
	UROCE_QPN_MASK = 0xffffff,
};

/* The upper three bits of an opcode (IBA 9.2.1). */
enum uroce_service {
	UROCE_SERVICE_RC = 0,
	UROCE_SERVICE_UC = 1,
	UROCE_SERVICE_UD = 3,
};

/* The lower five bits of an opcode (IBA 9.2.1, table 38). */
enum uroce_op {
	UROCE_OP_SEND_FIRST = 0x00,
	UROCE_OP_SEND_MIDDLE = 0x01,
	UROCE_OP_SEND_LAST = 0x02,
	UROCE_OP_SEND_LAST_IMM = 0x03,
	UROCE_OP_SEND_ONLY = 0x04,
	UROCE_OP_SEND_ONLY_IMM = 0x05,
	UROCE_OP_WRITE_FIRST = 0x06,
	UROCE_OP_WRITE_MIDDLE = 0x07,
	UROCE_OP_WRITE_LAST = 0x08,
	UROCE_OP_WRITE_LAST_IMM = 0x09,
	UROCE_OP_WRITE_ONLY = 0x0a,
	UROCE_OP_WRITE_ONLY_IMM = 0x0b,
	UROCE_OP_READ_REQUEST = 0x0c,
	UROCE_OP_READ_FIRST = 0x0d,
	UROCE_OP_READ_MIDDLE = 0x0e,
	UROCE_OP_READ_LAST = 0x0f,
	UROCE_OP_READ_ONLY = 0x10,
	UROCE_OP_ACK = 0x11,
	UROCE_OP_ATOMIC_ACK = 0x12,
	UROCE_OP_COMPARE_SWAP = 0x13,
	UROCE_OP_FETCH_ADD = 0x14,
	UROCE_OP_SEND_LAST_INV = 0x16,
	UROCE_OP_SEND_ONLY_INV = 0x17,
};

/* What an opcode says of its packet. */
enum uroce_op_flags {
	UROCE_HAS_RETH = 1 << 0,
	UROCE_HAS_ATOMIC = 1 << 1,
	UROCE_HAS_AETH = 1 << 2,
	UROCE_HAS_ATOMIC_ACK = 1 << 3,
	UROCE_HAS_IMM = 1 << 4,
	UROCE_HAS_IETH = 1 << 5,
	UROCE_HAS_DETH = 1 << 6,
	UROCE_HAS_PAYLOAD = 1 << 7,
	UROCE_IS_FIRST = 1 << 8, /* FIRST and ONLY */
	UROCE_IS_LAST = 1 << 9,	 /* LAST and ONLY */
	UROCE_IS_SEND = 1 << 10,
	UROCE_IS_WRITE = 1 << 11,
	UROCE_IS_READ = 1 << 12,   /* request or response */
	UROCE_IS_ATOMIC = 1 << 13, /* request or response */
	UROCE_IS_RESPONSE = 1 << 14,
	UROCE_IS_KNOWN = 1 << 15,
};

/* The syndrome of an AETH (IBA 9.7.5.2.1, tables 44 to 47). */
enum uroce_syndrome {
	UROCE_ACK_NO_CREDITS = 0x1f,
	UROCE_RNR_NAK = 0x20, /* and the timer in the lower five bits */
	UROCE_NAK_SEQUENCE = 0x60,
	UROCE_NAK_INVALID_REQUEST = 0x61,
	UROCE_NAK_REMOTE_ACCESS = 0x62,
	UROCE_NAK_REMOTE_OPERATION = 0x63,
	UROCE_SYNDROME_KIND = 0xe0,
	UROCE_SYNDROME_VALUE = 0x1f,
};

struct uroce_packet {
	uint8_t opcode;
	bool is_solicited;
	bool wants_ack;
	uint16_t pkey;
	uint32_t qpn;
	uint32_t psn;
	/* Those of the extended headers that the opcode has. Numbers in host order. */
	uint64_t va;
	uint32_t rkey;
	uint32_t length;
	uint64_t swap_add;
	uint64_t compare;
	uint64_t original;
	uint8_t syndrome;
	uint32_t msn;
	uint32_t imm; /* in network order, as verbs have it */
	uint32_t invalidate;
	uint32_t qkey;
	uint32_t source_qpn;
	const uint8_t *payload;
	uint32_t payload_size;
};

enum uroce_header_fault {
	UROCE_HEADER_OK,
	UROCE_HEADER_SHORT,   /* ends within its headers */
	UROCE_HEADER_VERSION, /* a transport version other than 0 */
	UROCE_HEADER_OPCODE,  /* not known, or not of this service */
	UROCE_HEADER_LENGTH, /* a payload where none may be, larger than any MTU, or less than its pad */
};

/* Flags of UROCE_HAS_ and UROCE_IS_. 0: this service has no such opcode. */
unsigned int uroce_op_flags(uint8_t opcode);

static inline enum uroce_service uroce_service(uint8_t opcode)
{
	return (enum uroce_service)(opcode >> 5);
}

static inline enum uroce_op uroce_op(uint8_t opcode)
{
	return (enum uroce_op)(opcode & 0x1f);
}

static inline uint8_t uroce_opcode(enum uroce_service service, enum uroce_op op)
{
	return (uint8_t)((unsigned int)service << 5 | (unsigned int)op);
}

/* `bytes` is a UDP payload without its ICRC. `ret` is written on UROCE_HEADER_OK only, and points into `bytes`. */
enum uroce_header_fault uroce_headers_parse(const uint8_t *bytes, size_t size,
					    struct uroce_packet *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Writes the headers that the opcode has, at most UROCE_HEADERS_MAX bytes, and returns how many. payload_size
 * decides about the pad; the payload itself is the caller's.
 */
size_t uroce_headers_build(const struct uroce_packet *packet, uint8_t *to) HF_NONNULL;

/* How many bytes of zero follow a payload (IBA 9.2.3). */
static inline uint32_t uroce_pad(uint32_t payload_size)
{
	return -payload_size & 3;
}

/* The BTH's destination in a packet of at least UROCE_BTH_SIZE bytes: what steering goes by. */
static inline uint32_t uroce_bth_qpn(const uint8_t *bytes)
{
	return (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 8 | bytes[7];
}

#endif
