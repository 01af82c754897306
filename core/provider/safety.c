/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who may own and write what is loaded. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/base/reason.h"
#include "core/provider/manifest.h"
#include "core/provider/safety.h"
#include "shared/attr.h"
#include "shared/text.h"

const char *hfi_safety_fault(const struct stat *st)
{
	if (!getauxval(AT_SECURE))
		return st->st_mode & S_IWOTH ? "can be written by every user" : NULL;
	if (st->st_uid != 0)
		return "does not belong to root, and this process has more rights than its user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others than root, and this process has more rights than "
		       "its user";
	return NULL;
}

int hfi_safety_check(const char *path, const struct stat *st, struct hf_reason *reason)
{
	const char *fault = hfi_safety_fault(st);
	char found[64];

	if (!fault)
		return 0;
	snprintf(found, sizeof(found), "owner %u mode %04o", (unsigned)st->st_uid,
		 (unsigned)st->st_mode & 07777);
	hfi_reason_set(reason, HF_REASON_UNSAFE,
		       getauxval(AT_SECURE) ? "writable by root only" : "not writable by others",
		       found, "%s %s", path, fault);
	return -EACCES;
}

int hfi_safety_refuse_missing(const char *path, int error, struct hf_reason *reason)
{
	const char *base = strrchr(path, '/');

	hfi_reason_set(reason, HF_REASON_FILE_MISSING, base && base[1] ? base + 1 : path,
		       strerrordesc_np(error), "%s: %s", path, strerrordesc_np(error));
	return -EACCES;
}

static int check_one_dir(const char *dir, struct hf_reason *reason)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return hfi_safety_refuse_missing(dir, errno, reason);
	return hfi_safety_check(dir, &st, reason);
}

/* In such a directory nobody takes the place of what root has there. */
static bool is_sticky_of_root(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && st.st_uid == 0 && (st.st_mode & S_ISVTX);
}

/* `dir` is cut at each slash, from the last one on. */
static int check_above(char *dir, struct hf_reason *reason)
{
	char *slash = strrchr(dir, '/');
	int err = 0;

	while (!err && slash && dir[1]) {
		slash[slash == dir] = '\0';
		err = is_sticky_of_root(dir) ? 0 : check_one_dir(dir, reason);
		slash = strrchr(dir, '/');
	}
	return err;
}

int hfi_safety_check_dir(const char *dir, struct hf_reason *reason)
{
	char *named, *real;
	int err = check_one_dir(dir, reason);

	if (err || !getauxval(AT_SECURE))
		return err;
	/* Who can write above a link can replace the link, and who can write above its target the target. */
	named = strdup(dir);
	real = realpath(dir, NULL);
	if (named && real) {
		err = check_above(named, reason);
		if (!err)
			err = check_above(real, reason);
	} else {
		err = hfi_safety_refuse_missing(dir, errno, reason);
	}
	free(named);
	free(real);
	return err;
}

static int check_dir_once(const char *dir, struct hf_checked_dirs *checked,
			  struct hf_reason *reason)
{
	int err;

	for (size_t i = 0; checked && i < HF_ARRAY_SIZE(checked->path); i++)
		if (!strcmp(checked->path[i], dir))
			return 0;
	err = hfi_safety_check_dir(dir, reason);
	if (!err && checked) {
		hfi_copy(checked->path[checked->next], HF_PATH_MAX, dir);
		checked->next = (checked->next + 1) % HF_ARRAY_SIZE(checked->path);
	}
	return err;
}

int hfi_safety_check_dir_of(const char *file, struct hf_checked_dirs *checked,
			    struct hf_reason *reason)
{
	size_t length = (size_t)(strrchr(file, '/') - file);
	char dir[HF_PATH_MAX];

	if (length >= sizeof(dir))
		length = sizeof(dir) - 1;
	memcpy(dir, file, length);
	dir[length] = '\0';
	return check_dir_once(length ? dir : "/", checked, reason);
}

int hfi_safety_check_way(const char *file, struct hf_checked_dirs *checked,
			 struct hf_reason *reason)
{
	enum { LINKS_MAX = 16 };
	char path[HF_PATH_MAX], dir[HF_PATH_MAX], link[HF_PATH_MAX];
	ssize_t length = 0;
	int err;

	err = hfi_copy(path, sizeof(path), file);
	for (int links = 0; !err && links < LINKS_MAX; links++) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
		err = check_dir_once(dir[0] ? dir : "/", checked, reason);
		if (err)
			return err;
		length = readlink(path, link, sizeof(link));
		if (length < 0)
			return errno == EINVAL ? 0 : hfi_safety_refuse_missing(path, errno, reason);
		err = hfi_print(path, sizeof(path), "%s%s%.*s", link[0] == '/' ? "" : dir,
				link[0] == '/' ? "" : "/", (int)length, link);
	}
	hfi_reason_set(reason, HF_REASON_UNSAFE, "16 links, each to a path of up to 255 characters",
		       "more", "%s leads too far", file);
	return -EACCES;
}
