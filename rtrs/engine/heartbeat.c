/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Heartbeats, with the kernel's intervals and limits. */
#include "rtrs/engine/heartbeat.h"

enum { NS_PER_MS = 1000000 };

static const int64_t interval_ns = (int64_t)RTRS_HEARTBEAT_MS * NS_PER_MS;

void rtrsi_heartbeat_start(struct rtrs_heartbeat *heartbeat, int64_t now_ns)
{
	*heartbeat = (struct rtrs_heartbeat){.next_ns = now_ns + interval_ns};
}

void rtrsi_heartbeat_heard(struct rtrs_heartbeat *heartbeat)
{
	heartbeat->missed = 0;
}

void rtrsi_heartbeat_acknowledged(struct rtrs_heartbeat *heartbeat, int64_t now_ns)
{
	if (!heartbeat->is_sent)
		return;
	heartbeat->is_sent = false;
	heartbeat->latency_ns = now_ns - heartbeat->sent_ns;
}

/*
 * After a stop of the process or the machine many intervals may have passed at once. They count as one: the peer
 * had no chance to be heard meanwhile.
 */
static void plan_next(struct rtrs_heartbeat *heartbeat, int64_t now_ns)
{
	heartbeat->next_ns += interval_ns;
	if (heartbeat->next_ns <= now_ns)
		heartbeat->next_ns = now_ns + interval_ns;
}

enum rtrs_heartbeat_order rtrsi_heartbeat_tick(struct rtrs_heartbeat *heartbeat, int64_t now_ns)
{
	if (now_ns < heartbeat->next_ns)
		return RTRS_HEARTBEAT_WAIT;
	plan_next(heartbeat, now_ns);
	if (heartbeat->missed > RTRS_HEARTBEATS_MISSED_MAX)
		return RTRS_HEARTBEAT_DEAD;
	if (heartbeat->missed++)
		return RTRS_HEARTBEAT_WAIT;
	heartbeat->is_sent = true;
	heartbeat->sent_ns = now_ns;
	return RTRS_HEARTBEAT_SEND;
}
