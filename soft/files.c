/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes, creates and erases files and directories of a tree. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "soft/files.h"

int hfi_soft_put(int dirfd, const char *path, const char *value)
{
	char text[512];
	struct stat st;
	size_t length = strlen(value) + 1;
	size_t padded;
	int fd;
	int err = 0;

	if (length > sizeof(text))
		return -E2BIG;
	fd = openat(dirfd, path,
		    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	memset(text, '\n', sizeof(text));
	memcpy(text, value, length - 1);
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto close_file;
	}
	if (!S_ISREG(st.st_mode)) {
		err = -EINVAL;
		goto close_file;
	}
	/* Pad a shorter text with newlines, which readers strip, before the file is truncated. */
	padded = (size_t)st.st_size > length ? (size_t)st.st_size : length;
	if (padded > sizeof(text))
		err = -E2BIG;
	else if (pwrite(fd, text, padded, 0) != (ssize_t)padded)
		err = -EIO;
	else if (padded > length && ftruncate(fd, (off_t)length) < 0)
		err = -errno;
close_file:
	close(fd);
	return err;
}

int hfi_soft_mkdirs(int dirfd, const char *path)
{
	char part[512];
	size_t length = strlen(path);

	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdirat(dirfd, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int erase_below(int fd)
{
	struct dirent *entry;
	DIR *dir = fdopendir(fd);
	int err = 0;

	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = hfi_soft_erase(dirfd(dir), entry->d_name);
	closedir(dir);
	return err;
}

/* Its writer removed the permissions: restore them through a descriptor, which follows no link. */
static int open_unreadable(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char self[32];

	if (fd < 0)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	(void)chmod(self, 0700);
	close(fd);
	return openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int hfi_soft_erase(int dirfd, const char *path)
{
	int err;
	int fd;

	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		fd = open_unreadable(dirfd, path);
	if (fd < 0)
		return -errno;
	/* Its writer may have removed the write permission. */
	(void)fchmod(fd, 0700);
	err = erase_below(fd);
	if (!err && unlinkat(dirfd, path, AT_REMOVEDIR) < 0)
		err = -errno;
	return err;
}
