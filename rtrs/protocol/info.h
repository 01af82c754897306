/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The exchange that makes a path ready: the client sends the session's name, the server the
 * addresses of the chunks.
 */
#ifndef RTRS_PROTOCOL_INFO_H
#define RTRS_PROTOCOL_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/protocol/fault.h"
#include "rtrs/protocol/geometry.h"
#include "rtrs/protocol/request.h"
#include "shared/attr.h"

enum {
	RTRS_INFO_REQUEST_SIZE = 272,
	RTRS_INFO_ANSWER_SIZE = 8, /* and a descriptor for each */
	RTRS_NAME_SIZE = 255,	   /* with the NUL */
};

/* Not empty, shorter than RTRS_NAME_SIZE, without '/' and '.'. */
bool rtrsi_name_is_valid(const char *name) HF_MUST_CHECK HF_NONNULL;

/* -EINVAL: not a valid name. */
int rtrsi_info_request_encode(const char *name,
			      uint8_t bytes[RTRS_INFO_REQUEST_SIZE]) HF_MUST_CHECK HF_NONNULL;
enum rtrs_fault rtrsi_info_request_decode(const void *bytes, size_t size,
					  char name[RTRS_NAME_SIZE]) HF_MUST_CHECK HF_NONNULL;

static inline size_t rtrsi_info_answer_size(uint16_t descriptors)
{
	return RTRS_INFO_ANSWER_SIZE + (size_t)descriptors * RTRS_DESCRIPTOR_SIZE;
}

/* The part before the descriptors. */
void rtrsi_info_answer_begin(uint16_t count, uint8_t bytes[RTRS_INFO_ANSWER_SIZE]) HF_NONNULL;
/* `bytes` has room for rtrsi_info_answer_size(count). */
void rtrsi_info_answer_encode(const struct rtrs_descriptor *descriptors, uint16_t count,
			      uint8_t *bytes) HF_NONNULL;

/* A chunk of the server, as the client writes to it. */
struct rtrs_chunk {
	uint64_t address;
	uint32_t key;
};

/*
 * Fills chunks[geometry->depth]. The descriptors divide the chunks evenly or not, but each covers whole ones,
 * and all together just what there is. On a fault `chunks` holds anything.
 */
enum rtrs_fault rtrsi_info_answer_decode(const struct rtrs_geometry *geometry, const void *bytes,
					 size_t size,
					 struct rtrs_chunk *chunks) HF_MUST_CHECK HF_NONNULL;

#endif
