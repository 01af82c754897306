/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Devices that come into a tree and leave it, each in one step; holdfast-roots(7) has the files. `tree`
 * is the open directory of the root. All answer 0 or -errno.
 */
#ifndef HF_SOFT_TREE_H
#define HF_SOFT_TREE_H

#include "shared/attr.h"
#include "soft/device.h"

/* The class directories and that of the nodes, where they are missing. */
int hfi_soft_tree_make(int tree) HF_MUST_CHECK;

/*
 * Builds a directory aside and renames it to `path`: readers see nothing, or all that fill() put into
 * it. -EEXIST where something is there.
 */
int hfi_soft_place(int tree, const char *path, int (*fill)(int dirfd, void *arg),
		   void *arg) HF_MUST_CHECK HF_NONNULL_OF(2, 3);

/*
 * Takes a directory out of sight with one rename, and announces that to the programs that have it open
 * if it is a device's. -errno; -EMFILE, -ENFILE and -ENOMEM before anything was done.
 */
int hfi_soft_move_away(int tree, const char *path, const char *to) HF_MUST_CHECK HF_NONNULL;
/* The same, and then erases it. */
int hfi_soft_take_away(int tree, const char *path) HF_NONNULL;

/*
 * A device that appears whole: class/infiniband/NAME first, then uverbsN. -EEXIST, and -EINVAL for a
 * name that is none. The node must be there already.
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
 * The reverse. Programs that have the device open are told once it is out of sight, also when this
 * process is killed in the middle. The node stays.
 */
int hfi_soft_unplug(int tree, unsigned int n, const char *name) HF_MUST_CHECK HF_NONNULL;

#endif
