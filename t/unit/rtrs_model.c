/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RTRS, the engines of client and server in random schedules: paths break, are silent, come back, are disconnected
 * and reconnected from either side while requests run. Each request ends once, none is carried out after it was
 * answered, and no chunk has two. `long=1` runs a million schedules, `thin=1` fewer than usual,
 * HF_RTRS_SCHEDULES says another number; HF_RTRS_SEED is the first one's seed.
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

#include "t/unit/rtrs_world.h"

/* A schedule that never ends is a fault. */
enum { DISTURBED_STEPS = 600, STEPS_MAX = 20000 };

static struct world world;

static unsigned long number_from(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static bool is_set(const char *name)
{
	const char *text = getenv(name);

	return text && !strcmp(text, "1");
}

static void disturb(void)
{
	unsigned int path = world_random(&world, WORLD_PATHS);

	switch (world_random(&world, 16)) {
	case 0:
		world_break(&world, path, false, ECONNRESET);
		break;
	case 1:
		world_break(&world, path, true, 0);
		break;
	case 2:
		world_break(&world, path, false, ENODEV);
		break;
	case 3:
		rtrsi_client_disconnect_path(&world.client, path);
		break;
	case 4:
	case 5:
		(void)!rtrsi_client_reconnect_path(&world.client, path, world.now_ns);
		break;
	case 6:
	case 7:
		world_cut(&world, path);
		break;
	case 8:
		rtrsi_client_lost(&world.client, path, -EIO);
		break;
	default:
		world_mend(&world, path);
		break;
	}
}

static unsigned int connected_paths(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++)
		count += world.client.paths[i].state == RTRS_CLIENT_CONNECTED;
	return count;
}

static void check_counts(void)
{
	unsigned int inflight = 0;

	assert_int_equal(world.client.connected, connected_paths());
	assert_int_equal(world.client.permits.in_use, world.submitted - world.done);
	for (unsigned int i = 0; i < WORLD_PATHS; i++)
		inflight += world.client.paths[i].inflight;
	assert_int_equal(inflight, world.submitted - world.done);
}

/* Everything is mended and asked to connect: whatever was begun ends, and every path is up. */
static void settle_world(void)
{
	unsigned int steps = 0;

	while (world.done < world.submitted || connected_paths() < WORLD_PATHS) {
		for (unsigned int i = 0; i < WORLD_PATHS; i++) {
			world_mend(&world, i);
			if (world.client.paths[i].state == RTRS_CLIENT_CLOSED)
				assert_int_equal(rtrsi_client_reconnect_path(&world.client, i,
									     world.now_ns),
						 0);
		}
		assert_true(world_step(&world));
		assert_true(++steps < STEPS_MAX);
	}
	check_counts();
}

static void run_schedule(uint64_t seed, bool is_kernel, bool new_keys)
{
	world_begin(&world, seed, is_kernel, new_keys);
	for (unsigned int i = 0; i < WORLD_PATHS; i++)
		world_add_path(&world);
	settle_world();
	for (unsigned int i = 0; i < DISTURBED_STEPS && world.submitted < WORLD_REQUESTS; i++) {
		if (!world_random(&world, 10))
			disturb();
		if (!world_random(&world, 3))
			(void)!world_submit(&world);
		(void)!world_step(&world);
		check_counts();
	}
	settle_world();
	for (unsigned int i = 0; i < WORLD_PATHS; i++)
		world.fail_overs += world.client.paths[i].failovers;
	world_end(&world);
}

static void random_schedules(bool is_kernel)
{
	unsigned long usual = getenv("HF_VALGRIND") ? 20
			      : is_set("long")	    ? 1000000
			      : is_set("thin")	    ? 10000
						    : 50000;
	unsigned long count = number_from("HF_RTRS_SCHEDULES", usual);
	unsigned long first = number_from("HF_RTRS_SEED", 1);
	unsigned long requests = 0, executions = 0, fail_overs = 0, errors = 0;

	for (unsigned long seed = first; seed < first + count; seed++) {
		if (getenv("HF_RTRS_SEED"))
			fprintf(stderr, "seed %lu\n", seed);
		run_schedule(seed, is_kernel, seed & 1);
		requests += world.submitted;
		executions += world.executions;
		fail_overs += world.fail_overs;
		errors += world.answers_with_error;
	}
	printf("%lu schedules: %lu requests, %lu executions, %lu fail-overs, %lu errors\n", count,
	       requests, executions, fail_overs, errors);
	/* What it is about has happened. */
	assert_true(fail_overs && errors && executions > requests - errors);
}

static void with_the_servers_engine(void **state)
{
	(void)state;
	random_schedules(false);
}

static void with_a_server_like_the_kernels(void **state)
{
	(void)state;
	random_schedules(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_the_servers_engine),
		cmocka_unit_test(with_a_server_like_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
