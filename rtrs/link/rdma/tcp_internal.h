/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of the connection manager over TCP share. */
#ifndef RTRS_LINK_RDMA_TCP_INTERNAL_H
#define RTRS_LINK_RDMA_TCP_INTERNAL_H

#include "rtrs/link/rdma/cm.h"
#include "rtrs/link/rdma/tcp_message.h"
#include "shared/attr.h"
#include "shared/hash.h"

enum {
	TCP_STRANGERS_MAX = 256, /* accepted sockets that have not said HELLO */
	TCP_STRANGER_S = 30,	 /* how long each of them may take for it */
};

enum tcp_state {
	TCP_IDLE,
	TCP_CONNECTING, /* the socket is */
	TCP_RESOLVED,	/* it is connected: its address is known */
	TCP_ROUTE,	/* asked for */
	TCP_ROUTED,
	TCP_WAITING,  /* until the server has answered */
	TCP_ANSWERED, /* our queue pair is not ready yet */
	TCP_UP,
	TCP_DOWN,
	TCP_LISTENING,
	TCP_STRANGER,  /* accepted; nobody knows of it before its HELLO */
	TCP_REQUESTED, /* reported; the user has not answered yet */
	TCP_ACCEPTED,  /* the client is not ready yet */
};

struct tcp_id {
	UT_hash_handle hh; /* in the order of their making */
	uint32_t id;
	uint32_t listener; /* of a stranger */
	uint64_t uid;
	enum tcp_state state;
	int fd;
	uint32_t psn;	     /* our first */
	int64_t deadline_ns; /* of a stranger */
	struct rtrs_tcp_message peer;
	size_t got;
	uint8_t in[RTRS_TCP_MESSAGE_MAX];
};

struct tcp_cm {
	struct rtrs_cm base;
	int epoll;
	int timer; /* of the oldest stranger */
	int spare; /* descriptor, given up to send somebody away where there is no other; or -1 */
	uint32_t last_id;
	unsigned int strangers;
	struct tcp_id *ids;
};

static inline struct tcp_cm *rtrsi_tcp_cm_of(const struct rtrs_cm *cm)
{
	return hf_container_of(cm, struct tcp_cm, base);
}

/* --- tcp_cm.c */
/* -ENOMEM. */
int rtrsi_tcp_new_id(struct tcp_cm *cm, uint64_t uid, enum tcp_state state,
		     struct tcp_id **ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_tcp_free_id(struct tcp_cm *cm, struct tcp_id *id) HF_NONNULL;
/* NULL: there is none. */
struct tcp_id *rtrsi_tcp_find(const struct rtrs_cm *cm, uint32_t id) HF_MUST_CHECK HF_NONNULL;
int rtrsi_tcp_watch(struct tcp_cm *cm, const struct tcp_id *id, int operation,
		    uint32_t events) HF_MUST_CHECK HF_NONNULL;
/* Nothing is heard of it any more. */
void rtrsi_tcp_down(struct tcp_cm *cm, struct tcp_id *id) HF_NONNULL;
/* A new socket takes the few bytes: -EIO if it does not. */
int rtrsi_tcp_send(const struct tcp_id *id, const struct rtrs_tcp_message *message,
		   const uint8_t *private_data) HF_MUST_CHECK HF_NONNULL_OF(1, 2);
int rtrsi_tcp_choose_psn(struct tcp_id *id) HF_MUST_CHECK HF_NONNULL;

/* --- tcp_address.c */
/* 0: no address of this manager. */
socklen_t rtrsi_tcp_address_size(const struct sockaddr *address) HF_MUST_CHECK HF_NONNULL;
int rtrsi_tcp_own_gid(const struct tcp_id *id, uint8_t to[RTRS_TCP_GID]) HF_MUST_CHECK HF_NONNULL;
int rtrsi_tcp_peer_gid(const struct tcp_id *id, uint8_t to[RTRS_TCP_GID]) HF_MUST_CHECK HF_NONNULL;
void rtrsi_tcp_addresses(struct rtrs_cm *cm, uint32_t id, struct sockaddr_storage *own,
			 struct sockaddr_storage *peer) HF_NONNULL;
/*
 * From `source`, unless that is NULL. To an address of this host it comes from the same one then, as between addresses
 * that are not of the loopback interface; that one would give 127.0.0.1 to all of its own, which is no device's.
 */
int rtrsi_tcp_bind_source(const struct tcp_id *id, const struct sockaddr *source,
			  const struct sockaddr *destination) HF_MUST_CHECK HF_NONNULL_OF(1, 3);

/* --- tcp_events.c */
int rtrsi_tcp_next(struct rtrs_cm *cm, struct rtrs_cm_event *ret) HF_MUST_CHECK HF_NONNULL;

#endif
