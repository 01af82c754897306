/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A server's sessions: their paths, and the requests on them. The caller reports events, with the time, and then
 * carries out the orders that rtrsi_server_next() gives until there is none. Not thread-safe.
 *
 * Each path has chunks of its own: what arrives on one path can never land where a request of another, perhaps
 * dead one is still at work. And of all requests in chunks of one number one runs at a time (see turns.h).
 */
#ifndef RTRS_ENGINE_SERVER_H
#define RTRS_ENGINE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "rtrs/engine/heartbeat.h"
#include "rtrs/engine/path_state.h"
#include "rtrs/engine/turns.h"
#include "rtrs/protocol/connect.h"
#include "rtrs/protocol/geometry.h"
#include "rtrs/protocol/info.h"
#include "rtrs/protocol/request.h"
#include "shared/attr.h"

/* How long a path may take from one step of its handshake to the next. */
enum { RTRS_SERVER_STEP_MS = 30000 };

enum rtrs_server_request_state {
	RTRS_REQUEST_IDLE,
	RTRS_REQUEST_ARRIVED, /* it waits for its turn, or for its key to become invalid */
	RTRS_REQUEST_READY,   /* its turn: the order to run it is not given yet */
	RTRS_REQUEST_RUNNING, /* the user has it until rtrsi_server_done() */
	RTRS_REQUEST_ANSWERING,
};

/* What is in a chunk of a path. */
struct rtrs_server_request {
	struct rtrs_turn turn;
	struct rtrs_server_request *next;
	struct rtrs_server_path *path;
	enum rtrs_server_request_state state;
	bool is_ordered; /* in the list of orders */
	bool has_turn;
	bool is_invalid; /* its key, so that the message cannot change any more */
	uint16_t chunk, connection;
	uint32_t offset; /* of the message in the chunk */
	int error;	 /* its answer */
	struct rtrs_request message;
	uint8_t *data; /* the chunk; the user header is at data + message.data_length */
};

struct rtrs_addresses {
	struct sockaddr_storage own, peer;
};

/* From its first connection until its last request has ended. */
struct rtrs_server_path {
	struct rtrs_server_path *next, *next_ordered;
	struct rtrs_server_session *session;
	void *user;	 /* the caller's */
	uint64_t number; /* never used again */
	enum rtrs_server_state state;
	uint8_t uuid[RTRS_UUID_SIZE];
	struct rtrs_addresses addresses;
	uint16_t connections, accepted, attempt;
	uint8_t *has; /* of each connection: whether it is there */
	bool is_named;
	bool is_forgotten;
	bool is_last;	 /* the session ends with it */
	uint32_t orders; /* a bit for each type */
	int error;
	enum rtrs_fault fault;
	int64_t deadline_ns;
	struct rtrs_heartbeat heartbeat;
	struct rtrs_server_request *requests; /* one for each chunk */
	uint8_t *memory;		      /* the chunks */
	uint32_t runs;			      /* requests that the user has */
	uint64_t reads, read_bytes, writes, written_bytes;
};

struct rtrs_server_session {
	struct rtrs_server_session *next;
	void *user; /* the caller's */
	uint8_t uuid[RTRS_UUID_SIZE];
	char name[RTRS_NAME_SIZE]; /* empty before a path has said it */
	bool is_up;
	unsigned int path_count;
	struct rtrs_server_path *paths;
	struct rtrs_turns turns[]; /* of each chunk */
};

enum rtrs_server_order_type {
	RTRS_SERVER_ORDER_NONE,
	RTRS_SERVER_ORDER_GRANT, /* memory for the chunks, and receives; then rtrsi_server_granted() */
	RTRS_SERVER_ORDER_UP,	 /* the session has its first path */
	RTRS_SERVER_ORDER_INFO, /* send where the chunks are: the path is connected */
	RTRS_SERVER_ORDER_HEARTBEAT,
	RTRS_SERVER_ORDER_ACK,
	RTRS_SERVER_ORDER_CLOSE,      /* close its connections, then rtrsi_server_closed() */
	RTRS_SERVER_ORDER_GONE,	      /* nobody uses the path's chunks any more */
	RTRS_SERVER_ORDER_DOWN,	      /* the session had its last path, and is gone as well */
	RTRS_SERVER_ORDER_INVALIDATE, /* the chunk's key, then rtrsi_server_invalidated() */
	RTRS_SERVER_ORDER_RUN,	      /* `request` is the user's until rtrsi_server_done() */
	RTRS_SERVER_ORDER_ANSWER,     /* send it, then rtrsi_server_answered() */
};

/* What it points to is valid until the next call for the server. */
struct rtrs_server_order {
	enum rtrs_server_order_type type;
	struct rtrs_server_path *path;
	int error;
	enum rtrs_fault fault; /* of RTRS_SERVER_ORDER_CLOSE: what the peer did wrong */
	struct rtrs_server_request *request;
};

struct rtrs_server_options {
	struct rtrs_accept accept;
	unsigned int paths_max; /* of all sessions together */
};

struct rtrs_server {
	struct rtrs_server_options options;
	struct rtrs_geometry geometry;
	unsigned int path_count;
	uint64_t last_number; /* of a path */
	struct rtrs_server_session *sessions;
	struct rtrs_server_path *first_path, **last_path; /* those with an order */
	struct rtrs_server_request *first, **last;	  /* the same */
	struct rtrs_server_path *forgotten;		  /* to be freed */
};

/* -EINVAL: depth and sizes of the chunks do not go together. */
int rtrsi_server_init(struct rtrs_server *server,
		      const struct rtrs_server_options *options) HF_MUST_CHECK HF_NONNULL;
/* There is no path. */
void rtrsi_server_free(struct rtrs_server *server) HF_NONNULL;
/* An order that has become obsolete is not returned. */
bool rtrsi_server_next(struct rtrs_server *server,
		       struct rtrs_server_order *ret) HF_MUST_CHECK HF_NONNULL;

/* Which connection of which path was asked for. */
struct rtrs_server_connection {
	struct rtrs_server_path *path;
	uint16_t number;
};

/*
 * A peer asks for a connection. 0: accept it, with options.accept; what fails then is reported by
 * rtrsi_server_lost(). Otherwise reject it with this error.
 */
int rtrsi_server_connect(struct rtrs_server *server, const void *private_data, size_t size,
			 const struct rtrs_addresses *addresses, int64_t now_ns,
			 struct rtrs_server_connection *ret) HF_MUST_CHECK HF_NONNULL;

/* Events of a path. A message came on connection 0. */
void rtrsi_server_info(struct rtrs_server *server, struct rtrs_server_path *path, const void *bytes,
		       size_t size, int64_t now_ns) HF_NONNULL;
/* The chunks, one after the other. */
void rtrsi_server_granted(struct rtrs_server *server, struct rtrs_server_path *path,
			  uint8_t *memory, int64_t now_ns) HF_NONNULL;
void rtrsi_server_received(struct rtrs_server *server, struct rtrs_server_path *path,
			   uint16_t connection, uint32_t imm, int64_t now_ns) HF_NONNULL;
void rtrsi_server_invalidated(struct rtrs_server *server,
			      struct rtrs_server_request *request) HF_NONNULL;
void rtrsi_server_answered(struct rtrs_server *server,
			   struct rtrs_server_request *request) HF_NONNULL;
/* A connection broke, a post failed, or the user closes the path. */
void rtrsi_server_lost(struct rtrs_server *server, struct rtrs_server_path *path,
		       int error) HF_NONNULL;
void rtrsi_server_closed(struct rtrs_server *server, struct rtrs_server_path *path) HF_NONNULL;
/*
 * The user has finished the request of RTRS_SERVER_ORDER_RUN and does not use the chunk any more.
 */
void rtrsi_server_done(struct rtrs_server *server, struct rtrs_server_request *request,
		       int error) HF_NONNULL;
void rtrsi_server_tick(struct rtrs_server *server, int64_t now_ns) HF_NONNULL;
/* When the next tick is due; INT64_MAX: never. */
int64_t rtrsi_server_deadline_ns(const struct rtrs_server *server) HF_MUST_CHECK HF_NONNULL;

#endif
