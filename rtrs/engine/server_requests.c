/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests at a server, from their arrival to their answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/engine/server_internal.h"

int rtrsi_server_make_requests(const struct rtrs_server *server, struct rtrs_server_path *path)
{
	uint16_t depth = server->geometry.depth;

	path->requests = calloc(depth, sizeof(*path->requests));
	if (!path->requests)
		return -ENOMEM;
	for (uint16_t i = 0; i < depth; i++) {
		path->requests[i].path = path;
		path->requests[i].chunk = i;
	}
	return 0;
}

static void order_server_request(struct rtrs_server *server, struct rtrs_server_request *request)
{
	request->is_ordered = true;
	request->next = NULL;
	*server->last = request;
	server->last = &request->next;
}

static struct rtrs_turns *turns_of(const struct rtrs_server_request *request)
{
	return &request->path->session->turns[request->chunk];
}

static void run_if_ready(struct rtrs_server *server, struct rtrs_server_request *request)
{
	if (!request->has_turn || !request->is_invalid)
		return;
	request->state = RTRS_REQUEST_READY;
	order_server_request(server, request);
}

/* The next one in a chunk of this number, of another path. */
static void end_turn(struct rtrs_server *server, struct rtrs_server_request *request)
{
	struct rtrs_turn *turn;
	struct rtrs_server_request *next;

	request->has_turn = false;
	turn = rtrsi_turn_ends(turns_of(request));
	if (!turn)
		return;
	next = hf_container_of(turn, struct rtrs_server_request, turn);
	next->has_turn = true;
	run_if_ready(server, next);
}

static enum rtrs_fault copy_message(const struct rtrs_server *server,
				    struct rtrs_server_request *request)
{
	uint8_t bytes[RTRS_REQUEST_MAX];
	size_t size = rtrsi_request_size(&server->geometry, request->offset);

	/* Copy it first: in the mode without new keys the peer can still write there. */
	memcpy(bytes, request->data + request->offset, size);
	return rtrsi_request_decode(request->offset, bytes, size, &request->message);
}

static void count_request(struct rtrs_server_path *path, const struct rtrs_request *message)
{
	uint64_t bytes = (uint64_t)message->data_length + message->user_length;

	if (message->is_read) {
		path->reads++;
		path->read_bytes += bytes;
	} else {
		path->writes++;
		path->written_bytes += bytes;
	}
}

/* Returns whether to pass it to the user. A dropped request gets no answer, and its path stays. */
static bool begin_run(struct rtrs_server *server, struct rtrs_server_request *request)
{
	enum rtrs_fault fault = copy_message(server, request);

	switch (rtrsi_fault_reaction(fault)) {
	case RTRS_REACT_NONE:
		count_request(request->path, &request->message);
		request->state = RTRS_REQUEST_RUNNING;
		request->path->runs++;
		return true;
	case RTRS_REACT_CLOSE:
		rtrsi_server_break(server, request->path, -ECONNRESET, fault);
		return false;
	default:
		request->state = RTRS_REQUEST_IDLE;
		end_turn(server, request);
		return false;
	}
}

enum rtrs_fault rtrsi_server_arrives(struct rtrs_server *server, struct rtrs_server_path *path,
				     uint16_t connection, const struct rtrs_imm *imm)
{
	struct rtrs_server_request *request = &path->requests[imm->chunk];
	enum rtrs_turn_order order;

	if (request->state != RTRS_REQUEST_IDLE)
		return RTRS_FAULT_BUSY;
	order = rtrsi_turn_arrives(turns_of(request), &request->turn, path);
	if (order == RTRS_TURN_FAULT)
		return RTRS_FAULT_BUSY;
	request->state = RTRS_REQUEST_ARRIVED;
	request->has_turn = order == RTRS_TURN_RUN;
	request->is_invalid = !server->options.accept.new_keys;
	request->connection = connection;
	request->offset = imm->offset;
	request->data = path->memory + (size_t)imm->chunk * server->geometry.chunk_size;
	if (request->is_invalid)
		run_if_ready(server, request);
	else
		order_server_request(server, request);
	return RTRS_FAULT_NONE;
}

void rtrsi_server_invalidated(struct rtrs_server *server, struct rtrs_server_request *request)
{
	if (request->state != RTRS_REQUEST_ARRIVED || request->is_invalid)
		return;
	request->is_invalid = true;
	run_if_ready(server, request);
}

void rtrsi_server_done(struct rtrs_server *server, struct rtrs_server_request *request, int error)
{
	struct rtrs_server_path *path = request->path;
	enum rtrs_fault fault = RTRS_FAULT_NONE;

	if (request->state != RTRS_REQUEST_RUNNING)
		return;
	path->runs--;
	request->state = RTRS_REQUEST_IDLE;
	request->error = error;
	if (path->state == RTRS_SERVER_CONNECTED) {
		if (!error && request->message.is_read)
			fault = rtrsi_read_data_fault(&server->geometry, &request->message);
		if (!fault) {
			request->state = RTRS_REQUEST_ANSWERING;
			order_server_request(server, request);
		}
	}
	end_turn(server, request);
	if (fault)
		rtrsi_server_break(server, path, -ECONNRESET, fault);
	rtrsi_server_forget(server, path);
}

void rtrsi_server_answered(struct rtrs_server *server, struct rtrs_server_request *request)
{
	(void)server;
	if (request->state == RTRS_REQUEST_ANSWERING)
		request->state = RTRS_REQUEST_IDLE;
}

static void drop_request_orders(struct rtrs_server *server, const struct rtrs_server_path *path)
{
	struct rtrs_server_request **at = &server->first;

	while (*at) {
		struct rtrs_server_request *request = *at;

		if (request->path != path) {
			at = &request->next;
			continue;
		}
		*at = request->next;
		request->is_ordered = false;
	}
	server->last = at;
}

void rtrsi_server_withdraw(struct rtrs_server *server, struct rtrs_server_path *path)
{
	if (!path->requests)
		return;
	drop_request_orders(server, path);
	for (uint16_t i = 0; i < server->geometry.depth; i++) {
		struct rtrs_server_request *request = &path->requests[i];

		if (request->state == RTRS_REQUEST_IDLE || request->state == RTRS_REQUEST_RUNNING)
			continue;
		request->state = RTRS_REQUEST_IDLE;
		if (request->has_turn)
			end_turn(server, request);
		else
			(void)!rtrsi_turn_withdraw(turns_of(request), path);
	}
}

static struct rtrs_server_request *take_server_request(struct rtrs_server *server)
{
	struct rtrs_server_request *request = server->first;

	if (!request)
		return NULL;
	server->first = request->next;
	if (!server->first)
		server->last = &server->first;
	request->is_ordered = false;
	return request;
}

static void request_order(struct rtrs_server_request *request, enum rtrs_server_order_type type,
			  struct rtrs_server_order *ret)
{
	*ret = (struct rtrs_server_order){
		.type = type, .path = request->path, .error = request->error, .request = request};
}

bool rtrsi_server_next(struct rtrs_server *server, struct rtrs_server_order *ret)
{
	struct rtrs_server_request *request;

	while (!rtrsi_server_path_order(server, ret)) {
		request = take_server_request(server);
		if (!request)
			return false;
		if (request->state == RTRS_REQUEST_ANSWERING) {
			request_order(request, RTRS_SERVER_ORDER_ANSWER, ret);
		} else if (request->state == RTRS_REQUEST_ARRIVED) {
			request_order(request, RTRS_SERVER_ORDER_INVALIDATE, ret);
		} else {
			if (!begin_run(server, request))
				continue;
			request_order(request, RTRS_SERVER_ORDER_RUN, ret);
		}
		break;
	}
	return true;
}
