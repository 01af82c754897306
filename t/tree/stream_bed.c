/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Helpers of the stream tests: a tree, a context on it, and expected events. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/tree/stream_bed.h"

/* The last event of each stream that bed_stream() created. */
static struct {
	const struct hf_stream *stream;
	uint64_t sequence;
} last[4];

int bed_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and the directory itself */
}

void bed_context(struct bed *bed, uint32_t flags)
{
	char dir[512];
	const char *dirs[] = {dir, NULL};
	struct hf_root root = {.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		.flags = flags | HF_NO_ENVIRONMENT,
	};

	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	assert_int_equal(hf_new(&options, &bed->hf), 0);
}

int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	/* A descriptor that stays readable without a reason would never end the test. */
	alarm(HF_TEST_HANG_SECONDS);
	assert_non_null(bed);
	bed->fds = bed_count_fds();
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	bed_context(bed, 0);
	*state = bed;
	return 0;
}

void bed_end(struct bed *bed)
{
	bed->a = hf_stream_unref(bed->a);
	bed->b = hf_stream_unref(bed->b);
	bed->hf = hf_unref(bed->hf);
	memset(last, 0, sizeof(last));
}

int bed_teardown(void **state)
{
	struct bed *bed = *state;
	int fds;

	bed_end(bed);
	tree_free(bed->tree);
	fds = bed_count_fds();
	if (fds != bed->fds)
		printf("descriptors: %d before, %d after\n", bed->fds, fds);
	fds -= bed->fds;
	free(bed);
	return fds;
}

static struct hf_event *next_within(struct hf_stream *stream, int ms)
{
	struct pollfd fd = {.fd = hf_stream_fd(stream), .events = POLLIN};
	struct hf_event *event = NULL;
	int got = 0;

	while (!got && poll(&fd, 1, ms) == 1) {
		got = hf_stream_next(stream, &event);
		assert_in_range(got, 0, 1);
	}
	/* There may be no event that the descriptor does not announce. */
	if (!got)
		assert_int_equal(hf_stream_next(stream, &event), 0);
	return event;
}

struct hf_event *bed_wait(struct hf_stream *stream)
{
	return next_within(stream, HF_TEST_HANG_MS);
}

struct hf_event *bed_take(struct hf_stream *stream)
{
	return next_within(stream, 0);
}

static uint64_t *last_sequence(const struct hf_stream *stream)
{
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		if (last[i].stream == stream)
			return &last[i].sequence;
	fail_msg("a stream that bed_stream() has not begun");
	return NULL;
}

void bed_stream(struct bed *bed, struct hf_stream **ret)
{
	bed_stream_with(bed, 0, ret);
}

void bed_stream_with(struct bed *bed, uint32_t flags, struct hf_stream **ret)
{
	struct hf_stream_options options = {.size = sizeof(options), .flags = flags};

	assert_int_equal(hf_stream_new(bed->hf, flags ? &options : NULL, ret), 0);
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		if (last[i].stream && last[i].stream != *ret)
			continue;
		last[i].stream = *ret;
		last[i].sequence = 0;
		return;
	}
	fail_msg("too many streams");
}

static struct hf_event *expect_type(struct hf_stream *stream, enum hf_event_type type)
{
	struct hf_event *event = bed_wait(stream);

	assert_non_null(event);
	if (hf_event_type(event) != type)
		printf("got %s of \"%s\", changes %#x\n", hf_event_type_name(hf_event_type(event)),
		       hf_event_name(event), hf_event_changes(event));
	assert_int_equal(hf_event_type(event), type);
	assert_int_equal(++*last_sequence(stream), hf_event_sequence(event));
	if (type == HF_EVENT_SYNCED || type == HF_EVENT_RESYNC) {
		assert_null(hf_event_device(event));
		assert_int_equal(hf_event_generation(event), 0);
	} else {
		assert_non_null(hf_event_device(event));
		assert_int_equal(hf_event_generation(event),
				 hf_device_generation(hf_event_device(event)));
		assert_int_equal(
			hf_device_is_gone(hf_event_device(event)) || type != HF_EVENT_REMOVED, 1);
	}
	return event;
}

uint64_t bed_expect(struct hf_stream *stream, enum hf_event_type type, const char *name,
		    uint32_t changes)
{
	struct hf_event *event = expect_type(stream, type);
	uint64_t generation = hf_event_generation(event);

	assert_string_equal(hf_event_name(event), name);
	assert_int_equal(hf_event_changes(event), changes);
	hf_event_unref(event);
	return generation;
}

void bed_expect_both(struct hf_stream *stream, enum hf_event_type type, const char *a,
		     const char *b)
{
	struct hf_event *first = expect_type(stream, type);
	struct hf_event *second = expect_type(stream, type);
	bool turned = strcmp(hf_event_name(first), a) != 0;

	assert_string_equal(hf_event_name(first), turned ? b : a);
	assert_string_equal(hf_event_name(second), turned ? a : b);
	hf_event_unref(first);
	hf_event_unref(second);
}

void bed_expect_nothing(struct hf_stream *stream)
{
	struct pollfd fd = {.fd = hf_stream_fd(stream), .events = POLLIN};
	struct hf_event *event = bed_take(stream);

	if (!event && armed_timers_in(fd.fd) > 0) {
		assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
		event = bed_take(stream);
	}
	if (event)
		printf("got %s of \"%s\", changes %#x\n", hf_event_type_name(hf_event_type(event)),
		       hf_event_name(event), hf_event_changes(event));
	assert_null(event);
}

static void away(const struct bed *bed, char path[512])
{
	snprintf(path, 512, "%s.away", tree_sysfs(bed->tree));
}

void bed_move_away(struct bed *bed)
{
	char path[512];

	away(bed, path);
	assert_int_equal(rename(tree_sysfs(bed->tree), path), 0);
}

void bed_move_back(struct bed *bed)
{
	char path[512];

	away(bed, path);
	assert_int_equal(rename(path, tree_sysfs(bed->tree)), 0);
}
