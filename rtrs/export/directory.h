/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files below one directory, opened by what a client says. */
#ifndef RTRS_EXPORT_DIRECTORY_H
#define RTRS_EXPORT_DIRECTORY_H

#include "shared/attr.h"

/*
 * A descriptor of a plain file or block device below the directory: `path` is relative, of components that are
 * neither empty nor "." nor "..". No component is a symbolic link, and nothing else than these two kinds of
 * files is opened, not for a moment. `flags` as of open(2). -EINVAL: another path, or another kind of file.
 */
int rtrsi_directory_open(int directory, const char *path, int flags) HF_MUST_CHECK HF_NONNULL;
/* The same without openat2(2), as on a kernel that does not have it. */
int rtrsi_directory_open_by_steps(int directory, const char *path,
				  int flags) HF_MUST_CHECK HF_NONNULL;

#endif
