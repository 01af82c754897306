/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The directory of the user's own for what lives until the machine or the session ends. */
#ifndef HF_SHARED_RUNTIME_DIR_H
#define HF_SHARED_RUNTIME_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "shared/attr.h"

/*
 * $XDG_RUNTIME_DIR, or without it /run/user/UID, or else holdfast-UID in /tmp or /var/tmp, if it is
 * a directory that only the user can enter. -ENOENT if there is none, and in a set-uid program;
 * -ENAMETOOLONG. Root uses /run, and nothing in /tmp.
 */
int hfi_runtime_dir(char *path, size_t size) HF_MUST_CHECK HF_NONNULL;

/* The same for a writer: makes the one in /tmp or /var/tmp where there is nothing else. */
int hfi_runtime_dir_make(char *path, size_t size) HF_MUST_CHECK HF_NONNULL;

/* What the two above look at; for tests. */
struct hf_runtime_places {
	const char *given;    /* $XDG_RUNTIME_DIR; NULL: not set */
	const char *run_user; /* "/run/user" */
	const char *tmp[2];   /* where everybody may write; NULL: none */
	uid_t uid;
	uid_t tmp_owner; /* their required owner: root */
};
int hfi_runtime_dir_in(const struct hf_runtime_places *places, bool make, char *path,
		       size_t size) HF_MUST_CHECK HF_NONNULL;

#endif
