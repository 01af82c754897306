/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The queue of a stream: merging, order, its limit, and when its descriptor is readable. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "core/stream/queue.h"

enum { DEVICES = 3 };

struct bed {
	struct hf *hf;
	struct hf_device devices[DEVICES];
	struct verbs_device handles[DEVICES];
	struct hf_queue queue;
};

static int setup_queue(void **state)
{
	static const char *const names[DEVICES] = {"rxe0", "rxe1", "rxe2"};
	struct bed *bed = calloc(1, sizeof(*bed));
	struct hf_options options = {.size = sizeof(options), .flags = HF_NO_ENVIRONMENT};

	assert_non_null(bed);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	for (int i = 0; i < DEVICES; i++) {
		bed->devices[i].hf = bed->hf;
		bed->devices[i].handle = &bed->handles[i];
		bed->devices[i].generation = (uint64_t)i + 1;
		bed->devices[i].name = names[i];
		bed->handles[i].refcount = 1;
	}
	bed->queue.limit = HF_QUEUE_MAX;
	hfi_fd_mark(&bed->queue.fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	assert_true(bed->queue.fd.fd >= 0);
	*state = bed;
	return 0;
}

static int teardown_queue(void **state)
{
	struct bed *bed = *state;
	struct hf_event *event;

	while ((event = hfi_queue_take(&bed->queue)))
		hf_event_unref(event);
	for (int i = 0; i < DEVICES; i++)
		assert_int_equal(bed->handles[i].refcount, 1);
	hfi_fd_close(&bed->queue.fd);
	hf_unref(bed->hf);
	free(bed);
	return 0;
}

static void note_change(struct bed *bed, int device, enum hf_event_type type, uint32_t changes)
{
	hfi_queue_note(&bed->queue, &bed->devices[device], type, changes);
}

static bool is_queue_readable(const struct bed *bed)
{
	struct pollfd fd = {.fd = bed->queue.fd.fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void expect_queued(struct bed *bed, int device, enum hf_event_type type, uint32_t changes)
{
	struct hf_event *event = hfi_queue_take(&bed->queue);

	assert_non_null(event);
	assert_int_equal(hf_event_type(event), type);
	assert_int_equal(hf_event_changes(event), changes);
	assert_int_equal(hf_event_generation(event), device + 1);
	assert_string_equal(hf_event_name(event), bed->devices[device].name);
	assert_ptr_equal(hf_event_device(event), &bed->handles[device].device);
	hf_event_unref(event);
	hfi_queue_signal(&bed->queue);
}

static void first_in_first_out(void **state)
{
	struct bed *bed = *state;

	assert_false(is_queue_readable(bed));
	note_change(bed, 0, HF_EVENT_ADDED, 0);
	note_change(bed, 1, HF_EVENT_ADDED, 0);
	note_change(bed, 0, HF_EVENT_REMOVED, 0);
	assert_true(is_queue_readable(bed));
	expect_queued(bed, 0, HF_EVENT_ADDED, 0);
	assert_true(is_queue_readable(bed));
	expect_queued(bed, 1, HF_EVENT_ADDED, 0);
	expect_queued(bed, 0, HF_EVENT_REMOVED, 0);
	assert_false(is_queue_readable(bed));
	assert_null(hfi_queue_take(&bed->queue));
}

static void changes_are_merged(void **state)
{
	struct bed *bed = *state;

	note_change(bed, 0, HF_EVENT_ADDED, 0);
	note_change(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID);
	note_change(bed, 1, HF_EVENT_CHANGED, HF_CHANGED_PORT);
	bed->devices[0].name = "foo7";
	note_change(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_NAME);
	bed->devices[0].name = "rxe0";
	expect_queued(bed, 0, HF_EVENT_ADDED, 0);
	bed->devices[0].name = "foo7";
	expect_queued(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID | HF_CHANGED_NAME);
	expect_queued(bed, 1, HF_EVENT_CHANGED, HF_CHANGED_PORT);
	/* An event that was taken is not changed any more: the next change makes a new event. */
	note_change(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID);
	expect_queued(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID);
	assert_false(is_queue_readable(bed));
}

static void nothing_follows_removed(void **state)
{
	struct bed *bed = *state;

	note_change(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID);
	note_change(bed, 0, HF_EVENT_REMOVED, 0);
	note_change(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID);
	note_change(bed, 0, HF_EVENT_REMOVED, 0);
	expect_queued(bed, 0, HF_EVENT_CHANGED, HF_CHANGED_GID);
	expect_queued(bed, 0, HF_EVENT_REMOVED, 0);
	assert_null(hfi_queue_take(&bed->queue));
}

static void a_full_queue_overflows(void **state)
{
	struct bed *bed = *state;
	struct hf_event *dropped, *next;
	unsigned int count = 0;

	bed->queue.limit = 2;
	note_change(bed, 0, HF_EVENT_ADDED, 0);
	note_change(bed, 1, HF_EVENT_ADDED, 0);
	assert_false(bed->queue.overflow);
	note_change(bed, 2, HF_EVENT_ADDED, 0);
	assert_true(bed->queue.overflow);
	note_change(bed, 2, HF_EVENT_REMOVED, 0);
	assert_int_equal(bed->queue.count, 2);
	assert_true(is_queue_readable(bed));
	for (dropped = hfi_queue_empty(&bed->queue); dropped; dropped = next, count++) {
		next = dropped->next;
		hf_event_unref(dropped);
	}
	assert_int_equal(count, 2);
	assert_false(bed->queue.overflow);
	hfi_queue_signal(&bed->queue);
	assert_false(is_queue_readable(bed));
	note_change(bed, 2, HF_EVENT_REMOVED, 0);
	expect_queued(bed, 2, HF_EVENT_REMOVED, 0);
}

static void markers_have_no_device(void **state)
{
	struct bed *bed = *state;
	struct hf_event *event;

	assert_int_equal(hfi_queue_push(&bed->queue, HF_EVENT_RESYNC, NULL, 0), 0);
	assert_int_equal(hfi_queue_push(&bed->queue, HF_EVENT_SYNCED, NULL, 0), 0);
	event = hfi_queue_take(&bed->queue);
	assert_int_equal(hf_event_type(event), HF_EVENT_RESYNC);
	assert_null(hf_event_device(event));
	assert_string_equal(hf_event_name(event), "");
	hf_event_unref(event);
}

static void queue_keeps_many(void **state)
{
	struct bed *bed = *state;

	/* Alternate, so that nothing is merged. */
	for (unsigned int i = 0; i < HF_QUEUE_MAX; i++)
		note_change(bed, (int)(i % 2), i % 4 < 2 ? HF_EVENT_CHANGED : HF_EVENT_ADDED,
			    i % 4 < 2 ? HF_CHANGED_GID : 0);
	assert_false(bed->queue.overflow);
	assert_int_equal(bed->queue.count, HF_QUEUE_MAX);
	note_change(bed, 2, HF_EVENT_ADDED, 0);
	assert_true(bed->queue.overflow);
	printf("%zu events held\n", bed->queue.count);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, setup_queue, teardown_queue)
	const struct CMUnitTest tests[] = {
		ON_A_BED(first_in_first_out),	   ON_A_BED(changes_are_merged),
		ON_A_BED(nothing_follows_removed), ON_A_BED(a_full_queue_overflows),
		ON_A_BED(markers_have_no_device),  ON_A_BED(queue_keeps_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
