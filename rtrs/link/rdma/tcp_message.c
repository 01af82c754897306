/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages of the connection manager over TCP, checked. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "rtrs/link/rdma/tcp_message.h"

enum { MAGIC = 0x4d435248, NUMBER_MAX = 0xffffff, QP_MIN = 2, MTU_MAX = 5 };

/* As on the wire: every member lies where its size wants it. */
struct tcp_header {
	uint32_t magic;
	uint16_t version;
	uint8_t type, mtu;
	uint32_t qp_number, psn;
	uint8_t gid[RTRS_TCP_GID];
	uint16_t private_size, zero;
};

_Static_assert(sizeof(struct tcp_header) == RTRS_TCP_HEADER, "the header has holes");

void rtrsi_tcp_encode(const struct rtrs_tcp_message *message, uint8_t to[RTRS_TCP_HEADER])
{
	struct tcp_header header = {
		.magic = htole32(MAGIC),
		.version = htole16(RTRS_TCP_VERSION),
		.type = (uint8_t)message->type,
		.mtu = message->mtu,
		.qp_number = htole32(message->qp_number),
		.psn = htole32(message->psn),
		.private_size = htole16(message->private_size),
	};

	memcpy(header.gid, message->gid, sizeof(header.gid));
	memcpy(to, &header, sizeof(header));
}

static int check_queue_pair(const struct rtrs_tcp_message *message)
{
	static const uint8_t no_gid[RTRS_TCP_GID];
	const bool has_one = message->type == RTRS_TCP_HELLO || message->type == RTRS_TCP_ACCEPT;

	if (!has_one)
		return message->qp_number || message->psn || message->mtu ||
				       memcmp(message->gid, no_gid, sizeof(no_gid))
			       ? -EPROTO
			       : 0;
	return message->qp_number < QP_MIN || message->qp_number > NUMBER_MAX ||
			       message->psn > NUMBER_MAX || !message->mtu || message->mtu > MTU_MAX
		       ? -EPROTO
		       : 0;
}

int rtrsi_tcp_decode(const uint8_t from[RTRS_TCP_HEADER], struct rtrs_tcp_message *ret)
{
	struct tcp_header header;

	memcpy(&header, from, sizeof(header));
	if (le32toh(header.magic) != MAGIC)
		return -EPROTO;
	if (le16toh(header.version) != RTRS_TCP_VERSION)
		return -EPROTONOSUPPORT;
	*ret = (struct rtrs_tcp_message){
		.type = header.type,
		.qp_number = le32toh(header.qp_number),
		.psn = le32toh(header.psn),
		.mtu = header.mtu,
		.private_size = le16toh(header.private_size),
	};
	memcpy(ret->gid, header.gid, sizeof(ret->gid));
	if (ret->type < RTRS_TCP_HELLO || ret->type > RTRS_TCP_READY || header.zero ||
	    ret->private_size > RTRS_TCP_PRIVATE_MAX ||
	    (ret->type == RTRS_TCP_READY && ret->private_size))
		return -EPROTO;
	return check_queue_pair(ret);
}
