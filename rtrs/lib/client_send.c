/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a session posts to its connections, never more than their queues hold: requests wait for room. */
#include <sched.h>

#include "rtrs/lib/client_internal.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/request.h"

/* The end of a key, a new one, and the request. */
enum { REQUEST_POSTS = 3 };

/*
 * An answer may come before the request is known to be sent, when the acknowledgement is late or lost: its permit is
 * free again, but its place in the queue is not.
 */
static bool has_send_room(const struct session_connection *connection)
{
	return connection->posted - connection->completed + REQUEST_POSTS <= connection->send_depth;
}

int rtrsi_session_post(struct session_connection *connection, struct rtrs_post *post)
{
	post->reported = true;
	post->id = ++connection->posted;
	return connection->path->link->ops->post(connection->base, post, 1);
}

/* Without room the peer takes nothing any more: only its own heartbeats tell whether it is alive. */
int rtrsi_session_beat(struct session_path *path, bool is_ack)
{
	struct rtrs_post post = {.type = RTRS_POST_WRITE_IMM, .imm = rtrsi_imm_heartbeat(is_ack)};

	return has_send_room(&path->connections[0])
		       ? rtrsi_session_post(&path->connections[0], &post)
		       : 0;
}

/* --- requests ------------------------------------------------------------------------------------ */

/* Puts the message behind the user header; the layout says what is written where. */
static int put_request(struct rtrs_permit *permit, const struct rtrs_geometry *geometry,
		       uint32_t key, bool invalidates, struct rtrs_layout *layout)
{
	uint8_t *data = permit->memory + permit->session->permit_size - permit->session->data_size;
	const struct rtrs_descriptor to = {(uintptr_t)data, key, permit->data_length};
	uint8_t *message = permit->memory + permit->header_length;

	if (!permit->is_read) {
		rtrsi_write_encode(permit->header_length, message);
		return rtrsi_layout_write(geometry, permit->data_length, permit->header_length,
					  layout);
	}
	rtrsi_read_encode(permit->header_length, permit->data_length ? &to : NULL, invalidates,
			  message);
	return rtrsi_layout_read(geometry, permit->data_length, permit->header_length, layout);
}

/* For the memory that is read into: *ret is its key. */
static int give_window(struct session_connection *connection, const struct rtrs_permit *permit,
		       uint32_t *ret)
{
	const struct session_path *path = connection->path;
	const struct rtrs_link_ops *ops = path->link->ops;
	const struct rtrs_session *session = path->session;
	struct session_window *window = &path->windows[permit - session->permits];
	uint8_t *data = permit->memory + session->permit_size - session->data_size;
	int err = 0;

	/* The server has answered, and invalidated nothing. */
	if (window->is_bound)
		err = ops->bind(connection->base, window->base, NULL, 0, false, 0);
	if (!err)
		err = ops->bind(connection->base, window->base, data, permit->data_length, false,
				0);
	connection->posted += window->is_bound ? 2 : 1;
	window->is_bound = true;
	*ret = window->base->remote_key;
	return err;
}

static int post_transfer(struct session_connection *connection, struct rtrs_permit *permit)
{
	const struct session_path *path = connection->path;
	struct rtrs_session *session = path->session;
	const struct rtrs_client_path *known = &session->engine.paths[path->number];
	const struct rtrs_chunk *chunk = &known->chunks[permit->request.permit];
	uint8_t *data = permit->memory + session->permit_size - session->data_size;
	uint32_t key = path->permit_memory->local_key;
	struct rtrs_post post = {.type = RTRS_POST_WRITE_IMM, .key = chunk->key};
	bool invalidates = permit->is_read && permit->data_length && path->windows;
	uint32_t remote_key = path->permit_memory->remote_key;
	struct rtrs_layout layout;
	int err = invalidates ? give_window(connection, permit, &remote_key) : 0;

	if (!err)
		err = put_request(permit, &known->handshake.geometry, remote_key, invalidates,
				  &layout);
	if (err)
		return err;
	permit->processor = sched_getcpu();
	rtrsi_client_count(&session->engine, path->number, permit->is_read,
			   (uint64_t)permit->header_length + permit->data_length);
	post.address = chunk->address + layout.write_offset;
	post.imm = rtrsi_imm_request(&known->handshake.geometry, permit->request.permit,
				     layout.message_offset);
	if (!permit->is_read && permit->data_length)
		post.segments[post.segment_count++] =
			(struct rtrs_segment){data, permit->data_length, key};
	post.segments[post.segment_count++] = (struct rtrs_segment){
		permit->memory, (uint32_t)permit->header_length + layout.message_length, key};
	return rtrsi_session_post(connection, &post);
}

static struct session_connection *connection_for(const struct rtrs_permit *permit)
{
	const struct rtrs_session *session = permit->session;

	return &session->paths[permit->path]
			->connections[1 + permit->request.permit % (session->connections - 1U)];
}

int rtrsi_session_send(struct rtrs_permit *permit, unsigned int path)
{
	struct session_connection *connection;

	permit->path = path;
	connection = connection_for(permit);
	if (has_send_room(connection) && !connection->waiting)
		return post_transfer(connection, permit);
	permit->is_waiting = true;
	permit->next_waiting = NULL;
	*connection->last_waiting = permit;
	connection->last_waiting = &permit->next_waiting;
	return 0;
}

static struct rtrs_permit *take_waiting(struct session_connection *connection)
{
	struct rtrs_permit *permit = connection->waiting;

	connection->waiting = permit->next_waiting;
	if (!connection->waiting)
		connection->last_waiting = &connection->waiting;
	permit->is_waiting = false;
	return permit;
}

void rtrsi_session_sent(struct session_connection *connection, uint64_t id)
{
	const struct session_path *path = connection->path;
	int err = 0;

	connection->completed = (uint32_t)id;
	while (!err && connection->waiting && has_send_room(connection))
		err = post_transfer(connection, take_waiting(connection));
	if (err)
		rtrsi_client_lost(&path->session->engine, path->number, err);
}

void rtrsi_session_stop_waiting(struct session_connection *connection)
{
	while (connection->waiting)
		(void)take_waiting(connection);
}

void rtrsi_session_do_not_send(struct rtrs_permit *permit)
{
	struct session_connection *connection;
	struct rtrs_permit **at;

	if (!permit->is_waiting)
		return;
	connection = connection_for(permit);
	for (at = &connection->waiting; *at != permit; at = &(*at)->next_waiting)
		;
	*at = permit->next_waiting;
	if (!*at)
		connection->last_waiting = at;
	permit->is_waiting = false;
}
