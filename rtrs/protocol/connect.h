/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The private data of the connection manager: a connection's request, and the answer to it. */
#ifndef RTRS_PROTOCOL_CONNECT_H
#define RTRS_PROTOCOL_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/protocol/fault.h"
#include "shared/attr.h"

enum {
	RTRS_CONNECT_SIZE = 56, /* of request and answer */
	RTRS_UUID_SIZE = 16,
	RTRS_CONNECTIONS_MAX = 4096, /* of one path */
};

struct rtrs_connect {
	uint16_t connection; /* 0: for control */
	uint16_t connections;
	uint16_t attempt; /* the path's, from 1 */
	bool first;	  /* the server may not know the session yet */
	uint8_t path[RTRS_UUID_SIZE];
	uint8_t session[RTRS_UUID_SIZE];
};

void rtrsi_connect_encode(const struct rtrs_connect *connect,
			  uint8_t bytes[RTRS_CONNECT_SIZE]) HF_NONNULL;
/*
 * A server refuses a connection with any of these faults with ECONNRESET. Bytes after the message
 * are ignored.
 */
enum rtrs_fault rtrsi_connect_decode(const void *bytes, size_t size,
				     struct rtrs_connect *ret) HF_MUST_CHECK HF_NONNULL;

struct rtrs_accept {
	uint16_t depth;
	uint32_t max_io;
	uint32_t max_header;
	bool new_keys; /* each answer brings the chunk's new key */
};

void rtrsi_accept_encode(const struct rtrs_accept *accept,
			 uint8_t bytes[RTRS_CONNECT_SIZE]) HF_NONNULL;
/* For rtrsi_geometry_init(): only what the control connection receives counts. */
enum rtrs_fault rtrsi_accept_decode(const void *bytes, size_t size,
				    struct rtrs_accept *ret) HF_MUST_CHECK HF_NONNULL;

void rtrsi_reject_encode(int error, uint8_t bytes[RTRS_CONNECT_SIZE]) HF_NONNULL;
/* The negative errno that the server gave; -ECONNRESET where it gave none. `bytes` may be NULL, with size 0. */
int rtrsi_reject_decode(const void *bytes, size_t size);

#endif
