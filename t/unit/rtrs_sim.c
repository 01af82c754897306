/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RTRS, the whole library in simulated time: random schedules of four paths that are cut, silent, unplugged and come
 * back, are disconnected, removed and added from either side while requests run; and a day of heartbeats. `long=1`
 * runs a million schedules, HF_RTRS_SCHEDULES says another number, and HF_RTRS_SEED which is the first one.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/lib/client_internal.h"
#include "t/unit/rtrs_sim_bed.h"

enum { DISTURBED_STEPS = 3000 };

static const int64_t second = 1000000000, hour_ns = INT64_C(3600) * 1000000000;

/* A sanitizer takes its time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SCHEDULES = 300, SCHEDULES_OF_LONG_RUN = 50000 };
#else
enum { SCHEDULES = 2000, SCHEDULES_OF_LONG_RUN = 1000000 };
#endif

static unsigned long count_from(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static unsigned long schedule_count(void)
{
	const char *is_long = getenv("long");

	if (getenv("HF_VALGRIND"))
		return 20;
	return count_from("HF_RTRS_SCHEDULES",
			  is_long && !strcmp(is_long, "1") ? SCHEDULES_OF_LONG_RUN : SCHEDULES);
}

/* The number of a path that there is; or none. */
static unsigned int any_path(void)
{
	return bed_random(BED_PATHS + 1);
}

static unsigned int path_count(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++)
		count += bed.session->paths[i] != NULL;
	return count;
}

static void disturb_wire(unsigned int wire)
{
	switch (bed_random(8)) {
	case 0:
		rtrsi_sim_cut(bed.sim, wire, false);
		break;
	case 1:
		rtrsi_sim_cut(bed.sim, wire, true);
		break;
	case 2:
		rtrsi_sim_unplug(bed.sim, wire);
		break;
	default:
		bed_revive(wire);
		break;
	}
}

static void disturb_path(unsigned int path)
{
	switch (bed_random(8)) {
	case 0:
		(void)!rtrs_session_disconnect_path(bed.session, path);
		break;
	case 1:
		(void)!rtrs_session_remove_path(bed.session, path);
		break;
	case 2:
		(void)!rtrs_service_disconnect(bed.service, bed.service_session);
		break;
	default:
		(void)!rtrs_session_reconnect_path(bed.session, path);
		break;
	}
}

static void add_missing_paths(void)
{
	for (unsigned int tries = 0; tries < 100 && path_count() < BED_PATHS; tries++) {
		bool is_there[BED_PATHS] = {false};

		for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++) {
			if (bed.session->paths[i])
				is_there[bed.session->paths[i]->text[10] - '0'] = true;
		}
		for (unsigned int i = 0; i < BED_PATHS; i++) {
			if (!is_there[i])
				assert_true(bed_add_path(i) >= 0);
		}
	}
}

static unsigned long all_requests, all_executions, all_failovers, all_errors, all_downs;

static void simulate(uint64_t seed)
{
	const struct bed_options options = {.seed = seed,
					    .depth = 1 + (uint32_t)(seed * 7 % 8),
					    .connections = 1 + (uint32_t)(seed % 3),
					    .invalidate = seed & 1,
					    .has_slow_jobs = seed & 2,
					    .cannot_watch = seed % 5 == 0,
					    .reconnect_delay_ms = 700};

	bed_open(&options);
	for (unsigned int i = 0; i < DISTURBED_STEPS && bed.begun < BED_REQUESTS; i++) {
		if (!bed_random(40))
			disturb_wire(bed_random(BED_PATHS));
		if (!bed_random(60))
			disturb_path(any_path());
		if (!bed_random(100))
			add_missing_paths();
		if (!bed_random(4))
			(void)!bed_begin();
		/* Nothing happens where all paths are closed. */
		(void)bed_step();
	}
	while (path_count() > BED_PATHS)
		assert_true(bed_step());
	add_missing_paths();
	bed_settle();
	all_requests += bed.begun;
	all_executions += bed.executions;
	all_errors += bed.aborted;
	all_downs += bed.paths_down;
	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++)
		all_failovers += bed.session->engine.paths[i].failovers;
	bed_close();
}

static void simulated_schedules(void **state)
{
	unsigned long first = count_from("HF_RTRS_SEED", 1), count = schedule_count();

	(void)state;
	for (unsigned long seed = first; seed < first + count; seed++) {
		if (getenv("HF_RTRS_SEED"))
			fprintf(stderr, "seed %lu\n", seed);
		simulate(seed);
	}
	printf("%lu schedules: %lu requests, %lu executions, %lu fail-overs, %lu aborted, %lu "
	       "paths lost\n",
	       count, all_requests, all_executions, all_failovers, all_errors, all_downs);
	/* What it is about has happened. */
	assert_true(all_failovers && all_downs && all_executions >= all_requests - all_errors);
}

/* Of a day, in a shorter one under valgrind. */
static unsigned int hours_of_day(void)
{
	return getenv("HF_VALGRIND") ? 3 : 24;
}

static void open_idle(uint64_t seed)
{
	const struct bed_options options = {
		.seed = seed, .depth = 4, .connections = 1, .reconnect_delay_ms = 30000};

	bed_open(&options);
}

static void a_day_without_requests(void **state)
{
	(void)state;
	open_idle(1);
	bed_run_until(hours_of_day() * hour_ns);
	assert_int_equal(bed_connected(), BED_PATHS);
	assert_int_equal(bed.paths_down, 0);
	assert_int_equal(bed.ups, 1);
	bed_close();
}

/* Once an hour a wire is silent for ten minutes: it is found by the heartbeat, and its path comes back. */
static void a_day_with_silences(void **state)
{
	(void)state;
	open_idle(2);
	for (unsigned int hour = 1; hour < hours_of_day(); hour++) {
		int64_t now_ns = hour * hour_ns;

		bed_run_until(now_ns);
		rtrsi_sim_cut(bed.sim, hour % BED_PATHS, true);
		bed_run_until(now_ns + 600 * second);
		assert_int_equal(bed.paths_down, hour);
		/* clock: a simulated one. By what was posted and not heard of, or by heartbeats. */
		assert_in_range(bed.last_down_ns - now_ns, 0, 36 * second);
		assert_int_equal(bed_connected(), BED_PATHS - 1);
		bed_revive(hour % BED_PATHS);
		/* Each attempt may take 30 seconds, and then 30 pass with a quarter on top at most. */
		bed_run_until(now_ns + 700 * second);
		assert_int_equal(bed_connected(), BED_PATHS);
	}
	assert_int_equal(bed.ups, 1);
	bed_close();
}

static unsigned int valid_keys(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < BED_PATHS; i++) {
		assert_non_null(bed.session->paths[i]->windows);
		for (uint32_t k = 0; k < bed.session->permit_count; k++)
			count += bed.session->paths[i]->windows[k].is_bound;
	}
	return count;
}

/* Each read has a key, which the server invalidates with its answer, also where that is an error. */
static void a_key_ends_with_its_answer(void **state)
{
	unsigned int were_valid = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		open_idle(seed);
		while (bed_begin() != -ENOSPC) {
			were_valid += valid_keys();
			assert_true(bed_step());
		}
		bed_settle();
		assert_int_equal(bed.done, bed.begun);
		assert_int_equal(valid_keys(), 0);
		bed_close();
	}
	assert_true(were_valid > 0);
}

static void unplug_and_replug(bool can_watch, int64_t limit_ns)
{
	const struct bed_options options = {.seed = 3,
					    .depth = 4,
					    .connections = 2,
					    .cannot_watch = !can_watch,
					    .reconnect_delay_ms = 30000};

	bed_open(&options);
	for (unsigned int round = 1; round <= 20; round++) {
		unsigned int wire = round % BED_PATHS;
		int64_t now_ns;

		rtrsi_sim_unplug(bed.sim, wire);
		bed_run_until(rtrsi_sim_now_ns(bed.sim) + (int64_t)round * 10 * second);
		assert_int_equal(bed_connected(), BED_PATHS - 1);
		assert_int_equal(bed.paths_down, round);
		bed_revive(wire);
		now_ns = rtrsi_sim_now_ns(bed.sim);
		bed_run_until(now_ns + limit_ns);
		assert_int_equal(bed_connected(), BED_PATHS);
	}
	bed_close();
}

/* Nobody asks for it: the device's return does. Where that is not told it is tried from time to time. */
static void an_unplugged_path_comes_back(void **state)
{
	(void)state;
	unplug_and_replug(true, 5 * second);
	unplug_and_replug(false, 40 * second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simulated_schedules),
		cmocka_unit_test(a_key_ends_with_its_answer),
		cmocka_unit_test(a_day_without_requests),
		cmocka_unit_test(a_day_with_silences),
		cmocka_unit_test(an_unplugged_path_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
