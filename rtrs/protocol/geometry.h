/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A session's chunks: how many, how large, and how the parts of a request lie in one. A chunk holds the data,
 * after it the user header, after that the message.
 */
#ifndef RTRS_PROTOCOL_GEOMETRY_H
#define RTRS_PROTOCOL_GEOMETRY_H

#include <stdint.h>

#include "rtrs/protocol/fault.h"
#include "shared/attr.h"

enum {
	RTRS_CHUNK_MIN = 8192,
	RTRS_PAYLOAD_BITS = 28, /* of an immediate: chunk number and offset share them */
	RTRS_DEPTH_MAX = UINT16_MAX,
};

struct rtrs_geometry {
	uint16_t depth;	     /* number of chunks */
	uint8_t offset_bits; /* of an immediate's payload, for the offset within the chunk */
	uint32_t chunk_size; /* max_io + max_header */
	uint32_t max_io;
	uint32_t max_header; /* for the user header and the message together */
};

/*
 * RTRS_FAULT_DEPTH: no chunk. RTRS_FAULT_CHUNK_SIZE: not a power of two of at least RTRS_CHUNK_MIN, no room
 * for data or header, or too large for an immediate to say both chunk and offset.
 */
enum rtrs_fault rtrsi_geometry_init(uint16_t depth, uint32_t max_io, uint32_t max_header,
				    struct rtrs_geometry *ret) HF_MUST_CHECK HF_NONNULL;

/* Where the parts of one request lie in its chunk. */
struct rtrs_layout {
	uint32_t write_offset; /* what the client writes: write_length bytes from here */
	uint32_t write_length;
	uint32_t user_offset;
	uint32_t message_offset; /* also what the immediate says */
	uint16_t message_length;
};

/* -EMSGSIZE: more data than max_io, or a user header and message longer than max_header. */
int rtrsi_layout_write(const struct rtrs_geometry *geometry, uint32_t data_length,
		       uint32_t user_length, struct rtrs_layout *ret) HF_MUST_CHECK HF_NONNULL;
/* The same. A read without data, as a flush, has no descriptor; with data it has one. */
int rtrsi_layout_read(const struct rtrs_geometry *geometry, uint32_t data_length,
		      uint32_t user_length, struct rtrs_layout *ret) HF_MUST_CHECK HF_NONNULL;

#endif
