/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sysfs-shaped trees for tests, whose devices are added, renamed, replaced and removed like a kernel
 * does. A root R has
 *
 *	R/class/infiniband_verbs/abi_version
 *	R/class/infiniband_verbs/uverbsN/{ibdev,dev,abi_version[,device/modalias]}
 *	R/class/infiniband/NAME/{node_type,node_guid,sys_image_guid,node_desc,fw_ver}
 *	R/class/infiniband/NAME/ports/P/{state,phys_state,rate,link_layer,lid,sm_lid,cap_mask,...[,follow_netdev]}
 *	R/class/infiniband/NAME/ports/P/{gids/I,gid_attrs/types/I,gid_attrs/ndevs/I,pkeys/I}
 *	R/dev/infiniband/uverbsN		the node, see enum tree_node
 *	R/index/uverbsN, R/by_index/I, R/fake	what RDMA netlink answers, see t/lib/fakenl.c
 *
 * A reader never sees half a device, unless the options ask for one: directories are built elsewhere
 * and renamed to their place, first NAME, then uverbsN; they are removed in the reverse order. So while
 * uverbsN exists, its own NAME exists. The inode of a removed device is not reused while the tree
 * exists.
 *
 * All functions return 0 or -errno. A tree has one writer at a time, and any number of readers.
 */
#ifndef HF_TEST_TREE_H
#define HF_TEST_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct tree;

enum tree_node {
	TREE_NODE_NULL = 0, /* a symlink to /dev/null, and `dev` says 1:3: it can be opened */
	TREE_NODE_FILE,	    /* an empty plain file, and `dev` says 231:N */
	TREE_NODE_NONE,	    /* none until tree_make_node(), which makes TREE_NODE_NULL */
	TREE_NODE_WRONG,    /* a symlink to /dev/null, and `dev` says 231:N */
};

/* All members may be 0, which gives a RoCE device with one port. */
struct tree_options {
	uint64_t guid;		/* host byte order; 0: made from a counter, unique in the tree */
	const char *node_type;	/* "1: CA" */
	const char *link_layer; /* "Ethernet" */
	const char *modalias;	/* of uverbsN/device, none if NULL */
	const char *protocol;	/* for netlink: "roce"; "": not reported (before Linux 5.1) */
	const char *gid_type;	/* "RoCE v2" */
	const char *netdev;	/* of the GIDs: "eth0"; "" writes no gid_attrs/ndevs */
	const char *follow;	/* the interface that the ports follow; none if NULL */
	const char *
		uroce_path; /* as of `holdfast soft add`: "auto"; such a device has counters; none if NULL */
	unsigned int ports;	/* 1 */
	unsigned int gids;	/* size of a port's GID table, the first two are used: 4 */
	unsigned int driver_id; /* for netlink: 14, RDMA_DRIVER_RXE; ~0u: not reported */
	unsigned int abi;	/* of the driver: 2 */
	enum tree_node node;
	bool no_index;	/* netlink does not know the device */
	bool no_device; /* class/infiniband/NAME is missing (half made) */
	bool no_uverbs; /* class/infiniband_verbs/uverbsN is missing: only netlink has the device */
};

/*
 * A new empty tree below `base`, or if that is NULL below /dev/shm or $TMPDIR. tree_free() removes
 * it with everything in it.
 */
int tree_new(struct tree **ret, const char *base);
void tree_free(struct tree *tree);

/* R, and R/dev; valid as long as the tree. For HOLDFAST_ROOTS: "R:R/dev". */
const char *tree_sysfs(const struct tree *tree);
const char *tree_dev(const struct tree *tree);

/* `options` may be NULL. -EEXIST when uverbsN is taken. */
int tree_add(struct tree *tree, unsigned int n, const char *name,
	     const struct tree_options *options);
int tree_remove(struct tree *tree, unsigned int n);

/* Keeps the instance: inode, stamp and index stay, `ibdev` reads the new name. */
int tree_rename(struct tree *tree, unsigned int n, const char *name);

/*
 * Unplug and plug of another device: it has the same names, number, stamp and options, but another
 * inode, index and GUID. For a moment there is no uverbsN, as with a kernel. Safe to call between
 * any two system calls of a reader; makes no use of stdio, and of no locks but malloc's.
 */
int tree_swap(struct tree *tree, unsigned int n);

/* Adds what no_device, no_uverbs and TREE_NODE_NONE left out; the second one the node alone. */
int tree_complete(struct tree *tree, unsigned int n);
int tree_make_node(struct tree *tree, unsigned int n);

/* Changes the stamp of every device and nothing else, as drop_caches does in a kernel's sysfs. */
int tree_drop_caches(struct tree *tree);

/*
 * Writes an attribute below class/infiniband/NAME, or class/infiniband_verbs/uverbsN, in place (its
 * inode stays); a newline is added. A NULL value removes it.
 */
int tree_set(struct tree *tree, unsigned int n, const char *path, const char *value);
int tree_set_uverbs(struct tree *tree, unsigned int n, const char *path, const char *value);

/* Hides a device from netlink, as if it were in another namespace; see also "exclusive" below. */
int tree_hide(struct tree *tree, unsigned int n, bool hidden);

/*
 * Makes t/lib/fakenl.c misbehave `count` times; UINT_MAX: always, 0: no longer.
 *	"exclusive"	devices belong to one network namespace
 *	"old"		a kernel before 5.1: no char devices, no protocol
 *	"late"		the char device is not there yet (EOPNOTSUPP)
 *	"interrupt"	a dump is marked as disturbed, and its devices are nonsense
 *	"slip"		a dump passes over what its first part had no room for, as a kernel
 *			does for each device of that part that was unplugged meanwhile
 *	"enobufs"	a receive fails with ENOBUFS
 *	"eintr"		a receive fails with EINTR
 *	"stray"		other messages come before the answer
 *	"cut"		the last attribute of a message is longer than the message
 *	"mute"		no answer
 *	"refuse"	the answer is EPERM
 *	"nosocket"	socket() fails with EPROTONOSUPPORT
 */
int tree_fake(struct tree *tree, const char *fault, unsigned int count);

/* What the tree holds now, for comparing; 0 and -1 when there is no such device. */
uint64_t tree_guid(const struct tree *tree, unsigned int n);
uint64_t tree_inode(const struct tree *tree, unsigned int n); /* of uverbsN/ibdev */
int32_t tree_index(const struct tree *tree, unsigned int n);
const char *tree_name(const struct tree *tree, unsigned int n);

#endif
