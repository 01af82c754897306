/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of a client's session share. All but the public functions are called with its lock held. */
#ifndef RTRS_LIB_CLIENT_INTERNAL_H
#define RTRS_LIB_CLIENT_INTERNAL_H

#include <pthread.h>
#include <rtrs/client.h>

#include "rtrs/control/endpoint.h"
#include "rtrs/engine/client.h"
#include "rtrs/lib/devices.h"
#include "rtrs/lib/ends.h"
#include "rtrs/lib/links.h"
#include "rtrs/lib/spare.h"
#include "rtrs/lib/wait.h"
#include "shared/attr.h"

enum {
	SESSION_PERMITS_DEFAULT = 128,
	SESSION_CONNECTIONS_MAX = 64,
	SESSION_RECEIVES_SPARE = 16, /* for heartbeats */
};

enum rtrs_permit_state { PERMIT_FREE, PERMIT_HELD, PERMIT_BUSY, PERMIT_DONE };

/* A permit, its request, and the memory that the link reads and writes for it. */
struct rtrs_permit {
	struct rtrs_client_request request; /* first: the engine hands out its address */
	struct rtrs_session *session;
	struct rtrs_permit *next;	  /* of those that are free, or done */
	struct rtrs_permit *next_waiting; /* of its connection */
	enum rtrs_permit_state state;
	bool is_read;
	bool is_overdue; /* for the user it has ended */
	bool is_waiting; /* for room in its connection's queue */
	bool is_listed;	 /* its outcome is in one of the session's lists */
	int processor;	 /* where it was sent */
	unsigned int path;
	uint16_t header_length;
	uint32_t data_length;
	int error;
	const struct iovec *data;
	unsigned int data_count;
	int64_t deadline_ns; /* INT64_MAX: none */
	rtrs_done_fn done;
	void *user;
	uint8_t *memory; /* the header with the message, then the data */
};

struct rtrs_outcome {
	int error;
	rtrs_done_fn done;
	void *user;
};

struct rtrs_permit_list {
	struct rtrs_permit *first, **last;
};

struct session_path;

struct session_connection {
	struct session_path *path;
	struct rtrs_connection *base; /* NULL: none */
	uint16_t number;
	uint32_t send_depth, posted, completed;	     /* of its send queue */
	struct rtrs_permit *waiting, **last_waiting; /* for room in it */
};

/* The key that the server reads a permit's memory with, on one path. */
struct session_window {
	struct rtrs_window *base;
	bool is_bound; /* and not invalidated since */
};

struct session_path {
	struct rtrs_session *session;
	unsigned int number;
	char text[RTRS_ADDRESS_SIZE];
	struct rtrs_address_pair address;
	struct rtrs_link *link;
	bool is_up;	      /* and the user knows */
	bool is_from_control; /* it is gone again if it cannot connect */
	struct path_ends ends;
	struct moved_counts moved;
	struct session_connection *connections;
	uint8_t *receives; /* of all connections */
	struct rtrs_memory *receive_memory, *permit_memory;
	struct session_window *windows; /* of each permit; NULL: the memory has a key of its own */
};

struct session_event {
	struct session_event *next;
	struct rtrs_session_event event;
};

struct rtrs_session {
	pthread_mutex_t lock;
	struct rtrs_wait wait;
	struct rtrs_links links;
	struct rtrs_devices devices;
	struct rtrs_client engine;
	rtrs_session_event_fn event;
	void *user;
	uint16_t connections; /* of each path, with that for control */
	uint32_t permits_wanted, max_io_wanted;
	bool is_closing;
	bool has_new_deadline;	      /* of the engine, perhaps */
	struct rtrs_control *control; /* NULL: there is none */
	int64_t control_ns;	      /* when it was looked at */
	int control_error;	      /* of the last path that failed as soon as it was added */

	struct session_path *paths[RTRS_PATHS_MAX];
	struct session_event *events, **last_event;
	struct rtrs_spare spare; /* of events */

	/* Known with the first path. */
	uint32_t permit_count; /* 0: not known yet */
	uint32_t max_io, max_header;
	size_t permit_size, data_size; /* of the memory of one */
	uint8_t *memory;
	struct rtrs_permit *permits;
	struct rtrs_permit_list free, done, pulled;
	int64_t deadline_ns; /* the next one of a request */
};

/* --- client.c */
void rtrsi_session_event(struct rtrs_session *session, enum rtrs_session_event_type type,
			 unsigned int path, int error) HF_NONNULL;
/* Executes the engine's orders until there are no more. */
void rtrsi_session_carry_out(struct rtrs_session *session) HF_NONNULL;

/* Its number; or -errno. */
int rtrsi_session_add_path(struct rtrs_session *session, const char *address,
			   bool is_from_control) HF_MUST_CHECK HF_NONNULL;

/* --- control_client.c */
extern const struct rtrs_control_ops rtrsi_session_control;
/* Answers the control programs that wait for it. */
void rtrsi_session_control_event(struct rtrs_session *session, enum rtrs_session_event_type type,
				 unsigned int path, int error) HF_NONNULL;

/* --- client_path.c */
/* -errno: the path is lost. */
int rtrsi_session_path_order(struct rtrs_session *session,
			     const struct rtrs_order *order) HF_MUST_CHECK HF_NONNULL;
void rtrsi_session_link_event(struct rtrs_session *session, const struct rtrs_link_event *event,
			      int64_t now_ns) HF_NONNULL;

/* --- client_send.c */
/* Fills in what has it reported. */
int rtrsi_session_post(struct session_connection *connection,
		       struct rtrs_post *post) HF_MUST_CHECK HF_NONNULL;
int rtrsi_session_beat(struct session_path *path, bool is_ack) HF_MUST_CHECK HF_NONNULL;
/* It may wait until earlier ones have left the queue. */
int rtrsi_session_send(struct rtrs_permit *permit, unsigned int path) HF_MUST_CHECK HF_NONNULL;
/* What was posted up to this number has left the queue. */
void rtrsi_session_sent(struct session_connection *connection, uint64_t id) HF_NONNULL;
/* The connection is closed: what waits is sent elsewhere. */
void rtrsi_session_stop_waiting(struct session_connection *connection) HF_NONNULL;
/* The server has answered what it was not sent. */
void rtrsi_session_do_not_send(struct rtrs_permit *permit) HF_NONNULL;

/* --- client_permits.c */
/* Once the server has said how large requests may be. -ENOMEM. */
int rtrsi_session_make_permits(struct rtrs_session *session,
			       const struct rtrs_geometry *geometry) HF_MUST_CHECK HF_NONNULL;
void rtrsi_session_free_permits(struct rtrs_session *session) HF_NONNULL;
void rtrsi_permit_list_add(struct rtrs_permit_list *list, struct rtrs_permit *permit) HF_NONNULL;
/* NULL: it is empty. */
struct rtrs_permit *rtrsi_permit_list_take(struct rtrs_permit_list *list) HF_MUST_CHECK HF_NONNULL;
void rtrsi_session_done(struct rtrs_session *session, struct rtrs_permit *permit,
			int error) HF_NONNULL;
/* What the user is to be told. The permit is free again, unless the engine still has it. */
struct rtrs_outcome rtrsi_session_outcome(struct rtrs_session *session,
					  struct rtrs_permit *permit) HF_MUST_CHECK HF_NONNULL;
/* Ends the requests whose deadline has passed. */
void rtrsi_session_expire(struct rtrs_session *session, int64_t now_ns) HF_NONNULL;

#endif
