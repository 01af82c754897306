/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens, reads and writes small files, and closes descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "shared/file.h"

void hfi_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* libc's syscall() takes ten times the instructions, which shows where a post has 200 altogether. */
static ssize_t transfer(long number, int fd, const void *buffer, size_t size)
{
#ifdef __x86_64__
	ssize_t ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"((long)fd), "S"(buffer), "d"(size)
			 : "rcx", "r11", "memory");
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
#else
	return syscall(number, fd, buffer, size);
#endif
}

ssize_t hfi_read_uncancelled(int fd, void *buffer, size_t size)
{
	return transfer(SYS_read, fd, buffer, size);
}

ssize_t hfi_write_uncancelled(int fd, const void *buffer, size_t size)
{
	return transfer(SYS_write, fd, buffer, size);
}

/* The openat that is repeated when a signal comes in between. */
static int open_again(int dirfd, const char *path, int flags)
{
	int fd;

	do
		fd = openat(dirfd, path, flags);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int hfi_open_dir(int dirfd, const char *path)
{
	return open_again(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int hfi_open_dir_to_read(int dirfd, const char *path)
{
	return open_again(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int hfi_write_file(int dirfd, const char *path, const char *value, size_t length)
{
	struct stat here;
	ssize_t done;
	int err = 0;
	/* Only here may a made-up tree lead somewhere else: nothing is created, no link is followed. */
	int fd = open_again(dirfd, path,
			    O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -ENXIO)
		return -EINVAL; /* a socket, or a FIFO without a reader */
	if (fd < 0)
		return fd;
	if (fstat(fd, &here) < 0)
		err = -errno;
	else if (!S_ISREG(here.st_mode))
		err = -EINVAL;
	while (!err) {
		/* At once: each write() is a value of its own for a kernel. */
		done = write(fd, value, length);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			err = -errno;
		else if ((size_t)done != length)
			err = -EIO;
		break;
	}
	hfi_close(&fd);
	return err;
}

/*
 * Fills the buffer to its end or the file's: a read may be short at any place. Where the file has the size that
 * it is said to have, no further read has to find its end; attributes of the kernel are shorter.
 */
static ssize_t read_to_end(int fd, char *value, size_t size, off_t expected)
{
	size_t length = 0;

	while (length < size && (!expected || length != (size_t)expected)) {
		ssize_t got = read(fd, value + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

ssize_t hfi_read_bytes(int dirfd, const char *path, int flags, void *value, size_t size,
		       struct stat *st)
{
	struct stat here;
	ssize_t length;
	/* O_NONBLOCK: a made-up tree may hold a FIFO, and opening one must not wait for a writer. */
	int fd = open_again(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);

	if (fd < 0)
		return fd;
	if (fstat(fd, &here) < 0)
		length = -errno;
	else if (!S_ISREG(here.st_mode))
		length = -EBADMSG;
	else
		length = read_to_end(fd, value, size, here.st_size);
	hfi_close(&fd);
	if (length >= 0 && st)
		*st = here;
	return length;
}

ssize_t hfi_end_text(char *value, size_t size, ssize_t length)
{
	if (length < 0)
		return length;
	if ((size_t)length == size)
		return -ERANGE;
	if (memchr(value, '\0', (size_t)length))
		return -EINVAL;
	while (length > 0 && value[length - 1] == '\n')
		length--;
	value[length] = '\0';
	return length;
}

ssize_t hfi_read_file(int dirfd, const char *path, char *value, size_t size, struct stat *st)
{
	struct stat here;
	ssize_t length = hfi_read_bytes(dirfd, path, 0, value, size, &here);

	length = length == -EBADMSG ? -EINVAL : hfi_end_text(value, size, length);
	if (length >= 0 && st)
		*st = here;
	return length;
}

bool hfi_is_trusted(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}
