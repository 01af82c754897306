/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds or makes the soft root of this user, by the rule of the library. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/runtime_dir.h"
#include "shared/text.h"
#include "soft/root.h"

/* Root has the machine's where it has no directory of its own. */
static int find_above(bool make, char *path, size_t size)
{
	int err = make ? hfi_runtime_dir_make(path, size) : hfi_runtime_dir(path, size);

	return err == -ENOENT && geteuid() == 0 ? hfi_copy(path, size, "/run") : err;
}

/* A directory that is safe from other users, and no link to one that may not be. */
static int check_soft_dir(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return hfi_is_trusted(&st) ? 0 : -EPERM;
}

int hfi_soft_root(bool make, char *path, size_t size)
{
	static const char *const parts[] = {"holdfast", "holdfast/soft"};
	char above[256];
	int err = find_above(make, above, sizeof(above));

	if (!err)
		err = check_soft_dir(above);
	for (size_t i = 0; i < HF_ARRAY_SIZE(parts) && !err; i++) {
		err = hfi_print(path, size, "%s/%s", above, parts[i]);
		if (!err && make && mkdir(path, 0755) < 0 && errno != EEXIST)
			err = -errno;
		if (!err)
			err = check_soft_dir(path);
	}
	return err;
}
