/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The network and the server that the client's engine is tested in. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/request.h"
#include "t/unit/rtrs_world_internal.h"

enum { MESSAGE_OFFSET = 64 };

static const int64_t ms = 1000000;

uint32_t world_random(struct world *world, uint32_t below)
{
	world->random =
		world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((world->random >> 33) % below);
}

struct world_event *world_happens_in(struct world *world, int64_t delay_ns,
				     enum world_event_type type, unsigned int path)
{
	struct world_event *event = &world->events[world->event_count++];

	assert_true(world->event_count <= WORLD_EVENTS);
	*event = (struct world_event){.at_ns = world->now_ns + delay_ns,
				      .order = world->order++,
				      .type = type,
				      .path = path,
				      .life = world->paths[path].life};
	return event;
}

/* It is not sent: it happens to one side by itself. */
static bool is_local(enum world_event_type type)
{
	return type == WORLD_RUN_ENDS || type == WORLD_LOST || type == WORLD_CLOSED ||
	       type == WORLD_SERVER_CLOSED || type == WORLD_INVALIDATED;
}

struct world_event *world_sent_on(struct world *world, enum world_event_type type,
				  unsigned int path)
{
	struct world_event *event;
	int64_t latest = world->now_ns + (1 + world_random(world, 20)) * ms / 10;

	for (unsigned int i = 0; i < world->event_count; i++) {
		const struct world_event *other = &world->events[i];

		if (other->path == path && !is_local(other->type) &&
		    (other->type < WORLD_CONNECT) == (type < WORLD_CONNECT) &&
		    other->at_ns > latest)
			latest = other->at_ns;
	}
	event = world_happens_in(world, latest - world->now_ns, type, path);
	return event;
}

void world_begin(struct world *world, uint64_t seed, bool is_kernel, bool new_keys)
{
	struct rtrs_client_options options = {.name = "model",
					      .reconnect_delay_ms = 2000,
					      .jitter_ms = 500,
					      .max_reconnect_attempts = -1,
					      .random = (uint32_t)seed};

	memset(world, 0, sizeof(*world));
	world->random = seed;
	world->is_kernel = is_kernel;
	world->new_keys = new_keys;
	assert_int_equal(rtrsi_client_init(&world->client, &options), 0);
	world->client.policy = world_random(world, 3);
	if (!is_kernel)
		world_server_begin(world);
}

void world_end(struct world *world)
{
	if (!world->is_kernel)
		world_server_end(world);
	rtrsi_client_free(&world->client);
}

/* --- a server like the kernel's ------------------------------------------------------------------------------- */

static void answer_info(struct world *world, unsigned int number)
{
	struct world_path *path = &world->paths[number];

	for (unsigned int i = 0; i < WORLD_DEPTH; i++)
		path->keys[i] = path->life << 16 | i << 8;
	world_sent_on(world, WORLD_INFO, number);
}

static void server_forgets(struct world *world, unsigned int number)
{
	struct world_path *path = &world->paths[number];

	if (!path->is_up && !path->runs)
		path->server_life = 0;
}

static void run_is_over(struct world *world, struct world_run *run)
{
	run->in_use = false;
	world->paths[run->path].runs--;
	server_forgets(world, run->path);
}

static void start_run(struct world *world, struct world_run *run)
{
	int64_t time = (1 + world_random(world, 30)) * ms / 10;

	/* A backing device that takes seconds now and then. */
	if (!world_random(world, 8))
		time = (int64_t)(1 + world_random(world, 90)) * 100 * ms;
	world_happens_in(world, time, WORLD_RUN_ENDS, run->path)->value =
		(uint32_t)(run - world->runs);
}

static struct world_request *world_request_of(struct world *world, uint32_t serial)
{
	return &world->requests[serial - 1];
}

static void server_goes_down(struct world *world, unsigned int number)
{
	struct world_path *path = &world->paths[number];

	if (!path->is_up)
		return;
	path->is_up = false;
	server_forgets(world, number);
}

struct world_run *world_new_run(struct world *world)
{
	struct world_run *run = world->runs;

	while (run->in_use)
		assert_true(++run < world->runs + WORLD_RUNS);
	return run;
}

static void request_arrives(struct world *world, const struct world_event *event)
{
	struct world_path *path = &world->paths[event->path];
	struct world_run *run = world_new_run(world);
	struct rtrs_geometry geometry;
	struct rtrs_imm imm;

	assert_int_equal(rtrsi_geometry_init(WORLD_DEPTH, WORLD_CHUNK - WORLD_MAX_HEADER,
					     WORLD_MAX_HEADER, &geometry),
			 RTRS_FAULT_NONE);
	assert_int_equal(rtrsi_imm_at_server(&geometry, event->value, &imm), RTRS_FAULT_NONE);
	assert_int_equal(imm.type, RTRS_IMM_REQUEST);
	assert_int_equal(event->key, path->keys[imm.chunk]);
	*run = (struct world_run){.in_use = true,
				  .path = event->path,
				  .life = event->life,
				  .chunk = imm.chunk,
				  .serial = event->serial};
	path->runs++;
	world->chunk_serial[imm.chunk] = event->serial;
	start_run(world, run);
}

/* Only where the client had no other permit may another's data be in the chunk. */
static void check_execution(struct world *world, const struct world_run *run)
{
	struct world_request *request = world_request_of(world, run->serial);

	if (world->chunk_serial[run->chunk] != run->serial)
		assert_true(
			world_request_of(world, world->chunk_serial[run->chunk])->request.rested);
	request->is_executed = true;
	world->executions++;
}

static void run_ends(struct world *world, const struct world_event *event)
{
	struct world_run *run = &world->runs[event->value];
	struct world_path *path = &world->paths[run->path];

	check_execution(world, run);
	if (path->is_up && path->server_life == run->life) {
		struct world_event *answer = world_sent_on(world, WORLD_IMM, run->path);

		answer->value = rtrsi_imm_answer(run->chunk, 0, false);
		if (world->new_keys)
			answer->key = ++path->keys[run->chunk];
	}
	run_is_over(world, run);
}

/* A path is made anew only when nothing is left of its former life. */
static void connect_arrives(struct world *world, const struct world_event *event)
{
	struct world_path *path = &world->paths[event->path];

	if (event->value == 0 && path->server_life && path->server_life != event->life &&
	    path->is_up)
		server_goes_down(world, event->path);
	if (path->server_life && path->server_life != event->life) {
		world_sent_on(world, WORLD_REFUSE, event->path);
		return;
	}
	path->server_life = event->life;
	path->is_up = true;
	world_sent_on(world, WORLD_ACCEPT, event->path);
}

static void at_kernel_server(struct world *world, const struct world_event *event)
{
	struct world_path *path = &world->paths[event->path];
	bool is_known = path->is_up && path->server_life == event->life;

	if (event->type == WORLD_RUN_ENDS) {
		run_ends(world, event);
	} else if (event->type == WORLD_CONNECT) {
		connect_arrives(world, event);
	} else if (is_known && event->type == WORLD_DOWN) {
		server_goes_down(world, event->path);
	} else if (is_known && event->type == WORLD_INFO_REQUEST) {
		answer_info(world, event->path);
	} else if (is_known && event->type == WORLD_REQUEST) {
		request_arrives(world, event);
	} else if (is_known && event->type == WORLD_BEAT &&
		   event->value == rtrsi_imm_heartbeat(false)) {
		world_sent_on(world, WORLD_IMM, event->path)->value = rtrsi_imm_heartbeat(true);
	}
}

/* --- the client -------------------------------------------------------------------------------- */

static void imm_arrives(struct world *world, const struct world_event *event)
{
	uint8_t bytes[RTRS_NEW_KEY_SIZE];

	rtrsi_new_key_encode(event->value & 0x7ffff & UINT16_MAX, event->key, bytes);
	rtrsi_client_received(&world->client, event->path, event->value,
			      world->new_keys ? bytes : NULL, sizeof(bytes), world->now_ns);
}

static void info_arrives(struct world *world, const struct world_event *event)
{
	uint8_t bytes[RTRS_INFO_ANSWER_SIZE + RTRS_DESCRIPTOR_SIZE * WORLD_DEPTH];
	struct rtrs_descriptor descriptors[WORLD_DEPTH];

	for (unsigned int i = 0; i < WORLD_DEPTH; i++)
		descriptors[i] = (struct rtrs_descriptor){
			(uint64_t)i * WORLD_CHUNK, world->paths[event->path].keys[i], WORLD_CHUNK};
	rtrsi_info_answer_encode(descriptors, WORLD_DEPTH, bytes);
	rtrsi_client_info(&world->client, event->path, bytes, sizeof(bytes), world->now_ns);
}

static void at_client(struct world *world, const struct world_event *event)
{
	const struct rtrs_accept accept = {WORLD_DEPTH, WORLD_CHUNK - WORLD_MAX_HEADER,
					   WORLD_MAX_HEADER, world->new_keys};
	uint8_t bytes[RTRS_CONNECT_SIZE];

	/* Of a former life nothing arrives. */
	if (event->life != world->paths[event->path].life)
		return;
	switch (event->type) {
	case WORLD_ACCEPT:
		rtrsi_accept_encode(&accept, bytes);
		rtrsi_client_accepted(&world->client, event->path, bytes, sizeof(bytes),
				      world->now_ns);
		break;
	case WORLD_REFUSE:
		rtrsi_reject_encode(event->value ? -(int)event->value : -ECONNRESET, bytes);
		rtrsi_client_refused(&world->client, event->path, bytes, sizeof(bytes), 0);
		break;
	case WORLD_INFO:
		info_arrives(world, event);
		break;
	case WORLD_IMM:
		imm_arrives(world, event);
		break;
	case WORLD_LOST:
		rtrsi_client_lost(&world->client, event->path, -(int)event->value);
		break;
	default:
		rtrsi_client_closed(&world->client, event->path, world->now_ns);
		break;
	}
}

/* Nothing of the path's present life arrives any more at the client; what is on its way to the server neither. */
static void drop_traffic(struct world *world, unsigned int path)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < world->event_count; i++) {
		const struct world_event *event = &world->events[i];

		if (event->path != path || is_local(event->type) || event->type == WORLD_DOWN)
			world->events[kept++] = *event;
	}
	world->event_count = kept;
}

static void request_is_done(struct world *world, const struct rtrs_order *order)
{
	struct world_request *request = (struct world_request *)order->request;

	assert_true(request->is_submitted && !request->is_done);
	request->is_done = true;
	request->error = order->error;
	world->done++;
	if (order->error == -ECONNABORTED) {
		world->answers_with_error++;
	} else {
		assert_true(!order->error || (!world->is_kernel && order->error == -EIO));
		assert_true(request->is_executed);
	}
}

static void send_world_request(struct world *world, const struct rtrs_order *order)
{
	const struct rtrs_client_path *path = &world->client.paths[order->path];
	uint16_t permit = order->request->permit;
	struct world_event *event;

	assert_int_equal(path->state, RTRS_CLIENT_CONNECTED);
	if (world->paths[order->path].is_broken)
		return;
	event = world_sent_on(world, WORLD_REQUEST, order->path);
	event->value = rtrsi_imm_request(&path->handshake.geometry, permit, MESSAGE_OFFSET);
	event->key = path->chunks[permit].key;
	event->serial = (uint32_t)((struct world_request *)order->request - world->requests) + 1;
}

static void close_connections(struct world *world, unsigned int number)
{
	bool is_broken = world->paths[number].is_broken;

	drop_traffic(world, number);
	/* The server hears of it, or finds out. */
	world_happens_in(world, is_broken ? 5000 * ms : (1 + world_random(world, 20)) * ms,
			 WORLD_DOWN, number);
	world_happens_in(world, (1 + world_random(world, 50)) * ms / 10, WORLD_CLOSED, number);
}

static void carry_out_order(struct world *world, const struct rtrs_order *order)
{
	struct world_path *path = &world->paths[order->path];

	switch (order->type) {
	case RTRS_ORDER_CONNECT:
		if (!order->connection)
			path->life++;
		memcpy(path->asked[order->connection],
		       world->client.paths[order->path].handshake.private_data, RTRS_CONNECT_SIZE);
		if (path->is_broken)
			world_happens_in(world, 100 * ms, WORLD_LOST, order->path)->value =
				ETIMEDOUT;
		else
			world_sent_on(world, WORLD_CONNECT, order->path)->value = order->connection;
		break;
	case RTRS_ORDER_INFO:
		if (!path->is_broken)
			world_sent_on(world, WORLD_INFO_REQUEST, order->path);
		break;
	case RTRS_ORDER_CLOSE:
		close_connections(world, order->path);
		break;
	case RTRS_ORDER_HEARTBEAT:
	case RTRS_ORDER_ACK:
		if (!path->is_broken)
			world_sent_on(world, WORLD_BEAT, order->path)->value =
				rtrsi_imm_heartbeat(order->type == RTRS_ORDER_ACK);
		break;
	case RTRS_ORDER_SEND:
		send_world_request(world, order);
		break;
	case RTRS_ORDER_DONE:
		request_is_done(world, order);
		break;
	default:
		break;
	}
}

static void carry_out_all(struct world *world)
{
	struct rtrs_order order;

	while (rtrsi_client_next(&world->client, &order))
		carry_out_order(world, &order);
}

int world_submit(struct world *world)
{
	struct world_request *request = &world->requests[world->submitted];
	int err;

	if (world->submitted == WORLD_REQUESTS)
		return -ENOSPC;
	err = rtrsi_client_submit(&world->client, &request->request);
	if (err)
		return err;
	request->is_submitted = true;
	world->submitted++;
	carry_out_all(world);
	return 0;
}

void world_add_path(struct world *world)
{
	const uint8_t uuid[RTRS_UUID_SIZE] = {(uint8_t)(1 + world->path_count++)};
	int place = rtrsi_client_add_path(&world->client, uuid, WORLD_CONNECTIONS, world->now_ns);

	assert_in_range(place, 0, WORLD_PATHS - 1);
	carry_out_all(world);
}

void world_break(struct world *world, unsigned int number, bool is_silent, int error)
{
	struct world_path *path = &world->paths[number];

	if (path->is_broken)
		return;
	path->is_broken = true;
	drop_traffic(world, number);
	world_happens_in(world, is_silent ? 8000 * ms : ms, WORLD_DOWN, number);
	if (!is_silent)
		world_happens_in(world, (1 + world_random(world, 20)) * ms / 10, WORLD_LOST, number)
			->value = (uint32_t)error;
}

void world_cut(struct world *world, unsigned int number)
{
	if (world->is_kernel || !world->paths[number].server)
		return;
	rtrsi_server_lost(&world->server, world->paths[number].server, -ECONNABORTED);
	world_server_orders(world);
}

void world_mend(struct world *world, unsigned int number)
{
	world->paths[number].is_broken = false;
}

static int next_of(const struct world *world)
{
	int next = -1;

	for (unsigned int i = 0; i < world->event_count; i++) {
		const struct world_event *event = &world->events[i];

		if (next < 0 || event->at_ns < world->events[next].at_ns ||
		    (event->at_ns == world->events[next].at_ns &&
		     event->order < world->events[next].order))
			next = (int)i;
	}
	return next;
}

static void at_either_server(struct world *world, const struct world_event *event)
{
	if (world->is_kernel)
		at_kernel_server(world, event);
	else
		world_at_server(world, event);
}

static int64_t world_deadline(const struct world *world)
{
	int64_t client = rtrsi_client_deadline_ns(&world->client), server = INT64_MAX;

	if (!world->is_kernel)
		server = rtrsi_server_deadline_ns(&world->server);
	return client < server ? client : server;
}

static void tick_world(struct world *world)
{
	rtrsi_client_tick(&world->client, world->now_ns);
	if (!world->is_kernel)
		rtrsi_server_tick(&world->server, world->now_ns);
}

bool world_step(struct world *world)
{
	int64_t deadline = world_deadline(world);
	int next = next_of(world);
	struct world_event event;

	if (next < 0 && deadline == INT64_MAX)
		return false;
	if (next < 0 || deadline <= world->events[next].at_ns) {
		if (deadline > world->now_ns)
			world->now_ns = deadline;
		tick_world(world);
	} else {
		event = world->events[next];
		world->events[next] = world->events[--world->event_count];
		world->now_ns = event.at_ns;
		if (event.type < WORLD_CONNECT)
			at_client(world, &event);
		else
			at_either_server(world, &event);
	}
	carry_out_all(world);
	if (!world->is_kernel)
		world_server_orders(world);
	return true;
}
