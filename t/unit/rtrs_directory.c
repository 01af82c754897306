/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files below a directory: no path leads out of it, with openat2(2) and without. */
#include <errno.h>
#include <fcntl.h>
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

#include "rtrs/export/directory.h"
#include "shared/attr.h"

typedef int (*open_fn)(int directory, const char *path, int flags);

static const open_fn ways[] = {rtrsi_directory_open, rtrsi_directory_open_by_steps};
static char above[] = "/tmp/rtrs-directory-XXXXXX";
static int top, directory;

static void make_plain_file(int at, const char *path)
{
	int fd = openat(at, path, O_CREAT | O_WRONLY | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, path, strlen(path)), strlen(path));
	close(fd);
}

static int make_served_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(above));
	top = open(above, O_RDONLY | O_DIRECTORY);
	assert_true(top >= 0);
	assert_false(mkdirat(top, "served", 0700) || mkdirat(top, "served/sub", 0700) ||
		     mkdirat(top, "elsewhere", 0700));
	make_plain_file(top, "outside");
	make_plain_file(top, "elsewhere/disk");
	make_plain_file(top, "served/disk");
	make_plain_file(top, "served/sub/disk");
	make_plain_file(top, "served/..dots..");
	assert_false(symlinkat("../outside", top, "served/out") ||
		     symlinkat("disk", top, "served/in") ||
		     symlinkat("../elsewhere", top, "served/linked") ||
		     symlinkat("sub", top, "served/sublink") ||
		     symlinkat("/proc/self/root", top, "served/magic") ||
		     mkfifoat(top, "served/pipe", 0600));
	directory = openat(top, "served", O_RDONLY | O_DIRECTORY);
	assert_true(directory >= 0);
	return 0;
}

static int remove_tree(void **state)
{
	char command[128];

	(void)state;
	close(directory);
	close(top);
	snprintf(command, sizeof(command), "rm -rf %s", above);
	return system(command);
}

static void plain_files_are_opened(void **state)
{
	static const char *const paths[] = {"disk", "sub/disk", "..dots.."};

	(void)state;
	for (size_t way = 0; way < HF_ARRAY_SIZE(ways); way++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++) {
			char expected[32], content[32] = "";
			int fd = ways[way](directory, paths[i], O_RDWR);

			assert_true(fd >= 0);
			snprintf(expected, sizeof(expected), "served/%s", paths[i]);
			assert_true(read(fd, content, sizeof(content) - 1) > 0);
			assert_string_equal(content, expected);
			assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
			assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			close(fd);
		}
	}
}

static void nothing_else_is(void **state)
{
	static const struct {
		const char *path;
		int error; /* 0: any */
	} cases[] = {
		{"", -EINVAL},		 {".", -EINVAL},	   {"..", -EINVAL},
		{"../outside", -EINVAL}, {"sub/../disk", -EINVAL}, {"sub/../../outside", -EINVAL},
		{"./disk", -EINVAL},	 {"/disk", -EINVAL},	   {"//disk", -EINVAL},
		{"disk/", -EINVAL},	 {"sub//disk", -EINVAL},   {"/etc/passwd", -EINVAL},
		{"out", -ELOOP},	 {"in", -ELOOP},	   {"linked/disk", 0},
		{"sublink/disk", 0},	 {"magic/etc/passwd", 0},  {"sub", -ENOTBLK},
		{"pipe", -ENOTBLK},	 {"disk/more", -ENOTDIR},  {"none", -ENOENT},
		{"none/disk", -ENOENT},
	};

	(void)state;
	for (size_t way = 0; way < HF_ARRAY_SIZE(ways); way++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
			int result = ways[way](directory, cases[i].path, O_RDONLY);

			if (result >= 0 || (cases[i].error && result != cases[i].error))
				fail_msg("\"%s\", way %zu: %d", cases[i].path, way, result);
		}
	}
}

static void long_names_are_refused(void **state)
{
	char path[1024];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (size_t way = 0; way < HF_ARRAY_SIZE(ways); way++)
		assert_true(ways[way](directory, path, O_RDONLY) < 0);
	for (size_t i = 255; i < sizeof(path) - 1; i += 256)
		path[i] = '/';
	for (size_t way = 0; way < HF_ARRAY_SIZE(ways); way++)
		assert_int_equal(ways[way](directory, path, O_RDONLY), -ENOENT);
}

static unsigned int descriptors_open(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void nothing_leaks(void **state)
{
	const unsigned int before = descriptors_open();

	nothing_else_is(state);
	plain_files_are_opened(state);
	assert_int_equal(descriptors_open(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_files_are_opened),
		cmocka_unit_test(nothing_else_is),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(nothing_leaks),
	};

	return cmocka_run_group_tests(tests, make_served_tree, remove_tree);
}
