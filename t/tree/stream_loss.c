/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Loss: a queue that is not read, and a kernel that drops notifications. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/stream/stream.h" /* for the queue's limit only */
#include "t/lib/process.h"
#include "t/tree/stream_bed.h"

/*
 * Lets stream `b` read its notifications and thereby queue events for `a`, which is not asked
 * meanwhile.
 */
static void let_b_look(struct bed *bed)
{
	struct hf_event *event;

	while (hf_stream_next(bed->b, &event) == 1)
		hf_event_unref(event);
}

static void begin_streams(struct bed *bed)
{
	bed_stream(bed, &bed->a);
	bed_stream(bed, &bed->b);
	let_b_look(bed);
}

static void a_full_queue_becomes_the_difference(void **state)
{
	struct bed *bed = *state;
	uint64_t kept, lost;

	tree_add(bed->tree, 0, "fake0", NULL);
	tree_add(bed->tree, 1, "fake1", NULL);
	begin_streams(bed);
	bed_expect_both(bed->a, HF_EVENT_ADDED, "fake0", "fake1");
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed->a->queue.limit = 3;
	for (int i = 0; i < 4; i++) {
		tree_swap(bed->tree, 0);
		let_b_look(bed);
	}
	tree_rename(bed->tree, 1, "fake7");
	let_b_look(bed);
	tree_add(bed->tree, 2, "fake2", NULL);
	let_b_look(bed);
	/* For fake0 the reported instance and the present one are reported, none in between. */
	bed_expect(bed->a, HF_EVENT_RESYNC, "", 0);
	lost = bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake7", HF_CHANGED_NAME);
	kept = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	assert_true(kept >= lost + 4);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake2", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
	/* The stream keeps working. */
	tree_remove(bed->tree, 2);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake2", 0);
	bed_expect_nothing(bed->a);
}

/*
 * The change of a dropped CHANGED is reported again; an instance that was added and removed
 * meanwhile is not.
 */
static void no_change_is_forgotten(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	begin_streams(bed);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed->a->queue.limit = 1;
	tree_rename(bed->tree, 0, "fake1");
	let_b_look(bed);
	tree_rename(bed->tree, 0, "fake0"); /* merged into the queued one */
	let_b_look(bed);
	tree_add(bed->tree, 5, "fake5", NULL);
	let_b_look(bed);
	tree_remove(bed->tree, 5);
	let_b_look(bed);
	bed_expect(bed->a, HF_EVENT_RESYNC, "", 0);
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake0", HF_CHANGED_NAME);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
}

static void an_overflow_before_the_first_event(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	begin_streams(bed);
	bed->a->queue.limit = 2; /* ADDED and SYNCED are queued */
	tree_swap(bed->tree, 0);
	let_b_look(bed);
	bed_expect(bed->a, HF_EVENT_RESYNC, "", 0);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
}

/* More notifications than inotify queues for a stream. */
static void lost_notifications_are_reported(void **state)
{
	struct bed *bed = *state;
	unsigned int limit = read_fillable_queue();
	char path[512];

	if (!limit)
		skip();
	tree_add(bed->tree, 0, "fake0", NULL);
	tree_add(bed->tree, 1, "fake1", NULL);
	bed_stream(bed, &bed->a);
	bed_expect_both(bed->a, HF_EVENT_ADDED, "fake0", "fake1");
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	snprintf(path, sizeof(path), "%s/class/infiniband/x", tree_sysfs(bed->tree));
	for (unsigned int i = 0; i < limit; i++) {
		assert_int_equal(mkdir(path, 0755), 0);
		assert_int_equal(rmdir(path), 0);
	}
	tree_remove(bed->tree, 0);
	tree_set(bed->tree, 1, "ports/1/state", "1: DOWN");
	tree_add(bed->tree, 2, "fake2", NULL);
	bed_expect(bed->a, HF_EVENT_RESYNC, "", 0);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake1", HF_CHANGED_PORT);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake2", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
	tree_set(bed->tree, 2, "ports/1/state", "1: DOWN");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake2", HF_CHANGED_PORT);
	printf("%u notifications where %u are kept\n", 2 * limit, limit);
}

/* Without notifications: changes are still found within the second that the manual promises. */
static void without_notifications(void **state)
{
	struct bed *bed = *state;

	hf_unref(bed->hf);
	bed_context(bed, HF_NO_NOTIFY);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 0, "fake0", NULL);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake0", HF_CHANGED_PORT);
	tree_remove(bed->tree, 0);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
}

enum { SLOTS = 12, STEPS = 1500, MAX_SEEN = 4096 };

struct model {
	bool present;
	unsigned int name;
};

static struct {
	uint64_t generation;
	char name[64];
} told[SLOTS * 2];
static size_t num_told;

/* Applies an event to what was reported; fails if it is inconsistent. */
static void apply_event(const struct hf_event *event)
{
	uint64_t generation = hf_event_generation(event);
	size_t i = 0;

	if (!hf_event_device(event))
		return;
	while (i < num_told && told[i].generation != generation)
		i++;
	switch (hf_event_type(event)) {
	case HF_EVENT_ADDED:
		assert_int_equal(i, num_told);
		assert_true(num_told < sizeof(told) / sizeof(told[0]));
		told[num_told++].generation = generation;
		break;
	case HF_EVENT_REMOVED:
		assert_true(i < num_told);
		told[i] = told[--num_told];
		return;
	default:
		assert_true(i < num_told);
		assert_true(hf_event_changes(event) != 0);
		break;
	}
	snprintf(told[i].name, sizeof(told[i].name), "%s", hf_event_name(event));
}

static bool is_told(const char *name)
{
	for (size_t i = 0; i < num_told; i++)
		if (!strcmp(told[i].name, name))
			return true;
	return false;
}

static void compare_with_tree(const struct bed *bed, unsigned int seed)
{
	size_t present = 0;

	for (unsigned int n = 0; n < SLOTS; n++) {
		const char *name = tree_name(bed->tree, n);

		if (!name)
			continue;
		present++;
		if (!is_told(name))
			fail_msg("seed %u: %s was not told", seed, name);
	}
	assert_int_equal(num_told, present);
}

/* A random plan compared with a model, with a queue that overflows sometimes. */
static void a_random_plan(void **state)
{
	struct bed *bed = *state;
	unsigned int seed = 12345, counts[HF_EVENT_RESYNC + 1] = {0};
	unsigned int compared = 0;
	const unsigned int steps = getenv("HF_VALGRIND") ? STEPS / 5 : STEPS;

	begin_streams(bed);
	bed->a->queue.limit = 9;
	num_told = 0;
	for (unsigned int step = 0; step < steps; step++) {
		unsigned int r = (unsigned int)rand_r(&seed), n = r % SLOTS;
		struct hf_event *event;
		char name[32];

		snprintf(name, sizeof(name), "fake%u", step);
		if (!tree_name(bed->tree, n))
			tree_add(bed->tree, n, name, NULL);
		else if (r / SLOTS % 4 == 0)
			tree_rename(bed->tree, n, name);
		else if (r / SLOTS % 4 == 1)
			tree_swap(bed->tree, n);
		else
			tree_remove(bed->tree, n);
		if (r / SLOTS / 4 % 3 == 0)
			let_b_look(bed);
		if (r / SLOTS / 12 % 8 != 0)
			continue;
		while (hf_stream_next(bed->a, &event) == 1) {
			counts[hf_event_type(event)]++;
			apply_event(event);
			hf_event_unref(event);
		}
		compare_with_tree(bed, seed);
		compared++;
	}
	printf("%u steps: %u added, %u changed, %u removed, %u resync, compared %u times\n", steps,
	       counts[HF_EVENT_ADDED], counts[HF_EVENT_CHANGED], counts[HF_EVENT_REMOVED],
	       counts[HF_EVENT_RESYNC], compared);
	assert_true(counts[HF_EVENT_RESYNC] > 0);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(a_full_queue_becomes_the_difference),
		ON_A_BED(no_change_is_forgotten),
		ON_A_BED(an_overflow_before_the_first_event),
		ON_A_BED(lost_notifications_are_reported),
		ON_A_BED(without_notifications),
		ON_A_BED(a_random_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
