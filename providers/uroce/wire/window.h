/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How much is in flight to a socket at a time: what its receive buffer holds, for all QPs of a process. The
 * buffer is the one that net.core.rmem_max's default allows (212992, which the kernel doubles), and it is charged
 * with the kernel's memory for each datagram, not with its bytes.
 */
#ifndef UROCE_WIRE_WINDOW_H
#define UROCE_WIRE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum {
	UROCE_WINDOW_BUFFER = 2 * 212992,
	UROCE_WINDOW_RESERVE = 32768, /* for acknowledgements and strangers */
	/* While a socket's queue is not empty the kernel gives back what was read in quarters of the buffer. */
	UROCE_WINDOW_LIMIT = UROCE_WINDOW_BUFFER / 4 * 3 - UROCE_WINDOW_RESERVE,
	UROCE_WINDOW_SHARE = 7, /* times of what is free: more is not for one QP */
};

struct uroce_window {
	uint32_t limit, used;
};

/* As measured on Linux 6.18, for packets of at most that payload: a slab of the kernel and its own structures. */
static inline uint32_t uroce_window_cost(uint32_t payload)
{
	if (payload <= 32)
		return 832;
	if (payload <= 512)
		return 1284;
	if (payload <= 1024)
		return 2316;
	return payload <= 2048 ? 4438 : 8520;
}

/* `mine` is what the QP has of it. There is always room for others, also beside one whose peer is silent. */
static inline bool uroce_window_fits(const struct uroce_window *window, uint32_t mine,
				     uint32_t cost)
{
	return window->used < window->limit && cost <= window->limit - window->used &&
	       mine + cost <= UROCE_WINDOW_SHARE * (window->limit - window->used - cost);
}

static inline void uroce_window_take(struct uroce_window *window, uint32_t *mine, uint32_t cost)
{
	window->used += cost;
	*mine += cost;
}

static inline void uroce_window_give(struct uroce_window *window, uint32_t *mine, uint32_t cost)
{
	if (cost > *mine)
		cost = *mine;
	window->used -= cost;
	*mine -= cost;
}

#endif
