/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The link over Unix and TCP sockets, between two ends of Holdfast. */
#ifndef RTRS_LINK_STREAM_STREAM_H
#define RTRS_LINK_STREAM_STREAM_H

#include "rtrs/link/link.h"
#include "shared/attr.h"

/* -errno of the system. */
int rtrsi_stream_open(struct rtrs_link **ret) HF_MUST_CHECK HF_NONNULL;

/*
 * A connected socket that does not block, as if a listener had accepted it. It is the link's from then on, also on
 * failure.
 */
int rtrsi_stream_adopt(struct rtrs_link *link, int fd) HF_MUST_CHECK HF_NONNULL;

/* The connection's device is gone: RTRS_LINK_GONE comes. */
void rtrsi_stream_unplug(struct rtrs_connection *connection) HF_NONNULL;

/*
 * How often a frame found no receive posted, in the life of the link. It waits then until there is one, as a
 * peer waits that was told "receiver not ready".
 */
unsigned long rtrsi_stream_not_ready_count(const struct rtrs_link *link) HF_NONNULL;

#endif
