/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A list for libibverbs leaves it to a later call to check whether nodes may be opened. What comes between the two,
 * or is disturbed, must neither make a device ready that is not, nor leave one out.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "shared/attr.h"
#include "core/device/hf.h"
#include "core/device/list.h"
#include "t/lib/hang.h"
#include "t/lib/tree.h"

enum { ROOTS = 2 };

struct bed {
	struct tree *trees[ROOTS];
	struct hf *hf;
	bool list_meanwhile;
};

/* What a device cgroup answers for a node; 0: no restriction. In place of the C library's. */
static int cgroup_answer;

int faccessat(int dir, const char *path, int mode, int flags)
{
	(void)dir;
	(void)path;
	(void)mode;
	(void)flags;
	errno = cgroup_answer;
	return cgroup_answer ? -1 : 0;
}

static bool any_device(const struct hf_device *device)
{
	(void)device;
	return true;
}

static void list_for_libibverbs(struct bed *bed, int count)
{
	struct ibv_device **list;

	assert_int_equal(hfi_list(bed->hf, any_device, true, &list), count);
	hf_device_list_free(list);
}

/* The program's log function: called when the scan that had the message is over, before its list is made. */
static void list_in_log_function(void *arg, enum hf_log_level level, const char *message)
{
	struct bed *bed = arg;

	(void)level;
	if (!bed->list_meanwhile || !strstr(message, tree_sysfs(bed->trees[1])))
		return;
	bed->list_meanwhile = false;
	assert_int_equal(tree_add(bed->trees[0], 1, "rxe1", NULL), 0);
	list_for_libibverbs(bed, 2);
}

static int setup_roots(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct hf_root roots[ROOTS] = {0};
	char dir[512];
	const char *dirs[] = {dir, NULL};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = roots,
		.num_roots = ROOTS,
		.provider_dirs = dirs,
		.flags = HF_NO_ENVIRONMENT,
		.log_level = HF_LOG_WARNING,
		.log = list_in_log_function,
		.log_arg = bed,
	};

	alarm(HF_TEST_HANG_SECONDS);
	assert_non_null(bed);
	for (unsigned int i = 0; i < ROOTS; i++) {
		assert_int_equal(tree_new(&bed->trees[i], NULL), 0);
		roots[i].sysfs = tree_sysfs(bed->trees[i]);
		roots[i].dev = tree_dev(bed->trees[i]);
	}
	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	cgroup_answer = 0;
	*state = bed;
	return 0;
}

static int teardown_roots(void **state)
{
	struct bed *bed = *state;

	hf_unref(bed->hf);
	for (unsigned int i = 0; i < ROOTS; i++)
		tree_free(bed->trees[i]);
	free(bed);
	return 0;
}

/* A file in place of the class directory. */
static void spoil_class_dir(struct bed *bed, unsigned int root)
{
	char class[512], away[600];
	int fd;

	snprintf(class, sizeof(class), "%s/class/infiniband_verbs", tree_sysfs(bed->trees[root]));
	snprintf(away, sizeof(away), "%s.away", class);
	assert_int_equal(rename(class, away), 0);
	fd = open(class, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void a_list_for_libibverbs_meanwhile(void **state)
{
	struct bed *bed = *state;
	struct ibv_device **list;

	assert_int_equal(tree_add(bed->trees[0], 0, "rxe0", NULL), 0);
	spoil_class_dir(bed, 1);
	cgroup_answer = EPERM;
	bed->list_meanwhile = true;
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 0);
	assert_false(bed->list_meanwhile);
	hf_device_list_free(list);
	cgroup_answer = 0;
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 2);
	hf_device_list_free(list);
}

static unsigned int count_added(struct hf_stream *stream)
{
	unsigned int added = 0;
	bool synced = false;

	while (!synced) {
		struct hf_event *event;

		assert_int_equal(hf_stream_next(stream, &event), 1);
		added += hf_event_type(event) == HF_EVENT_ADDED;
		synced = hf_event_type(event) == HF_EVENT_SYNCED;
		hf_event_unref(event);
	}
	return added;
}

static void a_stream_while_a_root_cannot_be_read(void **state)
{
	struct bed *bed = *state;
	struct hf_stream *stream;

	assert_int_equal(tree_add(bed->trees[0], 0, "rxe0", NULL), 0);
	assert_int_equal(tree_add(bed->trees[1], 0, "rxe1", NULL), 0);
	list_for_libibverbs(bed, 2);
	spoil_class_dir(bed, 1);
	assert_int_equal(hf_stream_new(bed->hf, NULL, &stream), 0);
	assert_int_equal(count_added(stream), 2);
	hf_stream_unref(stream);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, setup_roots, teardown_roots)
	const struct CMUnitTest tests[] = {
		ON_A_BED(a_list_for_libibverbs_meanwhile),
		ON_A_BED(a_stream_while_a_root_cannot_be_read),
	};

	return cmocka_run_group_tests_name("nodes that are checked later", tests, NULL, NULL);
}
