/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Adds devices to a tree and removes them, so that no reader sees a part of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "soft/files.h"
#include "soft/tree.h"

#define VERBS_CLASS  "class/infiniband_verbs"
#define DEVICE_CLASS "class/infiniband"

enum { ASIDE_SIZE = 32, PATH_SIZE = 128, NAME_MAX_LENGTH = 63 };

int hfi_soft_tree_make(int tree)
{
	static const char *const dirs[] = {VERBS_CLASS, DEVICE_CLASS, "dev/infiniband"};
	struct stat st;
	int err = 0;

	/* In a directory that other users can write, links could lead out of the tree. */
	if (fstat(tree, &st) < 0)
		return -errno;
	if (!hfi_is_trusted(&st))
		return -EPERM;
	for (size_t i = 0; i < HF_ARRAY_SIZE(dirs) && !err; i++)
		err = hfi_soft_mkdirs(tree, dirs[i]);
	return err ? err : hfi_soft_put(tree, VERBS_CLASS "/abi_version", "6");
}

/* Creates a directory that no other writer uses and readers do not see. */
static int make_aside(int tree, char path[ASIDE_SIZE])
{
	uint64_t number;

	for (int i = 0; i < 8; i++) {
		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			return -EIO;
		snprintf(path, ASIDE_SIZE, ".aside-%016llx", (unsigned long long)number);
		if (mkdirat(tree, path, 0700) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int fill_aside(int tree, const char *built, int (*fill)(int dirfd, void *arg), void *arg)
{
	int err, fd;

	if (mkdirat(tree, built, 0755) < 0)
		return -errno;
	fd = hfi_open_dir(tree, built);
	if (fd < 0)
		return fd;
	err = fill(fd, arg);
	hfi_close(&fd);
	return err;
}

int hfi_soft_place(int tree, const char *path, int (*fill)(int dirfd, void *arg), void *arg)
{
	char aside[ASIDE_SIZE], built[ASIDE_SIZE + 8];
	int err = make_aside(tree, aside);

	if (err)
		return err;
	snprintf(built, sizeof(built), "%s/new", aside);
	err = fill_aside(tree, built, fill, arg);
	if (!err && renameat2(tree, built, tree, path, RENAME_NOREPLACE) < 0)
		err = -errno;
	hfi_soft_erase(tree, aside);
	return err;
}

/* The FIFO in a device's uverbs directory, or -errno: -ENOENT in any other directory. */
static int open_removal(int tree, const char *dir)
{
	char path[PATH_SIZE + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/removal", dir);
	fd = openat(tree, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int hfi_soft_move_away(int tree, const char *path, const char *to)
{
	int before, after = -1;
	int err = 0;

	/* Closing it announces the removal, so open it last: after it only the rename may fail. */
	before = open_removal(tree, path);
	if (before < 0 && hfi_error_is_shortage(before))
		err = before;
	else if (renameat(tree, path, tree, to) < 0)
		err = -errno;
	/* Another writer may have put a later instance there than the one whose FIFO is open. */
	if (!err)
		after = open_removal(tree, to);
	hfi_close(&before);
	hfi_close(&after);
	return err;
}

int hfi_soft_take_away(int tree, const char *path)
{
	char aside[ASIDE_SIZE], old[ASIDE_SIZE + 8];
	int err = make_aside(tree, aside);

	if (err)
		return err;
	snprintf(old, sizeof(old), "%s/old", aside);
	err = hfi_soft_move_away(tree, path, old);
	hfi_soft_erase(tree, aside);
	return err;
}

struct soft_plug {
	const char *name;
	const struct hf_soft_device *device;
};

static int fill_device_dir(int dirfd, void *arg)
{
	const struct soft_plug *plug = arg;

	return hfi_soft_fill_device(dirfd, plug->device);
}

static int fill_uverbs_dir(int dirfd, void *arg)
{
	const struct soft_plug *plug = arg;

	return hfi_soft_fill_uverbs(dirfd, plug->name, plug->device);
}

int hfi_soft_plug(int tree, unsigned int n, const char *name, const struct hf_soft_device *device)
{
	struct soft_plug plug = {name, device};
	char dir[PATH_SIZE], uverbs[PATH_SIZE];
	int err;

	if (!hfi_is_component(name, NAME_MAX_LENGTH))
		return -EINVAL;
	snprintf(dir, sizeof(dir), DEVICE_CLASS "/%s", name);
	snprintf(uverbs, sizeof(uverbs), VERBS_CLASS "/uverbs%u", n);
	err = hfi_soft_place(tree, dir, fill_device_dir, &plug);
	if (err)
		return err;
	err = hfi_soft_place(tree, uverbs, fill_uverbs_dir, &plug);
	if (err)
		hfi_soft_take_away(tree, dir);
	return err;
}

int hfi_soft_port_follow(int tree, const char *name, unsigned int port, const char *netdev)
{
	char path[PATH_SIZE];
	int fd, err;

	if (!hfi_is_component(name, NAME_MAX_LENGTH))
		return -EINVAL;
	snprintf(path, sizeof(path), DEVICE_CLASS "/%s/ports/%u", name, port);
	fd = openat(tree, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = hfi_soft_follow(fd, netdev);
	hfi_close(&fd);
	return err;
}

int hfi_soft_unplug(int tree, unsigned int n, const char *name)
{
	char path[PATH_SIZE];
	int err;

	if (!hfi_is_component(name, NAME_MAX_LENGTH))
		return -EINVAL;
	snprintf(path, sizeof(path), VERBS_CLASS "/uverbs%u", n);
	err = hfi_soft_take_away(tree, path);
	if (err)
		return err == -ENOENT ? -ENODEV : err;
	snprintf(path, sizeof(path), DEVICE_CLASS "/%s", name);
	return hfi_soft_take_away(tree, path);
}
