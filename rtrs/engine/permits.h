/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Permits: who has one may have a request in the chunk of that number, on any path. A request that fails over
 * keeps its permit. Until the path that it left has reconnected, the server may still be at work on it there,
 * and would read or write the chunk of a later request: so the permit rests until then, as long as there are
 * others. A server that gives a chunk to one request at a time does not need that; the kernel's does.
 */
#ifndef RTRS_ENGINE_PERMITS_H
#define RTRS_ENGINE_PERMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/engine/policy.h"
#include "shared/attr.h"

/* A set of paths, by their place in the session. */
struct rtrs_path_set {
	uint64_t bits[RTRS_PATHS_MAX / 64];
};

struct rtrs_permits {
	uint32_t depth;
	uint32_t words;
	uint32_t in_use;
	uint64_t *free_bits; /* nobody has it, and no path was left with it */
	uint64_t *rest_bits; /* nobody has it, but a path was left with it */
	uint64_t *used_bits;
	struct rtrs_path_set *left; /* of each: the paths that have not reconnected since */
};

/* -ENOMEM. */
int rtrsi_permits_init(struct rtrs_permits *permits, uint16_t depth) HF_MUST_CHECK HF_NONNULL;
void rtrsi_permits_free(struct rtrs_permits *permits) HF_NONNULL;

/*
 * The lowest free one; if there is none, the lowest that rests, and then *rested is true. -EAGAIN: all are in
 * use.
 */
int rtrsi_permits_take(struct rtrs_permits *permits, bool *rested) HF_MUST_CHECK HF_NONNULL;
void rtrsi_permits_give(struct rtrs_permits *permits, uint16_t permit) HF_NONNULL;
/* Its request was failed over from the path, where it may be unanswered. */
void rtrsi_permits_left(struct rtrs_permits *permits, uint16_t permit,
			unsigned int path) HF_NONNULL;
bool rtrsi_permits_any_left(const struct rtrs_permits *permits,
			    unsigned int path) HF_MUST_CHECK HF_NONNULL;
/* The path has reconnected, so the server has finished all its earlier requests. */
void rtrsi_permits_reconnected(struct rtrs_permits *permits, unsigned int path) HF_NONNULL;

#endif
