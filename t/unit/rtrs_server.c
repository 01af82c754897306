/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the server's engine: every event in every state of a path, wrong peers, times. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/imm.h"
#include "t/unit/rtrs_server_bed.h"

static const int64_t ms = 1000000;

static void refused_connections(void **state)
{
	struct rtrs_connect connect = bed_request(1, 1, 0);
	struct rtrs_addresses addresses = bed_addresses(1);
	uint8_t bytes[RTRS_CONNECT_SIZE] = {0};
	struct rtrs_server_connection made;
	struct rtrs_server_path *paths[PATHS_MAX];
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	assert_int_equal(rtrsi_server_connect(&bed.server, bytes, sizeof(bytes), &addresses, 0,
					      &made),
			 -ECONNRESET);
	rtrsi_connect_encode(&connect, bytes);
	assert_int_equal(rtrsi_server_connect(&bed.server, bytes, sizeof(bytes) - 1, &addresses, 0,
					      &made),
			 -ECONNRESET);
	connect.first = false;
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), -ENXIO);
	assert_null(bed.server.sessions);
	connect.first = true;
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), 0);
	paths[0] = made.path;
	/* The same connection twice, another number of them, none of that number. */
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), -ECONNRESET);
	connect.connection = 1;
	connect.connections = CONNECTIONS + 1;
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), -ECONNRESET);
	connect.connections = CONNECTIONS;
	connect.first = false;
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), 0);
	/* Another path of the session on the same addresses. */
	connect = bed_request(1, 2, 0);
	connect.first = false;
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), -EEXIST);
	for (unsigned int i = 1; i < PATHS_MAX; i++) {
		connect.path[0] = (uint8_t)(i + 1);
		assert_int_equal(bed_ask(&bed, &connect, (uint8_t)(i + 1), &made), 0);
		paths[i] = made.path;
	}
	connect = bed_request(2, 9, 0);
	assert_int_equal(bed_ask(&bed, &connect, 9, &made), -ECONNRESET);
	for (unsigned int i = 0; i < PATHS_MAX; i++)
		bed_close_path(&bed, paths[i]);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 0);
	assert_null(bed.server.sessions);
	rtrsi_server_free(&bed.server);
}

static void session_names(void **state)
{
	struct rtrs_server_path *path, *other;
	struct rtrs_connect connect = bed_request(1, 1, 0);
	struct rtrs_server_connection made;
	uint8_t bytes[RTRS_INFO_REQUEST_SIZE] = {0};
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	/* With a connection missing. */
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), 0);
	bed_say_name(&bed, made.path, "s1");
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_CONNECTION);
	rtrsi_server_closed(&bed.server, made.path);
	bed_take_orders(&bed);
	/* Empty. */
	path = bed_connect_path(&bed, 1, 1);
	rtrsi_server_info(&bed.server, path, bytes, sizeof(bytes), 0);
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_NAME);
	rtrsi_server_closed(&bed.server, path);
	bed_take_orders(&bed);
	/* Said twice. */
	path = bed_connect_path(&bed, 1, 1);
	bed_say_name(&bed, path, "s1");
	bed_say_name(&bed, path, "s1");
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GRANT], 0);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_TYPE);
	rtrsi_server_granted(&bed.server, path, bed.memory[1], 0);
	rtrsi_server_closed(&bed.server, path);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_INFO], 0);
	/* Taken by another session; and another one than the session's own. */
	path = bed_bring_up(&bed, 1, 1);
	other = bed_connect_path(&bed, 2, 2);
	bed_say_name(&bed, other, "s1");
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].error, -EPERM);
	rtrsi_server_closed(&bed.server, other);
	bed_take_orders(&bed);
	other = bed_connect_path(&bed, 1, 2);
	bed_say_name(&bed, other, "s2");
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_NAME);
	rtrsi_server_closed(&bed.server, other);
	bed_take_orders(&bed);
	assert_int_equal(path->state, RTRS_SERVER_CONNECTED);
	bed_close_path(&bed, path);
	rtrsi_server_free(&bed.server);
}

static void a_path_that_does_not_finish_is_dropped_after_30_seconds(void **state)
{
	struct rtrs_connect connect = bed_request(1, 1, 0);
	struct rtrs_server_connection made;
	struct rtrs_server_path *path;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), 0);
	path = made.path;
	connect = bed_request(2, 2, 0);
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), 0);
	rtrsi_server_lost(&bed.server, made.path, -EIO);
	bed_take_orders(&bed);
	rtrsi_server_closed(&bed.server, made.path);
	assert_true(rtrsi_server_deadline_ns(&bed.server) == 30000 * ms);
	rtrsi_server_tick(&bed.server, 30000 * ms - 1);
	bed_take_orders(&bed);
	assert_int_equal(path->state, RTRS_SERVER_CONNECTING);
	/* Each connection is a step. */
	bed.now_ns = 20000 * ms;
	connect = bed_request(1, 1, 1);
	assert_int_equal(bed_ask(&bed, &connect, 1, &made), 0);
	rtrsi_server_tick(&bed.server, 50000 * ms - 1);
	assert_int_equal(path->state, RTRS_SERVER_CONNECTING);
	rtrsi_server_tick(&bed.server, 50000 * ms);
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].error, -ETIMEDOUT);
	rtrsi_server_closed(&bed.server, path);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
	/* The session was never up. */
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 0);
	path = bed_bring_up(&bed, 1, 1);
	bed_close_path(&bed, path);
	assert_true(rtrsi_server_deadline_ns(&bed.server) == INT64_MAX);
	rtrsi_server_free(&bed.server);
}

static void heartbeats(void **state)
{
	struct rtrs_server_path *path;
	unsigned int sent = 0;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	path = bed_bring_up(&bed, 1, 1);
	rtrsi_server_received(&bed.server, path, 0, rtrsi_imm_heartbeat(false), 0);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_ACK], 1);
	/* A day of them, heard on any connection. */
	for (int64_t second = 1; second <= 86400; second++) {
		rtrsi_server_tick(&bed.server, second * 1000 * ms);
		bed_take_orders(&bed);
		sent += bed.given[RTRS_SERVER_ORDER_HEARTBEAT];
		assert_int_equal(bed.given[RTRS_SERVER_ORDER_CLOSE], 0);
		if (second % 20 == 19)
			rtrsi_server_received(&bed.server, path, 1, rtrsi_imm_heartbeat(true),
					      second * 1000 * ms);
	}
	assert_int_equal(sent, 86400 / 20 + 1);
	for (int64_t second = 86401; second <= 86401 + 35; second++)
		rtrsi_server_tick(&bed.server, second * 1000 * ms);
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].error, -ETIMEDOUT);
	rtrsi_server_closed(&bed.server, path);
	bed_take_orders(&bed);
	rtrsi_server_free(&bed.server);
}

enum event { CONNECT, INFO, GRANTED, REQUEST, BEAT, INVALIDATED, LOST, CLOSED, TICK, EVENTS };

static void happens_at_server(struct server_bed *bed, struct rtrs_server_path *path,
			      enum event event)
{
	struct rtrs_connect connect = bed_request(1, 1, 1);
	struct rtrs_server_connection made;

	switch (event) {
	case CONNECT:
		assert_int_equal(bed_ask(bed, &connect, 1, &made), -ECONNRESET);
		break;
	case INFO:
		bed_say_name(bed, path, "s1");
		break;
	case GRANTED:
		rtrsi_server_granted(&bed->server, path, bed->memory[1], 0);
		break;
	case REQUEST:
		rtrsi_write_encode(USER, bed->memory[1] + CHUNK + OFFSET);
		bed_arrives(bed, path, 1, OFFSET);
		break;
	case BEAT:
		rtrsi_server_received(&bed->server, path, 0, rtrsi_imm_heartbeat(false), 0);
		break;
	case INVALIDATED:
		if (path->requests)
			rtrsi_server_invalidated(&bed->server, &path->requests[2]);
		break;
	case LOST:
		rtrsi_server_lost(&bed->server, path, -EIO);
		break;
	case CLOSED:
		rtrsi_server_closed(&bed->server, path);
		break;
	default:
		rtrsi_server_tick(&bed->server, 30000 * ms);
		break;
	}
}

/* In all but the first there is a request that the user has. */
static struct rtrs_server_path *path_in(struct server_bed *bed, enum rtrs_server_state state)
{
	struct rtrs_server_path *path;

	bed_begin(bed, false);
	if (state == RTRS_SERVER_CONNECTING) {
		path = bed_connect_path(bed, 1, 1);
		return path;
	}
	path = bed_bring_up(bed, 1, 1);
	bed_write(bed, path, 0);
	if (state != RTRS_SERVER_CONNECTED)
		rtrsi_server_lost(&bed->server, path, -EIO);
	bed_take_orders(bed);
	if (state == RTRS_SERVER_CLOSED)
		rtrsi_server_closed(&bed->server, path);
	bed_take_orders(bed);
	assert_int_equal(path->state, state);
	return path;
}

static void every_event_of_a_server_path_in_every_state(void **state)
{
	const enum rtrs_server_state GO = RTRS_SERVER_CONNECTING, UP = RTRS_SERVER_CONNECTED,
				     CG = RTRS_SERVER_CLOSING, CD = RTRS_SERVER_CLOSED;
	/* connect, info, granted, request, beat, invalidated, lost, closed, tick */
	const enum rtrs_server_state after[RTRS_SERVER_STATES][EVENTS] = {
		[GO] = {GO, GO, GO, GO, GO, GO, CG, GO, CG},
		[UP] = {UP, UP, UP, UP, UP, UP, CG, UP, UP},
		[CG] = {CG, CG, CG, CG, CG, CG, CG, CD, CG},
		[CD] = {CD, CD, CD, CD, CD, CD, CD, CD, CD},
	};
	struct server_bed bed;

	(void)state;
	for (enum rtrs_server_state from = 0; from < RTRS_SERVER_STATES; from++) {
		for (enum event event = 0; event < EVENTS; event++) {
			struct rtrs_server_path *path = path_in(&bed, from);
			struct rtrs_server_request *request = NULL;

			if (from != RTRS_SERVER_CONNECTING)
				request = &path->requests[0];
			happens_at_server(&bed, path, event);
			assert_int_equal(path->state, after[from][event]);
			bed_take_orders(&bed);
			assert_int_equal(bed.given[RTRS_SERVER_ORDER_CLOSE],
					 path->state == CG && from != CG);
			assert_int_equal(bed.given[RTRS_SERVER_ORDER_RUN],
					 from == UP && event == REQUEST);
			assert_int_equal(bed.given[RTRS_SERVER_ORDER_ACK],
					 from == UP && event == BEAT);
			assert_int_equal(bed.given[RTRS_SERVER_ORDER_GRANT],
					 from == GO && event == INFO);
			assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 0);
			if (bed.given[RTRS_SERVER_ORDER_RUN])
				rtrsi_server_done(&bed.server, bed_running(&bed), 0);
			rtrsi_server_lost(&bed.server, path, -EIO);
			rtrsi_server_closed(&bed.server, path);
			if (request)
				rtrsi_server_done(&bed.server, request, 0);
			bed_take_orders(&bed);
			assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
			assert_null(bed.server.sessions);
			rtrsi_server_free(&bed.server);
		}
	}
}

static void impossible_options(void **state)
{
	static const struct rtrs_accept wrong[] = {
		{0, 4096, 4096, false}, {4, 4096, 4097, false}, {65535, 126976, 4096, false}};
	struct rtrs_server server;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++) {
		const struct rtrs_server_options options = {.accept = wrong[i], .paths_max = 1};

		assert_int_equal(rtrsi_server_init(&server, &options), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_connections),
		cmocka_unit_test(session_names),
		cmocka_unit_test(a_path_that_does_not_finish_is_dropped_after_30_seconds),
		cmocka_unit_test(heartbeats),
		cmocka_unit_test(every_event_of_a_server_path_in_every_state),
		cmocka_unit_test(impossible_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
