/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A server's chunk serves one request at a time, on whichever path it arrives. A request that was
 * failed over, or a new one for its chunk, may arrive while the server still executes one of a
 * failed path: it waits.
 */
#ifndef RTRS_ENGINE_TURNS_H
#define RTRS_ENGINE_TURNS_H

#include "shared/attr.h"

/* A request; a member of the server's own record of it. */
struct rtrs_turn {
	struct rtrs_turn *next;
	const void *path;
};

/* The requests of one chunk. All zero: there are none. */
struct rtrs_turns {
	struct rtrs_turn *running;
	struct rtrs_turn *waiting; /* in the order of arrival, one of each path at most */
};

enum rtrs_turn_order {
	RTRS_TURN_RUN,
	RTRS_TURN_WAIT,
	/*
	 * The path already has a request in this chunk, which no client does: it waits for the answer. Close the
	 * path; the new request is not kept.
	 */
	RTRS_TURN_FAULT,
};

enum rtrs_turn_order rtrsi_turn_arrives(struct rtrs_turns *turns, struct rtrs_turn *turn,
					const void *path) HF_MUST_CHECK HF_NONNULL;
/*
 * The running request has ended and does not use the chunk any more. Returns the one to run next,
 * or NULL.
 */
struct rtrs_turn *rtrsi_turn_ends(struct rtrs_turns *turns) HF_MUST_CHECK HF_NONNULL;
/* The path is closed. Returns its request if one waited; it will not run. What runs goes on until it ends. */
struct rtrs_turn *rtrsi_turn_withdraw(struct rtrs_turns *turns,
				      const void *path) HF_MUST_CHECK HF_NONNULL;

#endif
