/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A root: a tree in the shape of sysfs in which devices are found, and where their nodes are. */
#ifndef HF_BASE_ROOT_H
#define HF_BASE_ROOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hf_life;
struct stat;
struct timespec;

enum { HF_NAME_SIZE = 64, HF_PATH_SIZE = 256 };

/* What reports changes of a root's devices. */
enum hf_root_reports {
	HF_REPORTS_UEVENT = 1 << 0,
	HF_REPORTS_RDMA = 1 << 1,  /* RDMA netlink's notifications */
	HF_REPORTS_ROUTE = 1 << 2, /* route netlink: GIDs and state follow network interfaces */
	HF_REPORTS_INOTIFY = 1 << 3,
};

/*
 * What differs between the kernel's sysfs and a tree that user space writes. The two tables are in
 * core/device/root_kind.c; discovery and notify call what is theirs through them.
 */
struct hf_root_kind {
	uint32_t reports;   /* enum hf_root_reports */
	bool netlink;	    /* RDMA netlink knows its devices */
	bool kernel_nodes;  /* a node always leads to a driver of the kernel */
	bool unique_inodes; /* an inode number is never given out again */
	bool dir_stamps;    /* a directory's mtime changes when an entry comes or goes */
	bool late_changes;  /* GIDs change for some time after the report */

	/*
	 * Reads what identifies an instance, for the device in `dirfd` or, unless NULL, in the
	 * directory `uverbs` below it; and the time stamp. `ibdev` is the open attribute, or -1.
	 */
	int (*read_life)(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
			 struct timespec *stamp);
	/* May this file be the node of a device with that number (0: unknown)? */
	bool (*right_node)(dev_t number, const struct stat *st);
	/*
	 * A descriptor that becomes readable when the device is removed, and for no other reason.
	 * -ENODEV; -EMFILE, -ENFILE, -ENOMEM; other errors if removals are not reported.
	 */
	int (*open_removal)(const char *sysfs, const char *uverbs);
};

/* A root as given, without trailing slashes. */
struct hf_search_root {
	char sysfs[HF_PATH_SIZE];
	char dev[HF_PATH_SIZE];
	const struct hf_root_kind *kind;
	bool only_while_missing; /* the devices of netlink, as long as `sysfs` does not exist */
};

#endif
