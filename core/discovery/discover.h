/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The devices of a root: from sysfs on held directories and from RDMA netlink, merged. */
#ifndef HF_DISCOVERY_DISCOVER_H
#define HF_DISCOVERY_DISCOVER_H

#include "shared/attr.h"
#include "core/discovery/entry.h"

/*
 * HF_READ_BRIEF: read of each device only what a list needs, unless netlink reports the rest; see
 * hfi_entry_complete().
 */
enum hf_sources { HF_SOURCE_SYSFS = 1, HF_SOURCE_NETLINK = 2, HF_READ_BRIEF = 4 };

/*
 * Appends every device of a root, in the order in which libibverbs would find them: by netlink
 * index where netlink answers, else in readdir order. An entry that cannot be read is appended with
 * its reason (HALF_MADE, OTHER_NETNS); a device that disappears meanwhile is not. A root that does
 * not exist has no devices. `nl` may be NULL. A device without a uverbs node is not listed. Errors:
 * -EIO, -EMFILE, -ENFILE, -ENOMEM, -EACCES; entries are then unchanged.
 */
int hfi_discover(const struct hf_search_root *root, unsigned int root_index, unsigned int sources,
		 struct hf_nl *nl, struct hf_entries *entries) HF_MUST_CHECK HF_NONNULL_OF(1, 5);

/* The same for the one device that has this uverbs name now; -ENODEV: there is none. */
int hfi_discover_one(const struct hf_search_root *root, unsigned int root_index,
		     unsigned int sources, struct hf_nl *nl, const char *uverbs,
		     struct hf_entry *ret) HF_MUST_CHECK HF_NONNULL_OF(1, 5, 6);

#endif
