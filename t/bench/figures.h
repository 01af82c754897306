/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Processes that measure, and what they print: lines "NAME VALUE". */
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
 * its end was seen, and "cpu_ns", what it used of a processor. Exits with a message when the probe fails.
 */
void figures_run(const char *library, const char *operation, struct figures *ret);

/* The same of any program, whose output is of no interest. */
void figures_program(char *const argv[], struct figures *ret);

/*
 * Of a program, counted once: the system calls that it makes (-1 where tracing is not allowed), and
 * the instructions of its own (-1 without valgrind).
 */
double figures_calls(char *const argv[]);
double figures_instructions(char *const argv[]);

/* The path of the probe. */
const char *figures_probe(void);

struct trace;
/* The same of one that marks sections, under the tracer; -EPERM where that is not allowed. */
int figures_trace(const char *library, const char *operation, struct figures *ret,
		  struct trace *trace);

/* The figure of a name; exits with a message when it is not there. */
double figure(const struct figures *figures, const char *name);

/* The median of one figure over several runs. */
double figures_median(const struct figures *runs, int count, const char *name);

/* The lower quartile: of times that what else the machine does only adds to. */
double figures_low(const struct figures *runs, int count, const char *name);

#endif
