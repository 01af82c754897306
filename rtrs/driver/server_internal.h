/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of the server's driver share. */
#ifndef RTRS_DRIVER_SERVER_INTERNAL_H
#define RTRS_DRIVER_SERVER_INTERNAL_H

#include "rtrs/driver/server.h"

/* What a post or a receive was, in the lowest bits of its number. */
enum { DRIVER_ID_OTHER, DRIVER_ID_INFO, DRIVER_ID_INVALIDATED, DRIVER_ID_KINDS = 4 };

struct rtrs_driver_connection {
	struct rtrs_driver_path *path;
	struct rtrs_connection *connection; /* NULL: there is none, or none any more */
	uint16_t number;
	uint32_t send_depth, receive_depth;
	uint32_t reserve;  /* of the send queue: for the invalidation of keys */
	uint32_t posted;   /* posts in its life */
	uint32_t reported; /* the last one of these whose end will be reported */
	uint32_t completed;
	struct rtrs_server_request *first, **last; /* answers that wait for room in the queue */
};

/* A path's memory: first what is sent and received, then its chunks. */
struct rtrs_driver_path {
	struct rtrs_server_driver *driver;
	struct rtrs_server_path *path;
	const struct rtrs_link_ops *ops;
	uint8_t *control; /* a request for info, its answer, a new key for each chunk */
	size_t control_size;
	struct rtrs_memory *control_memory;
	uint8_t *chunks;
	size_t chunks_size;
	struct rtrs_memory *chunk_memory;
	struct rtrs_window **windows; /* of each chunk, with new keys */
	struct rtrs_driver_connection connections[];
};

struct rtrs_server_driver {
	struct rtrs_server engine;
	const struct rtrs_server_calls *calls;
	void *user;
	int64_t now_ns; /* of the last event */
	bool is_carrying_out;
};

/* A peer asks for a connection. */
void rtrsi_driver_connect(struct rtrs_server_driver *driver,
			  const struct rtrs_link_event *event) HF_NONNULL;
/* Memory for the chunks, windows and receives. */
int rtrsi_driver_grant(struct rtrs_driver_path *path) HF_MUST_CHECK HF_NONNULL;
/* Closes connections and withdraws memory, which stays until rtrsi_driver_free_path(). */
void rtrsi_driver_close_path(struct rtrs_driver_path *path) HF_NONNULL;
void rtrsi_driver_free_path(struct rtrs_driver_path *path) HF_NONNULL;

/* -errno of the link: the path is broken. */
int rtrsi_driver_send_info(struct rtrs_driver_path *path) HF_MUST_CHECK HF_NONNULL;
int rtrsi_driver_send_heartbeat(struct rtrs_driver_path *path,
				bool is_ack) HF_MUST_CHECK HF_NONNULL;
int rtrsi_driver_invalidate(struct rtrs_server_request *request) HF_MUST_CHECK HF_NONNULL;
/* Now, or when there is room in the queue. */
int rtrsi_driver_answer(struct rtrs_server_request *request) HF_MUST_CHECK HF_NONNULL;
/* A post was reported as done, so there is room. */
int rtrsi_driver_sent(struct rtrs_driver_connection *connection,
		      uint64_t id) HF_MUST_CHECK HF_NONNULL;

static inline uint8_t *rtrsi_driver_info_answer(const struct rtrs_driver_path *path)
{
	return path->control + RTRS_INFO_REQUEST_SIZE;
}

static inline uint8_t *rtrsi_driver_key_message(const struct rtrs_driver_path *path, uint16_t chunk)
{
	return path->control + path->control_size - (size_t)RTRS_NEW_KEY_SIZE * (chunk + (size_t)1);
}

#endif
