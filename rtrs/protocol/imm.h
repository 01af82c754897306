/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The 32 bits of immediate data, in the machine's byte order; on the wire they are big-endian. */
#ifndef RTRS_PROTOCOL_IMM_H
#define RTRS_PROTOCOL_IMM_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/protocol/fault.h"
#include "rtrs/protocol/geometry.h"
#include "shared/attr.h"

enum rtrs_imm_type {
	RTRS_IMM_REQUEST = 0,	   /* to the server */
	RTRS_IMM_ANSWER = 1,	   /* to the client */
	RTRS_IMM_ANSWER_INVAL = 2, /* the same; the client's key was invalidated */
	RTRS_IMM_HEARTBEAT = 8,
	RTRS_IMM_HEARTBEAT_ACK = 9,
};

enum { RTRS_ANSWER_ERRNO_MAX = 511, RTRS_ANSWER_ID_MAX = (1 << 19) - 1 };

struct rtrs_imm {
	enum rtrs_imm_type type;
	uint16_t chunk;	 /* of a request or answer */
	uint32_t offset; /* of a request: its message in the chunk */
	int error;	 /* of an answer: 0 or a negative errno */
};

/* The chunk and the offset must lie within the geometry. */
uint32_t rtrsi_imm_request(const struct rtrs_geometry *geometry, uint16_t chunk,
			   uint32_t offset) HF_NONNULL;
/* An errno that the nine bits cannot hold is sent as EIO. */
uint32_t rtrsi_imm_answer(uint16_t chunk, int error, bool invalidated);
uint32_t rtrsi_imm_heartbeat(bool ack);

/* What arrives at a server: requests and heartbeats. */
enum rtrs_fault rtrsi_imm_at_server(const struct rtrs_geometry *geometry, uint32_t imm,
				    struct rtrs_imm *ret) HF_MUST_CHECK HF_NONNULL;
/* What arrives at a client: answers and heartbeats. */
enum rtrs_fault rtrsi_imm_at_client(const struct rtrs_geometry *geometry, uint32_t imm,
				    struct rtrs_imm *ret) HF_MUST_CHECK HF_NONNULL;

#endif
