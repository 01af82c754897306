/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Readers of an attribute directly from the tree: a correct one, and others with one mistake each.
 * They prove that the tier finds the mistakes, and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "t/fault/ops.h"

static const int errors[] = {ENODEV, ENOENT, EACCES, EIO, EMFILE, ENFILE, 0};

/* State that the mistakes leave behind, in the child only. */
static bool spoiled;

/* The documented error for the kernel's error. */
static int answer_for(int error)
{
	for (const int *e = errors; *e; e++)
		if (*e == error)
			return -error;
	return error == ENOMEM ? -ENOMEM : -EIO;
}

static int read_broken_text(int dirfd, const char *path, char *value, size_t size)
{
	size_t length = 0;
	ssize_t got = 1;
	int fd;

	do
		fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return answer_for(errno);
	while (length < size - 1 && got != 0) {
		got = read(fd, value + length, size - 1 - length);
		if (got < 0 && errno != EINTR) {
			int error = errno;

			close(fd);
			return answer_for(error);
		}
		length += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	while (length > 0 && value[length - 1] == '\n')
		length--;
	value[length] = '\0';
	return (int)length;
}

static int open_path(const struct run *run, const char *path)
{
	char full[400];
	int fd;

	snprintf(full, sizeof(full), "%s/class/%s", run->world->sysfs, path);
	do
		fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? answer_for(errno) : fd;
}

/* Whether uverbs1 is still the requested instance. */
static int verify(const struct run *run)
{
	struct stat st;
	int ret, dir = open_path(run, "infiniband_verbs/uverbs1");

	if (dir < 0)
		return dir == -ENOENT ? -ENODEV : dir;
	ret = fstatat(dir, "ibdev", &st, 0) < 0 ? answer_for(errno) : 0;
	close(dir);
	if (ret == 0 && st.st_ino != run->world->instances[run->asked].inode)
		ret = -ENODEV;
	return ret == -ENOENT ? -ENODEV : ret;
}

static void check_value(struct run *run, int length)
{
	const char *expected = run->world->instances[run->asked].fw_ver;

	(void)length;
	if (strcmp(run->value, expected) != 0)
		run_fault(run, FAULT_WRONG_DEVICE, "fw_ver is '%.32s' instead of '%s'", run->value,
			  expected);
}

/* Correct: reads through a held directory, and verifies the instance after opening that. */
static int call_sound(struct run *run)
{
	char *value = malloc(sizeof(run->value));
	int ret, dir = -1;

	if (!value)
		return -ENOMEM;
	ret = open_path(run, "infiniband/hfb0");
	if (ret >= 0) {
		dir = ret;
		ret = verify(run);
	} else if (verify(run) == -ENODEV) {
		ret = -ENODEV;
	}
	if (ret == 0)
		ret = read_broken_text(dir, "fw_ver", value, sizeof(run->value));
	if (ret == -ENOENT && verify(run) == -ENODEV)
		ret = -ENODEV;
	if (dir >= 0)
		close(dir);
	if (ret >= 0)
		strcpy(run->value, value);
	free(value);
	return ret;
}

/* Wrong: walks the path again instead of using the verified directory. */
static int call_path(struct run *run)
{
	char value[sizeof(run->value)];
	int ret, dir;

	ret = verify(run);
	if (ret < 0)
		return ret;
	dir = open_path(run, "infiniband/hfb0");
	if (dir < 0)
		return dir == -ENOENT ? -ENODEV : dir;
	ret = read_broken_text(dir, "fw_ver", value, sizeof(value));
	close(dir);
	if (ret >= 0)
		strcpy(run->value, value);
	return ret;
}

/* Wrong: on failure keeps the directory open and the memory allocated. */
static int call_leak(struct run *run)
{
	char *value = malloc(sizeof(run->value));
	/* Volatile, or a compiler may omit an allocation that is never written. */
	char *volatile second = value ? malloc(16) : NULL;
	int ret, dir;

	if (!value || !second)
		return -ENOMEM;
	dir = open_path(run, "infiniband/hfb0");
	if (dir < 0)
		return dir;
	ret = read_broken_text(dir, "fw_ver", value, sizeof(run->value));
	if (ret < 0)
		return ret;
	strcpy(run->value, value);
	close(dir);
	free(second);
	free(value);
	return ret;
}

/* Wrong: reads into the caller's buffer even when it fails. */
static int call_touch(struct run *run)
{
	int ret, dir = open_path(run, "infiniband/hfb0");

	if (dir < 0)
		return dir;
	run->value[0] = '\0';
	ret = read_broken_text(dir, "fw_ver", run->value, sizeof(run->value));
	close(dir);
	return ret;
}

/* Wrong: returns an undocumented error. */
static int call_undocumented(struct run *run)
{
	int ret = call_sound(run);

	return ret == -EMFILE ? -EBADMSG : ret;
}

/* Wrong: takes a short read for the whole value. */
static int call_short(struct run *run)
{
	char path[400];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/class/infiniband/hfb0/fw_ver", run->world->sysfs);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return answer_for(errno);
	memset(run->value, 0, sizeof(run->value));
	got = read(fd, run->value, sizeof(run->value) - 1);
	close(fd);
	run->value[strcspn(run->value, "\n")] = '\0';
	return (int)got;
}

/* Wrong: never works again after running out of descriptors. */
static int call_poison(struct run *run)
{
	int ret = spoiled ? -EIO : call_sound(run);

	if (ret == -EMFILE)
		spoiled = true;
	return ret;
}

/* Wrong: does not check an allocation. */
static int call_crash(struct run *run)
{
	volatile char *value = malloc(sizeof(run->value));
	int ret;

	value[0] = '\0';
	ret = call_sound(run);
	free((char *)value);
	return ret;
}

#define BROKEN .check = check_value, .errors = errors, .about_target = true

const struct op ops_broken[] = {
	{.name = "sound", .call = call_sound, BROKEN},
	{.name = "by-path", .call = call_path, BROKEN},
	{.name = "leaking", .call = call_leak, BROKEN},
	{.name = "touching", .call = call_touch, BROKEN},
	{.name = "own-error", .call = call_undocumented, BROKEN},
	{.name = "short-reading", .call = call_short, BROKEN},
	{.name = "spoiled", .call = call_poison, BROKEN},
	{.name = "crashing", .call = call_crash, BROKEN},
	{.name = NULL},
};
