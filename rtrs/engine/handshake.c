/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The client's handshake as a state machine. */
#include <errno.h>

#include "rtrs/engine/handshake.h"
#include "rtrs/protocol/request.h"

static struct rtrs_step handshake_fails(struct rtrs_handshake *handshake, int error,
					enum rtrs_fault fault)
{
	if (handshake->state == RTRS_HANDSHAKE_DONE || handshake->state == RTRS_HANDSHAKE_FAILED)
		return (struct rtrs_step){.type = RTRS_STEP_WAIT};
	handshake->state = RTRS_HANDSHAKE_FAILED;
	return (struct rtrs_step){.type = RTRS_STEP_FAIL, .error = error, .fault = fault};
}

static struct rtrs_step connect_next(struct rtrs_handshake *handshake, uint16_t connection,
				     int64_t now_ms)
{
	handshake->connect.connection = connection;
	handshake->deadline_ms = now_ms + RTRS_STEP_MS;
	rtrsi_connect_encode(&handshake->connect, handshake->private_data);
	return (struct rtrs_step){.type = RTRS_STEP_CONNECT, .connection = connection};
}

int rtrsi_handshake_begin(struct rtrs_handshake *handshake, const struct rtrs_connect *connect,
			  const char *name, uint16_t depth_before, int64_t now_ms)
{
	if (connect->connections < 2 || connect->connections > RTRS_CONNECTIONS_MAX)
		return -EINVAL;
	*handshake = (struct rtrs_handshake){
		.state = RTRS_HANDSHAKE_CONNECTING,
		.depth_before = depth_before,
		.connect = *connect,
	};
	(void)connect_next(handshake, 0, now_ms);
	return rtrsi_info_request_encode(name, handshake->info);
}

/* The chunks belong to the session: their number cannot change while it lives. */
static enum rtrs_fault take_geometry(struct rtrs_handshake *handshake,
				     const struct rtrs_accept *accept)
{
	enum rtrs_fault fault = rtrsi_geometry_init(accept->depth, accept->max_io,
						    accept->max_header, &handshake->geometry);

	if (fault)
		return fault;
	/* No request would fit. */
	if (accept->max_header < RTRS_REQUEST_MAX)
		return RTRS_FAULT_CHUNK_SIZE;
	if (handshake->depth_before && handshake->depth_before != accept->depth)
		return RTRS_FAULT_DEPTH;
	handshake->new_keys = accept->new_keys;
	return RTRS_FAULT_NONE;
}

struct rtrs_step rtrsi_handshake_accepted(struct rtrs_handshake *handshake,
					  const void *private_data, size_t size, int64_t now_ms)
{
	uint16_t connection = handshake->connect.connection;
	struct rtrs_accept accept;
	enum rtrs_fault fault;

	if (handshake->state != RTRS_HANDSHAKE_CONNECTING)
		return handshake_fails(handshake, -ECONNRESET, RTRS_FAULT_CONNECTION);
	fault = rtrsi_accept_decode(private_data, size, &accept);
	if (!fault && !connection)
		fault = take_geometry(handshake, &accept);
	if (fault)
		return handshake_fails(handshake, -ECONNRESET, fault);
	if (connection + 1 < handshake->connect.connections)
		return connect_next(handshake, connection + 1, now_ms);
	handshake->state = RTRS_HANDSHAKE_INFO;
	handshake->deadline_ms = now_ms + RTRS_STEP_MS;
	return (struct rtrs_step){.type = RTRS_STEP_INFO};
}

struct rtrs_step rtrsi_handshake_refused(struct rtrs_handshake *handshake, const void *private_data,
					 size_t size, int error)
{
	if (private_data)
		error = rtrsi_reject_decode(private_data, size);
	return handshake_fails(handshake, error, RTRS_FAULT_NONE);
}

struct rtrs_step rtrsi_handshake_answered(struct rtrs_handshake *handshake, const void *bytes,
					  size_t size, struct rtrs_chunk *chunks)
{
	enum rtrs_fault fault;

	if (handshake->state != RTRS_HANDSHAKE_INFO)
		return handshake_fails(handshake, -ECONNRESET, RTRS_FAULT_TYPE);
	fault = rtrsi_info_answer_decode(&handshake->geometry, bytes, size, chunks);
	if (fault)
		return handshake_fails(handshake, -ECONNRESET, fault);
	handshake->state = RTRS_HANDSHAKE_DONE;
	return (struct rtrs_step){.type = RTRS_STEP_READY};
}

struct rtrs_step rtrsi_handshake_lost(struct rtrs_handshake *handshake, int error)
{
	return handshake_fails(handshake, error, RTRS_FAULT_NONE);
}

struct rtrs_step rtrsi_handshake_tick(struct rtrs_handshake *handshake, int64_t now_ms)
{
	if (now_ms < handshake->deadline_ms)
		return (struct rtrs_step){.type = RTRS_STEP_WAIT};
	return handshake_fails(handshake, -ETIMEDOUT, RTRS_FAULT_NONE);
}
