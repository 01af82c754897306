/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A link carries connections: all those of its user on one kind of carrier. It has one descriptor
 * to wait on. No call waits: its result is an event. One thread at a time.
 */
#ifndef RTRS_LINK_LINK_H
#define RTRS_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shared/attr.h"

struct rtrs_link {
	const struct rtrs_link_ops *ops;
};

struct rtrs_connection {
	struct rtrs_link *link;
	void *user; /* of whoever opened it */
};

/* A listener. */
struct rtrs_listener {
	struct rtrs_link *link;
	void *user; /* of whoever listens */
};

/* Memory that a connection's device can use: the peer, too, by `remote_key`. */
struct rtrs_memory {
	void *address;
	size_t length;
	uint32_t local_key;
	uint32_t remote_key;
};

/* What the peer may do with granted memory. */
enum rtrs_access {
	RTRS_ACCESS_NONE,    /* it is for what is sent and received here */
	RTRS_ACCESS_WRITE,   /* with the remote key */
	RTRS_ACCESS_WINDOWS, /* with the keys of windows alone. -EOPNOTSUPP: the device has none */
	RTRS_ACCESS_INVALIDATED, /* the same, and RTRS_POST_SEND_INVAL of the peer's invalidates them */
};

/* A key of its own for a part of granted memory, which can be taken away and given anew. */
struct rtrs_window {
	struct rtrs_link *link;
	uint32_t remote_key;
};

struct rtrs_segment {
	const void *address;
	uint32_t length;
	uint32_t key; /* the local one */
};

enum rtrs_post_type {
	RTRS_POST_WRITE,
	RTRS_POST_WRITE_IMM,
	RTRS_POST_SEND,
	RTRS_POST_SEND_IMM,
	RTRS_POST_SEND_INVAL, /* the peer's key becomes invalid with it */
};

enum { RTRS_SEGMENTS_MAX = 2, RTRS_POSTS_MAX = 4 };

struct rtrs_post {
	enum rtrs_post_type type;
	bool reported; /* RTRS_LINK_SENT comes when it is done; a failure is reported always */
	uint8_t segment_count;
	struct rtrs_segment segments[RTRS_SEGMENTS_MAX];
	uint64_t id;	  /* less than 2^63 */
	uint64_t address; /* of a write: the peer's memory */
	uint32_t key;	  /* of a write, or the one to be invalidated */
	uint32_t imm;
};

enum rtrs_link_event_type {
	RTRS_LINK_CONNECTED, /* with the peer's private data */
	RTRS_LINK_REFUSED,   /* the same; or the peer was not reached, and there is none */
	RTRS_LINK_REQUESTED, /* of a listener: accept or reject the connection */
	RTRS_LINK_LOST,	     /* the connection carries nothing any more */
	RTRS_LINK_GONE,	     /* the device is being removed, so all its connections end */
	RTRS_LINK_SENT,
	RTRS_LINK_RECEIVED,
};

struct rtrs_link_event {
	enum rtrs_link_event_type type;
	struct rtrs_connection *connection; /* NULL: it is the listener that is gone */
	struct rtrs_listener *listener;	    /* of what was requested, or is gone */
	int error; /* of what was refused, lost, sent or received: 0 or -errno; -ECANCELED: flushed */
	uint64_t id;
	uint32_t length; /* received into the buffer */
	bool has_imm;
	uint32_t imm;
	const uint8_t *private_data; /* until the next call for the link */
	size_t private_size;
};

struct rtrs_link_connect {
	const struct sockaddr *source; /* NULL: any */
	const struct sockaddr *destination;
	const uint8_t *private_data;
	size_t private_size;
	uint32_t send_depth; /* posts, and receives, that the queues hold */
	uint32_t receive_depth;
	void *user;
	const void *domain; /* as of struct rtrs_link_queues */
};

/* What a connection has to have before it is accepted. */
struct rtrs_link_queues {
	uint32_t send_depth, receive_depth; /* as of connecting */
	void *user;
	/*
	 * Whose memory it shares: keys are good for connections of the same domain alone. It is compared, and not
	 * looked at. NULL: that of all which have no other.
	 */
	const void *domain;
};

struct rtrs_link_ops {
	/* After its connections and memory. */
	void (*close)(struct rtrs_link *link);
	/* Readable when there may be an event. */
	int (*fd)(const struct rtrs_link *link);
	/* 1: *ret is the next event; 0: none now. */
	int (*next)(struct rtrs_link *link, struct rtrs_link_event *ret);
	/*
	 * May be NULL. From hold() to release(), what the calling thread posts may be kept back, so as to be sent
	 * together. Of release(), true: there are events, and the next call is next().
	 */
	void (*hold)(struct rtrs_link *link);
	bool (*release)(struct rtrs_link *link);

	/* -errno of what fails at once; the rest is an event. */
	int (*connect)(struct rtrs_link *link, const struct rtrs_link_connect *how,
		       struct rtrs_connection **ret);
	/* Each peer that asks for a connection is an event from now on. */
	int (*listen)(struct rtrs_link *link, const struct sockaddr *address, void *user,
		      struct rtrs_listener **ret);
	/* What it has reported stays. */
	void (*unlisten)(struct rtrs_listener *listener);
	/*
	 * Of a requested connection: afterwards memory can be granted for it and receives posted, so that they
	 * are there before the peer sends anything.
	 */
	int (*prepare)(struct rtrs_connection *connection, const struct rtrs_link_queues *queues);
	/*
	 * Of a prepared one: RTRS_LINK_CONNECTED comes, or RTRS_LINK_REFUSED. Posts are possible at once: what
	 * the peer sends may be reported before RTRS_LINK_CONNECTED.
	 */
	int (*accept)(struct rtrs_connection *connection, const uint8_t *private_data,
		      size_t private_size);
	/* Of a requested one, prepared or not, in place of accepting it; and frees it. */
	void (*reject)(struct rtrs_connection *connection, const uint8_t *private_data,
		       size_t private_size);
	/* The addresses of both ends of a connection that was requested, or is connected. */
	void (*addresses)(const struct rtrs_connection *connection, struct sockaddr_storage *own,
			  struct sockaddr_storage *peer);
	/* The device and port that a connection uses. NULL: the link has no devices. */
	void (*device)(const struct rtrs_connection *connection, char *name, size_t size,
		       unsigned int *port);
	/* Ends what is connected. RTRS_LINK_LOST comes, and what was posted is flushed. */
	void (*disconnect)(struct rtrs_connection *connection);
	/* May be called at any time; no event comes after it. */
	void (*free)(struct rtrs_connection *connection);

	/*
	 * The posts are carried out in this order. -ENOTCONN. After any other error, as from a full queue, some
	 * may have been posted: the connection is of no use any more.
	 */
	int (*post)(struct rtrs_connection *connection, const struct rtrs_post *posts,
		    size_t count);
	int (*receive)(struct rtrs_connection *connection, uint64_t id,
		       const struct rtrs_segment *segment);

	/* For a connection that was connected or prepared, and all others of its device and domain. */
	int (*grant)(struct rtrs_connection *connection, void *address, size_t length,
		     enum rtrs_access access, struct rtrs_memory **ret);
	/* After its windows. */
	void (*withdraw)(struct rtrs_memory *memory);

	/* Of memory with RTRS_ACCESS_WINDOWS or _INVALIDATED. It gives access to nothing yet. */
	int (*open_window)(struct rtrs_memory *memory, struct rtrs_window **ret);
	/*
	 * A post like the others, and in their order: from then on window->remote_key, which is another than
	 * before as soon as this returns, is for that part of the memory; for none where length is 0. One that can
	 * be invalidated is for none before it is bound, and has the same key still where it is bound to none.
	 */
	int (*bind)(struct rtrs_connection *connection, struct rtrs_window *window, void *address,
		    size_t length, bool reported, uint64_t id);
	void (*close_window)(struct rtrs_window *window);
};

#endif
