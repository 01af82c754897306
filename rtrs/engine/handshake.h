/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a client makes a path: its connections one after the other, then the exchange of name and chunks. The
 * caller reports what happens, with the time, and does what the answer says.
 */
#ifndef RTRS_ENGINE_HANDSHAKE_H
#define RTRS_ENGINE_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/protocol/connect.h"
#include "rtrs/protocol/fault.h"
#include "rtrs/protocol/geometry.h"
#include "rtrs/protocol/info.h"
#include "shared/attr.h"

/* How long each step may take. */
enum { RTRS_STEP_MS = 30000 };

enum rtrs_step_type {
	RTRS_STEP_WAIT,	   /* nothing to do before the next event or the deadline */
	RTRS_STEP_CONNECT, /* open connection `connection` with `private_data` */
	RTRS_STEP_INFO,	   /* receive the answer on connection 0, then send `info` */
	RTRS_STEP_READY,
	RTRS_STEP_FAIL, /* close all connections: `error`, and what the peer did wrong */
};

struct rtrs_step {
	enum rtrs_step_type type;
	uint16_t connection;
	int error;
	enum rtrs_fault fault;
};

enum rtrs_handshake_state {
	RTRS_HANDSHAKE_CONNECTING,
	RTRS_HANDSHAKE_INFO,
	RTRS_HANDSHAKE_DONE,
	RTRS_HANDSHAKE_FAILED,
};

struct rtrs_handshake {
	enum rtrs_handshake_state state;
	uint16_t depth_before; /* 0: the path was never connected */
	struct rtrs_connect connect;
	int64_t deadline_ms;
	struct rtrs_geometry geometry; /* known once connection 0 is accepted */
	bool new_keys;
	uint8_t private_data[RTRS_CONNECT_SIZE];
	uint8_t info[RTRS_INFO_REQUEST_SIZE];
};

/*
 * `connect` says all but which connection it is. -EINVAL: the name is not valid, or there are no two
 * connections. The first step is RTRS_STEP_CONNECT with connection 0.
 */
int rtrsi_handshake_begin(struct rtrs_handshake *handshake, const struct rtrs_connect *connect,
			  const char *name, uint16_t depth_before,
			  int64_t now_ms) HF_MUST_CHECK HF_NONNULL;

/* The connection that was asked for last is accepted, or not: the reason is in the private data. */
struct rtrs_step rtrsi_handshake_accepted(struct rtrs_handshake *handshake,
					  const void *private_data, size_t size,
					  int64_t now_ms) HF_MUST_CHECK HF_NONNULL;
/* `error`: why, where the peer said nothing; `private_data` may be NULL then. */
struct rtrs_step rtrsi_handshake_refused(struct rtrs_handshake *handshake, const void *private_data,
					 size_t size, int error) HF_MUST_CHECK HF_NONNULL_OF(1);
/* What was received on connection 0; fills chunks[geometry.depth]. */
struct rtrs_step rtrsi_handshake_answered(struct rtrs_handshake *handshake, const void *bytes,
					  size_t size,
					  struct rtrs_chunk *chunks) HF_MUST_CHECK HF_NONNULL;
/* A connection was lost, or its device. */
struct rtrs_step rtrsi_handshake_lost(struct rtrs_handshake *handshake,
				      int error) HF_MUST_CHECK HF_NONNULL;
/* Time passes. */
struct rtrs_step rtrsi_handshake_tick(struct rtrs_handshake *handshake,
				      int64_t now_ms) HF_MUST_CHECK HF_NONNULL;

#endif
