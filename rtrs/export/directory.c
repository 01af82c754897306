/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files below one directory: no path leads out of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rtrs/export/directory.h"
#include "shared/text.h"

typedef int (*open_below_fn)(int directory, const char *path, int flags);

/* glibc 2.36 has no function for it. */
static int open_in_one(int directory, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : (int)fd;
}

/*
 * Opens each component relative to the directory before it, so that no link and no rename can lead
 * elsewhere.
 */
static int open_in_steps(int directory, const char *path, int flags)
{
	char component[NAME_MAX + 1];
	int at = directory, next;
	size_t length;

	for (;; path += length + 1) {
		length = strcspn(path, "/");
		if (length > NAME_MAX) {
			next = -ENAMETOOLONG;
			break;
		}
		memcpy(component, path, length);
		component[length] = '\0';
		next = openat(at, component,
			      (path[length] ? O_PATH | O_DIRECTORY : flags) | O_NOFOLLOW |
				      O_CLOEXEC);
		if (next < 0)
			next = -errno;
		if (next < 0 || !path[length])
			break;
		if (at != directory)
			close(at);
		at = next;
	}
	if (at != directory)
		close(at);
	return next;
}

/* Of components that stand for files alone. */
static bool is_plain_path(const char *path)
{
	char component[NAME_MAX + 1];

	for (;;) {
		size_t length = strcspn(path, "/");

		if (length > NAME_MAX)
			return false;
		memcpy(component, path, length);
		component[length] = '\0';
		if (!hfi_is_component(component, NAME_MAX))
			return false;
		if (!path[length])
			return true;
		path += length + 1;
	}
}

static int look_at(int directory, const char *path, open_below_fn open_below, struct stat *ret)
{
	int fd = open_below(directory, path, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, ret))
		err = -errno;
	else if (S_ISLNK(ret->st_mode))
		err = -ELOOP;
	else if (!S_ISREG(ret->st_mode) && !S_ISBLK(ret->st_mode))
		err = -ENOTBLK;
	close(fd);
	return err;
}

/* Look at it before opening it: opening a pipe, a tape or a watchdog has effects. */
static int open_checked(int directory, const char *path, int flags, open_below_fn open_below)
{
	struct stat seen, opened;
	int fd, err, exclusively = 0;

	if (!is_plain_path(path))
		return -EINVAL;
	err = look_at(directory, path, open_below, &seen);
	if (err)
		return err;
	/* For one that is mounted, or has another owner, this fails: two writers would spoil each other's data. */
	if (S_ISBLK(seen.st_mode) && (flags & O_ACCMODE) != O_RDONLY)
		exclusively = O_EXCL;
	fd = open_below(directory, path,
			exclusively | flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (!fstat(fd, &opened) && opened.st_dev == seen.st_dev && opened.st_ino == seen.st_ino &&
	    !((opened.st_mode ^ seen.st_mode) & S_IFMT) && !fcntl(fd, F_SETFL, flags))
		return fd;
	close(fd);
	return -ESTALE;
}

int rtrsi_directory_open_by_steps(int directory, const char *path, int flags)
{
	return open_checked(directory, path, flags, open_in_steps);
}

int rtrsi_directory_open(int directory, const char *path, int flags)
{
	int fd = open_checked(directory, path, flags, open_in_one);

	/* An old kernel, or a filter of system calls. */
	if (fd == -ENOSYS || fd == -EPERM)
		fd = rtrsi_directory_open_by_steps(directory, path, flags);
	return fd;
}
