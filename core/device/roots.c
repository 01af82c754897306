/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the roots to search: from the program, from the environment, or the default ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/attr.h"
#include "shared/file.h"
#include "shared/runtime_dir.h"
#include "shared/text.h"
#include "shared/userns.h"
#include "core/device/root_kind.h"
#include "core/device/roots.h"

static int add_search_root(struct hf_roots *roots, const char *sysfs, const char *dev)
{
	struct hf_search_root *grown;
	int err;

	if (roots->count == HF_ROOTS_MAX)
		return -EINVAL;
	grown = reallocarray(roots->v, roots->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	roots->v = grown;
	err = hfi_search_root_init(&grown[roots->count], sysfs, dev);
	if (!err)
		roots->count++;
	return err == -ENAMETOOLONG ? -EINVAL : err;
}

void hfi_roots_clear(struct hf_roots *roots)
{
	free(roots->v);
	roots->v = NULL;
	roots->count = 0;
}

/* A tree has its nodes in its own dev directory; those of /sys are in /dev. */
static int add_with_dev(struct hf_roots *roots, const char *sysfs, const char *dev)
{
	char beside[HF_PATH_SIZE];

	if (sysfs[0] != '/' || (dev && dev[0] != '/'))
		return -EINVAL;
	if (dev)
		return add_search_root(roots, sysfs, dev);
	if (!strcmp(sysfs, "/sys"))
		return add_search_root(roots, sysfs, "/dev");
	if (hfi_print(beside, sizeof(beside), "%s/dev", sysfs))
		return -EINVAL;
	return add_search_root(roots, sysfs, beside);
}

/* Reserved members must be zero: a later version may have given them a meaning. */
static bool has_reserved(const struct hf_root *root)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(root->reserved); i++)
		if (root->reserved[i])
			return true;
	return false;
}

int hfi_roots_given(struct hf_roots *roots, const struct hf_root *given, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		err = given[i].sysfs && !has_reserved(&given[i]) ? 0 : -EINVAL;
		if (!err)
			err = add_with_dev(roots, given[i].sysfs, given[i].dev);
	}
	if (err)
		hfi_roots_clear(roots);
	return err;
}

int hfi_roots_parse(struct hf_roots *roots, const char *text)
{
	char *copy, *next;
	int err = 0;

	if (strlen(text) > (size_t)HF_ROOTS_MAX * 2 * HF_PATH_SIZE)
		return -EINVAL;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	next = copy;
	while (next && !err) {
		char *dev = strsep(&next, ",");
		char *sysfs = strsep(&dev, ":");

		err = add_with_dev(roots, sysfs, dev);
	}
	free(copy);
	if (err)
		hfi_roots_clear(roots);
	return err;
}

/* A system directory may belong to root, or to a user without a number in this user namespace. */
static bool is_safe_root(const struct stat *st, bool is_system)
{
	return hfi_is_trusted(st) || (is_system && !(st->st_mode & (S_IWGRP | S_IWOTH)) &&
				      hfi_uid_is_unmapped(st->st_uid));
}

/* True also if the directory does not exist: the one above decides who can create it. */
static bool is_absent_or_safe(const char *path, bool is_system)
{
	struct stat st;

	return stat(path, &st) < 0 || is_safe_root(&st, is_system);
}

/*
 * A soft root that another user can write, or could create later, might offer that user's devices:
 * `above` must exist, and every directory from it down to the root must be safe.
 */
static int add_soft(struct hf_roots *roots, const char *above, bool is_system,
		    const struct hf_log *log)
{
	char parent[HF_PATH_SIZE];
	char path[HF_PATH_SIZE];
	struct stat st;

	if (hfi_print(parent, sizeof(parent), "%s/holdfast", above) ||
	    hfi_print(path, sizeof(path), "%s/soft", parent) || stat(above, &st) < 0)
		return 0;
	if (!is_safe_root(&st, is_system) || !is_absent_or_safe(parent, is_system) ||
	    !is_absent_or_safe(path, is_system)) {
		hf_warn(log, "soft root %s is left out: others can write to it", path);
		return 0;
	}
	return add_with_dev(roots, path, NULL);
}

int hfi_roots_of_sysfs_path(struct hf_roots *roots, const char *sysfs)
{
	struct hf_search_root *root;
	int err = add_with_dev(roots, sysfs, "/dev");

	if (!err && access(sysfs, F_OK) < 0 && errno != EACCES) {
		err = add_with_dev(roots, sysfs, "/dev");
		root = &roots->v[roots->count - 1];
		root->kind = &hfi_root_kernel;
		root->only_while_missing = !err;
	}
	if (err)
		hfi_roots_clear(roots);
	return err;
}

int hfi_roots_usual(struct hf_roots *roots, const struct hf_log *log)
{
	char runtime[HF_PATH_SIZE];
	int err;

	err = add_search_root(roots, "/sys", "/dev");
	if (!err)
		err = add_soft(roots, "/run", true, log);
	if (!err && hfi_runtime_dir(runtime, sizeof(runtime)) == 0)
		err = add_soft(roots, runtime, false, log);
	if (err)
		hfi_roots_clear(roots);
	return err;
}
