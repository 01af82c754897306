/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Devices and nodes that a tree has. `tree` is the open directory of the root; call these with the lock held.
 * All functions return 0 or -errno.
 */
#ifndef HF_SOFT_FIND_H
#define HF_SOFT_FIND_H

#include "shared/attr.h"

/* The kernel's numbers end below: IB_UVERBS_MAX_DEVICES. */
enum { HF_SOFT_FIRST_NUMBER = 1024 };

/*
 * Lets one command at a time change the tree, until the descriptor that is stored is closed. Waits for
 * the others.
 */
int hfi_soft_lock(int tree, int *ret) HF_MUST_CHECK HF_NONNULL;

/* The number of the device of that name. -ENODEV. */
int hfi_soft_find(int tree, const char *name, unsigned int *n) HF_MUST_CHECK HF_NONNULL;

/* Makes the node of the first free number, an empty file that only the user can open. -ENOSPC: there is none. */
int hfi_soft_make_node(int tree, unsigned int *n) HF_MUST_CHECK HF_NONNULL;

/* Erases a node, and uverbsN.d, in which its provider may keep files. */
int hfi_soft_erase_node(int tree, unsigned int n);

/* Erases what a command that was killed has left: directories and nodes of no device. */
int hfi_soft_sweep(int tree);

#endif
