/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Releasing the descriptors and mappings of a file, with a memfd in place of the kernel's node. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "core/verbs/release_file.h"
#include "t/lib/hang.h"

static int dead_fd(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	return fds[0];
}

static int new_file(size_t size)
{
	int fd = memfd_create("uverbs0", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static bool is_end_of_file(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static void a_file_is_released(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = new_file(4 * page), other = new_file(4 * page);
	int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0), heir = dup(fd), dead = dead_fd();
	struct stat file, kept, now;
	char *shared, *reading, *doorbell, *foreign;

	(void)state;
	shared = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	reading = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	doorbell = mmap(NULL, page, PROT_WRITE, MAP_SHARED, fd, 0);
	foreign = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	assert_true(shared != MAP_FAILED && reading != MAP_FAILED && doorbell != MAP_FAILED &&
		    foreign != MAP_FAILED);
	strcpy(shared, "a queue");
	strcpy(shared + page, "its other page");
	strcpy(foreign, "another's");
	assert_int_equal(fstat(fd, &file), 0);
	assert_int_equal(fstat(other, &kept), 0);

	assert_int_equal(hfi_release_file(&file, dead), 3 + 3);
	assert_true(is_end_of_file(fd) && is_end_of_file(twin) && is_end_of_file(heir));
	assert_int_equal(fcntl(twin, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(heir, F_GETFD), 0);
	/* The contents are still there, and no longer shared. */
	assert_string_equal(shared, "a queue");
	assert_string_equal(shared + page, "its other page");
	assert_string_equal(reading, "its other page");
	strcpy(shared + page, "mine now");
	assert_string_equal(reading, "its other page");
	doorbell[8] = 1;

	assert_int_equal(fstat(other, &now), 0);
	assert_int_equal(now.st_ino, kept.st_ino);
	strcpy(foreign, "still shared");
	char *again = mmap(NULL, page, PROT_READ, MAP_SHARED, other, 0);

	assert_string_equal(again, "still shared");
	/* This process has nothing of the file left. */
	assert_int_equal(hfi_release_file(&file, dead), 0);
	munmap(shared, 2 * page);
	munmap(reading, page);
	munmap(doorbell, page);
	munmap(foreign, page);
	munmap(again, page);
	close(fd);
	close(twin);
	close(heir);
	close(other);
	close(dead);
}

static bool is_mapped(const struct stat *file)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long inode = 0;
	char line[512];

	assert_non_null(maps);
	while (inode != file->st_ino && fgets(line, sizeof(line), maps))
		if (!strstr(line, "memfd:") || sscanf(line, "%*s %*s %*s %*s %lu", &inode) != 1)
			inode = 0;
	fclose(maps);
	return inode == file->st_ino;
}

static void leftovers(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = new_file(page), twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat file;
	char *left;

	(void)state;
	left = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(left != MAP_FAILED);
	strcpy(left, "a queue");
	assert_int_equal(fstat(fd, &file), 0);
	assert_true(is_mapped(&file));
	close(fd);
	assert_int_equal(hfi_release_leftovers(&file), -EBUSY);
	assert_int_equal(pwrite(twin, "A", 1, 0), 1);
	assert_string_equal(left, "A queue");
	close(twin);
	assert_int_equal(hfi_release_leftovers(&file), 0);
	assert_string_equal(left, "A queue");
	assert_false(is_mapped(&file));
	munmap(left, page);
}

struct spinner {
	const volatile unsigned char *at;
	atomic_bool stop;
	atomic_ulong rounds;
	unsigned long wrong;
};

static void *spin(void *arg)
{
	struct spinner *spinner = arg;

	while (!atomic_load(&spinner->stop)) {
		spinner->wrong += *spinner->at != 0x5a;
		atomic_fetch_add(&spinner->rounds, 1);
	}
	return NULL;
}

/* Wait until the thread runs, also on a busy machine. */
static void wait_for_rounds(struct spinner *spinner)
{
	unsigned long before = atomic_load(&spinner->rounds);

	while (atomic_load(&spinner->rounds) < before + 100)
		usleep(100);
}

static void a_thread_that_polls_sees_nothing_change(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int dead = dead_fd();

	(void)state;
	for (int round = 0; round < 20; round++) {
		int fd = new_file(page);
		struct spinner spinner = {0};
		struct stat file;
		pthread_t thread;
		unsigned char *map;

		map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_true(map != MAP_FAILED);
		memset(map, 0x5a, page);
		assert_int_equal(fstat(fd, &file), 0);
		spinner.at = map + page / 2;
		assert_int_equal(pthread_create(&thread, NULL, spin, &spinner), 0);
		wait_for_rounds(&spinner);
		assert_int_equal(hfi_release_file(&file, dead), 2);
		wait_for_rounds(&spinner);
		atomic_store(&spinner.stop, true);
		pthread_join(thread, NULL);
		assert_int_equal(spinner.wrong, 0);
		munmap(map, page);
		close(fd);
	}
	close(dead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_released),
		cmocka_unit_test(leftovers),
		cmocka_unit_test(a_thread_that_polls_sees_nothing_change),
	};

	/* A thread that does not wake up must not block the test run. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
