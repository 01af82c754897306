/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the stream link sends: frames, each a header of fixed size and its payload. Both ends are Holdfast's; the
 * format is private to them, and its version is in the first frame. Numbers are little-endian.
 */
#ifndef RTRS_LINK_STREAM_FRAME_H
#define RTRS_LINK_STREAM_FRAME_H

#include <stdint.h>

#include "shared/attr.h"

enum {
	RTRS_FRAME_SIZE = 24,	      /* of the header */
	RTRS_FRAME_PRIVATE_MAX = 256, /* bytes of private data */
};

enum rtrs_frame_type {
	RTRS_FRAME_HELLO = 1, /* the first one to a listener: private data */
	RTRS_FRAME_ACCEPT,    /* the first one from it: private data */
	RTRS_FRAME_REJECT,    /* or this one, and nothing after it */
	RTRS_FRAME_WRITE,
	RTRS_FRAME_WRITE_IMM,
	RTRS_FRAME_SEND,
	RTRS_FRAME_SEND_IMM,
	RTRS_FRAME_SEND_INVAL,
	RTRS_FRAME_TYPES, /* the end of the types */
};

struct rtrs_frame {
	enum rtrs_frame_type type;
	uint32_t length;  /* of the payload */
	uint64_t address; /* of a write; of a HELLO the magic number */
	uint32_t key;	  /* of a write, or to be invalidated */
	uint32_t imm;
};

/* "HFRTRS", and the version. */
#define RTRS_FRAME_MAGIC UINT64_C(0x0001535254524648)

void rtrsi_frame_encode(const struct rtrs_frame *frame, uint8_t bytes[RTRS_FRAME_SIZE]) HF_NONNULL;
/*
 * -EPROTO: no frame of this link. Of the length only that of private data is checked: what else it may be
 * depends on the memory that it is for.
 */
int rtrsi_frame_decode(const uint8_t bytes[RTRS_FRAME_SIZE],
		       struct rtrs_frame *ret) HF_MUST_CHECK HF_NONNULL;

#endif
