/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Chunk arithmetic. */
#include <errno.h>

#include "rtrs/protocol/geometry.h"
#include "rtrs/protocol/request.h"

/* As many bits as the highest chunk number has. */
static uint8_t chunk_number_bits(uint16_t depth)
{
	uint32_t highest = depth - 1U;

	return highest ? (uint8_t)(32 - __builtin_clz(highest)) : 0;
}

enum rtrs_fault rtrsi_geometry_init(uint16_t depth, uint32_t max_io, uint32_t max_header,
				    struct rtrs_geometry *ret)
{
	uint64_t chunk_size = (uint64_t)max_io + max_header;
	uint8_t offset_bits;

	if (!depth)
		return RTRS_FAULT_DEPTH;
	offset_bits = (uint8_t)(RTRS_PAYLOAD_BITS - chunk_number_bits(depth));
	if (!max_io || !max_header || chunk_size < RTRS_CHUNK_MIN ||
	    (chunk_size & (chunk_size - 1)) || chunk_size > UINT64_C(1) << offset_bits)
		return RTRS_FAULT_CHUNK_SIZE;
	*ret = (struct rtrs_geometry){
		.depth = depth,
		.offset_bits = offset_bits,
		.chunk_size = (uint32_t)chunk_size,
		.max_io = max_io,
		.max_header = max_header,
	};
	return RTRS_FAULT_NONE;
}

static int lay_out(const struct rtrs_geometry *geometry, uint32_t data_length, uint32_t user_length,
		   uint16_t message_length, struct rtrs_layout *ret)
{
	if (data_length > geometry->max_io || user_length > UINT16_MAX ||
	    user_length + message_length > geometry->max_header)
		return -EMSGSIZE;
	ret->user_offset = data_length;
	ret->message_offset = data_length + user_length;
	ret->message_length = message_length;
	return 0;
}

int rtrsi_layout_write(const struct rtrs_geometry *geometry, uint32_t data_length,
		       uint32_t user_length, struct rtrs_layout *ret)
{
	int err = lay_out(geometry, data_length, user_length, RTRS_WRITE_SIZE, ret);

	if (err)
		return err;
	ret->write_offset = 0;
	ret->write_length = ret->message_offset + ret->message_length;
	return 0;
}

/*
 * The kernel's client leaves the descriptor out when it compares with the end of the chunk, but both limits
 * together keep it inside.
 */
int rtrsi_layout_read(const struct rtrs_geometry *geometry, uint32_t data_length,
		      uint32_t user_length, struct rtrs_layout *ret)
{
	uint16_t message_length = RTRS_READ_SIZE;
	int err;

	if (data_length)
		message_length += RTRS_DESCRIPTOR_SIZE;
	err = lay_out(geometry, data_length, user_length, message_length, ret);
	if (err)
		return err;
	ret->write_offset = ret->user_offset;
	ret->write_length = user_length + message_length;
	return 0;
}
