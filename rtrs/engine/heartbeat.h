/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* When a path sends a heartbeat, and when its peer counts as dead. */
#ifndef RTRS_ENGINE_HEARTBEAT_H
#define RTRS_ENGINE_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

enum { RTRS_HEARTBEAT_MS = 5000, RTRS_HEARTBEATS_MISSED_MAX = 5 };

struct rtrs_heartbeat {
	int64_t next_ns;    /* when rtrsi_heartbeat_tick() has to be called */
	int64_t sent_ns;    /* the one that is not acknowledged yet */
	int64_t latency_ns; /* from the last one to its acknowledgement; 0: none came yet */
	unsigned int missed;
	bool is_sent;
};

enum rtrs_heartbeat_order {
	RTRS_HEARTBEAT_WAIT,
	RTRS_HEARTBEAT_SEND,
	RTRS_HEARTBEAT_DEAD, /* nothing was received for 30 seconds */
};

/* Call it when the path is connected, not before: the peer would close it. */
void rtrsi_heartbeat_start(struct rtrs_heartbeat *heartbeat, int64_t now_ns) HF_NONNULL;
/* Anything was received on any connection of the path. */
void rtrsi_heartbeat_heard(struct rtrs_heartbeat *heartbeat) HF_NONNULL;
void rtrsi_heartbeat_acknowledged(struct rtrs_heartbeat *heartbeat, int64_t now_ns) HF_NONNULL;
enum rtrs_heartbeat_order rtrsi_heartbeat_tick(struct rtrs_heartbeat *heartbeat,
					       int64_t now_ns) HF_MUST_CHECK HF_NONNULL;

#endif
