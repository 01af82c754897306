/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of this link share. */
#ifndef RTRS_LINK_RDMA_PRIVATE_H
#define RTRS_LINK_RDMA_PRIVATE_H

#include <infiniband/verbs.h>

#include "rtrs/link/link.h"
#include "rtrs/link/rdma/cm.h"
#include "shared/attr.h"

/* Open while a connection or memory of it exists: an unplug waits for that descriptor to be closed. */
struct rtrs_rdma_device {
	struct rtrs_rdma *link;
	struct rtrs_rdma_device *next;
	struct ibv_context *context;
	struct rtrs_rdma_domain *domains;
	struct ibv_comp_channel *channel;
	struct rtrs_cm_device id;
	unsigned int users;
	bool is_watched;      /* for its removal, which its connection manager does not report */
	bool is_gone;	      /* its connections are told */
	bool has_windows;     /* of type 1 */
	bool has_invalidated; /* of type 2 */
};

/* Connections that share memory: a protection domain, so that the keys of one are nothing in another. */
struct rtrs_rdma_domain {
	struct rtrs_rdma_device *device;
	struct rtrs_rdma_domain *next;
	const void *user; /* NULL: of connections that have no other */
	struct ibv_pd *pd;
	unsigned int users;
};

struct rtrs_rdma_memory {
	struct rtrs_memory base;
	struct rtrs_rdma_domain *domain;
	enum rtrs_access access;
	struct ibv_mr *mr;
};

enum rtrs_rdma_state {
	RDMA_RESOLVING,
	RDMA_CONNECTING,
	RDMA_REQUESTED, /* by the peer; it has no queues */
	RDMA_PREPARED,	/* it has; receives can be posted */
	RDMA_ACCEPTED,	/* the peer does not know yet, or we do not know that it does */
	RDMA_UP,
	RDMA_DOWN,
};

/* Where a connection is on its device. */
struct rtrs_rdma_place {
	uint8_t port;
	bool has_gid; /* the rest is known as well */
	uint8_t gid_index;
	enum ibv_mtu mtu;
};

struct rtrs_rdma_listener {
	struct rtrs_listener base;
	uint32_t cm_id;
};

struct rtrs_rdma_window {
	struct rtrs_window base;
	struct rtrs_rdma_memory *memory;
	struct ibv_mw *mw;
};

struct rtrs_rdma_connection {
	struct rtrs_connection base;
	struct rtrs_rdma_connection *next;
	struct rtrs_rdma_device *device; /* NULL until the address is resolved */
	struct rtrs_rdma_domain *domain; /* the same */
	struct rtrs_rdma_place place;
	const void *domain_user;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
	uint32_t cm_id;
	uint32_t send_depth, receive_depth;
	enum rtrs_rdma_state state;
	unsigned int cq_events; /* not yet acknowledged */
	bool is_told_gone;
	bool is_ready; /* in the link's list: there may be completions */
	struct rtrs_rdma_connection *prev_ready, *next_ready;
	size_t private_size;
	uint8_t private_data[RTRS_CM_PRIVATE_MAX];
};

struct rtrs_rdma {
	struct rtrs_link base;
	int epoll;
	struct rtrs_cm *cm;
	struct rtrs_rdma_device *devices;
	struct rtrs_rdma_connection *connections;
	struct rtrs_rdma_connection *first_ready; /* utlist: each in its turn */
	unsigned int turn;			  /* completions of the first one in its turn */
	bool has_gone;				  /* a device, of which not all are told */
	unsigned int calls;			  /* since the descriptors were looked at */
	struct rtrs_cm_event event;		  /* the last one: its private data is handed out */
};

/* The device with that index, or with that GID; opened by its first user, and given back by them. */
int rtrsi_rdma_device_get(struct rtrs_rdma *link, const struct rtrs_cm_device *id,
			  struct rtrs_rdma_place *place,
			  struct rtrs_rdma_device **ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_rdma_device_put(struct rtrs_rdma_device *device) HF_NONNULL;
/* Finds out whether it was removed, and marks it so. */
void rtrsi_rdma_look_for_removal(struct rtrs_rdma_device *device) HF_NONNULL;

void rtrsi_rdma_domain_put(struct rtrs_rdma_domain *domain) HF_NONNULL;
/* Its connection's device from then on. */
int rtrsi_rdma_find_device(struct rtrs_rdma_connection *connection) HF_MUST_CHECK HF_NONNULL;

int rtrsi_rdma_grant(struct rtrs_connection *connection, void *address, size_t length,
		     enum rtrs_access access, struct rtrs_memory **ret);
void rtrsi_rdma_withdraw(struct rtrs_memory *memory);

int rtrsi_rdma_open_window(struct rtrs_memory *memory, struct rtrs_window **ret);
int rtrsi_rdma_bind(struct rtrs_connection *connection, struct rtrs_window *window, void *address,
		    size_t length, bool reported, uint64_t id);
void rtrsi_rdma_close_window(struct rtrs_window *window);

/* To the end of the list, unless it is in it. */
void rtrsi_rdma_ready(struct rtrs_rdma_connection *connection) HF_NONNULL;
void rtrsi_rdma_not_ready(struct rtrs_rdma_connection *connection) HF_NONNULL;

/* Of an established connection: RTRS_LINK_SENT and RTRS_LINK_RECEIVED. 1: *ret is one; 0: none. */
int rtrsi_rdma_completion(struct rtrs_rdma_connection *connection,
			  struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_rdma_post(struct rtrs_connection *connection, const struct rtrs_post *posts,
		    size_t count);
int rtrsi_rdma_receive(struct rtrs_connection *connection, uint64_t id,
		       const struct rtrs_segment *segment);

/* An event of the connection manager. 1: it gives *ret; 0: it was but a step. */
int rtrsi_rdma_cm_event(struct rtrs_rdma_connection *connection, const struct rtrs_cm_event *event,
			struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;
/* It carries nothing any more: gives *ret and 1, once. */
int rtrsi_rdma_ends(struct rtrs_rdma_connection *connection, int error,
		    struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;
/* Its device is being removed: gives *ret and 1. */
int rtrsi_rdma_gone(struct rtrs_rdma_connection *connection,
		    struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;
/* As the peer has to know it. */
struct rtrs_cm_end rtrsi_rdma_end(const struct rtrs_rdma_connection *connection) HF_NONNULL;
int rtrsi_rdma_connect(struct rtrs_link *link, const struct rtrs_link_connect *how,
		       struct rtrs_connection **ret);
/* A device's completion queue, and a queue pair in its first state. */
int rtrsi_rdma_make_queues(struct rtrs_rdma_connection *connection) HF_MUST_CHECK HF_NONNULL;
int rtrsi_rdma_qp_to(struct rtrs_rdma_connection *connection,
		     enum ibv_qp_state state) HF_MUST_CHECK HF_NONNULL;

/* An event whose uid has the mark is of a listener; what epoll says with the mark is of a device itself. */
enum { RDMA_IS_LISTENER = 1, RDMA_IS_ASYNC = 1 };
int rtrsi_rdma_listener_event(struct rtrs_rdma_listener *listener,
			      const struct rtrs_cm_event *event,
			      struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_rdma_listen(struct rtrs_link *link, const struct sockaddr *address, void *user,
		      struct rtrs_listener **ret);
void rtrsi_rdma_unlisten(struct rtrs_listener *listener);
int rtrsi_rdma_prepare(struct rtrs_connection *connection, const struct rtrs_link_queues *queues);
int rtrsi_rdma_accept(struct rtrs_connection *connection, const uint8_t *private_data,
		      size_t private_size);
void rtrsi_rdma_reject(struct rtrs_connection *connection, const uint8_t *private_data,
		       size_t private_size);
void rtrsi_rdma_addresses(const struct rtrs_connection *connection, struct sockaddr_storage *own,
			  struct sockaddr_storage *peer);
void rtrsi_rdma_device(const struct rtrs_connection *connection, char *name, size_t size,
		       unsigned int *port);
void rtrsi_rdma_disconnect(struct rtrs_connection *connection);
void rtrsi_rdma_free(struct rtrs_connection *connection);

#endif
