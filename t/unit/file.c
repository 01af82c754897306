/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests of shared/file.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/file.h"
#include "core/discovery/sysfs.h"
#include "soft/files.h"
#include "t/lib/tree.h"

static char base[] = "/tmp/hf-file-XXXXXX";
static int dir = -1;

static int setup_file_dir(void **state)
{
	(void)state;
	if (!mkdtemp(base))
		return -1;
	dir = hfi_open_dir(AT_FDCWD, base);
	return dir < 0 ? -1 : 0;
}

static int teardown_file_dir(void **state)
{
	(void)state;
	hfi_close(&dir);
	return hfi_soft_erase(AT_FDCWD, base);
}

static void put_file(const char *path, const void *bytes, size_t size)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* Both functions must return the same. */
static ssize_t read_both(const char *path, char *value, size_t size, struct stat *st)
{
	char other[64] = "untouched";
	ssize_t one = hfi_read_file(dir, path, value, size, st);
	ssize_t two = hfi_attr_read(dir, path, other, size < 64 ? size : 64, NULL);

	assert_int_equal(one, two);
	if (one >= 0)
		assert_string_equal(value, other);
	return one;
}

static void texts(void **state)
{
	char value[16];
	struct stat st = {.st_ino = 0};

	(void)state;
	put_file("a", "rxe0\n", 5);
	assert_int_equal(read_both("a", value, sizeof(value), &st), 4);
	assert_string_equal(value, "rxe0");
	assert_int_not_equal(st.st_ino, 0);
	put_file("a", "rxe0", 4);
	assert_int_equal(read_both("a", value, sizeof(value), NULL), 4);
	put_file("a", "\n\n\n", 3);
	assert_int_equal(read_both("a", value, sizeof(value), NULL), 0);
	put_file("a", "", 0);
	assert_int_equal(read_both("a", value, sizeof(value), NULL), 0);
	put_file("a", "one\ntwo\n", 8);
	assert_int_equal(read_both("a", value, sizeof(value), NULL), 7);
	assert_string_equal(value, "one\ntwo");
}

static void what_is_refused(void **state)
{
	char value[8];
	struct stat st = {.st_ino = 77};

	(void)state;
	put_file("a", "a\0b", 3);
	assert_int_equal(read_both("a", value, sizeof(value), &st), -EINVAL);
	put_file("a", "12345678", 8);
	assert_int_equal(read_both("a", value, sizeof(value), &st), -ERANGE);
	put_file("a", "1234567", 7);
	assert_int_equal(read_both("a", value, sizeof(value), NULL), 7);
	assert_int_equal(read_both("absent", value, sizeof(value), &st), -ENOENT);
	assert_int_equal(st.st_ino, 77);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_true(hfi_read_file(dir, "fifo", value, sizeof(value), NULL) < 0);
	assert_true(hfi_attr_read(dir, "fifo", value, sizeof(value), NULL) < 0);
	assert_true(hfi_read_file(dir, ".", value, sizeof(value), NULL) < 0);
	assert_int_equal(hfi_attr_read(dir, ".", value, sizeof(value), NULL), -EISDIR);
}

static void a_kept_file_is_read_anew(void **state)
{
	char value[16];
	int fd = -1;

	(void)state;
	put_file("a", "rxe0\n", 5);
	assert_int_equal(hfi_attr_read(dir, "a", value, sizeof(value), &fd), 4);
	put_file("a", "foo17\n", 6);
	assert_int_equal(hfi_attr_again(fd, value, sizeof(value)), 5);
	assert_string_equal(value, "foo17");
	hfi_close(&fd);
	assert_int_equal(fd, -1);
	assert_true(hfi_attr_again(fd, value, sizeof(value)) == -EBADF);
}

static void closing_keeps_errno(void **state)
{
	int fd = -1;

	(void)state;
	errno = 99;
	hfi_close(&fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	hfi_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(a_kept_file_is_read_anew),
		cmocka_unit_test(closing_keeps_errno),
	};

	return cmocka_run_group_tests_name("files", tests, setup_file_dir, teardown_file_dir);
}
