/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds devices of a tree, and makes and erases nodes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/sysfs_attr.h"
#include "shared/text.h"
#include "soft/files.h"
#include "soft/find.h"

#define VERBS_CLASS  "class/infiniband_verbs"
#define DEVICE_CLASS "class/infiniband"
#define NODES	     "dev/infiniband"

enum { LAST_NUMBER = 999999, PATH_SIZE = 128 };

int hfi_soft_lock(int tree, int *ret)
{
	/* Whoever can read the directory could hold a lock on it. */
	int fd = openat(tree, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0 && !err)
		err = errno == EINTR ? 0 : -errno;
	if (err)
		hfi_close(&fd);
	else
		*ret = fd;
	return err;
}

/* The number in "uverbsN" or "uverbsN.d", or -1. */
static long soft_number_of(const char *name)
{
	char digits[8];
	uint64_t n;
	size_t length;

	if (strncmp(name, "uverbs", 6) != 0)
		return -1;
	name += 6;
	length = strspn(name, "0123456789");
	if (!length || length >= sizeof(digits) ||
	    (name[length] && strcmp(name + length, ".d") != 0))
		return -1;
	memcpy(digits, name, length);
	digits[length] = '\0';
	return hfi_parse_number(digits, 10, LAST_NUMBER, &n) ? -1 : (long)n;
}

struct soft_search {
	const char *name;
	unsigned int n;
};

static int compare_soft_name(void *arg, int dir, const char *entry)
{
	struct soft_search *search = arg;
	char path[PATH_SIZE], name[80];
	long n = soft_number_of(entry);
	ssize_t length;

	if (n < 0 || hfi_print(path, sizeof(path), "%s/ibdev", entry))
		return 0;
	length = hfi_read_file(dir, path, name, sizeof(name), NULL);
	/* It may be this device: who takes it for another one would erase its files. */
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length < 0 || strcmp(name, search->name) != 0)
		return 0;
	search->n = (unsigned int)n;
	return 1;
}

/* Hands each entry of a directory of the tree to `each`, until that returns other than 0. */
static int each_entry(int tree, const char *path, int (*each)(void *arg, int dir, const char *name),
		      void *arg)
{
	int fd = hfi_open_dir_to_read(tree, path);
	int ret;

	if (fd < 0)
		return fd;
	ret = hfi_attr_entries(fd, each, arg);
	hfi_close(&fd);
	return ret;
}

int hfi_soft_find(int tree, const char *name, unsigned int *n)
{
	struct soft_search search = {.name = name};
	int ret = each_entry(tree, VERBS_CLASS, compare_soft_name, &search);

	if (ret == 1)
		*n = search.n;
	else if (!ret || ret == -ENOENT)
		ret = -ENODEV;
	return ret < 0 ? ret : 0;
}

static bool has_entry(int tree, const char *dir, const char *name)
{
	char path[PATH_SIZE];
	struct stat st;

	return !hfi_print(path, sizeof(path), "%s/%s", dir, name) &&
	       (fstatat(tree, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT);
}

int hfi_soft_make_node(int tree, unsigned int *ret)
{
	char path[PATH_SIZE], name[32];
	int fd;

	for (unsigned int n = HF_SOFT_FIRST_NUMBER; n <= LAST_NUMBER; n++) {
		snprintf(name, sizeof(name), "uverbs%u", n);
		snprintf(path, sizeof(path), NODES "/%s", name);
		if (has_entry(tree, VERBS_CLASS, name))
			continue;
		fd = openat(tree, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0) {
			hfi_close(&fd);
			*ret = n;
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -ENOSPC;
}

int hfi_soft_erase_node(int tree, unsigned int n)
{
	char path[PATH_SIZE];
	int err, also;

	snprintf(path, sizeof(path), NODES "/uverbs%u", n);
	err = hfi_soft_erase(tree, path);
	snprintf(path, sizeof(path), NODES "/uverbs%u.d", n);
	also = hfi_soft_erase(tree, path);
	return err ? err : also;
}

static int sweep_node(void *arg, int dir, const char *entry)
{
	int tree = *(int *)arg;
	char name[32];
	long n = soft_number_of(entry);

	if (n < HF_SOFT_FIRST_NUMBER)
		return 0;
	snprintf(name, sizeof(name), "uverbs%ld", n);
	return has_entry(tree, VERBS_CLASS, name) ? 0 : hfi_soft_erase(dir, entry);
}

static int sweep_device(void *arg, int dir, const char *entry)
{
	int tree = *(int *)arg;
	char path[PATH_SIZE];
	struct stat st;
	unsigned int n;

	/* Those of other writers, who do not take the lock, have no such file. */
	if (hfi_print(path, sizeof(path), "%s/uroce_path", entry) ||
	    fstatat(dir, path, &st, 0) < 0 || hfi_soft_find(tree, entry, &n) != -ENODEV)
		return 0;
	return hfi_soft_erase(dir, entry);
}

int hfi_soft_sweep(int tree)
{
	int err = each_entry(tree, DEVICE_CLASS, sweep_device, &tree);
	int also = each_entry(tree, NODES, sweep_node, &tree);

	return err ? err : also;
}
