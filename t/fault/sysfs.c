/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes a generated tree look like sysfs: the library uses netlink only for the kernel's sysfs. */
#include <string.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "t/fault/sysfs.h"

static const char *pretended;

void sysfs_pretend(const char *path)
{
	pretended = path;
}

/* Replaces libc's. */
__attribute__((visibility("default"))) int statfs(const char *path, struct statfs *fs)
{
	int ret = (int)syscall(SYS_statfs, path, fs);

	if (ret == 0 && pretended && !strcmp(path, pretended))
		fs->f_type = SYSFS_MAGIC;
	return ret;
}
