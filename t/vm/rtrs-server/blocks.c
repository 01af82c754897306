/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files below one directory, opened, read, written, flushed and discarded. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/vm/rtrs-server/blocks.h"

enum { DISCARD_MAX = 65536, PAGE = 4096 };

static int directory_fd;
static uint32_t io_max;

/* Names alone: nothing outside the directory can be meant. */
static int open_file(void *user, const char *path, struct rtrs_rnbd_export *ret)
{
	struct stat st;
	int fd;

	(void)user;
	if (strchr(path, '/'))
		return -ENOENT;
	fd = openat(directory_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	ret->user = (void *)(intptr_t)fd;
	ret->about = (struct rtrs_rnbd_device){
		.sectors = (uint64_t)st.st_size / RNBD_SECTOR_SIZE,
		.max_hw_sectors = io_max / RNBD_SECTOR_SIZE,
		.max_write_zeroes_sectors = DISCARD_MAX,
		.max_discard_sectors = DISCARD_MAX,
		.discard_granularity = PAGE,
		.physical_block_size = PAGE,
		.logical_block_size = RNBD_SECTOR_SIZE,
		.max_segments = 128,
		.cache_policy = RNBD_CACHE_FUA | RNBD_CACHE_WRITEBACK,
	};
	return 0;
}

static void close_file(void *user, struct rtrs_rnbd_export *exported)
{
	(void)user;
	close((int)(intptr_t)exported->user);
}

int blocks_begin(const char *directory, uint32_t max_io, struct rtrs_rnbd_server *server)
{
	io_max = max_io;
	server->open = open_file;
	server->close = close_file;
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory_fd < 0 ? -errno : 0;
}

void blocks_end(void)
{
	close(directory_fd);
}

bool blocks_are_slow(void)
{
	return !faccessat(directory_fd, "slow", F_OK, 0);
}

static int all_of(ssize_t count, uint32_t size)
{
	if (count < 0)
		return -errno;
	return (size_t)count == size ? 0 : -EIO;
}

static int write_blocks(int fd, const struct rtrs_rnbd_io *io, const uint8_t *data, off_t offset)
{
	int err = all_of(pwrite(fd, data, io->size, offset), io->size);

	if (!err && io->flags & RNBD_FUA && fdatasync(fd))
		err = -errno;
	return err;
}

int blocks_do(const struct rtrs_rnbd_job *job, uint8_t *data)
{
	const struct rtrs_rnbd_io *io = &job->io;
	int fd = (int)(intptr_t)job->exported->user;
	off_t offset = (off_t)io->sector * RNBD_SECTOR_SIZE;

	switch (io->op) {
	case RNBD_OP_READ:
		return all_of(pread(fd, data, io->size, offset), io->size);
	case RNBD_OP_WRITE:
		return write_blocks(fd, io, data, offset);
	case RNBD_OP_FLUSH:
		return fdatasync(fd) ? -errno : 0;
	case RNBD_OP_DISCARD:
	case RNBD_OP_WRITE_ZEROES:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, io->size)
			       ? -errno
			       : 0;
	default:
		return -EOPNOTSUPP;
	}
}
