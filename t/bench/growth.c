/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures whether the time per device grows with the number of devices. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/bench/figures.h"
#include "t/bench/growth.h"
#include "t/bench/place.h"
#include "t/bench/report.h"

enum { ROUNDS_MAX = 101 };

enum who { INCUMBENT, HOLDFAST, BARE, EVERYONE };
enum state { COLD, WARM, STATES };

static const char cpu_time[] = "first_cpu_ns", wall_time[] = "first_ns";

static const char *const state_names[STATES] = {[COLD] = "cold", [WARM] = "warm"};

static const char *paths[EVERYONE];
static const struct tree *trees[GROWTH_SIZES];
static unsigned int sizes[GROWTH_SIZES];
static int rounds;

static struct figures runs[STATES][GROWTH_SIZES][EVERYONE][ROUNDS_MAX];

void growth_begin(const char *incumbent, const char *holdfast,
		  struct tree *const given[GROWTH_SIZES], const unsigned int counts[GROWTH_SIZES])
{
	paths[INCUMBENT] = incumbent;
	paths[HOLDFAST] = holdfast;
	paths[BARE] = "";
	for (int i = 0; i < GROWTH_SIZES; i++) {
		trees[i] = given[i];
		sizes[i] = counts[i];
	}
}

static void run_state(enum state state, int size, enum who who)
{
	struct figures *figures = &runs[state][size][who][rounds];
	char operation[24];

	snprintf(operation, sizeof(operation), "%s-%s", who == BARE ? "bare" : "first",
		 state_names[state]);
	/* Warm the caches with this program: other programs use other memory. */
	if (state == WARM)
		figures_run(paths[who], operation, figures);
	figures_run(paths[who], operation, figures);
	if (figure(figures, "devices") != sizes[size]) {
		fprintf(stderr, "bench: %s lists %g of %u devices\n", operation,
			figure(figures, "devices"), sizes[size]);
		exit(1);
	}
}

void growth_measure(void)
{
	if (rounds == ROUNDS_MAX)
		return;
	for (int size = 0; size < GROWTH_SIZES; size++) {
		place_use(trees[size]);
		for (int state = 0; state < STATES; state++)
			for (int i = 0; i < EVERYONE; i++)
				run_state(state, size, (i + rounds) % EVERYONE);
	}
	rounds++;
}

/* Uses the lower quartile for elapsed time, which other work on the machine can only increase. */
static double per_device(enum state state, int size, enum who who, const char *name)
{
	const struct figures *all = runs[state][size][who];
	bool cpu = strcmp(name, cpu_time) == 0;

	return (cpu ? figures_median(all, rounds, name) : figures_low(all, rounds, name)) /
	       sizes[size];
}

static double growth(enum state state, enum who who, const char *name)
{
	return per_device(state, GROWTH_SIZES - 1, who, name) / per_device(state, 0, who, name);
}

static void report_own(const char *name, const char *unit, double value, const char *what)
{
	report_row(&(struct report_row){
		.name = name,
		.unit = unit,
		.holdfast = value,
		.expected = what,
	});
}

static void report_size(enum state state, int size)
{
	double bare = per_device(state, size, BARE, cpu_time);
	double ours = per_device(state, size, HOLDFAST, cpu_time);
	char name[64];

	snprintf(name, sizeof(name), "%s caches, CPU time, per device of %u", state_names[state],
		 sizes[size]);
	report_pair(name, "us", 1e-3, per_device(state, size, INCUMBENT, cpu_time), ours, 0);
	snprintf(name, sizeof(name), "%s caches, bare calls, per device of %u", state_names[state],
		 sizes[size]);
	report_own(name, "us", bare * 1e-3, "the same system calls, no library");
}

static void report_state_growth(enum state state, const char *figure, const char *what)
{
	static const char *const expected[STATES] = {
		[COLD] = "about 1: no growth",
		[WARM] = "the kernel's: see the bare calls",
	};
	unsigned int most = sizes[GROWTH_SIZES - 1], least = sizes[0];
	char name[64];

	snprintf(name, sizeof(name), "%s caches, %s: %u to %u", state_names[state], what, most,
		 least);
	report_row(&(struct report_row){
		.name = name,
		.unit = "times",
		.incumbent = growth(state, INCUMBENT, figure),
		.holdfast = growth(state, HOLDFAST, figure),
		.expected = expected[state],
	});
	snprintf(name, sizeof(name), "%s caches, bare calls, %s: %u to %u", state_names[state],
		 what, most, least);
	report_own(name, "times", growth(state, BARE, figure), "the same system calls, no library");
}

void growth_report(void)
{
	for (int state = 0; state < STATES; state++) {
		for (int size = 0; size < GROWTH_SIZES; size++)
			report_size(state, size);
		report_state_growth(state, cpu_time, "CPU time");
		report_state_growth(state, wall_time, "time");
	}
	report_note("cold caches: the processor's caches hold other data when a first list begins, "
		    "as after any other work; warm: the same program ran just before. The kernel's "
		    "data of %u devices fits in the caches, that of %u devices does not.",
		    sizes[0], sizes[GROWTH_SIZES - 1]);
}
