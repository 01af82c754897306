/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads and compares what identifies an instance (one life of a device). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/stamp.h"
#include "shared/text.h"
#include "core/base/root.h"
#include "core/discovery/life.h"
#include "core/discovery/sysfs.h"

bool hfi_life_same(const struct hf_life *a, const struct hf_life *b)
{
	return a->inode == b->inode && hfi_stamp_same(&a->born, &b->born) && a->id[0] == b->id[0] &&
	       a->id[1] == b->id[1];
}

/* The path of an attribute below `dirfd`. */
static int attr_path(const char *uverbs, const char *attribute, char *path, size_t size)
{
	if (!uverbs)
		return hfi_copy(path, size, attribute);
	return hfi_print(path, size, "%s/%s", uverbs, attribute);
}

int hfi_life_of_kernel(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		       struct timespec *stamp)
{
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE];
	struct stat st;
	int err;

	if (ibdev >= 0) {
		err = fstat(ibdev, &st) < 0 ? -errno : 0;
	} else {
		err = attr_path(uverbs, "ibdev", path, sizeof(path));
		if (!err && fstatat(dirfd, path, &st, 0) < 0)
			err = -errno;
	}
	if (err)
		return err;
	*ret = (struct hf_life){.inode = st.st_ino};
	*stamp = st.st_mtim;
	return 0;
}

/* 32 hexadecimal digits, with hyphens anywhere: a UUID is one, too. */
static int parse_id(const char *text, uint64_t id[2])
{
	unsigned int digits = 0;

	for (const char *c = text; *c; c++) {
		unsigned int value;

		if (*c == '-')
			continue;
		if (*c >= '0' && *c <= '9')
			value = (unsigned int)(*c - '0');
		else if ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'f')
			value = (unsigned int)((*c | 0x20) - 'a' + 10);
		else
			return -EINVAL;
		if (digits == 32)
			return -EINVAL;
		id[digits / 16] = id[digits / 16] << 4 | value;
		digits++;
	}
	return digits == 32 && (id[0] || id[1]) ? 0 : -EINVAL;
}

static int read_id(int dirfd, const char *uverbs, uint64_t id[2])
{
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE];
	char text[64];
	ssize_t length;
	int err = attr_path(uverbs, "instance", path, sizeof(path));

	if (err)
		return err;
	length = hfi_attr_read(dirfd, path, text, sizeof(text), NULL);
	if (length == -ENOENT)
		return 0;
	return length < 0 ? (int)length : parse_id(text, id);
}

static struct timespec time_of(const struct statx_timestamp *stamp)
{
	return (struct timespec){.tv_sec = stamp->tv_sec, .tv_nsec = stamp->tv_nsec};
}

int hfi_life_of_tree(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		     struct timespec *stamp)
{
	enum { WANTED = STATX_INO | STATX_MTIME | STATX_CTIME | STATX_BTIME };
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE] = "";
	struct hf_life here = {0};
	struct statx st;
	int err;

	err = read_id(dirfd, uverbs, here.id);
	if (!err && ibdev < 0)
		err = attr_path(uverbs, "ibdev", path, sizeof(path));
	if (err)
		return err;
	if (statx(ibdev >= 0 ? ibdev : dirfd, path, ibdev >= 0 ? AT_EMPTY_PATH : 0, WANTED, &st) <
	    0)
		return -errno;
	here.inode = st.stx_ino;
	if (st.stx_mask & STATX_BTIME)
		here.born = time_of(&st.stx_btime);
	else if (!here.id[0] && !here.id[1])
		here.born = time_of(&st.stx_ctime);
	*ret = here;
	*stamp = time_of(&st.stx_mtime);
	return 0;
}
