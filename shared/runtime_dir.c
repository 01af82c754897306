/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds a directory that is safe from other users, also without a login session. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/runtime_dir.h"
#include "shared/text.h"
#include "shared/userns.h"

/* Accessible for this user only, and not a link, whose target others may have chosen. */
static bool is_private_dir(const char *path, uid_t uid)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid &&
	       (st.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) == S_IRWXU;
}

/* In a sticky directory a user cannot remove, rename or replace what belongs to another one. */
static bool is_sticky(const char *path, uid_t owner)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	/* Where root has no number the directory, which is the system's, is still root's. */
	if (st.st_uid != owner && !hfi_uid_is_unmapped(st.st_uid))
		return false;
	return (st.st_mode & S_ISVTX) || !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static bool find_in_tmp(const struct hf_runtime_places *places, const char *tmp, bool make,
			char *path, size_t size)
{
	if (!is_sticky(tmp, places->tmp_owner) ||
	    hfi_print(path, size, "%s/holdfast-%u", tmp, (unsigned int)places->uid))
		return false;
	/* An existing directory is checked as if it had not been created here. */
	if (make && mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
		return false;
	return is_private_dir(path, places->uid);
}

static bool find_in_any_tmp(const struct hf_runtime_places *places, bool make, char *path,
			    size_t size)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(places->tmp); i++)
		if (places->tmp[i] && find_in_tmp(places, places->tmp[i], make, path, size))
			return true;
	return false;
}

int hfi_runtime_dir_in(const struct hf_runtime_places *places, bool make, char *path, size_t size)
{
	int err;

	if (places->given)
		return places->given[0] == '/' ? hfi_copy(path, size, places->given) : -ENOENT;
	err = hfi_print(path, size, "%s/%u", places->run_user, (unsigned int)places->uid);
	if (err || is_private_dir(path, places->uid))
		return err;
	/* One that is there already counts more than one that could be made. */
	if (find_in_any_tmp(places, false, path, size) ||
	    (make && find_in_any_tmp(places, true, path, size)))
		return 0;
	return -ENOENT;
}

static int find_runtime_dir(bool make, char *path, size_t size)
{
	const char *given = secure_getenv("XDG_RUNTIME_DIR");
	struct hf_runtime_places places = {
		.given = given && *given ? given : NULL,
		.run_user = "/run/user",
		.uid = geteuid(),
	};

	/* A set-uid program must not use the files of the user who called it. */
	if (getauxval(AT_SECURE))
		return -ENOENT;
	if (places.uid != 0) {
		places.tmp[0] = "/tmp";
		places.tmp[1] = "/var/tmp";
	}
	return hfi_runtime_dir_in(&places, make, path, size);
}

int hfi_runtime_dir(char *path, size_t size)
{
	return find_runtime_dir(false, path, size);
}

int hfi_runtime_dir_make(char *path, size_t size)
{
	return find_runtime_dir(true, path, size);
}
