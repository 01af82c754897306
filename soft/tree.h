/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Adds devices to a tree and removes them, each in one step; holdfast-roots(7) describes the files.
 * `tree` is the open directory of the root. All functions return 0 or -errno.
 */
#ifndef HF_SOFT_TREE_H
#define HF_SOFT_TREE_H

#include "shared/attr.h"
#include "soft/device.h"

/* Creates the class directories and the node directory if they are missing. */
int hfi_soft_tree_make(int tree) HF_MUST_CHECK;

/*
 * Builds a directory elsewhere and renames it to `path`: readers see either nothing, or everything
 * that fill() put into it. -EEXIST if the path exists.
 */
int hfi_soft_place(int tree, const char *path, int (*fill)(int dirfd, void *arg),
		   void *arg) HF_MUST_CHECK HF_NONNULL_OF(2, 3);

/*
 * Removes a directory from readers' view with one rename; if it is a device's, reports that to the
 * programs that have the device open. -errno; -EMFILE, -ENFILE and -ENOMEM before any change.
 */
int hfi_soft_move_away(int tree, const char *path, const char *to) HF_MUST_CHECK HF_NONNULL;
/* The same, and then erases it. */
int hfi_soft_take_away(int tree, const char *path) HF_NONNULL;

/*
 * Adds a complete device: class/infiniband/NAME first, then uverbsN. -EEXIST, and -EINVAL for an
 * invalid name. The node must exist already.
 */
int hfi_soft_plug(int tree, unsigned int n, const char *name,
		  const struct hf_soft_device *device) HF_MUST_CHECK HF_NONNULL;

/*
 * Port `port` of a device that is there follows the network interface from now on; NULL: none. -EINVAL for
 * names that are none, -ENOENT where there is no such port.
 */
int hfi_soft_port_follow(int tree, const char *name, unsigned int port,
			 const char *netdev) HF_MUST_CHECK HF_NONNULL_OF(2);

/*
 * The reverse. Programs that have the device open are notified once it is out of view, even if this
 * process is killed meanwhile. The node stays.
 */
int hfi_soft_unplug(int tree, unsigned int n, const char *name) HF_MUST_CHECK HF_NONNULL;

#endif
