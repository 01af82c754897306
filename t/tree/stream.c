/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stream on generated trees: which events come, in which order, and that nothing is left
 * behind.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/clock.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/tree/stream_bed.h"

static void what_exists_comes_first(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	tree_add(bed->tree, 1, "fake1", NULL);
	bed_stream(bed, &bed->a);
	/* readdir does not guarantee an order: either may be first. */
	bed_expect_both(bed->a, HF_EVENT_ADDED, "fake0", "fake1");
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
}

static void an_empty_tree_is_synced_at_once(void **state)
{
	struct bed *bed = *state;

	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
}

static void events_of_a_device_come_in_order(void **state)
{
	struct bed *bed = *state;
	uint64_t first, second;

	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 0, "fake0", NULL);
	first = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect_nothing(bed->a);
	tree_rename(bed->tree, 0,
		    "a b\t\xc3\xa4 is no longer than a name of the kernel may be: 63 bytes!");
	assert_int_equal(
		bed_expect(bed->a, HF_EVENT_CHANGED,
			   "a b\t\xc3\xa4 is no longer than a name of the kernel may be: 63 bytes!",
			   HF_CHANGED_NAME),
		first);
	tree_rename(bed->tree, 0, "fake7");
	assert_int_equal(bed_expect(bed->a, HF_EVENT_CHANGED, "fake7", HF_CHANGED_NAME), first);
	bed_expect_nothing(bed->a);
	tree_remove(bed->tree, 0);
	assert_int_equal(bed_expect(bed->a, HF_EVENT_REMOVED, "fake7", 0), first);
	bed_expect_nothing(bed->a);
	tree_add(bed->tree, 0, "fake0", NULL);
	second = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	assert_true(second > first);
	bed_expect_nothing(bed->a);
}

static void a_swap_is_removed_then_added(void **state)
{
	struct bed *bed = *state;
	uint64_t first;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	first = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_swap(bed->tree, 0);
	assert_int_equal(bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0), first);
	assert_true(bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0) > first);
	bed_expect_nothing(bed->a);
}

static void dropped_caches_give_no_event(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_drop_caches(bed->tree);
	bed_expect_nothing(bed->a);
}

static void attribute_changes_are_reported_once(void **state)
{
	static const struct {
		const char *path, *value;
		uint32_t change;
	} steps[] = {
		{"ports/1/gids/1", "0000:0000:0000:0000:0000:ffff:0a00:0007", HF_CHANGED_GID},
		{"ports/1/gids/90", "fd00:0000:0000:0000:0000:0000:0000:0090", HF_CHANGED_GID},
		{"ports/1/gids/90", NULL, HF_CHANGED_GID},
		{"ports/1/state", "1: DOWN", HF_CHANGED_PORT},
		{"ports/1/rate", "100 Gb/sec (4X EDR)", HF_CHANGED_PORT},
		{"ports/1/gid_attrs/ndevs/0", "hfnet9", HF_CHANGED_NETDEV},
	};
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	tree_add(bed->tree, 1, "fake1", NULL);
	bed_stream(bed, &bed->a);
	bed_expect_both(bed->a, HF_EVENT_ADDED, "fake0", "fake1");
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		printf("%s: %s\n", steps[i].path, steps[i].value);
		assert_int_equal(tree_set(bed->tree, 1, steps[i].path, steps[i].value), 0);
		bed_expect(bed->a, HF_EVENT_CHANGED, "fake1", steps[i].change);
		bed_expect_nothing(bed->a);
		/* Writing the same value again is not a change. */
		assert_int_equal(tree_set(bed->tree, 1, steps[i].path, steps[i].value), 0);
		bed_expect_nothing(bed->a);
	}
}

static void changes_are_merged_until_taken(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	bed_stream(bed, &bed->b);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->b, HF_EVENT_SYNCED, "", 0);
	tree_rename(bed->tree, 0, "fake1");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake1", HF_CHANGED_NAME);
	tree_rename(bed->tree, 0, "fake2");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake2", HF_CHANGED_NAME);
	/*
	 * Both changes happened before the other stream was asked: one event, with the last name.
	 */
	bed_expect(bed->b, HF_EVENT_CHANGED, "fake2", HF_CHANGED_NAME);
	bed_expect_nothing(bed->b);
	bed_expect_nothing(bed->a);
}

static void a_device_is_added_when_it_can_be_opened(void **state)
{
	static const struct tree_options no_node = {.node = TREE_NODE_NONE};
	static const struct tree_options half = {.no_device = true};
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", &no_node);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 1, "fake1", &half);
	bed_expect_nothing(bed->a);
	tree_make_node(bed->tree, 0);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect_nothing(bed->a);
	tree_complete(bed->tree, 1);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake1", 0);
	bed_expect_nothing(bed->a);
}

static void a_device_that_was_never_ready_is_not_reported(void **state)
{
	static const struct tree_options no_node = {.node = TREE_NODE_NONE};
	struct bed *bed = *state;

	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 0, "fake0", &no_node);
	bed_expect_nothing(bed->a);
	tree_remove(bed->tree, 0);
	bed_expect_nothing(bed->a);
}

static void streams_get_the_same_events(void **state)
{
	struct bed *bed = *state;
	uint64_t generation;

	bed_stream(bed, &bed->a);
	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->b);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	generation = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	assert_int_equal(bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0), generation);
	bed_expect(bed->b, HF_EVENT_SYNCED, "", 0);
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake0", HF_CHANGED_PORT);
	bed_expect(bed->b, HF_EVENT_CHANGED, "fake0", HF_CHANGED_PORT);
	tree_remove(bed->tree, 0);
	bed_expect(bed->b, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect_nothing(bed->a);
	bed_expect_nothing(bed->b);
}

/* A list finds the change and notifies the stream, whose descriptor becomes readable. */
static void a_list_notifies_the_stream(void **state)
{
	struct bed *bed = *state;
	struct ibv_device **list;

	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 0, "fake0", NULL);
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 1);
	hf_device_list_free(list);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect_nothing(bed->a);
}

static void an_event_outlives_its_stream_and_device(void **state)
{
	struct bed *bed = *state;
	struct hf_event *event = NULL;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	assert_int_equal(hf_stream_next(bed->a, &event), 1);
	bed->a = hf_stream_unref(bed->a);
	tree_remove(bed->tree, 0);
	assert_string_equal(hf_event_name(event), "fake0");
	assert_non_null(hf_event_device(event));
	assert_int_equal(hf_event_sequence(event), 1);
	assert_int_equal(hf_device_generation(hf_event_device(event)), hf_event_generation(event));
	hf_event_unref(event);
}

/* No polling timer wakes it, neither with devices nor after a change. */
static void an_idle_stream_sleeps(void **state)
{
	struct bed *bed = *state;
	struct pollfd fd;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake0", HF_CHANGED_PORT);
	bed_expect_nothing(bed->a);
	fd = (struct pollfd){.fd = hf_stream_fd(bed->a), .events = POLLIN};
	assert_int_equal(armed_timers(getpid()), 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
}

/* Leaves no free descriptor; false: as many as allowed. */
static void limit_fds(bool none)
{
	int lowest_free = dup(0);
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	now.rlim_cur = none ? (rlim_t)lowest_free : now.rlim_max;
	close(lowest_free);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* Every call returns `err`, but not in a loop: a slow machine can only make it rarer. */
static void expect_failing(struct hf_stream *stream, int err)
{
	enum { WAKES = 4, BETWEEN_MS = 10 };
	struct pollfd fd = {.fd = hf_stream_fd(stream), .events = POLLIN};
	const int64_t begin = hfi_now_ms();
	struct hf_event *event = NULL;
	int64_t passed;

	for (int i = 0; i < WAKES; i++) {
		assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
		assert_int_equal(hf_stream_next(stream, &event), err);
		assert_null(event);
	}
	passed = hfi_now_ms() - begin;
	printf("woke %d times in %d ms\n", WAKES, (int)passed);
	/* clock: not sooner. */
	assert_true(passed >= (WAKES - 1L) * BETWEEN_MS);
}

/* A lasting error is reported repeatedly, but without a busy loop, and no event is lost. */
static void no_descriptors_left(void **state)
{
	struct bed *bed = *state;

	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
	tree_add(bed->tree, 0, "fake0", NULL);
	limit_fds(true);
	/* At first the scan fails. */
	expect_failing(bed->a, -EMFILE);
	limit_fds(false);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect_nothing(bed->a);
	/* Then reading the ports before ADDED fails, with more events coming. */
	tree_add(bed->tree, 1, "fake1", NULL);
	bed_stream(bed, &bed->b);
	tree_remove(bed->tree, 0);
	limit_fds(true);
	expect_failing(bed->a, -EMFILE);
	limit_fds(false);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake1", 0);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect_nothing(bed->a);
}

static void stream_options_are_checked(void **state)
{
	struct bed *bed = *state;
	struct hf_stream *stream = (void *)1;
	struct {
		struct hf_stream_options options;
		char more[16];
	} big = {.options.size = sizeof(big)};
	struct hf_stream_options options = {.size = 1};

	assert_int_equal(hf_stream_new(bed->hf, &options, &stream), -EINVAL);
	options = (struct hf_stream_options){.size = sizeof(options), .flags = 4};
	assert_int_equal(hf_stream_new(bed->hf, &options, &stream), -EINVAL);
	big.more[3] = 1;
	assert_int_equal(hf_stream_new(bed->hf, &big.options, &stream), -EINVAL);
	assert_ptr_equal(stream, (void *)1);
	big.more[3] = 0;
	assert_int_equal(hf_stream_new(bed->hf, &big.options, &bed->a), 0);
	assert_string_equal(hf_event_type_name(HF_EVENT_RESYNC), "resync");
	assert_string_equal(hf_event_type_name((enum hf_event_type)77), "unknown");
	assert_null(hf_event_unref(NULL));
	assert_null(hf_stream_unref(NULL));
}

static void a_root_may_come_later(void **state)
{
	struct bed *bed = *state;

	bed_move_away(bed);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
	tree_add(bed->tree, 0, "fake0", NULL);
	bed_move_back(bed);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	tree_add(bed->tree, 1, "fake1", NULL);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake1", 0);
	bed_expect_nothing(bed->a);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(what_exists_comes_first),
		ON_A_BED(an_empty_tree_is_synced_at_once),
		ON_A_BED(events_of_a_device_come_in_order),
		ON_A_BED(a_swap_is_removed_then_added),
		ON_A_BED(dropped_caches_give_no_event),
		ON_A_BED(attribute_changes_are_reported_once),
		ON_A_BED(changes_are_merged_until_taken),
		ON_A_BED(a_device_is_added_when_it_can_be_opened),
		ON_A_BED(a_device_that_was_never_ready_is_not_reported),
		ON_A_BED(streams_get_the_same_events),
		ON_A_BED(a_list_notifies_the_stream),
		ON_A_BED(an_event_outlives_its_stream_and_device),
		ON_A_BED(an_idle_stream_sleeps),
		ON_A_BED(no_descriptors_left),
		ON_A_BED(stream_options_are_checked),
		ON_A_BED(a_root_may_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
