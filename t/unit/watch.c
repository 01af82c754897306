/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The watch on generated trees: which hints come, and that nothing is missed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/root_kind.h"
#include "core/notify/watch.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/lib/process.h"
#include "t/lib/tree.h"

enum { ALL_FLAGS = HF_WATCH_ATTRIBUTES | HF_WATCH_READINESS };

/* An hour. */
static const uint64_t far_ns = UINT64_C(3600000000000);

struct bed {
	struct tree *tree;
	struct hf_search_root root;
	char providers[512];
	const char *dirs[2];
	struct hf_watch *watch;
	int fds;
};

static const struct hf_log silent;

static void watch_bed(struct bed *bed, uint32_t flags)
{
	struct hf_watch_options options = {
		.roots = &bed->root,
		.num_roots = 1,
		.provider_dirs = bed->dirs,
		.flags = flags,
		.log = &silent,
	};

	hfi_watch_free(bed->watch);
	bed->watch = NULL;
	assert_int_equal(hfi_watch_new(&options, &bed->watch), 0);
}

static int setup_watch(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->fds = count_open_fds();
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	assert_int_equal(
		hfi_search_root_init(&bed->root, tree_sysfs(bed->tree), tree_dev(bed->tree)), 0);
	assert_ptr_equal(bed->root.kind, &hfi_root_tree);
	snprintf(bed->providers, sizeof(bed->providers), "%s/providers", tree_sysfs(bed->tree));
	bed->dirs[0] = bed->providers;
	*state = bed;
	return 0;
}

static int teardown_watch(void **state)
{
	struct bed *bed = *state;
	int left;

	hfi_watch_free(bed->watch);
	tree_free(bed->tree);
	left = count_open_fds() - bed->fds;
	free(bed);
	return left;
}

/* Takes all hints, and counts those of a kind that have this name (NULL: any). */
static unsigned int count_hints(struct bed *bed, enum hf_hint_kind kind, const char *name)
{
	struct pollfd fd = {.fd = hfi_watch_fd(bed->watch), .events = POLLIN};
	struct hf_hint hint;
	unsigned int count = 0;
	int got;

	/* inotify queues events within the system call that causes them: no need to wait. */
	while ((got = hfi_watch_next(bed->watch, &hint)) > 0)
		count += hint.kind == kind && (!name || !strcmp(hint.name, name));
	assert_int_equal(got, 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_false(hfi_watch_pending(bed->watch));
	return count;
}

static void no_change_no_hint(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "rxe0", NULL);
	watch_bed(bed, ALL_FLAGS);
	assert_false(hfi_watch_blind(bed->watch));
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, NULL), 0);
}

static void devices_come_and_go(void **state)
{
	struct bed *bed = *state;

	watch_bed(bed, ALL_FLAGS);
	tree_add(bed->tree, 0, "rxe0", NULL);
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
	tree_rename(bed->tree, 0, "rxe9");
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
	tree_swap(bed->tree, 0);
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
	/* The directory that replaced it is watched too. */
	tree_set_uverbs(bed->tree, 0, "ibdev", "rxe8");
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
	tree_remove(bed->tree, 0);
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
	tree_add(bed->tree, 0, "rxe0", NULL);
	assert_int_equal(count_hints(bed, HF_HINT_IBDEV, "rxe0"), 1);
}

static void every_attribute_is_watched(void **state)
{
	static const struct {
		const char *path;
		enum hf_hint_kind kind;
	} rows[] = {
		{"node_guid", HF_HINT_IBDEV},
		{"node_type", HF_HINT_IBDEV},
		{"ports/1/state", HF_HINT_ATTRIBUTES},
		{"ports/1/rate", HF_HINT_ATTRIBUTES},
		{"ports/2/gids/0", HF_HINT_ATTRIBUTES},
		{"ports/2/gid_attrs/types/0", HF_HINT_ATTRIBUTES},
		{"ports/2/gid_attrs/ndevs/0", HF_HINT_ATTRIBUTES},
	};
	static const struct tree_options two_ports = {.ports = 2};
	struct bed *bed = *state;

	/* Once for an existing device, once for a new one. */
	for (unsigned int n = 0; n < 2; n++) {
		char name[16];

		snprintf(name, sizeof(name), "rxe%u", n);
		if (n == 0)
			tree_add(bed->tree, n, name, &two_ports);
		if (n == 0)
			watch_bed(bed, ALL_FLAGS);
		else
			tree_add(bed->tree, n, name, &two_ports);
		count_hints(bed, HF_HINT_NONE, NULL);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			assert_int_equal(tree_set(bed->tree, n, rows[i].path, "1"), 0);
			if (count_hints(bed, rows[i].kind, name) != 1)
				fail_msg("%s of %s: no hint", rows[i].path, name);
		}
	}
}

static void without_attributes_ports_are_silent(void **state)
{
	struct bed *bed = *state;

	tree_add(bed->tree, 0, "rxe0", NULL);
	watch_bed(bed, 0);
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	assert_int_equal(count_hints(bed, HF_HINT_ATTRIBUTES, NULL), 0);
	tree_make_node(bed->tree, 0);
	tree_set_uverbs(bed->tree, 0, "ibdev", "rxe1");
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
}

static void nodes_and_providers(void **state)
{
	static const struct tree_options no_node = {.node = TREE_NODE_NONE};
	struct bed *bed = *state;
	char path[1024];
	int fd;

	tree_add(bed->tree, 0, "rxe0", &no_node);
	watch_bed(bed, ALL_FLAGS);
	tree_make_node(bed->tree, 0);
	assert_int_equal(count_hints(bed, HF_HINT_NODE, "uverbs0"), 1);
	/* The provider directory does not exist yet. */
	assert_int_equal(mkdir(bed->providers, 0755), 0);
	assert_int_equal(count_hints(bed, HF_HINT_PROVIDERS, NULL), 1);
	snprintf(path, sizeof(path), "%s/x.provider", bed->providers);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(count_hints(bed, HF_HINT_PROVIDERS, NULL), 1);
	unlink(path);
	assert_int_equal(count_hints(bed, HF_HINT_PROVIDERS, NULL), 1);
	rmdir(bed->providers);
	assert_int_equal(count_hints(bed, HF_HINT_PROVIDERS, NULL), 1);
	assert_int_equal(mkdir(bed->providers, 0755), 0);
	assert_int_equal(count_hints(bed, HF_HINT_PROVIDERS, NULL), 1);
	assert_false(hfi_watch_blind(bed->watch));
	assert_false(hfi_watch_readiness_blind(bed->watch));
}

static void rename_or_fail(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

/* A root that is missing, appears, is removed and appears again. */
static void roots_come_and_go(void **state)
{
	struct bed *bed = *state;
	const char *here = tree_sysfs(bed->tree);
	char away[512], path[1024];

	snprintf(away, sizeof(away), "%s.away", here);
	tree_add(bed->tree, 0, "rxe0", NULL);
	rename_or_fail(here, away);
	watch_bed(bed, ALL_FLAGS);
	assert_int_equal(count_hints(bed, HF_HINT_ALL, NULL), 0);
	for (int i = 0; i < 3; i++) {
		rename_or_fail(away, here);
		assert_int_equal(count_hints(bed, HF_HINT_ALL, NULL), 1);
		tree_set_uverbs(bed->tree, 0, "ibdev", "rxe1");
		assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs0"), 1);
		rename_or_fail(here, away);
		assert_int_equal(count_hints(bed, HF_HINT_ALL, NULL), 1);
		/* The path leads to another directory now. */
		snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs7", away);
		assert_int_equal(mkdir(path, 0755), 0);
		assert_int_equal(rmdir(path), 0);
		assert_int_equal(count_hints(bed, HF_HINT_DEVICE, NULL), 0);
	}
	rename_or_fail(away, here);
}

/* Path components that appear one by one, each awaited in turn. */
static void nested_directories_are_awaited(void **state)
{
	static const char *const steps[] = {"x", "x/sys", "x/sys/class",
					    "x/sys/class/infiniband_verbs",
					    "x/sys/class/infiniband_verbs/uverbs5"};
	struct bed *bed = *state;
	char path[1024];
	unsigned int all = 0;

	snprintf(bed->root.sysfs, sizeof(bed->root.sysfs), "%s/x/sys", tree_sysfs(bed->tree));
	watch_bed(bed, ALL_FLAGS);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", tree_sysfs(bed->tree), steps[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		all += count_hints(bed, HF_HINT_ALL, NULL);
	}
	assert_int_equal(all, 1); /* while class/infiniband_verbs existed */
	snprintf(path, sizeof(path), "%s/%s", tree_sysfs(bed->tree), steps[4]);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs5"), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(count_hints(bed, HF_HINT_DEVICE, "uverbs5"), 1);
	/* And removed again, from the bottom. */
	for (size_t i = 4; i-- > 0;) {
		snprintf(path, sizeof(path), "%s/%s", tree_sysfs(bed->tree), steps[i]);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(count_hints(bed, HF_HINT_ALL, NULL), 1);
	snprintf(path, sizeof(path), "%s/%s", tree_sysfs(bed->tree), steps[0]);
	assert_int_equal(mkdir(path, 0755), 0);
	count_hints(bed, HF_HINT_NONE, NULL);
	assert_false(hfi_watch_blind(bed->watch));
}

/* Symbolic links, also circular ones, as a hostile tree may have them. */
static void links_do_no_harm(void **state)
{
	struct bed *bed = *state;
	char path[1024];

	tree_add(bed->tree, 0, "rxe0", NULL);
	snprintf(path, sizeof(path), "%s/class/infiniband/loop", tree_sysfs(bed->tree));
	assert_int_equal(symlink("rxe0", path), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband/rxe0/ports/7", tree_sysfs(bed->tree));
	assert_int_equal(symlink("..", path), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband/rxe0/ports/1/gid_attrs/x",
		 tree_sysfs(bed->tree));
	assert_int_equal(symlink("../..", path), 0);
	watch_bed(bed, ALL_FLAGS);
	tree_set(bed->tree, 0, "ports/1/state", "1: DOWN");
	assert_int_equal(count_hints(bed, HF_HINT_ATTRIBUTES, NULL) > 0, 1);
	snprintf(path, sizeof(path), "%s/class/infiniband/rxe0/ports/7", tree_sysfs(bed->tree));
	assert_int_equal(unlink(path), 0);
	tree_remove(bed->tree, 0);
	count_hints(bed, HF_HINT_NONE, NULL);
	snprintf(path, sizeof(path), "%s/class/infiniband/loop", tree_sysfs(bed->tree));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(count_hints(bed, HF_HINT_IBDEV, "loop"), 1);
}

/*
 * More events than inotify queues: the loss is reported, and afterwards everything is watched
 * again.
 */
static void an_overflow_is_reported(void **state)
{
	struct bed *bed = *state;
	unsigned int limit = read_fillable_queue();
	char path[512];

	if (!limit)
		skip();
	tree_add(bed->tree, 0, "rxe0", NULL);
	watch_bed(bed, ALL_FLAGS);
	snprintf(path, sizeof(path), "%s/class/infiniband/rxe0", tree_sysfs(bed->tree));
	for (unsigned int i = 0; i < limit; i++) {
		char name[600];

		/* Events of one kind in a row would be merged: mkdir and rmdir alternate. */
		snprintf(name, sizeof(name), "%s/x", path);
		assert_int_equal(mkdir(name, 0755), 0);
		assert_int_equal(rmdir(name), 0);
	}
	tree_add(bed->tree, 1, "rxe1", NULL);
	assert_int_equal(count_hints(bed, HF_HINT_LOST, NULL), 1);
	printf("%u events made, limit %u\n", 2 * limit, limit);
	/* The device that appeared unnoticed is watched. */
	tree_set(bed->tree, 1, "ports/1/state", "1: DOWN");
	assert_int_equal(count_hints(bed, HF_HINT_ATTRIBUTES, "rxe1"), 1);
}

/* More different hints than the limit become one full scan. */
static void many_hints_become_one(void **state)
{
	struct bed *bed = *state;
	char path[1024];
	unsigned int all;

	watch_bed(bed, 0);
	for (unsigned int i = 0; i < 8200; i++) {
		snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs%u",
			 tree_sysfs(bed->tree), i);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	all = count_hints(bed, HF_HINT_ALL, NULL);
	assert_int_equal(all, 1);
}

static void timers(void **state)
{
	struct bed *bed = *state;
	struct pollfd fd;
	struct hf_hint hint;
	uint64_t begin;

	watch_bed(bed, ALL_FLAGS);
	fd = (struct pollfd){.fd = hfi_watch_fd(bed->watch), .events = POLLIN};
	hfi_watch_set_timer(bed->watch, hfi_now() + far_ns);
	assert_int_equal(armed_timers(getpid()), 1);
	assert_int_equal(hfi_watch_next(bed->watch, &hint), 0);
	begin = hfi_now();
	hfi_watch_set_timer(bed->watch, begin + 30000000);
	assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
	assert_true(hfi_now() >=
		    begin + 30000000); /* not before: no machine is too slow for this */
	assert_int_equal(hfi_watch_next(bed->watch, &hint), 1);
	assert_int_equal(hint.kind, HF_HINT_TIMER);
	assert_int_equal(hfi_watch_next(bed->watch, &hint), 0);
	hfi_watch_set_timer(bed->watch, hfi_now() + far_ns);
	hfi_watch_set_timer(bed->watch, 0);
	assert_int_equal(armed_timers(getpid()), 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
}

static void without_sockets_it_polls(void **state)
{
	struct bed *bed = *state;
	struct pollfd fd;

	watch_bed(bed, ALL_FLAGS | HF_WATCH_NO_SOCKETS);
	assert_true(hfi_watch_blind(bed->watch));
	fd = (struct pollfd){.fd = hfi_watch_fd(bed->watch), .events = POLLIN};
	assert_int_equal(armed_timers(getpid()), 1);
	assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
	assert_int_equal(count_hints(bed, HF_HINT_ALL, NULL), 1);
	watch_bed(bed, ALL_FLAGS | HF_WATCH_NO_SOCKETS | HF_WATCH_NO_TIMER);
	assert_true(hfi_watch_blind(bed->watch));
	fd.fd = hfi_watch_fd(bed->watch);
	assert_int_equal(armed_timers(getpid()), 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
}

/* Descriptors run out at each point of creating a watch: an error, and nothing left open. */
static void out_of_descriptors(void **state)
{
	struct bed *bed = *state;
	struct hf_watch_options options = {
		.roots = &bed->root, .num_roots = 1, .flags = ALL_FLAGS, .log = &silent};
	struct rlimit before, limit;
	struct hf_watch *w;
	unsigned int failed = 0;
	int lowest = dup(0);
	rlim_t lowest_free = (rlim_t)lowest;

	close(lowest);
	bed->root.kind = &hfi_root_kernel;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t extra = 0; extra < 12; extra++) {
		int err;

		limit = before;
		limit.rlim_cur = lowest_free + extra;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		w = NULL;
		err = hfi_watch_new(&options, &w);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (err) {
			assert_int_equal(err, -EMFILE);
			assert_null(w);
			failed++;
		}
		hfi_watch_free(w);
	}
	printf("%u of 12 limits were too low\n", failed);
	assert_true(failed >= 2 && failed < 12);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, setup_watch, teardown_watch)
	const struct CMUnitTest tests[] = {
		ON_A_BED(no_change_no_hint),
		ON_A_BED(devices_come_and_go),
		ON_A_BED(every_attribute_is_watched),
		ON_A_BED(without_attributes_ports_are_silent),
		ON_A_BED(nodes_and_providers),
		ON_A_BED(roots_come_and_go),
		ON_A_BED(nested_directories_are_awaited),
		ON_A_BED(links_do_no_harm),
		ON_A_BED(an_overflow_is_reported),
		ON_A_BED(many_hints_become_one),
		ON_A_BED(timers),
		ON_A_BED(without_sockets_it_polls),
		ON_A_BED(out_of_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
