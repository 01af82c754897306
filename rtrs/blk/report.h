/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The results of a measurement. */
#ifndef RTRS_BLK_REPORT_H
#define RTRS_BLK_REPORT_H

#include <stdint.h>

#include "rtrs/blk/blk.h"

enum bench_kind { BENCH_READ, BENCH_WRITE, BENCH_DISCARD, BENCH_ZEROES, BENCH_FLUSH, BENCH_KINDS };

/* Powers of two of nanoseconds, each in 16 parts. */
enum { BENCH_PARTS = 16, BENCH_BUCKETS = 64 * BENCH_PARTS };

struct bench_figures {
	uint64_t requests, bytes, total_ns, most_ns;
	uint64_t buckets[BENCH_BUCKETS];
};

struct bench_report {
	const struct blk_options *options;
	uint64_t seed, verified, failovers, reconnects;
	uint32_t block_size;
	unsigned int depth;
	int64_t elapsed_ns;
	struct bench_figures kinds[BENCH_KINDS];
};

void rtrsi_bench_count(struct bench_figures *figures, uint32_t bytes, int64_t ns) HF_NONNULL;
void rtrsi_bench_print(const struct bench_report *report) HF_NONNULL;

#endif
