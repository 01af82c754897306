/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The server's engine in the world of the client's, with chunks in memory. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/imm.h"
#include "t/unit/rtrs_world_internal.h"

static const int64_t ms = 1000000;

void world_server_begin(struct world *world)
{
	const struct rtrs_server_options options = {
		.accept = {WORLD_DEPTH, WORLD_CHUNK - WORLD_MAX_HEADER, WORLD_MAX_HEADER,
			   world->new_keys},
		.paths_max = WORLD_PATHS,
	};

	static uint8_t memory[WORLD_PATHS][WORLD_DEPTH * WORLD_CHUNK];

	assert_int_equal(rtrsi_server_init(&world->server, &options), 0);
	for (unsigned int i = 0; i < WORLD_PATHS; i++)
		world->paths[i].memory = memory[i];
}

static unsigned int place_of(const struct world *world, const struct rtrs_server_path *path)
{
	return (unsigned int)((const struct world_path *)path->user - world->paths);
}

/* --- orders -------------------------------------------------------------------------------------- */

static void make_keys(struct world_path *path)
{
	for (unsigned int i = 0; i < WORLD_DEPTH; i++)
		path->keys[i] = path->life << 16 | i;
	path->last_key = path->life << 16 | 0xff;
}

static void close_at_server(struct world *world, unsigned int number)
{
	struct world_path *path = &world->paths[number];

	/* The client hears of it, as long as anything gets through. */
	if (!path->is_broken && path->life == path->server_life)
		world_happens_in(world, (1 + world_random(world, 20)) * ms / 10, WORLD_LOST, number)
			->value = ECONNRESET;
	world_happens_in(world, (1 + world_random(world, 20)) * ms / 10, WORLD_SERVER_CLOSED,
			 number)
		->life = path->server_life;
}

static void start_server_run(struct world *world, struct rtrs_server_request *request)
{
	unsigned int number = place_of(world, request->path);
	struct world_run *run = world_new_run(world);
	int64_t time = (1 + world_random(world, 30)) * ms / 10;

	if (!world_random(world, 8))
		time = (int64_t)(1 + world_random(world, 90)) * 100 * ms;
	*run = (struct world_run){.in_use = true,
				  .path = number,
				  .life = world->paths[number].server_life,
				  .chunk = request->chunk,
				  .request = request};
	memcpy(&run->serial, request->data, sizeof(run->serial));
	/* One at a time in chunks of this number, on whatever path. */
	assert_int_equal(world->chunk_runs[run->chunk]++, 0);
	world_happens_in(world, time, WORLD_RUN_ENDS, number)->value =
		(uint32_t)(run - world->runs);
}

static void send_answer(struct world *world, struct rtrs_server_request *request)
{
	unsigned int number = place_of(world, request->path);
	struct world_path *path = &world->paths[number];
	struct world_event *answer;

	rtrsi_server_answered(&world->server, request);
	/* What runs while its path dies is answered by nobody. */
	if (path->is_broken || path->life != path->server_life)
		return;
	answer = world_sent_on(world, WORLD_IMM, number);
	answer->value = rtrsi_imm_answer(request->chunk, request->error, false);
	if (world->new_keys)
		path->keys[request->chunk] = answer->key = ++path->last_key;
}

static void send_from_server(struct world *world, const struct rtrs_server_order *order,
			     uint32_t imm)
{
	unsigned int number = place_of(world, order->path);
	struct world_path *path = &world->paths[number];

	if (path->is_broken || path->life != path->server_life)
		return;
	if (order->type == RTRS_SERVER_ORDER_INFO)
		world_sent_on(world, WORLD_INFO, number);
	else
		world_sent_on(world, WORLD_IMM, number)->value = imm;
}

static void invalidate_key(struct world *world, struct rtrs_server_request *request)
{
	unsigned int number = place_of(world, request->path);
	struct world_event *event = world_happens_in(world, (1 + world_random(world, 9)) * ms / 10,
						     WORLD_INVALIDATED, number);

	assert_true(world->new_keys);
	event->value = request->chunk;
	event->life = world->paths[number].server_life;
}

static void carry_out_for_server(struct world *world, const struct rtrs_server_order *order)
{
	struct world_path *path = order->path->user;

	switch (order->type) {
	case RTRS_SERVER_ORDER_GRANT:
		make_keys(path);
		rtrsi_server_granted(&world->server, order->path, path->memory, world->now_ns);
		break;
	case RTRS_SERVER_ORDER_UP:
		assert_false(world->session_is_up);
		world->session_is_up = true;
		break;
	case RTRS_SERVER_ORDER_DOWN:
		assert_true(world->session_is_up);
		world->session_is_up = false;
		break;
	case RTRS_SERVER_ORDER_CLOSE:
		close_at_server(world, place_of(world, order->path));
		break;
	case RTRS_SERVER_ORDER_GONE:
		assert_int_equal(order->path->runs, 0);
		path->server = NULL;
		path->server_life = 0;
		break;
	case RTRS_SERVER_ORDER_INVALIDATE:
		invalidate_key(world, order->request);
		break;
	case RTRS_SERVER_ORDER_RUN:
		start_server_run(world, order->request);
		break;
	case RTRS_SERVER_ORDER_ANSWER:
		send_answer(world, order->request);
		break;
	default:
		send_from_server(world, order,
				 rtrsi_imm_heartbeat(order->type == RTRS_SERVER_ORDER_ACK));
		break;
	}
}

void world_server_orders(struct world *world)
{
	struct rtrs_server_order order;

	while (rtrsi_server_next(&world->server, &order))
		carry_out_for_server(world, &order);
}

/* --- events -------------------------------------------------------------------------------------- */

static void connection_is_asked_for(struct world *world, const struct world_event *event)
{
	struct world_path *path = &world->paths[event->path];
	struct rtrs_server_connection made;
	struct rtrs_addresses addresses = {0};
	struct sockaddr_in *peer = (void *)&addresses.peer;
	int err;

	peer->sin_family = AF_INET;
	peer->sin_addr.s_addr = htonl(event->path);
	err = rtrsi_server_connect(&world->server, path->asked[event->value], RTRS_CONNECT_SIZE,
				   &addresses, world->now_ns, &made);
	if (err) {
		world_sent_on(world, WORLD_REFUSE, event->path)->value = (uint32_t)-err;
		return;
	}
	assert_int_equal(made.number, event->value);
	made.path->user = path;
	path->server = made.path;
	path->server_life = event->life;
	world_sent_on(world, WORLD_ACCEPT, event->path);
}

static void info_is_asked_for(struct world *world, struct rtrs_server_path *path)
{
	uint8_t bytes[RTRS_INFO_REQUEST_SIZE];

	assert_int_equal(rtrsi_info_request_encode("model", bytes), 0);
	rtrsi_server_info(&world->server, path, bytes, sizeof(bytes), world->now_ns);
}

/* The data lands whatever the engine thinks of it, and nobody else's may have been needed there. */
static void request_lands(struct world *world, struct world_path *path,
			  const struct world_event *event)
{
	struct rtrs_imm imm;
	uint8_t *chunk;

	assert_int_equal(rtrsi_imm_at_server(&world->server.geometry, event->value, &imm),
			 RTRS_FAULT_NONE);
	assert_int_equal(event->key, path->keys[imm.chunk]);
	if (world->new_keys)
		path->keys[imm.chunk] = 0;
	chunk = path->memory + (size_t)imm.chunk * WORLD_CHUNK;
	memcpy(chunk, &event->serial, sizeof(event->serial));
	rtrsi_write_encode(0, chunk + imm.offset);
	rtrsi_server_received(&world->server, path->server, 1, event->value, world->now_ns);
}

static void server_run_ends(struct world *world, struct world_run *run)
{
	struct world_request *request = &world->requests[run->serial - 1];
	int error = world_random(world, 16) ? 0 : -EIO;
	uint32_t serial;

	/* It still had its own data, and is not done again once it was answered as done. */
	memcpy(&serial, run->request->data, sizeof(serial));
	assert_int_equal(serial, run->serial);
	assert_false(request->is_done && !request->error);
	request->is_executed = true;
	world->executions++;
	world->chunk_runs[run->chunk]--;
	run->in_use = false;
	rtrsi_server_done(&world->server, run->request, error);
}

void world_at_server(struct world *world, const struct world_event *event)
{
	struct world_path *path = &world->paths[event->path];
	bool is_known = path->server && path->server_life == event->life;

	if (event->type == WORLD_RUN_ENDS)
		server_run_ends(world, &world->runs[event->value]);
	else if (event->type == WORLD_CONNECT)
		connection_is_asked_for(world, event);
	else if (!is_known)
		return;
	else if (event->type == WORLD_DOWN)
		rtrsi_server_lost(&world->server, path->server, -ECONNRESET);
	else if (event->type == WORLD_SERVER_CLOSED)
		rtrsi_server_closed(&world->server, path->server);
	else if (event->type == WORLD_INFO_REQUEST)
		info_is_asked_for(world, path->server);
	else if (event->type == WORLD_INVALIDATED)
		rtrsi_server_invalidated(&world->server, &path->server->requests[event->value]);
	else if (event->type == WORLD_BEAT)
		rtrsi_server_received(&world->server, path->server, 0, event->value, world->now_ns);
	else if (path->server->state == RTRS_SERVER_CONNECTED)
		request_lands(world, path, event);
}

/* Nothing of it is left. */
void world_server_end(struct world *world)
{
	for (unsigned int i = 0; i < WORLD_PATHS; i++) {
		if (world->paths[i].server)
			rtrsi_server_lost(&world->server, world->paths[i].server, -ECONNRESET);
	}
	world_server_orders(world);
	for (unsigned int i = 0; i < WORLD_PATHS; i++) {
		if (world->paths[i].server)
			rtrsi_server_closed(&world->server, world->paths[i].server);
	}
	for (unsigned int i = 0; i < WORLD_RUNS; i++) {
		if (world->runs[i].in_use)
			rtrsi_server_done(&world->server, world->runs[i].request, 0);
	}
	world_server_orders(world);
	assert_null(world->server.sessions);
	assert_int_equal(world->server.path_count, 0);
	assert_false(world->session_is_up);
	rtrsi_server_free(&world->server);
}
