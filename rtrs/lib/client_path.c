/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Paths of a client's session on their links: the engine's orders carried out, the link's events reported. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/lib/client_internal.h"
#include "rtrs/protocol/imm.h"
#include "shared/clock.h"

/* Numbers of posts and receives: a receive's place, or this. */
enum { INFO_ID = UINT16_MAX };

/* An answer takes two where the server invalidates a key with it. */
static uint32_t receive_count(const struct rtrs_session *session, uint16_t connection)
{
	return (connection ? 2 * session->permit_count : 0) + SESSION_RECEIVES_SPARE;
}

static uint32_t posted_receives(const struct session_path *path, uint16_t connection)
{
	const struct rtrs_session *session = path->session;

	return receive_count(session, connection) -
	       (connection && !path->windows ? session->permit_count : 0);
}

/* All of a path's receive memory: each connection's receives, and the exchange of name and chunks. */
static size_t receives_offset(const struct rtrs_session *session, uint16_t connection)
{
	size_t before = connection ? SESSION_RECEIVES_SPARE +
					     (size_t)(connection - 1) * receive_count(session, 1)
				   : 0;

	return before * RTRS_NEW_KEY_SIZE;
}

static size_t info_size(const struct rtrs_client_path *known)
{
	return rtrsi_info_answer_size(known->handshake.geometry.depth);
}

static uint8_t *info_answer_of(const struct session_path *path)
{
	return path->receives + receives_offset(path->session, path->session->connections);
}

static int connect_path(struct session_path *path, uint16_t number)
{
	struct rtrs_session *session = path->session;
	struct session_connection *connection = &path->connections[number];
	uint32_t permits = session->permit_count ? session->permit_count : session->permits_wanted;
	/* A request takes three: the end of the former key, a new one, and itself. */
	uint32_t send_depth = number ? 3 * permits + SESSION_RECEIVES_SPARE
				     : 2 * SESSION_RECEIVES_SPARE;
	const struct rtrs_link_connect how = {
		.source = path->address.has_source
				  ? (const struct sockaddr *)&path->address.source.sockaddr
				  : NULL,
		.destination = (const struct sockaddr *)&path->address.destination.sockaddr,
		.private_data = session->engine.paths[path->number].handshake.private_data,
		.private_size = RTRS_CONNECT_SIZE,
		.send_depth = send_depth,
		.receive_depth = (number ? 2 * permits : 1) + SESSION_RECEIVES_SPARE,
		.user = connection,
		.domain = path,
	};

	*connection = (struct session_connection){
		.path = path,
		.number = number,
		.send_depth = send_depth,
		.last_waiting = &connection->waiting,
	};
	return path->link->ops->connect(path->link, &how, &connection->base);
}

static void close_path_windows(struct session_path *path)
{
	for (uint32_t i = 0; path->windows && i < path->session->permit_count; i++) {
		if (path->windows[i].base)
			path->link->ops->close_window(path->windows[i].base);
	}
	free(path->windows);
	path->windows = NULL;
}

static int open_path_windows(struct session_path *path)
{
	uint32_t count = path->session->permit_count;
	int err = 0;

	path->windows = calloc(count, sizeof(*path->windows));
	if (!path->windows)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && !err; i++)
		err = path->link->ops->open_window(path->permit_memory, &path->windows[i].base);
	if (err)
		close_path_windows(path);
	return err;
}

/*
 * Where the device can do it the server has a key for each read, which it invalidates with its answer: it cannot
 * write there any more. Otherwise, or where there are not enough of them, one for all.
 */
static int grant_permit_memory(struct session_path *path)
{
	const struct rtrs_link_ops *ops = path->link->ops;
	const struct rtrs_session *session = path->session;
	size_t size = session->permit_count * session->permit_size;
	struct rtrs_connection *control = path->connections[0].base;

	if (!ops->grant(control, session->memory, size, RTRS_ACCESS_INVALIDATED,
			&path->permit_memory)) {
		if (!open_path_windows(path))
			return 0;
		ops->withdraw(path->permit_memory);
		path->permit_memory = NULL;
	}
	return ops->grant(control, session->memory, size, RTRS_ACCESS_WRITE, &path->permit_memory);
}

static int grant_path_memory(struct session_path *path, size_t receives_size)
{
	const struct rtrs_link_ops *ops = path->link->ops;
	int err;

	path->receives = calloc(1, receives_size);
	if (!path->receives)
		return -ENOMEM;
	err = ops->grant(path->connections[0].base, path->receives, receives_size, RTRS_ACCESS_NONE,
			 &path->receive_memory);
	if (err)
		return err;
	return grant_permit_memory(path);
}

static int exchange_path_info(struct session_path *path)
{
	const struct rtrs_link_ops *ops = path->link->ops;
	const struct rtrs_client_path *known = &path->session->engine.paths[path->number];
	struct rtrs_post send = {.type = RTRS_POST_SEND, .segment_count = 1};
	struct rtrs_segment answer;
	uint8_t *request;
	int err = rtrsi_session_make_permits(path->session, &known->handshake.geometry);

	if (!err)
		err = grant_path_memory(path,
					receives_offset(path->session, path->session->connections) +
						info_size(known) + RTRS_INFO_REQUEST_SIZE);
	if (err)
		return err;
	answer = (struct rtrs_segment){info_answer_of(path), (uint32_t)info_size(known),
				       path->receive_memory->local_key};
	err = ops->receive(path->connections[0].base, INFO_ID, &answer);
	if (err)
		return err;
	request = info_answer_of(path) + info_size(known);
	memcpy(request, known->handshake.info, RTRS_INFO_REQUEST_SIZE);
	send.segments[0] = (struct rtrs_segment){request, RTRS_INFO_REQUEST_SIZE,
						 path->receive_memory->local_key};
	return rtrsi_session_post(&path->connections[0], &send);
}

static int post_one_receive(const struct session_connection *connection, uint64_t id)
{
	const struct session_path *path = connection->path;
	const struct rtrs_segment segment = {
		path->receives + receives_offset(path->session, connection->number) +
			id * RTRS_NEW_KEY_SIZE,
		RTRS_NEW_KEY_SIZE, path->receive_memory->local_key};

	return path->link->ops->receive(connection->base, id, &segment);
}

static void path_is_up(struct session_path *path)
{
	struct rtrs_session *session = path->session;
	uint32_t max_io = session->engine.paths[path->number].handshake.geometry.max_io;

	/* As in the kernel's client: never more than each path so far could carry. */
	if (session->max_io > max_io)
		session->max_io = max_io;
	path->is_up = true;
	/* Where it comes from is known now. */
	rtrsi_path_ends(&path->ends, path->address.destination.link, path->connections[0].base,
			NULL, &path->address.destination.sockaddr, path->number);
	rtrsi_session_event(session, RTRS_SESSION_PATH_UP, path->number, 0);
}

static int make_ready(struct session_path *path)
{
	struct rtrs_session *session = path->session;
	int err;

	for (uint16_t i = 0; i < session->connections; i++) {
		for (uint32_t id = 0; id < posted_receives(path, i); id++) {
			err = post_one_receive(&path->connections[i], id);
			if (err)
				return err;
		}
	}
	path_is_up(path);
	return 0;
}

static void withdraw_memory(const struct session_path *path, struct rtrs_memory **memory)
{
	if (*memory)
		path->link->ops->withdraw(*memory);
	*memory = NULL;
}

static void close_connections_of(struct session_path *path)
{
	const struct rtrs_link_ops *ops = path->link->ops;
	uint16_t count = path->session->connections;

	for (uint16_t i = 0; i < count; i++) {
		if (path->connections[i].base)
			ops->disconnect(path->connections[i].base);
	}
	/* Before the queues that they are bound to: soft-RoCE waits for the others' end otherwise. */
	close_path_windows(path);
	for (uint16_t i = 0; i < count; i++) {
		rtrsi_session_stop_waiting(&path->connections[i]);
		if (path->connections[i].base)
			ops->free(path->connections[i].base);
		path->connections[i].base = NULL;
	}
	withdraw_memory(path, &path->receive_memory);
	withdraw_memory(path, &path->permit_memory);
	free(path->receives);
	path->receives = NULL;
}

static void close_client_path(struct session_path *path, int error)
{
	struct rtrs_session *session = path->session;

	close_connections_of(path);
	if (path->is_up)
		rtrsi_session_event(session, RTRS_SESSION_PATH_DOWN, path->number, error);
	path->is_up = false;
	rtrsi_client_closed(&session->engine, path->number, hfi_now_ns());
}

static void remove_session_path(struct session_path *path)
{
	struct rtrs_session *session = path->session;

	rtrsi_session_event(session, RTRS_SESSION_PATH_REMOVED, path->number, 0);
	session->paths[path->number] = NULL;
	rtrsi_moved_free(&path->moved);
	free(path->connections);
	free(path);
}

int rtrsi_session_path_order(struct rtrs_session *session, const struct rtrs_order *order)
{
	struct session_path *path = session->paths[order->path];

	switch (order->type) {
	case RTRS_ORDER_CONNECT:
		return connect_path(path, order->connection);
	case RTRS_ORDER_INFO:
		return exchange_path_info(path);
	case RTRS_ORDER_READY:
		return make_ready(path);
	case RTRS_ORDER_HEARTBEAT:
	case RTRS_ORDER_ACK:
		return rtrsi_session_beat(path, order->type == RTRS_ORDER_ACK);
	case RTRS_ORDER_CLOSE:
		close_client_path(path, order->error);
		return 0;
	case RTRS_ORDER_FAILED:
		rtrsi_session_event(session, RTRS_SESSION_PATH_FAILED, order->path, order->error);
		return 0;
	case RTRS_ORDER_REMOVED:
		remove_session_path(path);
		return 0;
	default:
		return 0;
	}
}

/* --- events -------------------------------------------------------------------------------------- */

/* The server says that it has invalidated the key of a request. */
static void take_invalidation(const struct session_path *path, uint32_t bits)
{
	const struct rtrs_session *session = path->session;
	const struct rtrs_client *engine = &session->engine;
	const struct rtrs_client_request *request;
	struct rtrs_imm imm;

	if (rtrsi_imm_at_client(&engine->paths[path->number].handshake.geometry, bits, &imm) ||
	    imm.type != RTRS_IMM_ANSWER_INVAL || !engine->requests)
		return;
	request = engine->requests[imm.chunk];
	if (request && request->path == (int)path->number && request->is_sent)
		path->windows[(const struct rtrs_permit *)(const void *)request - session->permits]
			.is_bound = false;
}

static void message_arrived(const struct session_connection *connection,
			    const struct rtrs_link_event *event, int64_t now_ns)
{
	const struct session_path *path = connection->path;
	struct rtrs_client *engine = &path->session->engine;
	int err;

	if (event->id == INFO_ID) {
		rtrsi_client_info(engine, path->number, info_answer_of(path), event->length,
				  now_ns);
		return;
	}
	if (event->has_imm && path->windows)
		take_invalidation(path, event->imm);
	if (event->has_imm)
		rtrsi_client_received(engine, path->number, event->imm,
				      path->receives +
					      receives_offset(path->session, connection->number) +
					      event->id * RTRS_NEW_KEY_SIZE,
				      event->length, now_ns);
	err = post_one_receive(connection, event->id);
	if (err)
		rtrsi_client_lost(engine, path->number, err);
}

void rtrsi_session_link_event(struct rtrs_session *session, const struct rtrs_link_event *event,
			      int64_t now_ns)
{
	struct session_connection *connection = event->connection->user;
	struct rtrs_client *engine = &session->engine;
	unsigned int path = connection->path->number;

	switch (event->type) {
	case RTRS_LINK_CONNECTED:
		rtrsi_client_accepted(engine, path, event->private_data, event->private_size,
				      now_ns);
		break;
	case RTRS_LINK_REFUSED:
		rtrsi_client_refused(engine, path, event->private_data, event->private_size,
				     event->error);
		break;
	case RTRS_LINK_GONE:
		rtrsi_client_lost(engine, path, -ENODEV);
		break;
	default:
		if (event->error)
			rtrsi_client_lost(engine, path, event->error);
		else if (event->type == RTRS_LINK_RECEIVED)
			message_arrived(connection, event, now_ns);
		else
			rtrsi_session_sent(connection, event->id);
		return;
	}
	session->has_new_deadline = true;
}
