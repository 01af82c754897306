/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of the tree share. */
#ifndef RTRS_TOOLS_TREE_INTERNAL_H
#define RTRS_TOOLS_TREE_INTERNAL_H

#include "rtrs/tools/tree.h"

/* A volume has one, of which only whoever puts the tree together knows the number. */
#define BLOCK_DEVICE "rnbd-client/block/rnbd"

/* The directory of the control sockets, or -errno. */
int rtrsi_tree_open_place(const struct tree *tree) HF_MUST_CHECK HF_NONNULL;
/* With the lock. */
void rtrsi_tree_ask_processes(struct tree *tree) HF_NONNULL;

#endif
