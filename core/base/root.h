/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A root: a tree in the shape of sysfs in which devices are found, and where their nodes are. */
#ifndef HF_BASE_ROOT_H
#define HF_BASE_ROOT_H

#include <stdbool.h>

enum { HF_NAME_SIZE = 64, HF_PATH_SIZE = 256 };

/* A root as given, without trailing slashes. */
struct hf_search_root {
	char sysfs[HF_PATH_SIZE];
	char dev[HF_PATH_SIZE];
	bool kernel; /* a real sysfs: uevents and RDMA netlink speak of it */
};

#endif
