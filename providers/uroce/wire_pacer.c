/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * UC and UD have no acknowledgements that would tell how much the receiver has taken. On the same machine the kernel
 * tells how full the receiver's socket is: it is asked when as much was sent as there was room. A receiver that takes
 * nothing for a second is not waited for any more. Packets to other machines are not held back.
 */
#include "providers/uroce/wire_pacer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "providers/uroce/wire/headers.h"
#include "providers/uroce/wire/window.h"
#include "shared/hash.h"

enum { PATIENCE_NS = 1000000000 };

/* What is known of one destination. */
struct way {
	union ibv_gid to;
	bool is_stuck;
	uint32_t room;
	uint64_t full_since; /* 0: it is not */
	UT_hash_handle hh;
};

struct uroce_pacer {
	int fd;
	uroce_pacer_ask *ask;
	struct way *ways; /* the oldest first */
	struct way *last; /* that was looked for */
};

struct uroce_pacer *uroce_pacer_new(uroce_pacer_ask *ask)
{
	struct uroce_pacer *pacer = calloc(1, sizeof(*pacer));

	if (!pacer)
		return NULL;
	pacer->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	pacer->ask = ask;
	return pacer;
}

static void forget_way(struct uroce_pacer *pacer, struct way *way)
{
	if (pacer->last == way)
		pacer->last = NULL;
	HASH_DEL(pacer->ways, way);
	free(way);
}

void uroce_pacer_free(struct uroce_pacer *pacer)
{
	if (!pacer)
		return;
	while (pacer->ways)
		forget_way(pacer, pacer->ways);
	if (pacer->fd >= 0)
		close(pacer->fd);
	free(pacer);
}

/* Room for one more: the oldest that nobody waits for is forgotten, before those that are not waited for any more. */
static bool room_for_way(struct uroce_pacer *pacer)
{
	struct way *stuck = NULL;

	if (HASH_COUNT(pacer->ways) < UROCE_PACER_MAX)
		return true;
	for (struct way *way = pacer->ways; way; way = way->hh.next) {
		if (!way->full_since) {
			forget_way(pacer, way);
			return true;
		}
		if (way->is_stuck && !stuck)
			stuck = way;
	}
	if (stuck)
		forget_way(pacer, stuck);
	return stuck;
}

/* NULL: there are too many to know of this one too. */
static struct way *find_way(struct uroce_pacer *pacer, const union uroce_address *to)
{
	union ibv_gid gid;
	struct way *way;
	__be16 port;

	uroce_address_gid(to, &gid);
	/* A relay has another port, at an address of IPv4, which leaves these bytes 0. */
	port = to->any.sa_family == AF_INET6 ? htons(UROCE_UDP_PORT) : to->ipv4.sin_port;
	if (port != htons(UROCE_UDP_PORT))
		memcpy(gid.raw, &port, sizeof(port));
	if (pacer->last && !memcmp(&pacer->last->to, &gid, sizeof(gid)))
		return pacer->last;
	HASH_FIND(hh, pacer->ways, &gid, sizeof(gid), way);
	if (!way) {
		way = room_for_way(pacer) ? calloc(1, sizeof(*way)) : NULL;
		if (!way)
			return NULL;
		way->to = gid;
		HASH_ADD(hh, pacer->ways, to, sizeof(way->to), way);
		if (!hf_hash_added(way)) {
			free(way);
			return NULL;
		}
	}
	pacer->last = way;
	return way;
}

static void fill_flow_side(const union uroce_address *address, __be32 *to, __be16 *port,
			   struct inet_diag_sockid *id)
{
	if (address->any.sa_family == AF_INET6) {
		memcpy(to, &address->ipv6.sin6_addr, sizeof(address->ipv6.sin6_addr));
		*port = address->ipv6.sin6_port;
		if (address->ipv6.sin6_scope_id)
			id->idiag_if = address->ipv6.sin6_scope_id;
	} else {
		to[0] = address->ipv4.sin_addr.s_addr;
		*port = address->ipv4.sin_port;
	}
}

bool uroce_pacer_ask_kernel(int fd, const union uroce_address *from, const union uroce_address *to,
			    uint32_t *used)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 request;
	} ask = {.head = {.nlmsg_len = sizeof(ask),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST},
		 .request = {.sdiag_family = (uint8_t)to->any.sa_family,
			     .sdiag_protocol = IPPROTO_UDP,
			     .idiag_states = UINT32_MAX,
			     .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}};
	struct inet_diag_sockid *id = &ask.request.id;
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg message;
		char more[512];
	} answer;

	/* Of UDP the kernel looks for the socket that a packet of this flow would reach. */
	fill_flow_side(from, id->idiag_src, &id->idiag_sport, id);
	fill_flow_side(to, id->idiag_dst, &id->idiag_dport, id);
	if (send(fd, &ask, sizeof(ask), MSG_DONTWAIT) < 0 ||
	    recv(fd, &answer, sizeof(answer), MSG_DONTWAIT) <
		    (ssize_t)(sizeof(answer.head) + sizeof(answer.message)) ||
	    answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	*used = answer.message.idiag_rqueue;
	return true;
}

bool uroce_pacer_asks(struct uroce_pacer *pacer, const union uroce_address *to, uint32_t cost)
{
	const struct way *way = find_way(pacer, to);

	return way && way->room < cost;
}

bool uroce_pacer_allows(struct uroce_pacer *pacer, const union uroce_address *from,
			const union uroce_address *to, uint32_t cost, uint64_t now)
{
	struct way *way = find_way(pacer, to);
	uint32_t used = 0;

	if (!way)
		return true;
	if (way->room < cost) {
		if (!pacer->ask(pacer->fd, from, to, &used))
			used = 0;
		/* Another process may ask at the same time. */
		way->room = used < UROCE_WINDOW_LIMIT ? (UROCE_WINDOW_LIMIT - used) / 2 : 0;
	}
	if (way->room < cost) {
		if (!way->full_since)
			way->full_since = now;
		if (now > way->full_since && now - way->full_since >= PATIENCE_NS)
			way->is_stuck = true;
		return way->is_stuck;
	}
	way->room -= cost;
	way->full_since = 0;
	way->is_stuck = false;
	return true;
}
