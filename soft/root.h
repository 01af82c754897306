/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The soft root of this user, in which the library finds devices unless it is told other roots. */
#ifndef HF_SOFT_ROOT_H
#define HF_SOFT_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/attr.h"

/*
 * Finds the path of the user's soft root; with `make`, the directories down to it are made. What other users
 * can write is refused (-EPERM), as the library leaves it out. -ENOENT: there is no place for one, or
 * without `make` no root; -ENAMETOOLONG.
 */
int hfi_soft_root(bool make, char *path, size_t size) HF_MUST_CHECK HF_NONNULL;

#endif
