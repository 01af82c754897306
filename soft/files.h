/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files and directories of a tree. All functions return 0 or -errno. */
#ifndef HF_SOFT_FILES_H
#define HF_SOFT_FILES_H

#include "shared/attr.h"

/*
 * Writes a text and a newline in place: the inode stays, and a reader sees the old text or the new.
 * -E2BIG for more than 511 bytes.
 */
int hfi_soft_put(int dirfd, const char *path, const char *value) HF_MUST_CHECK HF_NONNULL;

/* Like mkdir -p. */
int hfi_soft_mkdirs(int dirfd, const char *path) HF_MUST_CHECK HF_NONNULL;

/* Like rm -r; a missing path is not an error. */
int hfi_soft_erase(int dirfd, const char *path) HF_NONNULL;

#endif
