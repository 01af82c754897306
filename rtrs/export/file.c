/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices that are plain files or block devices. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rtrs/export/backing.h"
#include "shared/file.h"
#include "shared/text.h"

enum {
	/* Of one request: an IO message has 32 bits for bytes. */
	DISCARD_SECTORS_MAX = 1 << 21,
	/* Where zeroes have to be written out. */
	ZEROES_SECTORS_MAX = 1 << 16,
	ZEROES_AT_ONCE = 1 << 18,
	FILE_BLOCK = 4096,
};

struct file_backing {
	struct rtrs_backing base;
	int fd;
	bool can_punch; /* of a plain file: holes */
	bool cannot_try;
};

static struct file_backing *file_of(struct rtrs_backing *backing)
{
	return hf_container_of(backing, struct file_backing, base);
}

/* --- requests ------------------------------------------------------------------------------------ */

static int read_file_range(const struct file_backing *file, const struct rtrs_block_job *job)
{
	uint32_t done = 0;

	while (done < job->size) {
		ssize_t count = pread(file->fd, (char *)job->data + done, job->size - done,
				      (off_t)(job->offset + done));

		if (count < 0 && errno != EINTR)
			return -errno;
		/* The file has become shorter. */
		if (!count)
			return -EIO;
		done += count > 0 ? (uint32_t)count : 0;
	}
	return 0;
}

static int write_file_range(const struct file_backing *file, const void *data, uint32_t size,
			    uint64_t offset, int flags)
{
	while (size) {
		const struct iovec part = {(void *)data, size};
		ssize_t count = pwritev2(file->fd, &part, 1, (off_t)offset, flags);

		if (count < 0 && errno != EINTR)
			return -errno;
		if (!count)
			return -ENOSPC;
		if (count > 0) {
			data = (const char *)data + count;
			size -= (uint32_t)count;
			offset += (uint64_t)count;
		}
	}
	return 0;
}

static int flush_file(const struct file_backing *file)
{
	return fdatasync(file->fd) ? -errno : 0;
}

static int write_zeroes_out(const struct file_backing *file, const struct rtrs_block_job *job)
{
	static const char zeroes[ZEROES_AT_ONCE];
	uint32_t done = 0;
	int err = 0;

	while (!err && done < job->size) {
		uint32_t size = job->size - done < ZEROES_AT_ONCE ? job->size - done
								  : ZEROES_AT_ONCE;

		err = write_file_range(file, zeroes, size, job->offset + done, 0);
		done += size;
	}
	return err;
}

static int give_range(const struct file_backing *file, const struct rtrs_block_job *job,
		      unsigned long of_device, int of_file)
{
	uint64_t range[2] = {job->offset, job->size};
	int result;

	if (file->base.is_block_device)
		result = ioctl(file->fd, of_device, range);
	else
		result = fallocate(file->fd, of_file | FALLOC_FL_KEEP_SIZE, (off_t)job->offset,
				   (off_t)job->size);
	return result ? -errno : 0;
}

static int discard_range(const struct file_backing *file, const struct rtrs_block_job *job)
{
	if (!job->size)
		return 0;
	return give_range(file, job, BLKDISCARD, FALLOC_FL_PUNCH_HOLE);
}

/* Zeroes have to be there in the end, whatever the file can do. */
static int zero_range(const struct file_backing *file, const struct rtrs_block_job *job)
{
	const bool may_punch = file->can_punch && !(job->flags & RNBD_NO_UNMAP);
	int err;

	if (!job->size)
		return 0;
	err = give_range(file, job, BLKZEROOUT,
			 may_punch ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
	if (err == -EOPNOTSUPP)
		err = write_zeroes_out(file, job);
	return err;
}

static int change_blocks(const struct file_backing *file, const struct rtrs_block_job *job)
{
	switch (job->op) {
	case RNBD_OP_WRITE:
		return write_file_range(file, job->data, job->size, job->offset,
					job->flags & RNBD_FUA ? RWF_DSYNC : 0);
	case RNBD_OP_DISCARD:
		return discard_range(file, job);
	case RNBD_OP_WRITE_ZEROES:
		return zero_range(file, job);
	default:
		return -EOPNOTSUPP;
	}
}

static int carry_out_on_file(struct rtrs_block_job *job)
{
	const struct file_backing *file = file_of(job->backing);
	int err = 0;

	if (job->op == RNBD_OP_READ)
		return read_file_range(file, job);
	if (job->op == RNBD_OP_FLUSH)
		return flush_file(file);
	if (job->flags & RNBD_PREFLUSH)
		err = flush_file(file);
	if (!err)
		err = change_blocks(file, job);
	if (!err && job->flags & RNBD_FUA && job->op != RNBD_OP_WRITE)
		err = flush_file(file);
	return err;
}

/* What is in the page cache is read where the request came. */
static int try_file_now(struct rtrs_block_job *job)
{
	struct file_backing *file = file_of(job->backing);
	const struct iovec part = {job->data, job->size};
	ssize_t count;

	if (job->op != RNBD_OP_READ || file->cannot_try)
		return 0;
	count = preadv2(file->fd, &part, 1, (off_t)job->offset, RWF_NOWAIT);
	if (count < 0 && errno == EOPNOTSUPP)
		file->cannot_try = true;
	return count >= 0 && (size_t)count == job->size;
}

/* --- what it can do ------------------------------------------------------------------------------ */

static void measure_file(struct rtrs_backing *backing)
{
	const struct file_backing *file = file_of(backing);
	uint64_t bytes = 0;
	struct stat st;

	if (file->base.is_block_device) {
		if (ioctl(file->fd, BLKGETSIZE64, &bytes))
			return;
	} else {
		if (fstat(file->fd, &st))
			return;
		bytes = (uint64_t)st.st_size;
	}
	backing->about.sectors = bytes / RNBD_SECTOR_SIZE;
}

/* Of the device, or of the one that a partition is on; 0: unknown. */
static uint64_t queue_limit(dev_t device, const char *name)
{
	static const char *const directories[] = {"queue", "../queue"};
	char path[128], text[32];
	uint64_t value;

	for (size_t i = 0; i < HF_ARRAY_SIZE(directories); i++) {
		if (hfi_print(path, sizeof(path), "/sys/dev/block/%u:%u/%s/%s", major(device),
			      minor(device), directories[i], name))
			continue;
		if (hfi_read_file(AT_FDCWD, path, text, sizeof(text), NULL) > 0 &&
		    !hfi_parse_number(text, 10, UINT64_MAX, &value))
			return value;
	}
	return 0;
}

static uint32_t sectors_of(uint64_t bytes)
{
	uint64_t sectors = bytes / RNBD_SECTOR_SIZE;

	return sectors < DISCARD_SECTORS_MAX ? (uint32_t)sectors : DISCARD_SECTORS_MAX;
}

static void ask_block_device(struct file_backing *file, dev_t device)
{
	struct rtrs_rnbd_device *about = &file->base.about;
	unsigned int physical = 0;
	int logical = 0;

	if (!ioctl(file->fd, BLKSSZGET, &logical) && logical >= RNBD_SECTOR_SIZE &&
	    logical <= INT16_MAX)
		about->logical_block_size = (uint16_t)logical;
	if (!ioctl(file->fd, BLKPBSZGET, &physical) && physical >= about->logical_block_size &&
	    physical <= INT16_MAX)
		about->physical_block_size = (uint16_t)physical;
	about->max_discard_sectors = sectors_of(queue_limit(device, "discard_max_bytes"));
	about->discard_granularity = (uint32_t)queue_limit(device, "discard_granularity");
	about->max_write_zeroes_sectors = DISCARD_SECTORS_MAX;
}

/* Nothing is punched: behind the end there is nothing. */
static void ask_plain_file(struct file_backing *file, const struct stat *st)
{
	struct rtrs_rnbd_device *about = &file->base.about;

	file->can_punch = !file->base.is_read_only &&
			  !fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     st->st_size, FILE_BLOCK);
	about->max_write_zeroes_sectors = file->can_punch ? DISCARD_SECTORS_MAX
							  : ZEROES_SECTORS_MAX;
	if (!file->can_punch)
		return;
	about->max_discard_sectors = DISCARD_SECTORS_MAX;
	about->discard_granularity = st->st_blksize >= RNBD_SECTOR_SIZE ? (uint32_t)st->st_blksize
									: FILE_BLOCK;
}

/* Where control programs look for it; without memory they do not find it. */
static char *place_of_file(int fd, const struct stat *st)
{
	char path[64];

	if (S_ISBLK(st->st_mode) ? hfi_print(path, sizeof(path), "/sys/dev/block/%u:%u",
					     major(st->st_rdev), minor(st->st_rdev))
				 : hfi_print(path, sizeof(path), "/proc/self/fd/%d", fd))
		return NULL;
	return realpath(path, NULL);
}

static void close_file_backing(struct rtrs_backing *backing)
{
	struct file_backing *file = file_of(backing);

	close(file->fd);
	free(backing->place);
	free(file);
}

static const struct rtrs_backing_ops file_ops = {
	.try_now = try_file_now,
	.carry_out = carry_out_on_file,
	.measure = measure_file,
	.close = close_file_backing,
};

int rtrsi_file_backing_new(int fd, bool is_read_only, uint32_t max_io, struct rtrs_backing **ret)
{
	struct file_backing *file;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -EINVAL;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->fd = fd;
	file->base.ops = &file_ops;
	file->base.is_read_only = is_read_only;
	file->base.is_block_device = S_ISBLK(st.st_mode);
	file->base.place = place_of_file(fd, &st);
	file->base.about = (struct rtrs_rnbd_device){
		.max_hw_sectors = max_io / RNBD_SECTOR_SIZE,
		.physical_block_size = FILE_BLOCK,
		.logical_block_size = RNBD_SECTOR_SIZE,
		.max_segments = 128,
		.cache_policy = RNBD_CACHE_FUA | RNBD_CACHE_WRITEBACK,
	};
	measure_file(&file->base);
	if (file->base.is_block_device)
		ask_block_device(file, st.st_rdev);
	else
		ask_plain_file(file, &st);
	*ret = &file->base;
	return 0;
}
