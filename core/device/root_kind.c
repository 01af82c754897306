/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kinds of roots, each with its table of functions, and which kind a root is. */
#include <errno.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "shared/text.h"
#include "core/device/root_kind.h"
#include "core/discovery/life.h"
#include "core/notify/removal_kernel.h"
#include "core/notify/removal_tree.h"

static bool is_kernel_node(dev_t number, const struct stat *st)
{
	return S_ISCHR(st->st_mode) && number && st->st_rdev == number;
}

/*
 * A tree's node may be any file that a provider can use, but not a character device with another
 * number.
 */
static bool is_tree_node(dev_t number, const struct stat *st)
{
	return !S_ISCHR(st->st_mode) || !number || st->st_rdev == number;
}

const struct hf_root_kind hfi_root_kernel = {
	.reports = HF_REPORTS_UEVENT | HF_REPORTS_RDMA | HF_REPORTS_ROUTE,
	.netlink = true,
	.kernel_nodes = true,
	/* kernfs inode numbers have 64 bits and are never reused (Linux 5.5 and later). */
	.unique_inodes = true,
	/*
	 * sysfs does not update a directory's time stamp when an entry comes or goes (kernfs, Linux
	 * 6.1).
	 */
	.dir_stamps = false,
	.late_changes = true,
	.read_life = hfi_life_of_kernel,
	.right_node = is_kernel_node,
	.open_removal = hfi_removal_kernel_open,
};

const struct hf_root_kind hfi_root_tree = {
	/* A port may follow a network interface. */
	.reports = HF_REPORTS_INOTIFY | HF_REPORTS_ROUTE,
	.dir_stamps = true,
	.read_life = hfi_life_of_tree,
	.right_node = is_tree_node,
	.open_removal = hfi_removal_tree_open,
};

static int set_root_path(char path[HF_PATH_SIZE], const char *from)
{
	int err = hfi_copy(path, HF_PATH_SIZE, from);
	size_t length;

	if (err)
		return err;
	for (length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = '\0';
	return 0;
}

int hfi_search_root_init(struct hf_search_root *root, const char *sysfs, const char *dev)
{
	struct hf_search_root here = {.kind = &hfi_root_tree};
	struct statfs fs;
	int err;

	if (sysfs[0] != '/' || dev[0] != '/')
		return -EINVAL;
	err = set_root_path(here.sysfs, sysfs);
	if (!err)
		err = set_root_path(here.dev, dev);
	if (err)
		return err;
	/*
	 * Also if nothing is mounted there, as in some containers: netlink may still know the
	 * devices.
	 */
	if (!strcmp(here.sysfs, "/sys") ||
	    (statfs(here.sysfs, &fs) == 0 && fs.f_type == SYSFS_MAGIC))
		here.kind = &hfi_root_kernel;
	*root = here;
	return 0;
}
