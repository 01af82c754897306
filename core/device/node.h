/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens device nodes, and tells whether they exist and can be opened. */
#ifndef HF_DEVICE_NODE_H
#define HF_DEVICE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

struct hf;
struct stat;

enum hf_node_mount { HF_MOUNT_UNKNOWN, HF_MOUNT_DEV, HF_MOUNT_NODEV };

/* What several checks of nodes share: it is read once for thousands of them. */
struct hf_node_look {
	uid_t euid;
	int dir;		  /* of the nodes, to find them by a short path; -1: none */
	dev_t dev;		  /* where the last node lies */
	enum hf_node_mount mount; /* of `dev` */
	bool user_decides;	  /* some node may be opened by some users only */
};

/*
 * Opens the node and verifies that it has the entry's device number. Waits for a missing node up to
 * wait_ms, but only while the instance lives. -ENODEV, -ENOENT, -EACCES, -ENXIO, or another error
 * of open().
 */
int hfi_node_open(const struct hf_search_root *root, const struct hf_entry *entry,
		  uint32_t wait_ms) HF_MUST_CHECK HF_NONNULL;

bool hfi_node_exists(const struct hf_search_root *root, const struct hf_node_look *look,
		     const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL;

/*
 * True if the node can be opened; otherwise fills *reason. Reads the device number of a brief entry
 * if it needs it.
 */
bool hfi_node_ready(const struct hf_search_root *root, struct hf_node_look *look,
		    struct hf_entry *entry, struct hf_reason *reason) HF_NONNULL;

#endif
