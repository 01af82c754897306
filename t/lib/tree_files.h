/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files and directories of made-up trees; for t/lib/tree.c. */
#ifndef HF_TEST_TREE_FILES_H
#define HF_TEST_TREE_FILES_H

#include "t/lib/tree.h"

/* Creates or overwrites in place: the inode stays, and a reader sees the old text or the new. */
int tree_put(int dirfd, const char *path, const char *value);

/* mkdir -p */
int tree_mkdirs(int dirfd, const char *path);

/* rm -r; an absent path is no error. */
int tree_erase(int dirfd, const char *path);

/* Fills an empty directory as class/infiniband/NAME or class/infiniband_verbs/uverbsN. */
int tree_fill_device(int dirfd, unsigned int n, uint64_t guid, const struct tree_options *options);
int tree_fill_uverbs(int dirfd, unsigned int n, const char *name,
		     const struct tree_options *options);

#endif
