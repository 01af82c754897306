/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prints the results of a measurement. */
#include <inttypes.h>
#include <stdio.h>

#include "rtrs/blk/report.h"
#include "shared/json.h"
#include "shared/text.h"

static const char *const kind_names[BENCH_KINDS] = {"read", "write", "discard", "zeroes", "flush"};

static unsigned int bucket_of_time(uint64_t ns)
{
	unsigned int power;

	if (ns < BENCH_PARTS)
		return (unsigned int)ns;
	power = 63 - (unsigned int)__builtin_clzll(ns);
	return power * BENCH_PARTS + (unsigned int)(ns >> (power - 4) & (BENCH_PARTS - 1));
}

static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int power = bucket / BENCH_PARTS;

	if (bucket < BENCH_PARTS)
		return bucket;
	return ((uint64_t)BENCH_PARTS + bucket % BENCH_PARTS + 1) << (power - 4);
}

void rtrsi_bench_count(struct bench_figures *figures, uint32_t bytes, int64_t ns)
{
	uint64_t latency = ns > 0 ? (uint64_t)ns : 0;

	figures->requests++;
	figures->bytes += bytes;
	figures->total_ns += latency;
	if (latency > figures->most_ns)
		figures->most_ns = latency;
	figures->buckets[bucket_of_time(latency)]++;
}

static uint64_t percentile(const struct bench_figures *figures, unsigned int percent)
{
	uint64_t wanted = (figures->requests * percent + 99) / 100, seen = 0;

	for (unsigned int i = 0; i < BENCH_BUCKETS; i++) {
		seen += figures->buckets[i];
		if (seen >= wanted)
			return bucket_end(i) < figures->most_ns ? bucket_end(i) : figures->most_ns;
	}
	return figures->most_ns;
}

static double per_second(const struct bench_report *report, uint64_t count)
{
	return report->elapsed_ns > 0 ? (double)count * 1e9 / (double)report->elapsed_ns : 0;
}

static void print_time(uint64_t ns)
{
	if (ns < 10000000)
		printf(" %9.1f us", (double)ns / 1e3);
	else
		printf(" %9.1f ms", (double)ns / 1e6);
}

static void print_kind(const struct bench_report *report, enum bench_kind kind)
{
	const struct bench_figures *figures = &report->kinds[kind];
	char rate[BLK_SIZE_TEXT];

	if (!figures->requests)
		return;
	rtrsi_blk_print_size(per_second(report, figures->bytes), rate);
	printf("%-8s %10" PRIu64 " %10.0f %9s/s", kind_names[kind], figures->requests,
	       per_second(report, figures->requests), rate);
	print_time(figures->total_ns / figures->requests);
	print_time(percentile(figures, 50));
	print_time(percentile(figures, 99));
	print_time(figures->most_ns);
	putchar('\n');
}

static void print_bench_table(const struct bench_report *report)
{
	char block[BLK_SIZE_TEXT];

	rtrsi_blk_print_size(report->block_size, block);
	printf("%s, blocks of %s, %u at a time, seed %" PRIu64 ", %.2f s\n",
	       report->options->workload, block, report->depth, report->seed,
	       (double)report->elapsed_ns / 1e9);
	printf("%-8s %10s %10s %11s %12s %12s %12s %12s\n", "", "requests", "per second", "rate",
	       "mean", "50 %", "99 %", "most");
	for (unsigned int i = 0; i < BENCH_KINDS; i++)
		print_kind(report, i);
	if (report->options->verify)
		printf("%" PRIu64 " blocks verified\n", report->verified);
	if (report->failovers || report->reconnects)
		printf("%" PRIu64 " requests failed over, %" PRIu64 " reconnects\n",
		       report->failovers, report->reconnects);
}

static void print_bench_json(const struct bench_report *report)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_string(&json, "workload", report->options->workload);
	hfi_json_uint(&json, "block_size", report->block_size);
	hfi_json_uint(&json, "depth", report->depth);
	hfi_json_uint(&json, "seed", report->seed);
	hfi_json_int(&json, "elapsed_ns", report->elapsed_ns);
	if (report->options->verify)
		hfi_json_uint(&json, "verified", report->verified);
	hfi_json_uint(&json, "failovers", report->failovers);
	hfi_json_uint(&json, "reconnects", report->reconnects);
	for (unsigned int i = 0; i < BENCH_KINDS; i++) {
		const struct bench_figures *figures = &report->kinds[i];

		if (!figures->requests)
			continue;
		hfi_json_object(&json, kind_names[i]);
		hfi_json_uint(&json, "requests", figures->requests);
		hfi_json_uint(&json, "bytes", figures->bytes);
		hfi_json_uint(&json, "requests_per_second",
			      (uint64_t)per_second(report, figures->requests));
		hfi_json_uint(&json, "bytes_per_second",
			      (uint64_t)per_second(report, figures->bytes));
		hfi_json_uint(&json, "mean_ns", figures->total_ns / figures->requests);
		hfi_json_uint(&json, "median_ns", percentile(figures, 50));
		hfi_json_uint(&json, "percentile_99_ns", percentile(figures, 99));
		hfi_json_uint(&json, "most_ns", figures->most_ns);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
}

void rtrsi_bench_print(const struct bench_report *report)
{
	if (report->options->json)
		print_bench_json(report);
	else
		print_bench_table(report);
}
