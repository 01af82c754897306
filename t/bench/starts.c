/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures whole processes, from start to end. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/bench/figures.h"
#include "t/bench/place.h"
#include "t/bench/report.h"
#include "t/bench/starts.h"

enum { TURNS = 8 /* in each round */, TURNS_MAX = 1024 };

enum library { INCUMBENT, HOLDFAST, LIBRARIES };

/* The processes that are measured with each library. */
enum kind { LISTER_COLD, LISTER, PROGRAM, KINDS };

static const char program[] = "/usr/bin/ibv_devices";

static const char *const names[KINDS] = {
	[LISTER_COLD] = "lister of 1 device, cold",
	[LISTER] = "lister of 1 device",
	[PROGRAM] = "ibv_devices",
};

static const char *paths[LIBRARIES];
static const struct tree *tree;
static bool has_program;
static int turns;

static struct figures runs[KINDS][LIBRARIES][TURNS_MAX];
static struct figures empty[TURNS_MAX];

/* Evicts the files of the libraries, and those that they read, as after a boot. */
static void make_cold(void)
{
	static const char *const patterns[] = {
		"/usr/lib/*/libibverbs/*.so", "/etc/libibverbs.d/*",	 "/usr/lib/*/libnl-*.so.*",
		"/usr/lib/*/libmnl.so.*",     "/usr/lib/*/libudev.so.*",
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		place_evict(patterns[i]);
	for (int i = 0; i < LIBRARIES; i++)
		place_evict(paths[i]);
	place_evict_providers();
}

static char *const *arguments(enum kind kind, enum library library)
{
	static char *argv[4];

	if (kind == PROGRAM) {
		argv[0] = (char *)program;
		argv[1] = NULL;
	} else {
		argv[0] = (char *)figures_probe();
		argv[1] = (char *)paths[library];
		argv[2] = (char *)"start";
		argv[3] = NULL;
	}
	return argv;
}

static void choose(enum kind kind, enum library library)
{
	static enum library chosen = INCUMBENT;

	if (kind != PROGRAM || library == chosen)
		return;
	place_use_default(library == HOLDFAST);
	chosen = library;
}

static void run_start(enum kind kind, enum library library, struct figures *ret)
{
	if (kind == LISTER_COLD)
		make_cold();
	choose(kind, library);
	figures_program(arguments(kind, library), ret);
	choose(kind, INCUMBENT);
}

void starts_begin(const char *incumbent, const char *holdfast, const struct tree *one)
{
	paths[INCUMBENT] = incumbent;
	paths[HOLDFAST] = holdfast;
	tree = one;
	if (access(program, X_OK) < 0)
		report_note("ibv_devices: not measured, %s is missing (ibverbs-utils)", program);
	else if (!place_make_default(program))
		report_note("ibv_devices: not measured, the loader's cache cannot be replaced");
	else
		has_program = true;
}

void starts_measure(void)
{
	place_use(tree);
	for (int i = 0; i < TURNS && turns < TURNS_MAX; i++, turns++) {
		figures_run(paths[HOLDFAST], "none", &empty[turns]);
		for (int k = 0; k < LIBRARIES; k++) {
			/* The library that comes first alternates. */
			enum library library = (k + turns) % LIBRARIES;

			/* LISTER_COLD first: it loads what the others then find in memory. */
			for (int kind = 0; kind < KINDS; kind++)
				if (kind != PROGRAM || has_program)
					run_start(kind, library, &runs[kind][library][turns]);
		}
	}
}

/* Reports a whole process, and its difference to a process that does nothing. */
static void report_starts(const char *name, const char *what, const char *unit, double scale,
			  const double whole[LIBRARIES], double nothing, double target)
{
	char text[80], limit[80];

	snprintf(text, sizeof(text), "%s, %s", name, what);
	snprintf(limit, sizeof(limit), "limit %.1fx: the rest is an empty process",
		 whole[INCUMBENT] / nothing);
	report_row(&(struct report_row){
		.name = text,
		.unit = unit,
		.incumbent = whole[INCUMBENT] * scale,
		.holdfast = whole[HOLDFAST] * scale,
		.ratio = whole[INCUMBENT] / whole[HOLDFAST],
		.expected = limit,
	});
	snprintf(text, sizeof(text), "%s, %s minus empty", name, what);
	report_pair(text, unit, scale, whole[INCUMBENT] - nothing, whole[HOLDFAST] - nothing,
		    target);
}

static void report_times(enum kind kind)
{
	static const struct {
		const char *figure, *what;
		double target;
	} times[] = {{"wall_ns", "time", 0}, {"cpu_ns", "CPU", 3}};
	double whole[LIBRARIES];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		for (int k = 0; k < LIBRARIES; k++)
			whole[k] = figures_low(runs[kind][k], turns, times[i].figure);
		report_starts(names[kind], times[i].what, "ms", 1e-6, whole,
			      figures_low(empty, turns, times[i].figure), times[i].target);
	}
}

/* Reports counts, which do not depend on other work on the machine. */
static void report_counts(enum kind kind)
{
	static const struct {
		double (*count)(char *const argv[]);
		const char *what, *unit;
		double scale, target;
	} counts[] = {
		{figures_calls, "system calls", "calls", 1, 0},
		{figures_instructions, "instructions", "1000", 1e-3, 3},
	};
	char *const nothing[] = {(char *)figures_probe(), (char *)"", (char *)"none", NULL};
	double whole[LIBRARIES];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double base = counts[i].count(nothing);

		if (base < 0) {
			report_note("%s, %s: cannot be counted here", names[kind], counts[i].what);
			continue;
		}
		for (int k = 0; k < LIBRARIES; k++) {
			choose(kind, k);
			whole[k] = counts[i].count(arguments(kind, k));
			choose(kind, INCUMBENT);
		}
		report_starts(names[kind], counts[i].what, counts[i].unit, counts[i].scale, whole,
			      base, counts[i].target);
	}
}

void starts_report(void)
{
	place_use(tree);
	for (int kind = 0; kind < KINDS; kind++) {
		if (kind == PROGRAM && !has_program)
			continue;
		report_times(kind);
		if (kind != LISTER_COLD)
			report_counts(kind);
	}
}
