/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Headers of frames, to and from bytes. */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "rtrs/link/stream/frame.h"

/* As it lies on the wire, in its byte order. */
struct frame_bytes {
	uint8_t type;
	uint8_t zero[3];
	uint32_t length;
	uint64_t address;
	uint32_t key;
	uint32_t imm;
};

_Static_assert(sizeof(struct frame_bytes) == RTRS_FRAME_SIZE, "no padding");

void rtrsi_frame_encode(const struct rtrs_frame *frame, uint8_t bytes[RTRS_FRAME_SIZE])
{
	const struct frame_bytes wire = {
		.type = (uint8_t)frame->type,
		.length = htole32(frame->length),
		.address = htole64(frame->address),
		.key = htole32(frame->key),
		.imm = htole32(frame->imm),
	};

	memcpy(bytes, &wire, sizeof(wire));
}

static bool is_greeting(uint8_t type)
{
	return type <= RTRS_FRAME_REJECT;
}

int rtrsi_frame_decode(const uint8_t bytes[RTRS_FRAME_SIZE], struct rtrs_frame *ret)
{
	struct frame_bytes wire;

	memcpy(&wire, bytes, sizeof(wire));
	if (!wire.type || wire.type >= RTRS_FRAME_TYPES || wire.zero[0] || wire.zero[1] ||
	    wire.zero[2])
		return -EPROTO;
	if (is_greeting(wire.type) && (le64toh(wire.address) != RTRS_FRAME_MAGIC ||
				       le32toh(wire.length) > RTRS_FRAME_PRIVATE_MAX))
		return -EPROTO;
	*ret = (struct rtrs_frame){
		.type = wire.type,
		.length = le32toh(wire.length),
		.address = le64toh(wire.address),
		.key = le32toh(wire.key),
		.imm = le32toh(wire.imm),
	};
	return 0;
}
