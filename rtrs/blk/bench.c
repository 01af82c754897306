/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrs-blk bench: requests at a device, measured, and what is read compared with what was written. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rtrs/blk/report.h"
#include "rtrs/blk/pattern.h"
#include "shared/clock.h"

enum {
	BENCH_DEPTH = 32,
	BENCH_BLOCK = 4096,
	BENCH_COUNT = 100000,
	NS_PER_SECOND = 1000000000,
	PROGRESS_MS = 200,
	/* Of mixed requests, in a thousand. */
	FLUSHES = 5,
	DISCARDS = 40,
	ZEROES = 20,
	READS = 500,
	TRIES = 64,
};

struct bench;

struct bench_slot {
	struct rtrs_volume_request request;
	struct bench *bench;
	enum bench_kind kind;
	uint64_t block;
	int64_t begun_ns;
	uint8_t *data;
};

/* Requests end in several threads: the lock is for all that changes. */
struct bench {
	struct bench_report report;
	struct rtrs_volume *volume;
	struct rtrs_volume_info info;
	struct blk_progress progress;
	struct bench_slot *slots;
	uint8_t *memory, *scratch;
	struct pattern_state *states;
	uint64_t blocks, next, random, left;
	int64_t end_ns;
	bool is_sequential, is_final;
	unsigned int writes; /* in a thousand */
	int error;
	uint64_t bytes;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned int active;
};

static uint64_t bench_random(struct bench *bench, uint64_t below)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return bench->random % below;
}

/* --- one request --------------------------------------------------------------------------------- */

static enum bench_kind choose_kind(struct bench *bench)
{
	uint64_t what;

	if (bench->is_final || !bench->writes)
		return BENCH_READ;
	if (bench->writes == 1000)
		return BENCH_WRITE;
	what = bench_random(bench, 1000);
	if (what < FLUSHES)
		return BENCH_FLUSH;
	if (what < FLUSHES + DISCARDS && bench->info.device.max_discard_sectors)
		return BENCH_DISCARD;
	if (what < FLUSHES + DISCARDS + ZEROES && bench->info.device.max_write_zeroes_sectors)
		return BENCH_ZEROES;
	return what < FLUSHES + DISCARDS + ZEROES + READS ? BENCH_READ : BENCH_WRITE;
}

/* One that no request is at work on; false: there is none now. */
static bool choose_idle_block(struct bench *bench, uint64_t *ret)
{
	if (bench->is_sequential || bench->is_final) {
		*ret = bench->next;
		if (bench->states[*ret].is_busy)
			return false;
		bench->next = (bench->next + 1) % bench->blocks;
		return true;
	}
	for (unsigned int i = 0; i < TRIES; i++) {
		*ret = bench_random(bench, bench->blocks);
		if (!bench->states[*ret].is_busy)
			return true;
	}
	return false;
}

/* The state is that of its success: until then no other request is at work on the block. */
static void change_block_state(struct bench *bench, const struct bench_slot *slot)
{
	struct pattern_state *state = &bench->states[slot->block];

	switch (slot->kind) {
	case BENCH_WRITE:
		state->generation++;
		state->may_be_zero = state->is_zero = 0;
		if (bench->report.options->verify)
			rtrsi_pattern_fill(bench->report.seed, slot->block, state->generation,
					   slot->data, bench->report.block_size);
		break;
	case BENCH_DISCARD:
		state->may_be_zero = 1;
		break;
	case BENCH_ZEROES:
		state->is_zero = 1;
		break;
	default:
		break;
	}
}

static bool is_bench_over(const struct bench *bench)
{
	return bench->error || !bench->left || hfi_now_ns() >= bench->end_ns;
}

/* With the lock. Says whether there is a request to submit. */
static bool prepare_slot(struct bench_slot *slot)
{
	static const enum rtrs_rnbd_op ops[BENCH_KINDS] = {
		RNBD_OP_READ, RNBD_OP_WRITE, RNBD_OP_DISCARD, RNBD_OP_WRITE_ZEROES, RNBD_OP_FLUSH};
	struct bench *bench = slot->bench;

	if (is_bench_over(bench))
		return false;
	slot->kind = choose_kind(bench);
	if (slot->kind != BENCH_FLUSH && !choose_idle_block(bench, &slot->block))
		slot->kind = BENCH_FLUSH;
	bench->left -= slot->kind != BENCH_FLUSH || !bench->is_final;
	slot->request.op = ops[slot->kind];
	slot->request.offset = 0;
	slot->request.length = 0;
	if (slot->kind != BENCH_FLUSH) {
		bench->states[slot->block].is_busy = 1;
		slot->request.offset =
			bench->report.options->offset + slot->block * bench->report.block_size;
		slot->request.length = bench->report.block_size;
		change_block_state(bench, slot);
	}
	slot->begun_ns = hfi_now_ns();
	return true;
}

static void verify_slot(struct bench *bench, const struct bench_slot *slot)
{
	char why[PATTERN_WHY];

	if (!bench->report.options->verify || slot->kind != BENCH_READ)
		return;
	if (rtrsi_pattern_check(bench->report.seed, slot->block, &bench->states[slot->block],
				slot->data, bench->report.block_size, bench->scratch, why)) {
		bench->report.verified += bench->states[slot->block].generation ||
					  bench->states[slot->block].is_zero;
		return;
	}
	if (!bench->error)
		rtrsi_blk_complain("%s: wrong data at %" PRIu64 ": %s",
				   bench->report.options->target, slot->request.offset, why);
	bench->error = -EILSEQ;
}

/* With the lock. */
static void count_slot(struct bench *bench, const struct bench_slot *slot, int error)
{
	static const char *const names[BENCH_KINDS] = {"reading", "writing", "discarding",
						       "writing zeroes", "flushing"};

	if (slot->kind != BENCH_FLUSH)
		bench->states[slot->block].is_busy = 0;
	if (!error) {
		if (!bench->is_final)
			rtrsi_bench_count(&bench->report.kinds[slot->kind], slot->request.length,
					  hfi_now_ns() - slot->begun_ns);
		bench->bytes += slot->request.length;
		verify_slot(bench, slot);
		return;
	}
	if (!bench->error)
		rtrsi_blk_complain("%s: %s at %" PRIu64 ": %s", bench->report.options->target,
				   names[slot->kind], slot->request.offset,
				   strerrordesc_np(-error));
	bench->error = error;
}

static void go_on_with(struct bench_slot *slot)
{
	struct bench *bench = slot->bench;
	bool goes_on;

	pthread_mutex_lock(&bench->lock);
	goes_on = prepare_slot(slot);
	if (!goes_on && !--bench->active)
		pthread_cond_signal(&bench->ended);
	pthread_mutex_unlock(&bench->lock);
	if (goes_on)
		rtrsi_volume_submit(bench->volume, &slot->request);
}

static void bench_done(struct rtrs_volume_request *request, int error)
{
	struct bench_slot *slot = hf_container_of(request, struct bench_slot, request);

	pthread_mutex_lock(&slot->bench->lock);
	count_slot(slot->bench, slot, error);
	pthread_mutex_unlock(&slot->bench->lock);
	go_on_with(slot);
}

/* --- a run --------------------------------------------------------------------------------------- */

static void run_slots(struct bench *bench)
{
	bench->active = bench->report.depth;
	for (unsigned int i = 0; i < bench->report.depth; i++)
		go_on_with(&bench->slots[i]);
	pthread_mutex_lock(&bench->lock);
	while (bench->active) {
		struct timespec until = hfi_clock_after_ms(PROGRESS_MS);

		pthread_cond_clockwait(&bench->ended, &bench->lock, CLOCK_MONOTONIC, &until);
		rtrsi_blk_progress(&bench->progress, bench->bytes);
	}
	pthread_mutex_unlock(&bench->lock);
}

static bool was_written(const struct bench *bench)
{
	return bench->report.kinds[BENCH_WRITE].requests;
}

static int measure_volume(struct bench *bench)
{
	const struct blk_options *options = bench->report.options;
	int64_t begun_ns;

	rtrsi_blk_progress_begin(&bench->progress, options, 0);
	begun_ns = hfi_now_ns();
	bench->end_ns = options->seconds ? begun_ns + (int64_t)options->seconds * NS_PER_SECOND
					 : INT64_MAX;
	run_slots(bench);
	bench->report.elapsed_ns = hfi_now_ns() - begun_ns;
	/* All that is known to be there is there in the end, too. */
	if (!bench->error && options->verify && was_written(bench)) {
		bench->is_final = true;
		bench->end_ns = INT64_MAX;
		bench->left = bench->blocks;
		bench->next = 0;
		run_slots(bench);
	}
	rtrsi_blk_progress_end(&bench->progress);
	return bench->error;
}

/* --- what it is to do ---------------------------------------------------------------------------- */

static const struct bench_workload {
	const char *name;
	bool is_sequential;
	unsigned int writes;
} workloads[] = {
	{"read", true, 0},	    {"write", true, 1000}, {"randread", false, 0},
	{"randwrite", false, 1000}, {"mixed", false, 500},
};

static const struct bench_workload *workload_named(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(workloads); i++) {
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	}
	return NULL;
}

static int set_bench_range(struct bench *bench)
{
	const struct blk_options *options = bench->report.options;
	const uint32_t logical = bench->info.device.logical_block_size;
	uint64_t length = options->length;

	if (options->offset > bench->info.size ||
	    (options->has_length && length > bench->info.size - options->offset)) {
		rtrsi_blk_complain("%s: it ends at %" PRIu64, options->target, bench->info.size);
		return BLK_FAILED;
	}
	if (!options->has_length)
		length = bench->info.size - options->offset;
	bench->report.block_size = options->block_size ? (uint32_t)options->block_size
						       : BENCH_BLOCK;
	if (bench->report.block_size % logical || options->offset % logical ||
	    bench->report.block_size > bench->info.max_io) {
		rtrsi_blk_complain("%s: blocks of %" PRIu32 " at %" PRIu64 " are not possible: "
				   "multiples of %" PRIu32 ", at most %" PRIu32,
				   options->target, bench->report.block_size, options->offset,
				   logical, bench->info.max_io);
		return BLK_FAILED;
	}
	bench->blocks = length / bench->report.block_size;
	if (bench->blocks)
		return BLK_OK;
	rtrsi_blk_complain("%s: smaller than a block", options->target);
	return BLK_FAILED;
}

static int make_bench_memory(struct bench *bench)
{
	const uint32_t size = bench->report.block_size;

	bench->slots = calloc(bench->report.depth, sizeof(*bench->slots));
	bench->memory = calloc(bench->report.depth + 1, size);
	bench->states = calloc(bench->blocks, sizeof(*bench->states));
	if (!bench->slots || !bench->memory || !bench->states) {
		rtrsi_blk_complain("out of memory");
		return BLK_FAILED;
	}
	bench->scratch = bench->memory + (size_t)bench->report.depth * size;
	for (unsigned int i = 0; i < bench->report.depth; i++) {
		struct bench_slot *slot = &bench->slots[i];

		slot->bench = bench;
		slot->data = bench->memory + (size_t)i * size;
		slot->request.data = slot->data;
		slot->request.done = bench_done;
		rtrsi_pattern_fill(bench->report.seed, i, 1, slot->data, size);
	}
	/* A workload of reads alone verifies what an earlier one has written, with the same seed. */
	for (uint64_t i = 0; bench->report.options->verify && !bench->writes && i < bench->blocks;
	     i++)
		bench->states[i].generation = 1;
	return BLK_OK;
}

static int run_bench(struct bench *bench)
{
	const uint64_t limit = bench->report.options->count;
	int status;

	rtrsi_volume_info(bench->volume, &bench->info);
	status = set_bench_range(bench);
	if (status == BLK_OK)
		status = make_bench_memory(bench);
	if (status != BLK_OK)
		return status;
	bench->left = limit;
	if (!limit && !bench->report.options->seconds)
		bench->left = bench->is_sequential ? bench->blocks : BENCH_COUNT;
	else if (!limit)
		bench->left = UINT64_MAX;
	if (measure_volume(bench))
		return BLK_FAILED;
	rtrsi_volume_info(bench->volume, &bench->info);
	bench->report.failovers = bench->info.failovers;
	bench->report.reconnects = bench->info.reconnects;
	rtrsi_bench_print(&bench->report);
	return fflush(stdout) ? BLK_FAILED : BLK_OK;
}

static int choose_seed(struct bench *bench)
{
	const struct blk_options *options = bench->report.options;

	bench->report.seed = options->seed;
	if (!options->has_seed && getrandom(&bench->report.seed, sizeof(bench->report.seed), 0) < 0)
		return BLK_FAILED;
	/* JSON's numbers are exact up to there. */
	if (!options->has_seed)
		bench->report.seed >>= 11;
	bench->random = bench->report.seed * 2 + 1;
	return BLK_OK;
}

int rtrsi_blk_bench(const struct blk_options *given)
{
	struct blk_options options = *given;
	struct bench bench = {.report.options = &options,
			      .lock = PTHREAD_MUTEX_INITIALIZER,
			      .ended = PTHREAD_COND_INITIALIZER};
	const struct bench_workload *workload;
	int status;

	if (!options.workload)
		options.workload = options.verify ? "mixed" : "randread";
	if (!options.depth)
		options.depth = BENCH_DEPTH;
	workload = workload_named(options.workload);
	if (!workload) {
		rtrsi_blk_complain("--workload: \"%s\" is unknown", options.workload);
		return BLK_USAGE;
	}
	bench.is_sequential = workload->is_sequential;
	bench.writes = workload->writes;
	bench.report.depth = (unsigned int)options.depth;
	if (choose_seed(&bench))
		return BLK_FAILED;
	status = rtrsi_blk_open(&options, workload->writes ? RNBD_READ_WRITE : RNBD_READ_ONLY,
				&bench.volume);
	if (status == BLK_OK) {
		status = run_bench(&bench);
		rtrsi_volume_close(bench.volume);
	}
	free(bench.states);
	free(bench.memory);
	free(bench.slots);
	return status;
}
