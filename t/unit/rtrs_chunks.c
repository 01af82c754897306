/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, who may use a chunk: permits at the client, turns at the server. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/engine/permits.h"
#include "rtrs/engine/turns.h"

static void permits_are_given_from_the_lowest(void **state)
{
	static const uint16_t depths[] = {1, 2, 63, 64, 65, 512, 65535};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(depths); i++) {
		struct rtrs_permits permits;
		bool rested;

		assert_int_equal(rtrsi_permits_init(&permits, depths[i]), 0);
		for (uint32_t permit = 0; permit < depths[i]; permit++) {
			assert_int_equal(rtrsi_permits_take(&permits, &rested), permit);
			assert_false(rested);
		}
		assert_int_equal(rtrsi_permits_take(&permits, &rested), -EAGAIN);
		assert_int_equal(permits.in_use, depths[i]);
		rtrsi_permits_give(&permits, depths[i] - 1);
		rtrsi_permits_give(&permits, 0);
		/* Given twice is given once. */
		rtrsi_permits_give(&permits, 0);
		rtrsi_permits_give(&permits, UINT16_MAX);
		assert_int_equal(rtrsi_permits_take(&permits, &rested), 0);
		if (depths[i] > 1)
			assert_int_equal(rtrsi_permits_take(&permits, &rested), depths[i] - 1);
		assert_int_equal(rtrsi_permits_take(&permits, &rested), -EAGAIN);
		rtrsi_permits_free(&permits);
	}
}

static void a_permit_that_left_a_path_rests(void **state)
{
	struct rtrs_permits permits;
	bool rested;

	(void)state;
	assert_int_equal(rtrsi_permits_init(&permits, 3), 0);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 0);
	/* It fails over twice, is answered, and is not the next one although it is the lowest. */
	rtrsi_permits_left(&permits, 0, 5);
	rtrsi_permits_left(&permits, 0, 127);
	rtrsi_permits_give(&permits, 0);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 1);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 2);
	rtrsi_permits_give(&permits, 1);
	/* One of the two paths is back; then the other. */
	rtrsi_permits_reconnected(&permits, 5);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 1);
	rtrsi_permits_give(&permits, 1);
	rtrsi_permits_reconnected(&permits, 127);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 0);
	assert_false(rested);
	rtrsi_permits_free(&permits);
}

/* The session does not stop: with no other left it is taken, and whoever takes it is told. */
static void a_resting_permit_is_the_last_resort(void **state)
{
	struct rtrs_permits permits;
	bool rested;

	(void)state;
	assert_int_equal(rtrsi_permits_init(&permits, 2), 0);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 0);
	rtrsi_permits_left(&permits, 0, 0);
	rtrsi_permits_give(&permits, 0);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 1);
	assert_false(rested);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 0);
	assert_true(rested);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), -EAGAIN);
	/* The path comes back while the permit is in use: no trace is left. */
	rtrsi_permits_reconnected(&permits, 0);
	rtrsi_permits_give(&permits, 0);
	assert_int_equal(rtrsi_permits_take(&permits, &rested), 0);
	assert_false(rested);
	rtrsi_permits_free(&permits);
}

static const char path_a, path_b, path_c;

static void a_chunk_serves_one_request_at_a_time(void **state)
{
	struct rtrs_turns turns = {0};
	struct rtrs_turn a, b, c, again;

	(void)state;
	assert_int_equal(rtrsi_turn_arrives(&turns, &a, &path_a), RTRS_TURN_RUN);
	assert_int_equal(rtrsi_turn_arrives(&turns, &b, &path_b), RTRS_TURN_WAIT);
	assert_int_equal(rtrsi_turn_arrives(&turns, &c, &path_c), RTRS_TURN_WAIT);
	/* A client has one request in a chunk on one path. */
	assert_int_equal(rtrsi_turn_arrives(&turns, &again, &path_a), RTRS_TURN_FAULT);
	assert_int_equal(rtrsi_turn_arrives(&turns, &again, &path_b), RTRS_TURN_FAULT);
	assert_int_equal(rtrsi_turn_arrives(&turns, &again, &path_c), RTRS_TURN_FAULT);
	assert_ptr_equal(rtrsi_turn_ends(&turns), &b);
	assert_int_equal(rtrsi_turn_arrives(&turns, &a, &path_a), RTRS_TURN_WAIT);
	assert_ptr_equal(rtrsi_turn_ends(&turns), &c);
	assert_ptr_equal(rtrsi_turn_ends(&turns), &a);
	assert_null(rtrsi_turn_ends(&turns));
	assert_int_equal(rtrsi_turn_arrives(&turns, &b, &path_b), RTRS_TURN_RUN);
	assert_null(rtrsi_turn_ends(&turns));
}

static void a_closed_path_takes_back_what_waits(void **state)
{
	struct rtrs_turns turns = {0};
	struct rtrs_turn a, b, c;

	(void)state;
	assert_int_equal(rtrsi_turn_arrives(&turns, &a, &path_a), RTRS_TURN_RUN);
	assert_int_equal(rtrsi_turn_arrives(&turns, &b, &path_b), RTRS_TURN_WAIT);
	assert_int_equal(rtrsi_turn_arrives(&turns, &c, &path_c), RTRS_TURN_WAIT);
	assert_ptr_equal(rtrsi_turn_withdraw(&turns, &path_b), &b);
	assert_null(rtrsi_turn_withdraw(&turns, &path_b));
	/* What runs is not stopped: the chunk is its until it ends. */
	assert_null(rtrsi_turn_withdraw(&turns, &path_a));
	assert_int_equal(rtrsi_turn_arrives(&turns, &b, &path_b), RTRS_TURN_WAIT);
	assert_ptr_equal(rtrsi_turn_ends(&turns), &c);
	assert_ptr_equal(rtrsi_turn_withdraw(&turns, &path_b), &b);
	assert_null(rtrsi_turn_ends(&turns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permits_are_given_from_the_lowest),
		cmocka_unit_test(a_permit_that_left_a_path_rests),
		cmocka_unit_test(a_resting_permit_is_the_last_resort),
		cmocka_unit_test(a_chunk_serves_one_request_at_a_time),
		cmocka_unit_test(a_closed_path_takes_back_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
