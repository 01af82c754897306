/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The generated trees themselves, on which the other tests rely. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/lib/tree.h"

static int setup_tree_only(void **state)
{
	return tree_new((struct tree **)state, NULL);
}

static int teardown_tree_only(void **state)
{
	tree_free(*state);
	return 0;
}

static char *text_of(const struct tree *tree, const char *path)
{
	static char text[128];
	char full[PATH_MAX];
	ssize_t length;
	int fd;

	snprintf(full, sizeof(full), "%s/%s", tree_sysfs(tree), path);
	fd = open(full, O_RDONLY);
	if (fd < 0)
		return NULL;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(length >= 0);
	text[length] = '\0';
	return text;
}

static struct stat stat_of(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", tree_sysfs(tree), path);
	assert_int_equal(stat(full, &st), 0);
	return st;
}

static unsigned int entries_of(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(full, sizeof(full), "%s/%s", tree_sysfs(tree), path);
	dir = opendir(full);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static unsigned int asides_in(const struct tree *tree)
{
	unsigned int count = 0;
	struct dirent *entry;
	DIR *dir = opendir(tree_sysfs(tree));

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += !strncmp(entry->d_name, ".aside-", strlen(".aside-"));
	closedir(dir);
	return count;
}

static void adds_and_removes(void **state)
{
	struct tree *tree = *state;

	assert_int_equal(tree_add(tree, 3, "rxe3", NULL), 0);
	assert_int_equal(tree_add(tree, 3, "rxe4", NULL), -EEXIST);
	assert_string_equal(text_of(tree, "class/infiniband_verbs/uverbs3/ibdev"), "rxe3\n");
	assert_string_equal(text_of(tree, "class/infiniband_verbs/uverbs3/dev"), "1:3\n");
	assert_string_equal(text_of(tree, "class/infiniband/rxe3/node_type"), "1: CA\n");
	assert_string_equal(text_of(tree, "class/infiniband/rxe3/ports/1/gid_attrs/types/1"),
			    "RoCE v2\n");
	assert_true(S_ISCHR(stat_of(tree, "dev/infiniband/uverbs3").st_mode));
	assert_int_equal(tree_remove(tree, 3), 0);
	assert_int_equal(tree_remove(tree, 3), -ENODEV);
	assert_int_equal(entries_of(tree, "class/infiniband"), 0);
	assert_int_equal(entries_of(tree, "dev/infiniband"), 0);
	assert_int_equal(entries_of(tree, "class/infiniband_verbs"), 1);
	assert_int_equal(entries_of(tree, "index"), 0);
	assert_int_equal(entries_of(tree, "by_index"), 0);
	/* Whatever was built or removed outside the devices is gone. */
	assert_int_equal(asides_in(tree), 0);
}

static void rename_keeps_the_instance(void **state)
{
	struct tree *tree = *state;
	const char *ibdev = "class/infiniband_verbs/uverbs0/ibdev";
	struct stat before, after, device;

	assert_int_equal(tree_add(tree, 0, "a_long_name", NULL), 0);
	before = stat_of(tree, ibdev);
	device = stat_of(tree, "class/infiniband/a_long_name");
	assert_int_equal(tree_rename(tree, 0, "b"), 0);
	after = stat_of(tree, ibdev);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim));
	assert_int_equal(stat_of(tree, "class/infiniband/b").st_ino, device.st_ino);
	assert_string_equal(text_of(tree, ibdev), "b\n");
	assert_int_equal(entries_of(tree, "class/infiniband"), 1);
}

static void swap_is_another_instance(void **state)
{
	struct tree *tree = *state;
	const char *ibdev = "class/infiniband_verbs/uverbs0/ibdev";
	struct stat before, after, device;
	uint64_t guid;
	int32_t index;

	assert_int_equal(tree_add(tree, 0, "rxe0", NULL), 0);
	for (int i = 0; i < 100; i++) {
		before = stat_of(tree, ibdev);
		device = stat_of(tree, "class/infiniband/rxe0");
		guid = tree_guid(tree, 0);
		index = tree_index(tree, 0);
		assert_int_equal(tree_swap(tree, 0), 0);
		after = stat_of(tree, ibdev);
		assert_int_not_equal(after.st_ino, before.st_ino);
		assert_int_equal(after.st_ino, tree_inode(tree, 0));
		assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim));
		assert_int_not_equal(stat_of(tree, "class/infiniband/rxe0").st_ino, device.st_ino);
		assert_true(tree_guid(tree, 0) != guid);
		assert_true(tree_index(tree, 0) > index);
	}
}

static void half_made_until_completed(void **state)
{
	struct tree *tree = *state;
	const struct tree_options options = {.no_device = true, .node = TREE_NODE_NONE};

	assert_int_equal(tree_add(tree, 0, "rxe0", &options), 0);
	assert_int_equal(entries_of(tree, "class/infiniband"), 0);
	assert_int_equal(entries_of(tree, "dev/infiniband"), 0);
	assert_int_equal(tree_complete(tree, 0), 0);
	assert_int_equal(entries_of(tree, "class/infiniband"), 1);
	assert_int_equal(entries_of(tree, "dev/infiniband"), 1);
}

static void stamps_and_attributes(void **state)
{
	struct tree *tree = *state;
	struct stat before, after;

	assert_int_equal(tree_add(tree, 0, "rxe0", NULL), 0);
	before = stat_of(tree, "class/infiniband_verbs/uverbs0/ibdev");
	assert_int_equal(tree_drop_caches(tree), 0);
	after = stat_of(tree, "class/infiniband_verbs/uverbs0/ibdev");
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_not_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(tree_set(tree, 0, "ports/1/state", "1: DOWN"), 0);
	assert_string_equal(text_of(tree, "class/infiniband/rxe0/ports/1/state"), "1: DOWN\n");
	assert_int_equal(tree_set(tree, 0, "node_guid", NULL), 0);
	assert_null(text_of(tree, "class/infiniband/rxe0/node_guid"));
	assert_int_equal(tree_set_uverbs(tree, 0, "abi_version", "9"), 0);
	assert_string_equal(text_of(tree, "class/infiniband_verbs/uverbs0/abi_version"), "9\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adds_and_removes, setup_tree_only,
						teardown_tree_only),
		cmocka_unit_test_setup_teardown(rename_keeps_the_instance, setup_tree_only,
						teardown_tree_only),
		cmocka_unit_test_setup_teardown(swap_is_another_instance, setup_tree_only,
						teardown_tree_only),
		cmocka_unit_test_setup_teardown(half_made_until_completed, setup_tree_only,
						teardown_tree_only),
		cmocka_unit_test_setup_teardown(stamps_and_attributes, setup_tree_only,
						teardown_tree_only),
	};

	return cmocka_run_group_tests_name("made-up trees", tests, NULL, NULL);
}
