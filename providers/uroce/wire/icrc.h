/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The invariant CRC of RoCEv2 packets (IBA vol. 1, 7.8.1 and annex A17.3.3), and how it is checked over IPv4. */
#ifndef UROCE_WIRE_ICRC_H
#define UROCE_WIRE_ICRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "providers/uroce/wire/headers.h"
#include "shared/attr.h"

/* What the sum covers besides the UDP payload. IPv4 addresses stand in the first four bytes. Ports in host order. */
struct uroce_flow {
	bool is_ipv6;
	uint8_t source[16];
	uint8_t destination[16];
	uint16_t source_port;
	uint16_t destination_port;
};

/*
 * A receiver that is a socket's user does not see the identification of an IPv4 header, which the sum covers. The
 * sum is linear, so a good packet tells it: these tables find it.
 */
struct uroce_icrc {
	uint32_t table[256];
	uint8_t by_top[256];		    /* which entry of the table has that upper byte */
	uint32_t powers[32];		    /* x to the power of 2 to the power of i */
	uint32_t undo[UROCE_FRAME_MAX / 4]; /* by the size in words; 0: not computed yet */
};

void uroce_icrc_init(struct uroce_icrc *icrc) HF_NONNULL;

/* The sum of a UDP payload without its ICRC, of at least UROCE_BTH_SIZE bytes. Over IPv6 there is no identification. */
uint32_t uroce_icrc_sum(const struct uroce_flow *flow, uint16_t identification,
			const uint8_t *bytes, size_t size) HF_NONNULL;

/* Behind the payload, least significant byte first. */
void uroce_icrc_put(uint32_t sum, uint8_t *to) HF_NONNULL;

/*
 * Whether the last four bytes are the sum of those before. Over IPv4 any identification will do, which leaves 16
 * of the 32 bits as a check; `identification` is the one that is tried first, and then the one that fits.
 */
bool uroce_icrc_check(struct uroce_icrc *icrc, const struct uroce_flow *flow, const uint8_t *bytes,
		      size_t size, uint16_t *identification) HF_NONNULL;

#endif
