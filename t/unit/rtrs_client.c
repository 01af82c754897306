/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the client's engine: every event in every state of a path, wrong peers, the user's wishes, times. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/engine/client.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/request.h"

enum { DEPTH = 4, CONNECTIONS = 2, DELAY_MS = 30000 };

static const int64_t ms = 1000000;
static const uint8_t uuid[RTRS_UUID_SIZE] = {1};

struct bed {
	struct rtrs_client client;
	int64_t now_ns;
	/* How often each order was given since the last look, and the last one of each. */
	unsigned int given[RTRS_ORDER_DONE + 1];
	struct rtrs_order last[RTRS_ORDER_DONE + 1];
};

static void begin_client(struct bed *bed)
{
	struct rtrs_client_options options = {.name = "s1",
					      .reconnect_delay_ms = DELAY_MS,
					      .max_reconnect_attempts = -1,
					      .random = 1};

	memset(bed, 0, sizeof(*bed));
	assert_int_equal(rtrsi_client_init(&bed->client, &options), 0);
}

static void take_orders(struct bed *bed)
{
	struct rtrs_order order;

	memset(bed->given, 0, sizeof(bed->given));
	while (rtrsi_client_next(&bed->client, &order)) {
		bed->given[order.type]++;
		bed->last[order.type] = order;
	}
}

static void accept_one(struct bed *bed, unsigned int path, uint16_t depth)
{
	const struct rtrs_accept accept = {depth, 4096, 4096, true};
	uint8_t bytes[RTRS_CONNECT_SIZE];

	rtrsi_accept_encode(&accept, bytes);
	rtrsi_client_accepted(&bed->client, path, bytes, sizeof(bytes), bed->now_ns);
}

static void give_info(struct bed *bed, unsigned int path)
{
	const struct rtrs_descriptor all = {4096, 7, DEPTH * 8192};
	uint8_t bytes[RTRS_INFO_ANSWER_SIZE + RTRS_DESCRIPTOR_SIZE];

	rtrsi_info_answer_encode(&all, 1, bytes);
	rtrsi_client_info(&bed->client, path, bytes, sizeof(bytes), bed->now_ns);
}

static void bring_up(struct bed *bed, unsigned int path)
{
	for (unsigned int i = 0; i < CONNECTIONS; i++)
		accept_one(bed, path, DEPTH);
	give_info(bed, path);
	assert_int_equal(bed->client.paths[path].state, RTRS_CLIENT_CONNECTED);
	take_orders(bed);
}

static unsigned int add_path(struct bed *bed)
{
	int path = rtrsi_client_add_path(&bed->client, uuid, CONNECTIONS, bed->now_ns);

	assert_true(path >= 0);
	take_orders(bed);
	assert_int_equal(bed->given[RTRS_ORDER_CONNECT], 1);
	return (unsigned int)path;
}

/* One path in that state; 0 orders are left. */
static void one_path_in(struct bed *bed, enum rtrs_client_state state)
{
	begin_client(bed);
	(void)add_path(bed);
	if (state == RTRS_CLIENT_CONNECTING)
		return;
	if (state == RTRS_CLIENT_CONNECTING_ERR) {
		rtrsi_client_lost(&bed->client, 0, -ECONNRESET);
	} else {
		bring_up(bed, 0);
		if (state == RTRS_CLIENT_RECONNECTING) {
			rtrsi_client_lost(&bed->client, 0, -ECONNRESET);
		} else if (state != RTRS_CLIENT_CONNECTED) {
			rtrsi_client_disconnect_path(&bed->client, 0);
			take_orders(bed);
			if (state != RTRS_CLIENT_CLOSING)
				rtrsi_client_closed(&bed->client, 0, bed->now_ns);
			if (state == RTRS_CLIENT_DEAD)
				rtrsi_client_remove_path(&bed->client, 0);
		}
	}
	take_orders(bed);
	assert_int_equal(bed->client.paths[0].state, state);
}

enum event { ACCEPTED, REFUSED, INFO, RECEIVED, LOST, CLOSED, DISCONNECT, RECONNECT, EVENTS };

static void happens(struct bed *bed, enum event event)
{
	uint8_t reject[RTRS_CONNECT_SIZE];

	rtrsi_reject_encode(-EEXIST, reject);
	switch (event) {
	case ACCEPTED:
		accept_one(bed, 0, DEPTH);
		break;
	case REFUSED:
		rtrsi_client_refused(&bed->client, 0, reject, sizeof(reject), 0);
		break;
	case INFO:
		give_info(bed, 0);
		break;
	case RECEIVED:
		rtrsi_client_received(&bed->client, 0, rtrsi_imm_heartbeat(false), NULL, 0,
				      bed->now_ns);
		break;
	case LOST:
		rtrsi_client_lost(&bed->client, 0, -EIO);
		break;
	case CLOSED:
		rtrsi_client_closed(&bed->client, 0, bed->now_ns);
		break;
	case DISCONNECT:
		rtrsi_client_disconnect_path(&bed->client, 0);
		break;
	default:
		(void)!rtrsi_client_reconnect_path(&bed->client, 0, bed->now_ns);
		break;
	}
}

static void every_event_of_a_path_in_every_state(void **state)
{
	enum {
		GO = RTRS_CLIENT_CONNECTING,
		ERR = RTRS_CLIENT_CONNECTING_ERR,
		RE = RTRS_CLIENT_RECONNECTING,
		UP = RTRS_CLIENT_CONNECTED,
		CG = RTRS_CLIENT_CLOSING,
		CD = RTRS_CLIENT_CLOSED,
		DD = RTRS_CLIENT_DEAD,
	};
	/* accepted, refused, info, received, lost, closed, disconnect, reconnect */
	static const unsigned char after[RTRS_CLIENT_STATES][EVENTS] = {
		[GO] = {GO, ERR, ERR, GO, ERR, GO, CG, GO},
		[ERR] = {ERR, ERR, ERR, ERR, ERR, CD, CG, ERR},
		[RE] = {RE, RE, RE, RE, RE, RE, CG, RE},
		[UP] = {UP, UP, UP, UP, RE, UP, CG, RE},
		[CG] = {CG, CG, CG, CG, CG, CD, CG, CG},
		[CD] = {CD, CD, CD, CD, CD, CD, CD, RE},
		[DD] = {DD, DD, DD, DD, DD, DD, DD, DD},
	};
	struct bed bed;

	(void)state;
	for (enum rtrs_client_state from = 0; from < RTRS_CLIENT_STATES; from++) {
		for (enum event event = 0; event < EVENTS; event++) {
			bool was_up = from == RTRS_CLIENT_CONNECTED;
			bool may_close = was_up || from == RTRS_CLIENT_CONNECTING;
			enum rtrs_client_state now;

			one_path_in(&bed, from);
			happens(&bed, event);
			now = bed.client.paths[0].state;
			assert_int_equal(now, after[from][event]);
			take_orders(&bed);
			/* What it had is closed, once. */
			assert_int_equal(bed.given[RTRS_ORDER_CLOSE],
					 may_close && now != from ? 1 : 0);
			assert_int_equal(bed.given[RTRS_ORDER_DOWN], was_up && now != from);
			assert_int_equal(bed.given[RTRS_ORDER_ACK], was_up && event == RECEIVED);
			rtrsi_client_free(&bed.client);
		}
	}
}

static void first_failure_is_reported_and_not_repeated(void **state)
{
	uint8_t reject[RTRS_CONNECT_SIZE];
	struct bed bed;

	(void)state;
	begin_client(&bed);
	(void)add_path(&bed);
	rtrsi_reject_encode(-EEXIST, reject);
	rtrsi_client_refused(&bed.client, 0, reject, sizeof(reject), 0);
	take_orders(&bed);
	rtrsi_client_closed(&bed.client, 0, 0);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_FAILED], 1);
	assert_int_equal(bed.last[RTRS_ORDER_FAILED].error, -EEXIST);
	assert_true(rtrsi_client_deadline_ns(&bed.client) == INT64_MAX);
	/* Nor is the session up. */
	assert_int_equal(bed.given[RTRS_ORDER_DOWN] + bed.given[RTRS_ORDER_UP], 0);
	rtrsi_client_remove_path(&bed.client, 0);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_REMOVED], 1);
	assert_int_equal(add_path(&bed), 0);
	rtrsi_client_free(&bed.client);
}

static void lost_path_is_tried_again_and_again(void **state)
{
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTED);
	bed.client.options.max_reconnect_attempts = 3;
	rtrsi_client_lost(&bed.client, 0, -EIO);
	take_orders(&bed);
	for (unsigned int attempt = 1; attempt <= 3; attempt++) {
		int64_t due = bed.now_ns + DELAY_MS * ms;

		rtrsi_client_closed(&bed.client, 0, bed.now_ns);
		assert_true(rtrsi_client_deadline_ns(&bed.client) == due);
		rtrsi_client_tick(&bed.client, due - 1);
		assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_RECONNECTING);
		bed.now_ns = due;
		rtrsi_client_tick(&bed.client, due);
		take_orders(&bed);
		assert_int_equal(bed.given[RTRS_ORDER_CONNECT], 1);
		/* The server is told that it knows the session, and which attempt this is. */
		assert_true(bed.client.paths[0].handshake.connect.first);
		assert_int_equal(bed.client.paths[0].handshake.connect.attempt, 1 + attempt);
		rtrsi_client_lost(&bed.client, 0, -ETIMEDOUT);
		take_orders(&bed);
		assert_int_equal(bed.given[RTRS_ORDER_FAILED], 0);
	}
	rtrsi_client_closed(&bed.client, 0, bed.now_ns);
	assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_CLOSED);
	assert_true(rtrsi_client_deadline_ns(&bed.client) == INT64_MAX);
	assert_int_equal(bed.client.paths[0].failures, 3);
	/* On request it begins anew, at once. */
	assert_int_equal(rtrsi_client_reconnect_path(&bed.client, 0, bed.now_ns), 0);
	rtrsi_client_tick(&bed.client, bed.now_ns);
	take_orders(&bed);
	bring_up(&bed, 0);
	assert_int_equal(bed.given[RTRS_ORDER_UP], 1);
	assert_int_equal(bed.client.paths[0].reconnects, 1);
	rtrsi_client_free(&bed.client);
}

static void a_removed_device_waits_to_be_asked_for(void **state)
{
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTED);
	rtrsi_client_lost(&bed.client, 0, -ENODEV);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_CLOSE], 1);
	rtrsi_client_closed(&bed.client, 0, 0);
	assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_CLOSED);
	assert_true(rtrsi_client_deadline_ns(&bed.client) == INT64_MAX);
	rtrsi_client_free(&bed.client);
}

/* It is tried at once, and whenever a device comes; in between it waits, however long. */
static void a_removed_device_is_told_of(void **state)
{
	struct bed bed;

	(void)state;
	begin_client(&bed);
	bed.client.options.device_return = RTRS_DEVICE_TOLD;
	(void)add_path(&bed);
	bring_up(&bed, 0);
	for (int round = 0; round < 3; round++) {
		rtrsi_client_lost(&bed.client, 0, -ENODEV);
		take_orders(&bed);
		assert_int_equal(bed.given[RTRS_ORDER_CLOSE], 1);
		rtrsi_client_closed(&bed.client, 0, bed.now_ns);
		for (int tries = 0; tries < 3; tries++) {
			assert_int_equal(bed.client.waiting, 1);
			rtrsi_client_tick(&bed.client, bed.now_ns);
			take_orders(&bed);
			assert_int_equal(bed.given[RTRS_ORDER_CONNECT], 1);
			/* A device that comes meanwhile may be the one: the next attempt is not left out. */
			if (tries == 1)
				rtrsi_client_device_came(&bed.client, bed.now_ns);
			rtrsi_client_refused(&bed.client, 0, NULL, 0, -ENODEV);
			take_orders(&bed);
			rtrsi_client_closed(&bed.client, 0, bed.now_ns);
			if (tries == 1)
				continue;
			assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_CLOSED);
			assert_true(rtrsi_client_deadline_ns(&bed.client) == INT64_MAX);
			rtrsi_client_device_came(&bed.client, bed.now_ns);
		}
		rtrsi_client_tick(&bed.client, bed.now_ns);
		bring_up(&bed, 0);
		assert_int_equal(bed.client.waiting, 0);
	}
	/* What the user wants counts more. */
	rtrsi_client_lost(&bed.client, 0, -ENODEV);
	rtrsi_client_closed(&bed.client, 0, bed.now_ns);
	rtrsi_client_disconnect_path(&bed.client, 0);
	assert_int_equal(bed.client.waiting, 0);
	rtrsi_client_device_came(&bed.client, bed.now_ns);
	rtrsi_client_tick(&bed.client, bed.now_ns);
	take_orders(&bed);
	assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_CLOSED);
	rtrsi_client_free(&bed.client);
}

/* The server, which may have lost the same device, comes a little later. */
static void after_a_device_came_its_path_is_tried_soon(void **state)
{
	struct bed bed;

	(void)state;
	begin_client(&bed);
	bed.client.options.device_return = RTRS_DEVICE_TOLD;
	(void)add_path(&bed);
	bring_up(&bed, 0);
	rtrsi_client_lost(&bed.client, 0, -ENODEV);
	rtrsi_client_closed(&bed.client, 0, bed.now_ns);
	for (int tries = 0; tries < 3; tries++) {
		rtrsi_client_tick(&bed.client, bed.now_ns);
		rtrsi_client_refused(&bed.client, 0, NULL, 0, -ECONNREFUSED);
		rtrsi_client_closed(&bed.client, 0, bed.now_ns);
		assert_int_equal(rtrsi_client_deadline_ns(&bed.client), bed.now_ns + 1000 * ms);
		bed.now_ns += 1000 * ms;
	}
	rtrsi_client_free(&bed.client);
}

static void where_nobody_tells_a_removed_device_is_tried(void **state)
{
	struct bed bed;

	(void)state;
	begin_client(&bed);
	bed.client.options.device_return = RTRS_DEVICE_TRIED;
	(void)add_path(&bed);
	bring_up(&bed, 0);
	rtrsi_client_lost(&bed.client, 0, -ENODEV);
	rtrsi_client_closed(&bed.client, 0, bed.now_ns);
	assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_RECONNECTING);
	assert_int_equal(rtrsi_client_deadline_ns(&bed.client), bed.now_ns + DELAY_MS * ms);
	/* One that never was there is not. */
	assert_int_equal(add_path(&bed), 1);
	rtrsi_client_refused(&bed.client, 1, NULL, 0, -ENODEV);
	rtrsi_client_closed(&bed.client, 1, bed.now_ns);
	assert_int_equal(bed.client.paths[1].state, RTRS_CLIENT_CLOSED);
	rtrsi_client_free(&bed.client);
}

static void jitter_stays_within_its_limit(void **state)
{
	int64_t least = INT64_MAX, most = 0;
	struct bed bed;

	(void)state;
	for (unsigned int seed = 0; seed < 200; seed++) {
		int64_t delay;

		one_path_in(&bed, RTRS_CLIENT_CONNECTED);
		bed.client.options.jitter_ms = 7;
		bed.client.random = 2 * seed + 1;
		rtrsi_client_lost(&bed.client, 0, -EIO);
		take_orders(&bed);
		rtrsi_client_closed(&bed.client, 0, 0);
		delay = rtrsi_client_deadline_ns(&bed.client) / ms;
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
		rtrsi_client_free(&bed.client);
	}
	assert_int_equal(least, DELAY_MS);
	assert_int_equal(most, DELAY_MS + 7);
}

static void connecting_takes_30_seconds_at_most(void **state)
{
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTING);
	assert_true(rtrsi_client_deadline_ns(&bed.client) == 30000 * ms);
	rtrsi_client_tick(&bed.client, 30000 * ms - 1);
	assert_int_equal(bed.client.paths[0].state, RTRS_CLIENT_CONNECTING);
	rtrsi_client_tick(&bed.client, 30000 * ms);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_CLOSE], 1);
	assert_int_equal(bed.last[RTRS_ORDER_CLOSE].error, -ETIMEDOUT);
	rtrsi_client_free(&bed.client);
}

static void peer_with_another_depth(void **state)
{
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTED);
	(void)add_path(&bed);
	accept_one(&bed, 1, DEPTH + 1);
	take_orders(&bed);
	assert_int_equal(bed.last[RTRS_ORDER_CLOSE].fault, RTRS_FAULT_DEPTH);
	rtrsi_client_closed(&bed.client, 1, 0);
	assert_int_equal(bed.client.paths[1].state, RTRS_CLIENT_CLOSED);
	rtrsi_client_free(&bed.client);
	/* Two that begin together learn the depth from the first. */
	begin_client(&bed);
	(void)add_path(&bed);
	(void)add_path(&bed);
	accept_one(&bed, 1, 2 * DEPTH);
	accept_one(&bed, 1, 2 * DEPTH);
	bring_up(&bed, 0);
	give_info(&bed, 1);
	assert_int_equal(bed.client.paths[1].state, RTRS_CLIENT_CONNECTING_ERR);
	assert_int_equal(bed.client.connected, 1);
	rtrsi_client_free(&bed.client);
}

static void answer(struct bed *bed, unsigned int path, uint16_t chunk, int error)
{
	uint8_t key[RTRS_NEW_KEY_SIZE];

	rtrsi_new_key_encode(chunk, 1000U + chunk, key);
	rtrsi_client_received(&bed->client, path, rtrsi_imm_answer(chunk, error, false), key,
			      sizeof(key), bed->now_ns);
}

static void answers_are_taken_once_and_from_where_they_belong(void **state)
{
	struct rtrs_client_request first, second;
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTED);
	(void)add_path(&bed);
	bring_up(&bed, 1);
	assert_int_equal(rtrsi_client_submit(&bed.client, &first), 0);
	assert_int_equal(first.path, 0);
	/* Before it was sent it cannot be answered. */
	answer(&bed, 0, 0, 0);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_SEND], 1);
	assert_int_equal(bed.given[RTRS_ORDER_DONE], 0);
	assert_int_equal(rtrsi_client_submit(&bed.client, &second), 0);
	assert_int_equal(second.path, 1);
	take_orders(&bed);
	answer(&bed, 1, first.permit, 0);
	answer(&bed, 0, second.permit, 0);
	answer(&bed, 0, DEPTH - 1, 0);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_DONE], 0);
	answer(&bed, 0, first.permit, -EIO);
	answer(&bed, 0, first.permit, 0);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_DONE], 1);
	assert_int_equal(bed.last[RTRS_ORDER_DONE].error, -EIO);
	assert_ptr_equal(bed.last[RTRS_ORDER_DONE].request, &first);
	assert_int_equal(bed.client.paths[0].chunks[first.permit].key, 1000 + first.permit);
	assert_int_equal(bed.client.permits.in_use, 1);
	rtrsi_client_free(&bed.client);
}

static void a_wrong_peer_loses_its_path(void **state)
{
	static const struct {
		uint32_t imm, size; /* of what comes with it; 0: nothing */
		enum rtrs_fault fault;
	} cases[] = {
		{0x30000000, 0, RTRS_FAULT_NONE},      {0xf0000000, 8, RTRS_FAULT_NONE},
		{0x00000000, 0, RTRS_FAULT_NONE},      {0x10000004, 8, RTRS_FAULT_CHUNK},
		{0x10000000, 0, RTRS_FAULT_SHORT},     {0x10000000, 7, RTRS_FAULT_SHORT},
		{0x10000001, 8, RTRS_FAULT_KEY_CHUNK}, {0x10000000, 8, RTRS_FAULT_NONE},
		{0x2fffffff, 8, RTRS_FAULT_CHUNK},
	};
	uint8_t key[RTRS_NEW_KEY_SIZE];
	struct bed bed;

	(void)state;
	rtrsi_new_key_encode(0, 1, key);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		one_path_in(&bed, RTRS_CLIENT_CONNECTED);
		rtrsi_client_received(&bed.client, 0, cases[i].imm, cases[i].size ? key : NULL,
				      cases[i].size, 0);
		take_orders(&bed);
		assert_int_equal(bed.given[RTRS_ORDER_CLOSE], cases[i].fault ? 1 : 0);
		assert_int_equal(bed.last[RTRS_ORDER_CLOSE].fault, cases[i].fault);
		rtrsi_client_free(&bed.client);
	}
}

static void requests_without_permit_or_path(void **state)
{
	struct rtrs_client_request requests[DEPTH], more;
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTING);
	assert_int_equal(rtrsi_client_submit(&bed.client, &more), -ECONNABORTED);
	bring_up(&bed, 0);
	for (unsigned int i = 0; i < DEPTH; i++)
		assert_int_equal(rtrsi_client_submit(&bed.client, &requests[i]), 0);
	assert_int_equal(rtrsi_client_submit(&bed.client, &more), -EAGAIN);
	/* The path goes before and after they are sent: all end, and none was forgotten. */
	rtrsi_client_lost(&bed.client, 0, -EIO);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_SEND], 0);
	rtrsi_client_closed(&bed.client, 0, 0);
	take_orders(&bed);
	assert_int_equal(bed.given[RTRS_ORDER_DONE], DEPTH);
	assert_int_equal(bed.last[RTRS_ORDER_DONE].error, -ECONNABORTED);
	assert_int_equal(rtrsi_client_submit(&bed.client, &more), -ECONNABORTED);
	rtrsi_client_free(&bed.client);
}

/* 24 hours with a peer that answers each heartbeat, and then one that does not. */
static void a_day_of_heartbeats(void **state)
{
	unsigned int sent = 0, silent_ticks = 0;
	struct bed bed;

	(void)state;
	one_path_in(&bed, RTRS_CLIENT_CONNECTED);
	while (bed.now_ns < 86400000 * ms) {
		bed.now_ns = rtrsi_client_deadline_ns(&bed.client);
		rtrsi_client_tick(&bed.client, bed.now_ns);
		take_orders(&bed);
		assert_int_equal(bed.given[RTRS_ORDER_CLOSE], 0);
		if (!bed.given[RTRS_ORDER_HEARTBEAT])
			continue;
		sent++;
		rtrsi_client_received(&bed.client, 0, rtrsi_imm_heartbeat(true), NULL, 0,
				      bed.now_ns + ms);
	}
	assert_int_equal(sent, 86400 / 5);
	assert_int_equal(bed.client.paths[0].heartbeat.latency_ns, ms);
	while (bed.client.paths[0].state == RTRS_CLIENT_CONNECTED) {
		bed.now_ns = rtrsi_client_deadline_ns(&bed.client);
		rtrsi_client_tick(&bed.client, bed.now_ns);
		silent_ticks++;
	}
	/* The last acknowledgement came after the tick at 24 hours. */
	assert_int_equal(silent_ticks, 7);
	rtrsi_client_free(&bed.client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_of_a_path_in_every_state),
		cmocka_unit_test(first_failure_is_reported_and_not_repeated),
		cmocka_unit_test(lost_path_is_tried_again_and_again),
		cmocka_unit_test(a_removed_device_waits_to_be_asked_for),
		cmocka_unit_test(a_removed_device_is_told_of),
		cmocka_unit_test(after_a_device_came_its_path_is_tried_soon),
		cmocka_unit_test(where_nobody_tells_a_removed_device_is_tried),
		cmocka_unit_test(jitter_stays_within_its_limit),
		cmocka_unit_test(connecting_takes_30_seconds_at_most),
		cmocka_unit_test(peer_with_another_depth),
		cmocka_unit_test(answers_are_taken_once_and_from_where_they_belong),
		cmocka_unit_test(a_wrong_peer_loses_its_path),
		cmocka_unit_test(requests_without_permit_or_path),
		cmocka_unit_test(a_day_of_heartbeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
