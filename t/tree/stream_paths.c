/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Streams of a tree whose path comes to lead to another tree: through a rename, a link, or a mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/tree/stream_bed.h"

/*
 * BASE/a/r leads to a tree with device a0, BASE/b/r to one with b0. The stream follows the path of
 * its root.
 */
struct paths {
	struct bed *bed;
	struct tree *a, *b;
	char base[256];
};

/* A path below BASE, valid for the next seven calls. */
static const char *below_base(const struct paths *paths, const char *below)
{
	static char texts[8][512];
	static unsigned int next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "%s/%s", paths->base, below);
	return text;
}

static void move(const struct paths *paths, const char *from, const char *to)
{
	assert_int_equal(rename(below_base(paths, from), below_base(paths, to)), 0);
}

/* Replaces a link atomically, like ln -sfn. */
static void set_link(const struct paths *paths, const char *target, const char *name)
{
	assert_int_equal(symlink(target, below_base(paths, "link.new")), 0);
	move(paths, "link.new", name);
}

static struct tree *new_tree(const struct paths *paths, const char *dir)
{
	struct tree *tree;
	char at[64];

	assert_int_equal(mkdir(below_base(paths, dir), 0755), 0);
	assert_int_equal(tree_new(&tree, below_base(paths, dir)), 0);
	snprintf(at, sizeof(at), "%s/r", dir);
	assert_int_equal(symlink(strrchr(tree_sysfs(tree), '/') + 1, below_base(paths, at)), 0);
	return tree;
}

static void begin(struct paths *paths, struct bed *bed)
{
	memset(paths, 0, sizeof(*paths));
	paths->bed = bed;
	snprintf(paths->base, sizeof(paths->base), "%s/paths", tree_sysfs(bed->tree));
	assert_int_equal(mkdir(paths->base, 0755), 0);
	paths->a = new_tree(paths, "a");
	paths->b = new_tree(paths, "b");
	tree_add(paths->a, 0, "a0", NULL);
	tree_add(paths->b, 0, "b0", NULL);
}

static void watch_root(struct paths *paths, const char *below)
{
	struct hf_root root = {.sysfs = below_base(paths, below),
			       .dev = tree_dev(paths->bed->tree)};
	struct hf_options options = {.size = sizeof(options),
				     .roots = &root,
				     .num_roots = 1,
				     .flags = HF_NO_ENVIRONMENT};

	bed_end(paths->bed);
	assert_int_equal(hf_new(&options, &paths->bed->hf), 0);
	bed_stream_with(paths->bed, HF_STREAM_ALL, &paths->bed->a);
}

/* The stream reports the other tree, and keeps following it. */
static void is_of_b(struct paths *paths)
{
	struct hf_stream *stream = paths->bed->a;

	bed_expect(stream, HF_EVENT_REMOVED, "a0", 0);
	bed_expect(stream, HF_EVENT_ADDED, "b0", 0);
	tree_add(paths->b, 1, "b1", NULL);
	bed_expect(stream, HF_EVENT_ADDED, "b1", 0);
	tree_remove(paths->b, 1);
	bed_expect(stream, HF_EVENT_REMOVED, "b1", 0);
	tree_add(paths->a, 1, "a1", NULL);
	bed_expect_nothing(stream);
	tree_remove(paths->a, 1);
}

static void is_of_a(struct paths *paths)
{
	bed_expect(paths->bed->a, HF_EVENT_ADDED, "a0", 0);
	bed_expect(paths->bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(paths->bed->a);
}

static void end_paths(struct paths *paths)
{
	bed_end(paths->bed);
	tree_free(paths->a);
	tree_free(paths->b);
}

static void an_ancestor_is_replaced(void **state)
{
	struct paths paths;

	begin(&paths, *state);
	assert_int_equal(mkdir(below_base(&paths, "up"), 0755), 0);
	move(&paths, "a", "up/a");
	watch_root(&paths, "up/a/r");
	is_of_a(&paths);
	/* One level up, and then two. */
	move(&paths, "up/a", "a.old");
	bed_expect(paths.bed->a, HF_EVENT_REMOVED, "a0", 0);
	move(&paths, "a.old", "up/a");
	bed_expect(paths.bed->a, HF_EVENT_ADDED, "a0", 0);
	move(&paths, "up", "up.old");
	bed_expect(paths.bed->a, HF_EVENT_REMOVED, "a0", 0);
	assert_int_equal(mkdir(below_base(&paths, "up"), 0755), 0);
	bed_expect_nothing(paths.bed->a);
	move(&paths, "up.old/a", "up/a");
	bed_expect(paths.bed->a, HF_EVENT_ADDED, "a0", 0);
	/* Both at once, before the stream scans. */
	move(&paths, "up/a", "a");
	move(&paths, "b", "up/a");
	is_of_b(&paths);
	move(&paths, "up/a", "b");
	end_paths(&paths);
}

static void a_link_on_the_path_is_replaced(void **state)
{
	struct paths paths;

	begin(&paths, *state);
	set_link(&paths, "a", "current");
	set_link(&paths, below_base(&paths, "current"), "absolute");
	watch_root(&paths, "absolute/../absolute/./r");
	is_of_a(&paths);
	set_link(&paths, "b", "current");
	is_of_b(&paths);
	/* To a missing target, which then appears. */
	set_link(&paths, "later/x", "current");
	bed_expect(paths.bed->a, HF_EVENT_REMOVED, "b0", 0);
	assert_int_equal(mkdir(below_base(&paths, "later"), 0755), 0);
	bed_expect_nothing(paths.bed->a);
	assert_int_equal(symlink("../a", below_base(&paths, "later/x")), 0);
	bed_expect(paths.bed->a, HF_EVENT_ADDED, "a0", 0);
	end_paths(&paths);
}

static void class_is_a_link(void **state)
{
	static const char *const parts[] = {"infiniband", "infiniband_verbs"};
	struct paths paths;
	char name[64], target[64];

	begin(&paths, *state);
	assert_int_equal(mkdir(below_base(&paths, "root"), 0755), 0);
	set_link(&paths, "../a/r/class", "root/class");
	watch_root(&paths, "root");
	is_of_a(&paths);
	set_link(&paths, "../b/r/class", "root/class");
	is_of_b(&paths);
	/* Each of the class directories is a link. */
	assert_int_equal(unlink(below_base(&paths, "root/class")), 0);
	bed_expect(paths.bed->a, HF_EVENT_REMOVED, "b0", 0);
	assert_int_equal(mkdir(below_base(&paths, "root/class"), 0755), 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "root/class/%s", parts[i]);
		snprintf(target, sizeof(target), "../../a/r/class/%s", parts[i]);
		set_link(&paths, target, name);
	}
	bed_expect(paths.bed->a, HF_EVENT_ADDED, "a0", 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "root/class/%s", parts[i]);
		snprintf(target, sizeof(target), "../../b/r/class/%s", parts[i]);
		set_link(&paths, target, name);
	}
	is_of_b(&paths);
	end_paths(&paths);
}

/* Makes mounts private to this process. */
static bool own_mounts(void)
{
	return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
}

static void mount_over(struct paths *paths, const char *above, const char *below)
{
	watch_root(paths, "a/r");
	is_of_a(paths);
	assert_int_equal(mount(below_base(paths, above), below_base(paths, below), "none", MS_BIND,
			       NULL),
			 0);
	is_of_b(paths);
	assert_int_equal(umount2(below_base(paths, below), MNT_DETACH), 0);
	bed_expect(paths->bed->a, HF_EVENT_REMOVED, "b0", 0);
	bed_expect(paths->bed->a, HF_EVENT_ADDED, "a0", 0);
	bed_expect_nothing(paths->bed->a);
	bed_end(paths->bed);
}

static void something_is_mounted_over_it(void **state)
{
	struct paths paths;

	if (!own_mounts()) {
		printf("no mounts for this user: %s\n", strerror(errno));
		skip();
	}
	begin(&paths, *state);
	mount_over(&paths, "b/r/class", "a/r/class");
	mount_over(&paths, "b/r", "a/r");
	/* The link "r" on the path has another name in each tree. */
	move(&paths, "a/r", "a/x");
	move(&paths, "b/r", "b/x");
	assert_int_equal(rename(tree_sysfs(paths.a), below_base(&paths, "a/r")), 0);
	assert_int_equal(rename(tree_sysfs(paths.b), below_base(&paths, "b/r")), 0);
	mount_over(&paths, "b", "a");
	assert_int_equal(rename(below_base(&paths, "a/r"), tree_sysfs(paths.a)), 0);
	assert_int_equal(rename(below_base(&paths, "b/r"), tree_sysfs(paths.b)), 0);
	end_paths(&paths);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(an_ancestor_is_replaced),
		ON_A_BED(a_link_on_the_path_is_replaced),
		ON_A_BED(class_is_a_link),
		ON_A_BED(something_is_mounted_over_it),
	};

	return cmocka_run_group_tests_name("paths of a tree", tests, NULL, NULL);
}
