/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sends a server's answers, keys and heartbeats, never more than the queue holds. */
#include <errno.h>

#include "rtrs/driver/server_internal.h"
#include "rtrs/protocol/imm.h"

/* An answer takes four posts at most, the invalidation of its key one more. */
enum { ANSWER_POSTS = 4, ROOM_MIN = 8, REPORT_AFTER = 16, COUNT_SHIFT = 24 };

_Static_assert((int)ANSWER_POSTS <= (int)RTRS_POSTS_MAX, "an answer is one chain");

static bool has_room(const struct rtrs_driver_connection *connection)
{
	uint32_t in_use = connection->posted - connection->completed;

	return in_use + connection->reserve + ROOM_MIN <= connection->send_depth;
}

/* A post's number holds its kind, its chunk, and how many were posted with it. */
static uint64_t post_id(struct rtrs_driver_connection *connection, unsigned int kind,
			uint16_t chunk, bool is_reported)
{
	connection->posted++;
	if (is_reported)
		connection->reported = connection->posted;
	return (uint64_t)connection->posted << COUNT_SHIFT | (uint64_t)chunk * DRIVER_ID_KINDS |
	       kind;
}

static bool is_report_due(const struct rtrs_driver_connection *connection)
{
	return connection->posted - connection->reported >= REPORT_AFTER;
}

static int post_to(struct rtrs_driver_connection *connection, const struct rtrs_post *posts,
		   size_t count)
{
	if (!connection->connection)
		return -ENOTCONN;
	return connection->path->ops->post(connection->connection, posts, count);
}

static int bind_chunk(struct rtrs_driver_connection *connection, uint16_t chunk, bool is_valid,
		      bool is_reported)
{
	struct rtrs_driver_path *path = connection->path;
	uint32_t size = path->driver->engine.geometry.chunk_size;
	uint64_t id = post_id(connection, is_valid ? DRIVER_ID_OTHER : DRIVER_ID_INVALIDATED, chunk,
			      is_reported);

	if (!connection->connection)
		return -ENOTCONN;
	return path->ops->bind(connection->connection, path->windows[chunk],
			       path->chunks + (size_t)chunk * size, is_valid ? size : 0,
			       is_reported, id);
}

int rtrsi_driver_invalidate(struct rtrs_server_request *request)
{
	struct rtrs_driver_path *path = request->path->user;

	return bind_chunk(&path->connections[request->connection], request->chunk, false, true);
}

/* --- info ---------------------------------------------------------------------------------------- */

static int put_descriptors(struct rtrs_driver_path *path, uint16_t *count)
{
	const struct rtrs_geometry *geometry = &path->driver->engine.geometry;
	struct rtrs_descriptor descriptor = {.address = (uintptr_t)path->chunks,
					     .key = path->chunk_memory->remote_key,
					     .length = (uint32_t)path->chunks_size};
	uint8_t *answer = rtrsi_driver_info_answer(path);
	int err;

	*count = 1;
	rtrsi_info_answer_encode(&descriptor, 1, answer);
	if (!path->windows)
		return 0;
	*count = geometry->depth;
	rtrsi_info_answer_begin(*count, answer);
	descriptor.length = geometry->chunk_size;
	for (uint16_t i = 0; i < geometry->depth; i++) {
		err = bind_chunk(&path->connections[0], i, true, false);
		if (err)
			return err;
		descriptor.key = path->windows[i]->remote_key;
		rtrsi_descriptor_encode(&descriptor, answer + rtrsi_info_answer_size(i));
		descriptor.address += geometry->chunk_size;
	}
	return 0;
}

int rtrsi_driver_send_info(struct rtrs_driver_path *path)
{
	struct rtrs_driver_connection *control = &path->connections[0];
	struct rtrs_post post = {.type = RTRS_POST_SEND, .reported = true, .segment_count = 1};
	uint16_t count;
	int err = put_descriptors(path, &count);

	if (err)
		return err;
	post.segments[0] = (struct rtrs_segment){rtrsi_driver_info_answer(path),
						 (uint32_t)rtrsi_info_answer_size(count),
						 path->control_memory->local_key};
	post.id = post_id(control, DRIVER_ID_OTHER, 0, true);
	return post_to(control, &post, 1);
}

/*
 * There is no room because the peer takes nothing any more: only its own heartbeats tell whether it
 * is alive.
 */
int rtrsi_driver_send_heartbeat(struct rtrs_driver_path *path, bool is_ack)
{
	struct rtrs_driver_connection *control = &path->connections[0];
	struct rtrs_post post = {
		.type = RTRS_POST_WRITE_IMM, .reported = true, .imm = rtrsi_imm_heartbeat(is_ack)};

	if (!has_room(control))
		return 0;
	post.id = post_id(control, DRIVER_ID_OTHER, 0, true);
	return post_to(control, &post, 1);
}

/* --- answers ------------------------------------------------------------------------------------- */

static size_t put_data(const struct rtrs_driver_path *path,
		       const struct rtrs_server_request *request, struct rtrs_post *posts)
{
	const struct rtrs_descriptor *to = &request->message.to;
	size_t count = 0;

	if (!request->message.has_to)
		return 0;
	if (!request->error)
		posts[count++] = (struct rtrs_post){
			.type = RTRS_POST_WRITE,
			.segment_count = 1,
			.segments = {{request->data, to->length, path->chunk_memory->local_key}},
			.address = to->address,
			.key = to->key,
		};
	if (request->message.inval)
		posts[count++] = (struct rtrs_post){.type = RTRS_POST_SEND_INVAL, .key = to->key};
	return count;
}

static struct rtrs_post last_post(const struct rtrs_driver_path *path,
				  const struct rtrs_server_request *request)
{
	struct rtrs_post post = {
		.type = RTRS_POST_WRITE_IMM,
		.imm = rtrsi_imm_answer(request->chunk, request->error, request->message.inval),
	};
	uint8_t *message;

	if (!path->windows)
		return post;
	message = rtrsi_driver_key_message(path, request->chunk);
	rtrsi_new_key_encode(request->chunk, path->windows[request->chunk]->remote_key, message);
	post.type = RTRS_POST_SEND_IMM;
	post.segment_count = 1;
	post.segments[0] =
		(struct rtrs_segment){message, RTRS_NEW_KEY_SIZE, path->control_memory->local_key};
	return post;
}

static int post_answer(struct rtrs_driver_connection *connection,
		       struct rtrs_server_request *request)
{
	struct rtrs_driver_path *path = connection->path;
	struct rtrs_post posts[ANSWER_POSTS];
	size_t count;
	int err;

	if (path->windows) {
		err = bind_chunk(connection, request->chunk, true, false);
		if (err)
			return err;
	}
	count = put_data(path, request, posts);
	posts[count++] = last_post(path, request);
	for (size_t i = 0; i < count; i++)
		posts[i].id = post_id(connection, DRIVER_ID_OTHER, request->chunk, false);
	if (is_report_due(connection)) {
		posts[count - 1].reported = true;
		connection->reported = connection->posted;
	}
	rtrsi_server_answered(&path->driver->engine, request);
	return post_to(connection, posts, count);
}

int rtrsi_driver_answer(struct rtrs_server_request *request)
{
	struct rtrs_driver_path *path = request->path->user;
	struct rtrs_driver_connection *connection = &path->connections[request->connection];

	if (has_room(connection) && !connection->first)
		return post_answer(connection, request);
	request->next = NULL;
	*connection->last = request;
	connection->last = &request->next;
	return 0;
}

int rtrsi_driver_sent(struct rtrs_driver_connection *connection, uint64_t id)
{
	struct rtrs_server_request *request;
	int err = 0;

	connection->completed = (uint32_t)(id >> COUNT_SHIFT);
	while (!err && (request = connection->first) && has_room(connection)) {
		connection->first = request->next;
		if (!connection->first)
			connection->last = &connection->first;
		err = post_answer(connection, request);
	}
	return err;
}
