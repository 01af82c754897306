/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Watches the path of a wanted directory: each directory and symbolic link on the way is a step. If
 * one of them is renamed or removed, the path may lead to another directory.
 */
#ifndef HF_NOTIFY_INOTIFY_PATH_H
#define HF_NOTIFY_INOTIFY_PATH_H

#include "shared/attr.h"
#include "core/notify/inotify_tree.h"

/*
 * Follows the path of a wanted directory and watches its steps, and the directory itself or else
 * the last one that exists. *stable: nothing had to be changed. Errors: those of
 * inotify_add_watch() for the directory, -ENOMEM.
 */
int hfi_dir_follow(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
		   bool *stable) HF_MUST_CHECK HF_NONNULL;

/* What is watched for a wanted directory. */
struct hf_dir_watch {
	int wd; /* -1: not watched */
	bool awaited;
};
struct hf_dir_watch hfi_dir_watch_of(const struct hf_watched_dir *dir) HF_MUST_CHECK HF_NONNULL;
bool hfi_dir_watch_same(const struct hf_watched_dir *dir,
			const struct hf_dir_watch *before) HF_MUST_CHECK HF_NONNULL;

#endif
