/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A program that becomes a daemon closes every descriptor between two lists of devices and opens
 * its own: the library must leave those alone, and the second list must be as complete as the
 * first.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

enum { FDS_MAX = 128 };

static struct hf *hf;
static bool before[FDS_MAX];
static int kept[FDS_MAX], num_kept, listed;

static int list_devices_count(void)
{
	struct ibv_device **devices;
	int count = hf_device_list(hf, 0, &devices);

	if (count >= 0)
		hf_device_list_free(devices);
	return count;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int find_kept(void **state)
{
	(void)state;
	for (int fd = 0; fd < FDS_MAX; fd++)
		before[fd] = is_open(fd);
	if (hf_default(&hf))
		return 0;
	/* From the second list on, everything that makes lists faster is kept open. */
	if (list_devices_count() < 0)
		return 0;
	listed = list_devices_count();
	if (listed < 0)
		return 0;
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (!before[fd] && is_open(fd))
			kept[num_kept++] = fd;
	print_message("%d descriptors are kept\n", num_kept);
	return 0;
}

static int letting_go(void **state)
{
	(void)state;
	hf = hf_unref(hf);
	return 0;
}

/* 0, or what is wrong. */
static int close_and_list(void)
{
	struct stat file[FDS_MAX] = {0}, now;

	for (int i = 0; i < num_kept; i++) {
		int fd = memfd_create("the program's", 0);

		if (dup2(fd, kept[i]) < 0 || fstat(kept[i], &file[i]) < 0)
			return 2;
		close(fd);
	}
	if (list_devices_count() != listed || list_devices_count() != listed)
		return 3;
	for (int i = 0; i < num_kept; i++)
		if (fstat(kept[i], &now) < 0 || now.st_ino != file[i].st_ino || now.st_size ||
		    lseek(kept[i], 0, SEEK_CUR))
			return 4;
	return 0;
}

static void in_a_child(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (!num_kept) {
		print_message("skipped: nothing is kept here\n");
		skip();
	}
	child = fork();
	if (child == 0)
		_exit(close_and_list());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void in_the_process_itself(void **state)
{
	(void)state;
	if (!num_kept) {
		print_message("skipped: nothing is kept here\n");
		skip();
	}
	assert_int_equal(close_and_list(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_a_child),
		cmocka_unit_test(in_the_process_itself),
	};

	return cmocka_run_group_tests(tests, find_kept, letting_go);
}
