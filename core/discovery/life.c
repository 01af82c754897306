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

static bool has_id(const struct hf_life *life)
{
	return life->id[0] || life->id[1];
}

static bool same_id(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] == b[0] && a[1] == b[1];
}

bool hfi_life_same(const struct hf_life *a, const struct hf_life *b)
{
	return a->inode == b->inode && hfi_stamp_same(&a->born, &b->born) &&
	       (!has_id(a) || !has_id(b) || same_id(a->id, b->id));
}

/* The path of an attribute below `dirfd`. By hand: each look at a device makes one. */
static int attr_path(const char *uverbs, const char *attribute, char *path, size_t size)
{
	if ((uverbs ? strlen(uverbs) : 0) + strlen(attribute) + 2 > size)
		return -ENAMETOOLONG;
	if (uverbs) {
		path = stpcpy(path, uverbs);
		*path++ = '/';
	}
	strcpy(path, attribute);
	return 0;
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

bool hfi_life_needs_id(const struct hf_life *known, const struct hf_life *now)
{
	return has_id(known) && !has_id(now);
}

/* Does the path still lead to what was read there? */
static bool is_still_there(int dirfd, const char *uverbs, const struct hf_life *now)
{
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE];
	struct statx st;

	if (attr_path(uverbs, "ibdev", path, sizeof(path)) ||
	    statx(dirfd, path, 0, STATX_INO | STATX_BTIME, &st) < 0 || st.stx_ino != now->inode)
		return false;
	if (!(st.stx_mask & STATX_BTIME))
		return true;
	const struct timespec born = time_of(&st.stx_btime);

	return hfi_stamp_same(&born, &now->born);
}

int hfi_life_check(int dirfd, const char *uverbs, const struct hf_life *known,
		   const struct hf_life *now)
{
	uint64_t id[2] = {0};
	int err;

	if (!hfi_life_same(known, now))
		return -ENODEV;
	/* That one was seen at the time of its birth, when another could have had the same. */
	if (!hfi_life_needs_id(known, now))
		return 0;
	err = read_id(dirfd, uverbs, id);
	if (!err && same_id(known->id, id))
		return 0;
	if (err && !hfi_error_is_gone(err))
		return err;
	/* The id of what another rename has brought here says nothing of what was read. */
	return is_still_there(dirfd, uverbs, now) ? -ENODEV : -EAGAIN;
}

int hfi_life_of_tree(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		     struct timespec *stamp)
{
	enum { WANTED = STATX_INO | STATX_MTIME | STATX_CTIME | STATX_BTIME };
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE];
	struct hf_life here = {.of_tree = true};
	struct statx st;
	int err = 0;

	if (ibdev >= 0) {
		err = statx(ibdev, "", AT_EMPTY_PATH, WANTED, &st) < 0 ? -errno : 0;
	} else {
		err = attr_path(uverbs, "ibdev", path, sizeof(path));
		if (!err && statx(dirfd, path, 0, WANTED, &st) < 0)
			err = -errno;
	}
	if (err)
		return err;
	here.inode = st.stx_ino;
	if (st.stx_mask & STATX_BTIME)
		here.born = time_of(&st.stx_btime);
	if (!here.born.tv_sec || !hfi_stamp_is_settled(&here.born))
		err = read_id(dirfd, uverbs, here.id);
	if (err)
		return err;
	if (!here.born.tv_sec && !has_id(&here))
		here.born = time_of(&st.stx_ctime);
	*ret = here;
	*stamp = time_of(&st.stx_mtime);
	return 0;
}
