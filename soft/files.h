/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files and directories of a tree. All answer 0 or -errno. */
#ifndef HF_SOFT_FILES_H
#define HF_SOFT_FILES_H

#include "shared/attr.h"

/*
 * Writes a text and a newline in place: the inode stays, and a reader sees the old text or the new.
 * -E2BIG for more than 511 bytes.
 */
int hfi_soft_put(int dirfd, const char *path, const char *value) HF_MUST_CHECK HF_NONNULL;

/* As mkdir -p. */
int hfi_soft_mkdirs(int dirfd, const char *path) HF_MUST_CHECK HF_NONNULL;

/* As rm -r; an absent path is no error. */
int hfi_soft_erase(int dirfd, const char *path) HF_NONNULL;

#endif
