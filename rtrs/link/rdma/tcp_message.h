/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What two ends tell each other over TCP before their queue pairs are connected. Little endian; a header of fixed size
 * and the private data:
 *  0 magic, 4 version, 6 type, 7 MTU, 8 number of the queue pair, 12 first PSN, 16 GID, 32 size of the private data,
 *  34 zero.
 */
#ifndef RTRS_LINK_RDMA_TCP_MESSAGE_H
#define RTRS_LINK_RDMA_TCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

enum {
	RTRS_TCP_VERSION = 1,
	RTRS_TCP_HEADER = 36,
	RTRS_TCP_PRIVATE_MAX = 255,
	RTRS_TCP_MESSAGE_MAX = RTRS_TCP_HEADER + RTRS_TCP_PRIVATE_MAX,
	RTRS_TCP_GID = 16,
};

enum rtrs_tcp_type {
	RTRS_TCP_HELLO = 1, /* of the client, with its queue pair */
	RTRS_TCP_ACCEPT,    /* of the server, with its own */
	RTRS_TCP_REJECT,    /* in its place; it has private data alone */
	RTRS_TCP_READY,	    /* of the client, whose queue pair is ready; it has nothing */
};

struct rtrs_tcp_message {
	enum rtrs_tcp_type type;
	uint32_t qp_number, psn;
	uint8_t mtu; /* of the verbs: 1 to 5 */
	uint8_t gid[RTRS_TCP_GID];
	uint16_t private_size;
};

void rtrsi_tcp_encode(const struct rtrs_tcp_message *message,
		      uint8_t to[RTRS_TCP_HEADER]) HF_NONNULL;
/* -EPROTONOSUPPORT: another version; -EPROTO: what no peer says. */
int rtrsi_tcp_decode(const uint8_t from[RTRS_TCP_HEADER],
		     struct rtrs_tcp_message *ret) HF_MUST_CHECK HF_NONNULL;

#endif
