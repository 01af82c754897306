/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures through verbs; `kind` of a row is an ibv_wr_opcode, `count` says how many QPs. */
#ifndef HF_BENCH_UROCE_VERBS_H
#define HF_BENCH_UROCE_VERBS_H

#include "t/bench/uroce_bench.h"

/* Of the two sides. */
extern const char *bench_devices[2];

void bench_verbs_trip(struct bench_pair *pair, int side, const struct bench_row *row);
void bench_verbs_rate(struct bench_pair *pair, int side, const struct bench_row *row);

#endif
