/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Streams in several threads, and after fork. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/tree/stream_bed.h"

enum { CYCLES = 150, SLOTS = 3, MAX_EVENTS = 8 * CYCLES * SLOTS };

/* The events that one thread took; the sequences are compared when all threads are done. */
struct taker {
	pthread_t thread;
	struct hf_stream *stream;
	atomic_bool *stop;
	unsigned int count;
	bool failed;
	struct {
		uint64_t sequence, generation;
		enum hf_event_type type;
	} events[MAX_EVENTS];
};

static void *take_events_until_stop(void *arg)
{
	struct taker *taker = arg;
	struct pollfd fd = {.fd = hf_stream_fd(taker->stream), .events = POLLIN};
	struct hf_event *event;
	bool last = false;

	for (;;) {
		int got = hf_stream_next(taker->stream, &event);

		if (got == 1 && taker->count < MAX_EVENTS) {
			taker->events[taker->count].sequence = hf_event_sequence(event);
			taker->events[taker->count].generation = hf_event_generation(event);
			taker->events[taker->count++].type = hf_event_type(event);
			hf_event_unref(event);
			continue;
		}
		if (got != 0) {
			taker->failed = true;
			break;
		}
		if (last)
			break;
		last = atomic_load(taker->stop);
		if (!last)
			poll(&fd, 1, 20);
	}
	return NULL;
}

static void churn_slots(struct bed *bed)
{
	for (unsigned int i = 0; i < CYCLES; i++) {
		unsigned int n = i % SLOTS;
		char name[32];

		snprintf(name, sizeof(name), "fake%u", i);
		if (tree_name(bed->tree, n))
			tree_remove(bed->tree, n);
		tree_add(bed->tree, n, name, NULL);
		if (i % 5 == 0)
			tree_swap(bed->tree, n);
		if (i % 16 == 0)
			usleep(2000);
	}
}

/*
 * The events of one stream, merged from all its threads in order of sequence, must be consistent.
 */
static void check_takers(struct taker *takers[], unsigned int count, const struct bed *bed)
{
	unsigned int total = 0, alive = 0, synced = 0, removed = 0;
	static struct {
		uint64_t generation;
		enum hf_event_type type;
	} all[2 * MAX_EVENTS];
	uint64_t living[MAX_EVENTS] = {0};
	unsigned int present = 0;

	memset(all, 0, sizeof(all));
	for (unsigned int t = 0; t < count; t++) {
		assert_false(takers[t]->failed);
		for (unsigned int i = 0; i < takers[t]->count; i++, total++) {
			uint64_t sequence = takers[t]->events[i].sequence;

			assert_in_range(sequence, 1, 2 * MAX_EVENTS);
			assert_int_equal(all[sequence - 1].type, 0); /* returned once */
			all[sequence - 1].type = takers[t]->events[i].type;
			all[sequence - 1].generation = takers[t]->events[i].generation;
		}
	}
	for (unsigned int i = 0; i < total; i++) {
		unsigned int k = 0;

		assert_int_not_equal(all[i].type, 0); /* no gap */
		if (all[i].type == HF_EVENT_SYNCED) {
			synced++;
			continue;
		}
		while (k < alive && living[k] != all[i].generation)
			k++;
		switch (all[i].type) {
		case HF_EVENT_ADDED:
			assert_int_equal(k, alive);
			living[alive++] = all[i].generation;
			break;
		case HF_EVENT_REMOVED:
			assert_true(k < alive);
			living[k] = living[--alive];
			removed++;
			break;
		default:
			assert_true(k < alive);
			break;
		}
	}
	for (unsigned int n = 0; n < SLOTS; n++)
		present += tree_name(bed->tree, n) != NULL;
	assert_int_equal(synced, 1);
	assert_int_equal(alive, present);
	printf("%u events, %u removed, %u live, taken", total, removed, alive);
	for (unsigned int t = 0; t < count; t++)
		printf(" %u", takers[t]->count);
	printf("\n");
}

static void run_takers(struct bed *bed, struct hf_stream *streams[2], struct taker *takers[2])
{
	atomic_bool stop = false;

	for (int i = 0; i < 2; i++) {
		takers[i] = calloc(1, sizeof(*takers[i]));
		assert_non_null(takers[i]);
		takers[i]->stream = streams[i];
		takers[i]->stop = &stop;
		assert_int_equal(pthread_create(&takers[i]->thread, NULL, take_events_until_stop,
						takers[i]),
				 0);
	}
	churn_slots(bed);
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(takers[i]->thread, NULL), 0);
}

static void threads_share_a_stream(void **state)
{
	struct bed *bed = *state;
	struct taker *takers[2];

	bed_stream(bed, &bed->a);
	run_takers(bed, (struct hf_stream *[2]){bed->a, bed->a}, takers);
	check_takers(takers, 2, bed);
	free(takers[0]);
	free(takers[1]);
}

static void each_thread_has_a_stream(void **state)
{
	struct bed *bed = *state;
	struct taker *takers[2];

	bed_stream(bed, &bed->a);
	bed_stream(bed, &bed->b);
	run_takers(bed, (struct hf_stream *[2]){bed->a, bed->b}, takers);
	check_takers(&takers[0], 1, bed);
	check_takers(&takers[1], 1, bed);
	free(takers[0]);
	free(takers[1]);
}

/* Runs in a child, which has no cmocka: the exit code tells what went wrong. */
static int child_in_stream(struct bed *bed)
{
	struct hf_event *event = NULL;
	struct hf_stream *own;

	if (hf_stream_next(bed->a, &event) != -ECHILD || event)
		return 2;
	if (hf_stream_unref(bed->a))
		return 3;
	if (hf_stream_new(bed->hf, NULL, &own) != 0)
		return 4;
	if (hf_stream_next(own, &event) != 1 || hf_event_type(event) != HF_EVENT_ADDED)
		return 5;
	hf_event_unref(event);
	hf_stream_unref(own);
	return 0;
}

/*
 * What other threads held at the fork is lost in the child, and a leak checker would report it at
 * exit: so the child reports its result and is killed.
 */
static int fork_and_wait(struct bed *bed)
{
	unsigned char code = 1;
	int status, result[2];
	pid_t pid;

	assert_int_equal(pipe(result), 0);
	pid = fork();
	if (pid == 0) {
		code = (unsigned char)child_in_stream(bed);
		if (write(result[1], &code, 1) == 1)
			raise(SIGKILL);
		_exit(1);
	}
	assert_true(pid > 0);
	close(result[1]);
	assert_int_equal(read(result[0], &code, 1), 1);
	close(result[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return code;
}

static void a_child_leaves_the_parents_stream_alone(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	/* SYNCED is queued, and a hint is pending in the sockets that the child inherits. */
	tree_add(bed->tree, 1, "fake1", NULL);
	assert_int_equal(fork_and_wait(bed), 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake1", 0);
	bed_expect_nothing(bed->a);
	/* All watches still exist, on files and on directories. */
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake0", HF_CHANGED_PORT);
	tree_remove(bed->tree, 0);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect_nothing(bed->a);
}

/* What the child finds must not affect the parent: the descriptor is shared. */
static void a_child_may_list_beside_the_parents_stream(void **state)
{
	struct bed *bed = *state;
	int status;
	pid_t pid;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
	pid = fork();
	if (pid == 0) {
		struct ibv_device **list;
		int count;

		/* Removed again before the parent scans: nothing to report. */
		tree_add(bed->tree, 1, "fake1", NULL);
		count = hf_device_list(bed->hf, 0, &list);
		hf_device_list_free(list);
		tree_remove(bed->tree, 1);
		_exit(count == 2 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	bed_expect_nothing(bed->a);
	tree_add(bed->tree, 2, "fake2", NULL);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake2", 0);
	bed_expect_nothing(bed->a);
}

/* Forks repeatedly while another thread is inside the stream. */
#if defined(__SANITIZE_ADDRESS__)
enum { ALLOCATOR_SURVIVES_FORK = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { ALLOCATOR_SURVIVES_FORK = 0 };
#else
enum { ALLOCATOR_SURVIVES_FORK = 1 };
#endif
#else
enum { ALLOCATOR_SURVIVES_FORK = 1 };
#endif

static void a_fork_while_a_thread_is_inside(void **state)
{
	struct bed *bed = *state;
	struct taker *taker;
	atomic_bool stop = false;

	if (!ALLOCATOR_SURVIVES_FORK) {
		print_message("left out: a child of a process with threads may find a lock of "
			      "AddressSanitizer's allocator held for ever (gcc 12)\n");
		return;
	}
	taker = calloc(1, sizeof(*taker));
	assert_non_null(taker);
	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	taker->stream = bed->a;
	taker->stop = &stop;
	assert_int_equal(pthread_create(&taker->thread, NULL, take_events_until_stop, taker), 0);
	for (int i = 0; i < 25; i++) {
		tree_swap(bed->tree, 0);
		assert_int_equal(fork_and_wait(bed), 0);
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(taker->thread, NULL), 0);
	check_takers(&taker, 1, bed);
	free(taker);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(threads_share_a_stream),
		ON_A_BED(each_thread_has_a_stream),
		ON_A_BED(a_child_leaves_the_parents_stream_alone),
		ON_A_BED(a_child_may_list_beside_the_parents_stream),
		ON_A_BED(a_fork_while_a_thread_is_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
