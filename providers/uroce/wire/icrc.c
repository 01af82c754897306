/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The invariant CRC: CRC-32 of IEEE 802.3 over what no router changes (IBA vol. 1, 7.8.1, annex A17.3.3). */
#include "config.h"

#include "providers/uroce/wire/icrc.h"

#include <string.h>

#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#elif defined(HAVE_LIBDEFLATE)
#include <libdeflate.h>
#endif

enum {
	LRH_SIZE = 8, /* a local route header would stand here: all ones */
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	UDP_SIZE = 8,
	AFTER_IDENTIFICATION = 14, /* bytes of the IPv4 header */
	PROTOCOL_UDP = 17,
};

#define POLYNOMIAL 0xedb88320u /* bit 31 is the coefficient of x^0 */
#define ONE	   0x80000000u

/* As zlib's crc32(). */
#ifdef HAVE_ISAL
static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t size)
{
	return crc32_gzip_refl(sum, bytes, size);
}
#elif defined(HAVE_LIBDEFLATE)
static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t size)
{
	return libdeflate_crc32(sum, bytes, size);
}
#else
static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t size)
{
	sum = ~sum;
	for (size_t i = 0; i < size; i++) {
		sum ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
	}
	return ~sum;
}
#endif

static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a; a <<= 1) {
		if (a & ONE)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? POLYNOMIAL : 0);
	}
	return product;
}

void uroce_icrc_init(struct uroce_icrc *icrc)
{
	memset(icrc, 0, sizeof(*icrc));
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (unsigned int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		icrc->table[i] = value;
		icrc->by_top[value >> 24] = (uint8_t)i;
	}
	icrc->powers[0] = ONE >> 1;
	for (unsigned int i = 1; i < 32; i++)
		icrc->powers[i] = multiply(icrc->powers[i - 1], icrc->powers[i - 1]);
}

static void put16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Fields that routers change count as ones; `to` holds ones already. */
static size_t fill_ipv4(uint8_t *to, const struct uroce_flow *flow, uint16_t identification,
			size_t udp_size)
{
	to[0] = 0x45;
	put16(to + 2, IPV4_SIZE + udp_size);
	put16(to + 4, identification);
	put16(to + 6, 0x4000); /* do not fragment: annex A17.3.1.2 wants it set */
	to[9] = PROTOCOL_UDP;
	memcpy(to + 12, flow->source, 4);
	memcpy(to + 16, flow->destination, 4);
	return IPV4_SIZE;
}

static size_t fill_ipv6(uint8_t *to, const struct uroce_flow *flow, size_t udp_size)
{
	to[0] = 0x6f;
	put16(to + 4, udp_size);
	to[6] = PROTOCOL_UDP;
	memcpy(to + 8, flow->source, 16);
	memcpy(to + 24, flow->destination, 16);
	return IPV6_SIZE;
}

uint32_t uroce_icrc_sum(const struct uroce_flow *flow, uint16_t identification,
			const uint8_t *bytes, size_t size)
{
	uint8_t head[LRH_SIZE + IPV6_SIZE + UDP_SIZE + UROCE_BTH_SIZE], *at = head + LRH_SIZE;
	size_t udp_size = UDP_SIZE + size + UROCE_ICRC_SIZE;
	uint32_t sum;

	memset(head, 0xff, sizeof(head));
	at += flow->is_ipv6 ? fill_ipv6(at, flow, udp_size)
			    : fill_ipv4(at, flow, identification, udp_size);
	put16(at, flow->source_port);
	put16(at + 2, flow->destination_port);
	put16(at + 4, udp_size);
	at += UDP_SIZE;
	memcpy(at, bytes, UROCE_BTH_SIZE);
	at[4] = 0xff; /* FECN, BECN and the reserved bits beside them */
	at += UROCE_BTH_SIZE;
	sum = sum_bytes(0, head, (size_t)(at - head));
	return sum_bytes(sum, bytes + UROCE_BTH_SIZE, size - UROCE_BTH_SIZE);
}

void uroce_icrc_put(uint32_t sum, uint8_t *to)
{
	for (unsigned int i = 0; i < 4; i++)
		to[i] = (uint8_t)(sum >> 8 * i);
}

/* x to the power of -8 * size: takes back what `size` bytes of zero do to a register. */
static uint32_t undo_of(const struct uroce_icrc *icrc, size_t size)
{
	/* The polynomial is primitive: x to the power of 2^32 - 1 is 1. */
	uint32_t exponent = UINT32_MAX - (uint32_t)(size * 8), power = ONE;

	for (unsigned int i = 0; i < 32; i++) {
		if (exponent >> i & 1)
			power = multiply(power, icrc->powers[i]);
	}
	return power;
}

/*
 * `difference` is the received sum against the one for identification 0. Whether an identification makes it, by
 * taking back first the bytes behind the identification and then its two bytes.
 */
static bool find_identification(struct uroce_icrc *icrc, uint32_t difference, size_t size,
				uint16_t *identification)
{
	uint32_t *undo = &icrc->undo[size / 4], two, one;
	uint8_t second, first;

	if (!*undo)
		*undo = undo_of(icrc, AFTER_IDENTIFICATION + UDP_SIZE + size);
	two = multiply(*undo, difference);
	second = icrc->by_top[two >> 24];
	one = (two ^ icrc->table[second]) << 8;
	first = icrc->by_top[one >> 24];
	if ((icrc->table[first] ^ one) & 0xffffff00u)
		return false;
	second ^= (uint8_t)icrc->table[first];
	*identification = (uint16_t)(first << 8 | second);
	return true;
}

bool uroce_icrc_check(struct uroce_icrc *icrc, const struct uroce_flow *flow, const uint8_t *bytes,
		      size_t size, uint16_t *identification)
{
	const uint16_t likely = *identification;
	uint32_t received = 0, difference;

	if (size < UROCE_BTH_SIZE + UROCE_ICRC_SIZE || size > UROCE_FRAME_MAX || size % 4)
		return false;
	size -= UROCE_ICRC_SIZE;
	for (unsigned int i = 0; i < 4; i++)
		received |= (uint32_t)bytes[size + i] << 8 * i;
	difference = received ^ uroce_icrc_sum(flow, likely, bytes, size);
	if (!difference || flow->is_ipv6)
		return !difference;
	if (likely)
		difference = received ^ uroce_icrc_sum(flow, 0, bytes, size);
	return find_identification(icrc, difference, size, identification);
}
