/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures of what the system gives without a device; see bench_row.run. */
#ifndef HF_BENCH_UROCE_PLAIN_H
#define HF_BENCH_UROCE_PLAIN_H

#include "t/bench/uroce_bench.h"

enum { BENCH_UDP, BENCH_TCP, BENCH_GSO, BENCH_PROCESS_VM, BENCH_MEMCPY };

void bench_socket_trip(struct bench_pair *pair, int side, const struct bench_row *row);
void bench_socket_rate(struct bench_pair *pair, int side, const struct bench_row *row);
void bench_memory_trip(struct bench_pair *pair, int side, const struct bench_row *row);
void bench_memory_rate(struct bench_pair *pair, int side, const struct bench_row *row);

#endif
