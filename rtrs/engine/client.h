/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A client's session: its paths, its requests, fail-over and reconnection. The caller reports events, with the
 * time, and then carries out the orders that rtrsi_client_next() gives until there is none. Not thread-safe.
 */
#ifndef RTRS_ENGINE_CLIENT_H
#define RTRS_ENGINE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/engine/handshake.h"
#include "rtrs/engine/heartbeat.h"
#include "rtrs/engine/path_state.h"
#include "rtrs/engine/permits.h"
#include "rtrs/engine/policy.h"
#include "rtrs/protocol/info.h"
#include "shared/attr.h"

/* In the user's memory from rtrsi_client_submit() until the order RTRS_ORDER_DONE. */
struct rtrs_client_request {
	struct rtrs_client_request *next;
	int path; /* where it is, or goes; -1: nowhere */
	uint16_t permit;
	bool is_ordered; /* in the list of orders */
	bool is_sent;	 /* the order to write it to its path was given */
	bool is_done;
	bool rested; /* it got a resting permit because no other was free: see permits.h */
	int error;
};

enum rtrs_order_type {
	RTRS_ORDER_NONE,
	RTRS_ORDER_CONNECT, /* open `connection` with the handshake's private data */
	RTRS_ORDER_INFO,    /* receive on connection 0, then send the handshake's info */
	RTRS_ORDER_READY,   /* post receives: the path is connected */
	RTRS_ORDER_CLOSE,   /* close its connections, then report rtrsi_client_closed() */
	RTRS_ORDER_HEARTBEAT,
	RTRS_ORDER_ACK,
	RTRS_ORDER_FAILED, /* the path's first connection, or one that was asked for: `error` */
	RTRS_ORDER_REMOVED,
	RTRS_ORDER_UP,	 /* the session has a path again */
	RTRS_ORDER_DOWN, /* the session has no path any more */
	RTRS_ORDER_SEND, /* write `request` to its chunk of `path` */
	RTRS_ORDER_DONE, /* `request` is answered with `error`, and the user's again */
};

struct rtrs_order {
	enum rtrs_order_type type;
	unsigned int path;
	uint16_t connection;
	int error;
	enum rtrs_fault fault; /* of RTRS_ORDER_CLOSE: what the peer did wrong */
	struct rtrs_client_request *request;
};

struct rtrs_client_path {
	bool exists;
	bool is_wanted;	    /* the user waits for it: it is tried once */
	bool was_connected; /* at any time before */
	bool stays_closed;  /* once its connections are closed */
	bool retries_at_once;
	bool waits_for_device; /* until it is connected, or the user wants it otherwise */
	bool is_removed;
	bool is_closed; /* it has no connections */
	enum rtrs_client_state state;
	uint16_t connections;
	uint16_t count;	       /* of attempts in its life, as the server is told */
	unsigned int attempts; /* since it was connected last */
	int64_t retry_ns;
	uint32_t orders; /* a bit for each type */
	uint16_t order_connection;
	int error;
	enum rtrs_fault fault;
	uint32_t inflight;
	uint64_t failovers; /* requests that it took from others */
	uint64_t reconnects, failures;
	uint64_t reads, read_bytes, writes, written_bytes; /* bytes: user header and data */
	uint8_t uuid[RTRS_UUID_SIZE];
	struct rtrs_handshake handshake;
	struct rtrs_heartbeat heartbeat;
	struct rtrs_chunk *chunks; /* while it is connected */
};

/* What a path that was connected does after its device is gone. */
enum rtrs_device_return {
	RTRS_DEVICE_ASKED_FOR, /* it waits until the user reconnects it */
	RTRS_DEVICE_TOLD,      /* it waits for rtrsi_client_device_came() */
	RTRS_DEVICE_TRIED,     /* it is tried again, as after other losses */
};

struct rtrs_client_options {
	const char *name;
	uint8_t uuid[RTRS_UUID_SIZE]; /* of the session */
	int64_t reconnect_delay_ms;
	unsigned int jitter_ms;	    /* at most, on top */
	int max_reconnect_attempts; /* -1: no limit */
	uint32_t random;	    /* a seed for the jitter */
	enum rtrs_device_return device_return;
};

struct rtrs_client {
	struct rtrs_client_options options;
	char name[RTRS_NAME_SIZE];
	enum rtrs_policy policy;
	size_t cursor;
	uint32_t random;
	bool has_connected; /* a path was connected before, so the permits exist */
	bool is_up;
	uint32_t session_orders; /* a bit for each type */
	unsigned int connected;
	unsigned int waiting;	  /* paths for their devices */
	unsigned int path_orders; /* paths that have some */
	struct rtrs_permits permits;
	struct rtrs_client_request **requests;	   /* by permit */
	struct rtrs_client_request *first, **last; /* those with an order */
	struct rtrs_client_path paths[RTRS_PATHS_MAX];
};

/* -EINVAL: the name is not valid. Nothing to free before the first path. */
int rtrsi_client_init(struct rtrs_client *client,
		      const struct rtrs_client_options *options) HF_MUST_CHECK HF_NONNULL;
/* Its paths are closed, and its requests done. */
void rtrsi_client_free(struct rtrs_client *client) HF_NONNULL;
/* An order that has become obsolete is not returned. */
bool rtrsi_client_next(struct rtrs_client *client, struct rtrs_order *ret) HF_MUST_CHECK HF_NONNULL;

/* Its place; -ENOSPC: there are RTRS_PATHS_MAX; -EINVAL: not two connections at least. */
int rtrsi_client_add_path(struct rtrs_client *client, const uint8_t uuid[RTRS_UUID_SIZE],
			  uint16_t connections, int64_t now_ns) HF_MUST_CHECK HF_NONNULL;
/* It stays, and is not reconnected by itself. */
void rtrsi_client_disconnect_path(struct rtrs_client *client, unsigned int path) HF_NONNULL;
/* -EBUSY: it is on its way up, down or out. Otherwise RTRS_ORDER_READY or RTRS_ORDER_FAILED follows. */
int rtrsi_client_reconnect_path(struct rtrs_client *client, unsigned int path,
				int64_t now_ns) HF_MUST_CHECK HF_NONNULL;
void rtrsi_client_remove_path(struct rtrs_client *client, unsigned int path) HF_NONNULL;

/* Events of a path. */
void rtrsi_client_accepted(struct rtrs_client *client, unsigned int path, const void *private_data,
			   size_t size, int64_t now_ns) HF_NONNULL;
void rtrsi_client_refused(struct rtrs_client *client, unsigned int path, const void *private_data,
			  size_t size, int error) HF_NONNULL_OF(1);
void rtrsi_client_info(struct rtrs_client *client, unsigned int path, const void *bytes,
		       size_t size, int64_t now_ns) HF_NONNULL;
/* Immediate data, and with new keys what came with it. */
void rtrsi_client_received(struct rtrs_client *client, unsigned int path, uint32_t imm,
			   const void *bytes, size_t size, int64_t now_ns) HF_NONNULL_OF(1);
/* The order to send a request is being executed: the request counts as sent, even if that fails. */
void rtrsi_client_count(struct rtrs_client *client, unsigned int path, bool is_read,
			uint64_t bytes) HF_NONNULL;
/* A connection broke, a post failed. -ENODEV: the device is gone; see enum rtrs_device_return. */
void rtrsi_client_lost(struct rtrs_client *client, unsigned int path, int error) HF_NONNULL;
/* Some device came, or got an address: paths that wait for theirs are tried at once. */
void rtrsi_client_device_came(struct rtrs_client *client, int64_t now_ns) HF_NONNULL;
void rtrsi_client_closed(struct rtrs_client *client, unsigned int path, int64_t now_ns) HF_NONNULL;
void rtrsi_client_tick(struct rtrs_client *client, int64_t now_ns) HF_NONNULL;
/* When the next tick is due; INT64_MAX: never. */
int64_t rtrsi_client_deadline_ns(const struct rtrs_client *client) HF_MUST_CHECK HF_NONNULL;

/* -EAGAIN: all permits are in use; -ECONNABORTED: no path is connected. */
int rtrsi_client_submit(struct rtrs_client *client,
			struct rtrs_client_request *request) HF_MUST_CHECK HF_NONNULL;

#endif
