/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, what is known of paths: states, heartbeats, and the policies that choose one. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/engine/heartbeat.h"
#include "rtrs/engine/path_state.h"
#include "rtrs/engine/policy.h"

static void client_states(void **state)
{
	/* A row for each state: which may follow, in the order of the enumeration. */
	static const char follows[RTRS_CLIENT_STATES][RTRS_CLIENT_STATES + 1] = {
		"-x-xx--", /* connecting */
		"--x-x--", /* failed while connecting */
		"x---x--", /* reconnecting */
		"--x-x--", /* connected */
		"-----x-", /* closing */
		"--x---x", /* closed */
		"-------", /* dead */
	};

	(void)state;
	for (enum rtrs_client_state from = 0; from < RTRS_CLIENT_STATES; from++) {
		for (enum rtrs_client_state to = 0; to < RTRS_CLIENT_STATES; to++) {
			enum rtrs_client_state now = from;
			bool may = follows[from][to] == 'x';

			assert_int_equal(rtrsi_client_state_change(&now, to), may);
			assert_int_equal(now, may ? to : from);
		}
	}
}

static void server_states(void **state)
{
	static const char follows[RTRS_SERVER_STATES][RTRS_SERVER_STATES + 1] = {
		"-xx-", /* connecting */
		"--x-", /* connected */
		"---x", /* closing */
		"----", /* closed */
	};

	(void)state;
	for (enum rtrs_server_state from = 0; from < RTRS_SERVER_STATES; from++) {
		for (enum rtrs_server_state to = 0; to < RTRS_SERVER_STATES; to++) {
			enum rtrs_server_state now = from;
			bool may = follows[from][to] == 'x';

			assert_int_equal(rtrsi_server_state_change(&now, to), may);
			assert_int_equal(now, may ? to : from);
		}
	}
}

static int64_t seconds(int64_t count)
{
	return count * 1000000000;
}

static void silent_peer_is_dead_after_35_seconds(void **state)
{
	struct rtrs_heartbeat heartbeat;

	(void)state;
	rtrsi_heartbeat_start(&heartbeat, seconds(100));
	for (int64_t second = 100; second <= 135; second++) {
		enum rtrs_heartbeat_order expected = RTRS_HEARTBEAT_WAIT;

		assert_int_equal(rtrsi_heartbeat_tick(&heartbeat, seconds(second) - 1),
				 RTRS_HEARTBEAT_WAIT);
		if (second == 105)
			expected = RTRS_HEARTBEAT_SEND;
		else if (second == 135)
			expected = RTRS_HEARTBEAT_DEAD;
		assert_int_equal(rtrsi_heartbeat_tick(&heartbeat, seconds(second)), expected);
	}
}

/* The peer's own heartbeats do, without a single acknowledgement. */
static void whatever_is_heard_keeps_a_path(void **state)
{
	struct rtrs_heartbeat heartbeat;
	unsigned int sent = 0;

	(void)state;
	rtrsi_heartbeat_start(&heartbeat, 0);
	/* A day, with something heard every 29 seconds. */
	for (int64_t second = 1; second <= 86400; second++) {
		enum rtrs_heartbeat_order order = rtrsi_heartbeat_tick(&heartbeat, seconds(second));

		assert_int_not_equal(order, RTRS_HEARTBEAT_DEAD);
		sent += order == RTRS_HEARTBEAT_SEND;
		if (second % 29 == 0)
			rtrsi_heartbeat_heard(&heartbeat);
	}
	assert_int_equal(heartbeat.latency_ns, 0);
	assert_in_range(sent, 86400 / 30, 86400 / 29 + 1);
}

static void latency_is_that_of_the_last_one(void **state)
{
	struct rtrs_heartbeat heartbeat;

	(void)state;
	rtrsi_heartbeat_start(&heartbeat, 0);
	/* An acknowledgement of nothing says nothing. */
	rtrsi_heartbeat_acknowledged(&heartbeat, seconds(1));
	assert_int_equal(heartbeat.latency_ns, 0);
	assert_int_equal(rtrsi_heartbeat_tick(&heartbeat, seconds(5)), RTRS_HEARTBEAT_SEND);
	rtrsi_heartbeat_heard(&heartbeat);
	rtrsi_heartbeat_acknowledged(&heartbeat, seconds(5) + 1234);
	assert_int_equal(heartbeat.latency_ns, 1234);
	rtrsi_heartbeat_acknowledged(&heartbeat, seconds(6));
	assert_int_equal(heartbeat.latency_ns, 1234);
	assert_int_equal(rtrsi_heartbeat_tick(&heartbeat, seconds(10)), RTRS_HEARTBEAT_SEND);
}

/* The process was stopped: the peer is not blamed for what was not looked at. */
static void a_stop_counts_as_one_interval(void **state)
{
	struct rtrs_heartbeat heartbeat;

	(void)state;
	rtrsi_heartbeat_start(&heartbeat, 0);
	assert_int_equal(rtrsi_heartbeat_tick(&heartbeat, seconds(5)), RTRS_HEARTBEAT_SEND);
	for (int64_t second = 3600; second < 3605; second++)
		assert_int_equal(rtrsi_heartbeat_tick(&heartbeat, seconds(second)),
				 RTRS_HEARTBEAT_WAIT);
	assert_int_equal(heartbeat.missed, 2);
}

static void policies_choose(void **state)
{
	struct rtrs_candidate paths[] = {
		{false, 0, 0}, {true, 5, 300}, {true, 3, 400}, {false, 0, 0}, {true, 3, 200}};
	size_t cursor = 0;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(rtrsi_policy_choose(RTRS_ROUND_ROBIN, paths, 5, &cursor), 1);
		assert_int_equal(rtrsi_policy_choose(RTRS_ROUND_ROBIN, paths, 5, &cursor), 2);
		assert_int_equal(rtrsi_policy_choose(RTRS_ROUND_ROBIN, paths, 5, &cursor), 4);
	}
	assert_int_equal(rtrsi_policy_choose(RTRS_MIN_INFLIGHT, paths, 5, &cursor), 2);
	assert_int_equal(cursor, 2);
	assert_int_equal(rtrsi_policy_choose(RTRS_MIN_LATENCY, paths, 5, &cursor), 4);
	/* Not measured yet: the least. */
	paths[1].latency_ns = 0;
	assert_int_equal(rtrsi_policy_choose(RTRS_MIN_LATENCY, paths, 5, &cursor), 1);
	/* Paths are removed below the cursor. */
	cursor = 77;
	assert_int_equal(rtrsi_policy_choose(RTRS_ROUND_ROBIN, paths, 2, &cursor), 1);
	for (size_t i = 0; i < 5; i++)
		paths[i].usable = false;
	for (enum rtrs_policy policy = RTRS_ROUND_ROBIN; policy <= RTRS_MIN_LATENCY; policy++) {
		assert_int_equal(rtrsi_policy_choose(policy, paths, 5, &cursor), -ECONNABORTED);
		assert_int_equal(rtrsi_policy_choose(policy, paths, 0, &cursor), -ECONNABORTED);
	}
	assert_int_equal(cursor, 1);
}

static void policies_have_the_kernels_names(void **state)
{
	static const struct {
		const char *text;
		int policy; /* -1: none */
	} texts[] = {
		{"0", 0},
		{"1", 1},
		{"2", 2},
		{"3", -1},
		{"round-robin", 0},
		{"rr", 0},
		{"min-inflight", 1},
		{"mi", 1},
		{"min-latency", 2},
		{"ML", 2},
		{"Min-Latency", 2},
		{"RR", 0},
		{"", -1},
		{"-1", -1},
		{"00", -1},
		{"0x1", -1},
		{"min-inflight ", -1},
		{" mi", -1},
		{"min", -1},
		{"mi\n", -1},
		{"min-inflight (MI: 1)", -1},
	};
	enum rtrs_policy policy = RTRS_MIN_LATENCY;
	char text[32];

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++) {
		int expected = texts[i].policy;
		enum rtrs_policy before = policy;

		assert_int_equal(rtrsi_policy_parse(texts[i].text, &policy),
				 expected < 0 ? -EINVAL : 0);
		assert_int_equal(policy, expected < 0 ? (int)before : expected);
	}
	assert_int_equal(rtrsi_policy_print(RTRS_ROUND_ROBIN, text, sizeof(text)), 0);
	assert_string_equal(text, "round-robin (RR: 0)");
	assert_int_equal(rtrsi_policy_print(RTRS_MIN_INFLIGHT, text, sizeof(text)), 0);
	assert_string_equal(text, "min-inflight (MI: 1)");
	assert_int_equal(rtrsi_policy_print(RTRS_MIN_LATENCY, text, sizeof(text)), 0);
	assert_string_equal(text, "min-latency (ML: 2)");
	assert_int_equal(rtrsi_policy_print(3, text, sizeof(text)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_states),
		cmocka_unit_test(server_states),
		cmocka_unit_test(silent_peer_is_dead_after_35_seconds),
		cmocka_unit_test(whatever_is_heard_keeps_a_path),
		cmocka_unit_test(latency_is_that_of_the_last_one),
		cmocka_unit_test(a_stop_counts_as_one_interval),
		cmocka_unit_test(policies_choose),
		cmocka_unit_test(policies_have_the_kernels_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
