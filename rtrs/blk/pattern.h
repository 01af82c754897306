/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pattern that a measurement writes, by which each byte and its age can be checked. */
#ifndef RTRS_BLK_PATTERN_H
#define RTRS_BLK_PATTERN_H

#include <stdint.h>

#include "shared/attr.h"

/* Content of a block after so many writes of it; `size` is a multiple of 512. */
void rtrsi_pattern_fill(uint64_t seed, uint64_t block, uint32_t generation, void *to,
			uint32_t size) HF_NONNULL;

/* What a block may hold. */
struct pattern_state {
	uint32_t generation;	   /* of its last write; 0: unknown */
	unsigned char may_be_zero; /* it was discarded since: each sector is zero or as it was */
	unsigned char is_zero;
	unsigned char is_busy; /* the caller's */
};

/* 1: the block is right; 0: it is wrong, and `why` says how. `scratch` has room for a block. */
enum { PATTERN_WHY = 160 };
int rtrsi_pattern_check(uint64_t seed, uint64_t block, const struct pattern_state *state,
			const void *data, uint32_t size, void *scratch,
			char why[PATTERN_WHY]) HF_MUST_CHECK HF_NONNULL;

#endif
