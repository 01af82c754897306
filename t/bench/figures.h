/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs measuring processes, which print lines "NAME VALUE". */
#ifndef HF_BENCH_FIGURES_H
#define HF_BENCH_FIGURES_H

#include <stddef.h>

enum { FIGURES_MAX = 24 };

struct figures {
	struct {
		char name[24];
		double value;
	} v[FIGURES_MAX];
	int count;
};

/*
 * Runs "probe LIBRARY OPERATION" and reads what it prints. Adds "wall_ns", from before the fork until
 * after its end, and "cpu_ns", its CPU time. Exits with a message if the probe fails.
 */
void figures_run(const char *library, const char *operation, struct figures *ret);

/* Measures any program in the same way. Ignores its output. */
void figures_program(char *const argv[], struct figures *ret);

/*
 * Counts the system calls of a program (-1 if tracing is not permitted), and its instructions in user
 * space (-1 without valgrind).
 */
double figures_calls(char *const argv[]);
double figures_instructions(char *const argv[]);

/* The path of the probe. */
const char *figures_probe(void);

struct trace;
/* Runs a probe that marks sections, under the tracer. -EPERM if that is not permitted. */
int figures_trace(const char *library, const char *operation, struct figures *ret,
		  struct trace *trace);

/* The figure with this name. Exits with a message if there is none. */
double figure(const struct figures *figures, const char *name);

/* The median of one figure over several runs. */
double figures_median(const struct figures *runs, int count, const char *name);

/* The lower quartile, for times that other work on the machine can only increase. */
double figures_low(const struct figures *runs, int count, const char *name);

#endif
