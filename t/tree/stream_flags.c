/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Streams of all devices, and streams of names only, next to ordinary ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/tree/stream_bed.h"

static void every_device_is_reported(void **state)
{
	const struct tree_options no_node = {.node = TREE_NODE_NONE};
	struct bed *bed = *state;
	uint64_t first;

	tree_add(bed->tree, 0, "fake0", &no_node);
	bed_stream_with(bed, HF_STREAM_ALL, &bed->a);
	bed_stream(bed, &bed->b);
	first = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect(bed->b, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 1, "fake1", &no_node);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake1", 0);
	bed_expect_nothing(bed->b);
	tree_rename(bed->tree, 1, "fake2");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake2", HF_CHANGED_NAME);
	tree_remove(bed->tree, 1);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake2", 0);
	bed_expect_nothing(bed->b);
	/* Only the other stream reports that it can be opened now. */
	tree_make_node(bed->tree, 0);
	assert_int_equal(bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0), first);
	bed_expect_nothing(bed->a);
	tree_swap(bed->tree, 0);
	assert_int_equal(bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0), first);
	assert_int_equal(bed_expect(bed->b, HF_EVENT_REMOVED, "fake0", 0), first);
	assert_true(bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0) > first);
	bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0);
	bed_expect_nothing(bed->a);
}

static void an_incomplete_device_is_reported_once_complete(void **state)
{
	const struct tree_options half = {.no_device = true};
	struct bed *bed = *state;

	bed_stream_with(bed, HF_STREAM_ALL | HF_STREAM_NAMES, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	tree_add(bed->tree, 0, "fake0", &half);
	tree_complete(bed->tree, 0);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect_nothing(bed->a);
	tree_remove(bed->tree, 0);
	bed_expect(bed->a, HF_EVENT_REMOVED, "fake0", 0);
	bed_expect_nothing(bed->a);
}

static void only_names_are_reported(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream_with(bed, HF_STREAM_NAMES, &bed->a);
	bed_stream(bed, &bed->b);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->b, HF_EVENT_SYNCED, "", 0);
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	bed_expect(bed->b, HF_EVENT_CHANGED, "fake0", HF_CHANGED_PORT);
	bed_expect_nothing(bed->a);
	tree_rename(bed->tree, 0, "fake1");
	bed_expect(bed->a, HF_EVENT_CHANGED, "fake1", HF_CHANGED_NAME);
	bed_expect(bed->b, HF_EVENT_CHANGED, "fake1", HF_CHANGED_NAME);
	bed_expect_nothing(bed->a);
}

/* Copies the tests' providers to another directory. */
static void copy_providers(const char *to)
{
	char command[1024];

	snprintf(command, sizeof(command), "cp -r %s/t/providers.d/. %s", getenv("top_builddir"),
		 to);
	assert_int_equal(system(command), 0);
}

static void remove_recursively(const char *dir)
{
	char command[1024];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* With a provider directory that is empty at first. */
static void a_provider_may_come_later(void **state)
{
	struct bed *bed = *state;
	char dir[] = "/tmp/hf-stream-flags-XXXXXX";
	const char *const dirs[] = {dir, NULL};
	struct hf_root root = {.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	struct hf_options options = {
		.size = sizeof(options), .roots = &root, .num_roots = 1, .provider_dirs = dirs};
	struct ibv_device *before, *now;
	struct hf_event *event;
	uint64_t generation;

	assert_non_null(mkdtemp(dir));
	bed->hf = hf_unref(bed->hf);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	tree_add(bed->tree, 0, "fake0", NULL);
	bed_stream_with(bed, HF_STREAM_ALL, &bed->a);
	bed_stream(bed, &bed->b);
	event = bed_wait(bed->a);
	assert_non_null(event);
	assert_int_equal(hf_event_type(event), HF_EVENT_ADDED);
	before = hf_device_ref(hf_event_device(event));
	generation = hf_event_generation(event);
	hf_event_unref(event);
	event = hf_event_unref(bed_wait(bed->a)); /* SYNCED */
	bed_expect(bed->b, HF_EVENT_SYNCED, "", 0);

	copy_providers(dir);
	assert_int_equal(bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0), generation);
	event = bed_wait(bed->a);
	assert_non_null(event);
	assert_int_equal(hf_event_type(event), HF_EVENT_CHANGED);
	assert_int_equal(hf_event_changes(event), HF_CHANGED_HANDLE);
	assert_int_equal(hf_event_generation(event), generation);
	now = hf_device_ref(hf_event_device(event));
	hf_event_unref(event);
	assert_ptr_not_equal(now, before);
	assert_true(hf_device_is_gone(before));
	assert_false(hf_device_is_gone(now));
	assert_int_equal(hf_device_write_attr(now, "node_desc", "still here"), 0);
	tree_remove(bed->tree, 0);
	event = bed_wait(bed->a);
	assert_non_null(event);
	assert_int_equal(hf_event_type(event), HF_EVENT_REMOVED);
	assert_int_equal(hf_event_generation(event), generation);
	assert_ptr_equal(hf_event_device(event), now);
	hf_event_unref(event);
	bed_expect(bed->b, HF_EVENT_REMOVED, "fake0", 0);
	hf_device_unref(before);
	hf_device_unref(now);
	remove_recursively(dir);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(every_device_is_reported),
		ON_A_BED(an_incomplete_device_is_reported_once_complete),
		ON_A_BED(only_names_are_reported),
		ON_A_BED(a_provider_may_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
