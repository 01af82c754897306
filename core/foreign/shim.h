/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds Holdfast's own libibverbs.so.1, which foreign libraries need, and loads it. */
#ifndef HF_FOREIGN_SHIM_H
#define HF_FOREIGN_SHIM_H

#include <holdfast/reason.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

/* The files that foreign providers need. */
struct hf_shim_files {
	char self[HF_PATH_MAX]; /* libholdfast */
	char shim[HF_PATH_MAX]; /* libibverbs.so.1 */
	char scan[HF_PATH_MAX]; /* the helper program that examines libraries; empty if missing */
};

/* Installed, moved as a whole, or in the tree they were built in. -EACCES with *reason filled. */
int hfi_shim_find(struct hf_shim_files *ret, struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

/*
 * Has the shim mapped under the name that providers ask for. *ret is for dlclose() once they are
 * mapped. -EACCES with *reason filled, as when another libibverbs.so.1 is in the process.
 */
int hfi_shim_open(const char *path, void **ret, struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

#endif
