/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uroce_bench DEVICE PEER [ROW VALUE]...: the soft device beside what the machine can do, in one run. Each row is
 * measured by two new processes. Rows of other programs come from outside. Prints each row, and its ratio to another
 * with the one to reach. Passes whatever it finds.
 */
#include "t/bench/uroce_bench.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <infiniband/verbs.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "t/bench/uroce_plain.h"
#include "t/bench/uroce_verbs.h"

enum { ROUNDS = 3, HANG_SECONDS = 20, OTHERS = 32 };

#define DIRECT "direct"
#define WIRE   "wire"

#define TRIP(name, path, opcode, size, sleeps)                              \
	{                                                                   \
		name, "us", bench_verbs_trip, path, opcode, size, sleeps, 1 \
	}
#define RATE(name, path, opcode, size)                                       \
	{                                                                    \
		name, "GB/s", bench_verbs_rate, path, opcode, size, false, 1 \
	}

static const struct bench_row rows[] = {
	{"udp 8 B", "us", bench_socket_trip, NULL, BENCH_UDP, 8, false, 1},
	{"udp 8 B, blocking", "us", bench_socket_trip, NULL, BENCH_UDP, 8, true, 1},
	{"tcp 8 B", "us", bench_socket_trip, NULL, BENCH_TCP, 8, false, 1},
	{"tcp 8 B, blocking", "us", bench_socket_trip, NULL, BENCH_TCP, 8, true, 1},
	{"process_vm 1 B", "us", bench_memory_trip, NULL, BENCH_PROCESS_VM, 1, false, 1},
	TRIP("direct SEND 8 B", DIRECT, IBV_WR_SEND, 8, false),
	TRIP("direct SEND 8 B, events", DIRECT, IBV_WR_SEND, 8, true),
	TRIP("direct WRITE 8 B", DIRECT, IBV_WR_RDMA_WRITE, 8, false),
	TRIP("direct WRITE 8 B, events", DIRECT, IBV_WR_RDMA_WRITE_WITH_IMM, 8, true),
	TRIP("wire SEND 8 B", WIRE, IBV_WR_SEND, 8, false),
	TRIP("wire SEND 8 B, events", WIRE, IBV_WR_SEND, 8, true),
	TRIP("wire WRITE 8 B", WIRE, IBV_WR_RDMA_WRITE, 8, false),
	TRIP("wire WRITE 8 B, events", WIRE, IBV_WR_RDMA_WRITE_WITH_IMM, 8, true),
	{"memcpy 64 KiB", "GB/s", bench_memory_rate, NULL, BENCH_MEMCPY, 65536, false, 1},
	{"memcpy 1 MiB", "GB/s", bench_memory_rate, NULL, BENCH_MEMCPY, 1048576, false, 1},
	{"process_vm 64 KiB", "GB/s", bench_memory_rate, NULL, BENCH_PROCESS_VM, 65536, false, 1},
	{"process_vm 1 MiB", "GB/s", bench_memory_rate, NULL, BENCH_PROCESS_VM, 1048576, false, 1},
	{"udp windowed, GSO and GRO", "GB/s", bench_socket_rate, NULL, BENCH_GSO, 0, false, 1},
	{"tcp 64 KiB", "GB/s", bench_socket_rate, NULL, BENCH_TCP, 65536, false, 1},
	{"tcp 1 MiB", "GB/s", bench_socket_rate, NULL, BENCH_TCP, 1048576, false, 1},
	RATE("direct WRITE 64 KiB", DIRECT, IBV_WR_RDMA_WRITE, 65536),
	RATE("direct WRITE 1 MiB", DIRECT, IBV_WR_RDMA_WRITE, 1048576),
	RATE("direct READ 64 KiB", DIRECT, IBV_WR_RDMA_READ, 65536),
	RATE("direct READ 1 MiB", DIRECT, IBV_WR_RDMA_READ, 1048576),
	RATE("wire WRITE 64 KiB", WIRE, IBV_WR_RDMA_WRITE, 65536),
	RATE("wire WRITE 1 MiB", WIRE, IBV_WR_RDMA_WRITE, 1048576),
	RATE("wire READ 64 KiB", WIRE, IBV_WR_RDMA_READ, 65536),
	RATE("wire READ 1 MiB", WIRE, IBV_WR_RDMA_READ, 1048576),
	{"direct WRITE 64 B", "M/s", bench_verbs_rate, DIRECT, IBV_WR_RDMA_WRITE, 64, false, 1},
	{"direct WRITE 64 B, 64 QPs", "M/s", bench_verbs_rate, DIRECT, IBV_WR_RDMA_WRITE, 64, false,
	 64},
	{"wire WRITE 64 B", "M/s", bench_verbs_rate, WIRE, IBV_WR_RDMA_WRITE, 64, false, 1},
	{"wire WRITE 64 B, 64 QPs", "M/s", bench_verbs_rate, WIRE, IBV_WR_RDMA_WRITE, 64, false,
	 64},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A row against another: at most (of times) or at least (of rates) that share. */
static const struct goal {
	const char *row, *other;
	double share;
} goals[] = {
	{"direct SEND 8 B", "ucx posix SEND 8 B", 1.5},
	{"direct WRITE 8 B", "process_vm 1 B", 1.3},
	{"direct WRITE 64 KiB", "process_vm 64 KiB", 0.9},
	{"direct WRITE 1 MiB", "process_vm 1 MiB", 0.9},
	{"direct READ 64 KiB", "process_vm 64 KiB", 0.9},
	{"direct READ 1 MiB", "process_vm 1 MiB", 0.9},
	{"wire SEND 8 B", "udp 8 B", 1.5},
	{"wire SEND 8 B, events", "udp 8 B, blocking", 1.5},
	{"wire WRITE 64 KiB", "udp windowed, GSO and GRO", 0.6},
	{"wire WRITE 1 MiB", "udp windowed, GSO and GRO", 0.6},
	{"wire READ 64 KiB", "udp windowed, GSO and GRO", 0.6},
	{"wire READ 1 MiB", "udp windowed, GSO and GRO", 0.6},
	{"wire SEND 8 B", "ucx tcp SEND 8 B", 1},
	{"wire WRITE 8 B", "ucx tcp WRITE 8 B", 1},
	{"wire WRITE 64 KiB", "ucx tcp WRITE 64 KiB", 1},
	{"wire WRITE 1 MiB", "ucx tcp WRITE 1 MiB", 1},
	{"wire READ 64 KiB", "ucx tcp READ 64 KiB", 1},
	{"wire READ 1 MiB", "ucx tcp READ 1 MiB", 1},
	{"wire WRITE 64 B", "ucx tcp WRITE 64 B", 1},
	{"wire SEND 8 B", "libfabric tcp SEND 8 B", 1},
	{"wire WRITE 64 KiB", "libfabric tcp SEND 64 KiB", 1},
	{"wire WRITE 1 MiB", "libfabric tcp SEND 1 MiB", 1},
};

static struct {
	const char *name, *unit;
	double value;
} results[ROWS + OTHERS];
static int result_count;

uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench_fail(struct bench_pair *pair, const char *what)
{
	if (!atomic_exchange(&pair->has_failed, true))
		snprintf(pair->why, sizeof(pair->why), "%s: %m", what);
	_exit(1);
}

void bench_meet(struct bench_pair *pair, int side)
{
	const uint32_t mine = atomic_fetch_add(&pair->arrived[side], 1) + 1;

	for (unsigned int i = 0; atomic_load(&pair->arrived[1 - side]) < mine; i++) {
		if (atomic_load(&pair->has_failed))
			_exit(1);
		if (i > 10000)
			sched_yield();
	}
}

bool bench_goes_on(struct bench_pair *pair, uint64_t began, uint64_t since, double units)
{
	const uint64_t now = bench_now();
	const double each = (double)(now - since) / units;

	if (!(pair->best > 0) || each < pair->best)
		pair->best = each;
	if (now - began < BENCH_MS * UINT64_C(1000000))
		return true;
	atomic_store(&pair->is_over, true);
	return false;
}

static void run_side(struct bench_pair *pair, int side, const struct bench_row *row)
{
	if (row->path)
		setenv("HOLDFAST_UROCE_PATH", row->path, 1);
	alarm(HANG_SECONDS);
	row->run(pair, side, row);
	_exit(0);
}

/* ns of a unit, or 0. */
static double measure_pair(const struct bench_row *row)
{
	struct bench_pair *pair = mmap(NULL, sizeof(*pair), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double best;
	pid_t pids[2];
	int status;

	if (pair == MAP_FAILED)
		return 0;
	for (int side = 0; side < 2; side++) {
		pids[side] = fork();
		if (!pids[side])
			run_side(pair, side, row);
	}
	for (int side = 0; side < 2; side++) {
		if (waitpid(pids[side], &status, 0) != pids[side] || status) {
			if (!atomic_exchange(&pair->has_failed, true))
				snprintf(pair->why, sizeof(pair->why), "status %d", status);
		}
	}
	best = atomic_load(&pair->has_failed) ? 0 : pair->best;
	if (atomic_load(&pair->has_failed))
		printf("%-28s %s\n", row->name, pair->why);
	munmap(pair, sizeof(*pair));
	return best;
}

static bool is_time(const char *unit)
{
	return !strcmp(unit, "us");
}

static void add_result(const char *name, const char *unit, double value)
{
	results[result_count].name = name;
	results[result_count].unit = unit;
	results[result_count++].value = value;
	printf("%-28s %10.3f %s\n", name, value, unit);
}

/* The best of a few: a process may begin beside other work. */
static void measure_row(const struct bench_row *row)
{
	double best = 0, now;

	for (int i = 0; i < ROUNDS; i++) {
		now = measure_pair(row);
		if (now > 0 && (!(best > 0) || now < best))
			best = now;
	}
	if (!(best > 0))
		return;
	add_result(row->name, row->unit,
		   is_time(row->unit)		? best / 1000
		   : !strcmp(row->unit, "GB/s") ? 1 / best
						: 1000 / best);
	fflush(stdout);
}

static int find_result(const char *name)
{
	for (int i = 0; i < result_count; i++) {
		if (!strcmp(results[i].name, name))
			return i;
	}
	return -1;
}

static void print_goals(void)
{
	printf("\n%-28s %-28s %7s\n", "row", "against", "ratio");
	for (size_t i = 0; i < sizeof(goals) / sizeof(goals[0]); i++) {
		const struct goal *goal = &goals[i];
		const int row = find_result(goal->row), other = find_result(goal->other);
		double ratio;
		bool less;

		if (row < 0 || other < 0)
			continue;
		ratio = results[row].value / results[other].value;
		less = is_time(results[row].unit);
		printf("%-28s %-28s %7.2f  %s %.1f: %s\n", goal->row, goal->other, ratio,
		       less ? "at most" : "at least", goal->share,
		       (less ? ratio <= goal->share : ratio >= goal->share) ? "reached"
									    : "not reached");
	}
}

int main(int argc, char *argv[])
{
	const char *only = getenv("BENCH_ROWS");

	if (argc < 3 || argc % 2 == 0 || (argc - 3) / 2 > OTHERS) {
		fprintf(stderr, "usage: uroce_bench DEVICE PEER [ROW VALUE]...\n");
		return 2;
	}
	bench_devices[0] = argv[1];
	bench_devices[1] = argv[2];
	printf("%-28s %10s\n", "", "best");
	for (int i = 3; i < argc; i += 2)
		add_result(argv[i],
			   strstr(argv[i], " 8 B")    ? "us"
			   : strstr(argv[i], " 64 B") ? "M/s"
						      : "GB/s",
			   atof(argv[i + 1]));
	for (int i = 0; i < ROWS; i++) {
		if (!only || strstr(rows[i].name, only))
			measure_row(&rows[i]);
	}
	print_goals();
	return 0;
}
