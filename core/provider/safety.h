/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who may own and write what is loaded: one rule for libraries, manifests, configuration and directories. */
#ifndef HF_PROVIDER_SAFETY_H
#define HF_PROVIDER_SAFETY_H

#include <sys/stat.h>

#include <holdfast/reason.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

/*
 * What is wrong with a file or directory, as the end of a sentence that begins with its path; NULL where
 * nothing is.
 *
 * A process with the rights of its user takes what the dynamic loader and libibverbs would take, whoever
 * owns it, but nothing that everybody can write. The owner is not judged: a user who unpacked an image or
 * installed software for others owns the files, and in a user namespace the owner's number may stand for
 * anybody.
 *
 * A process with more rights than its user (AT_SECURE) takes only what root owns and nobody else can write.
 */
const char *hfi_safety_fault(const struct stat *st) HF_MUST_CHECK HF_NONNULL;

/* The same, as a reason. 0, or -EACCES with *reason filled. */
int hfi_safety_check(const char *path, const struct stat *st,
		     struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

/*
 * A directory, without a slash at its end: whoever can write it can replace what is in it. With AT_SECURE
 * every directory above it as well. As hfi_safety_check(); also where it cannot be looked at.
 */
int hfi_safety_check_dir(const char *dir, struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

/* The directories that passed the check while a list of files was read, so that each is checked once. */
struct hf_checked_dirs {
	char path[2][HF_PATH_MAX];
	unsigned int next;
};

/* The directory of a file that is no link; `file` has a slash in it. As hfi_safety_check_dir(). */
int hfi_safety_check_dir_of(const char *file, struct hf_checked_dirs *checked,
			    struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL_OF(1, 3);

/*
 * The directory of a file, and that of each link on the way to it: who can write where a link is can make
 * it lead elsewhere. `file` has a slash in it. As hfi_safety_check_dir().
 */
int hfi_safety_check_way(const char *file, struct hf_checked_dirs *checked,
			 struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL_OF(1, 3);

/* Fills *reason for a file that cannot be looked at, with that errno value; -EACCES. */
int hfi_safety_refuse_missing(const char *path, int error, struct hf_reason *reason) HF_NONNULL;

#endif
