/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Watches the path of a place: each directory and each symbolic link on the way is a step, and a rename
 * or removal of one of them means that the path may lead to another directory.
 */
#ifndef HF_NOTIFY_INOTIFY_PATH_H
#define HF_NOTIFY_INOTIFY_PATH_H

#include "shared/attr.h"
#include "core/notify/inotify_tree.h"

/*
 * Follows the path of a wanted place and watches its steps, and its directory or else the last one that
 * exists. *stable: everything was watched before already. Errors: those of inotify_add_watch() for the
 * directory, -ENOMEM.
 */
int hfi_place_follow(struct hf_places *places, struct hf_place *place,
		     bool *stable) HF_MUST_CHECK HF_NONNULL;

/* What is watched for a place. */
struct hf_place_watch {
	int wd; /* -1: nothing */
	bool awaited;
};
struct hf_place_watch hfi_place_watch_of(const struct hf_place *place) HF_MUST_CHECK HF_NONNULL;
bool hfi_place_watch_same(const struct hf_place *place,
			  const struct hf_place_watch *before) HF_MUST_CHECK HF_NONNULL;

#endif
