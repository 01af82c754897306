/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two processes that measure one thing at a time, for the benchmark of the soft device. */
#ifndef HF_BENCH_UROCE_BENCH_H
#define HF_BENCH_UROCE_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the two share. The other machine's work makes every time too long and none too short, so the best of many
 * short batches counts.
 */
struct bench_pair {
	_Atomic uint32_t arrived[2]; /* at bench_meet() */
	_Atomic bool is_over, has_failed;
	double best;				   /* ns of one unit; 0: none yet */
	char why[128];				   /* it failed */
	_Alignas(64) unsigned char told[2][16384]; /* by each to the other, before bench_meet() */
};

struct bench_row {
	const char *name;
	const char *unit; /* "us": of half a round trip; "GB/s"; "M/s" */
	/* In both processes, `side` 0 measures. */
	void (*run)(struct bench_pair *pair, int side, const struct bench_row *row);
	const char *path; /* HOLDFAST_UROCE_PATH, or NULL */
	int kind;	  /* of the function's own meaning */
	size_t size;
	bool sleeps; /* waits in the kernel */
	unsigned int count;
};

enum { BENCH_MS = 250, BENCH_BATCH = 50 };

uint64_t bench_now(void);
/* Ends the process; the row has no figure. */
_Noreturn void bench_fail(struct bench_pair *pair, const char *what);
/* Waits for the other. */
void bench_meet(struct bench_pair *pair, int side);
/* Of side 0: whether another batch is to be made; `units` were done since `since`. */
bool bench_goes_on(struct bench_pair *pair, uint64_t began, uint64_t since, double units);

#endif
