/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Decides which request of a chunk runs next. */
#include <stddef.h>

#include "rtrs/engine/turns.h"

enum rtrs_turn_order rtrsi_turn_arrives(struct rtrs_turns *turns, struct rtrs_turn *turn,
					const void *path)
{
	struct rtrs_turn **at = &turns->waiting;

	if (turns->running && turns->running->path == path)
		return RTRS_TURN_FAULT;
	for (; *at; at = &(*at)->next) {
		if ((*at)->path == path)
			return RTRS_TURN_FAULT;
	}
	*turn = (struct rtrs_turn){.path = path};
	if (!turns->running) {
		turns->running = turn;
		return RTRS_TURN_RUN;
	}
	*at = turn;
	return RTRS_TURN_WAIT;
}

struct rtrs_turn *rtrsi_turn_ends(struct rtrs_turns *turns)
{
	struct rtrs_turn *next = turns->waiting;

	turns->running = next;
	if (next) {
		turns->waiting = next->next;
		next->next = NULL;
	}
	return next;
}

struct rtrs_turn *rtrsi_turn_withdraw(struct rtrs_turns *turns, const void *path)
{
	for (struct rtrs_turn **at = &turns->waiting; *at; at = &(*at)->next) {
		struct rtrs_turn *turn = *at;

		if (turn->path != path)
			continue;
		*at = turn->next;
		turn->next = NULL;
		return turn;
	}
	return NULL;
}
