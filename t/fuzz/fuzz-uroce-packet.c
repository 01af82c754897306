/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UDP payloads that anybody may send to port 4791: first byte IPv4 or IPv6, then the payload with its ICRC. */
#include "providers/uroce/wire/headers.h"
#include "providers/uroce/wire/icrc.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "uroce-packet";

static void check_parsed(const struct uroce_packet *packet, const uint8_t *bytes, size_t size)
{
	uint8_t built[UROCE_HEADERS_MAX];
	size_t headers = uroce_headers_build(packet, built);

	fuzz_check(headers >= UROCE_BTH_SIZE && headers <= sizeof(built));
	fuzz_check(packet->payload == bytes + headers);
	fuzz_check(packet->payload_size <= UROCE_MTU_MAX);
	fuzz_check(headers + packet->payload_size + (bytes[1] >> 4 & 3) == size);
	/* What is not ours to keep: reserved bits, and how the pad was counted. */
	built[1] = bytes[1];
	built[4] = bytes[4];
	built[8] = bytes[8];
	if (uroce_op_flags(packet->opcode) & UROCE_HAS_DETH)
		built[UROCE_BTH_SIZE + 4] = bytes[UROCE_BTH_SIZE + 4];
	fuzz_check(!memcmp(built, bytes, headers));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct uroce_icrc icrc;
	struct uroce_flow flow = {.source = {10, 0, 0, 1}, .destination = {10, 0, 0, 2}};
	struct uroce_packet packet;
	uint16_t identification = 0;
	uint8_t *copy;

	if (!icrc.powers[0])
		uroce_icrc_init(&icrc);
	if (size)
		flow.is_ipv6 = data[0] & 1;
	copy = fuzz_copy(size ? data + 1 : data, size ? size - 1 : 0);
	size -= size != 0;
	fuzz_fill(&packet, sizeof(packet));
	if (uroce_headers_parse(copy, size, &packet) == UROCE_HEADER_OK)
		check_parsed(&packet, copy, size);
	else
		fuzz_check(fuzz_untouched(&packet, sizeof(packet)));
	if (uroce_icrc_check(&icrc, &flow, copy, size, &identification)) {
		size -= UROCE_ICRC_SIZE;
		uroce_icrc_put(uroce_icrc_sum(&flow, identification, copy, size), copy + size);
		fuzz_check(uroce_icrc_check(&icrc, &flow, copy, size + UROCE_ICRC_SIZE,
					    &identification));
	}
	free(copy);
	return 0;
}
