/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads of a device what a list needs, and no more. */
#ifndef HF_DISCOVERY_READ_BRIEF_H
#define HF_DISCOVERY_READ_BRIEF_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/sysfs.h"

/* Reads the device number of a brief entry and no more. Errors as hfi_entry_complete(). */
int hfi_entry_read_number(const struct hf_search_root *root, struct hf_entry *entry) HF_NONNULL;

/*
 * Reads of one device what a list needs: name, identity, ABI and node type. 0, or any error: then
 * hfi_sight() has to find out what is the matter.
 */
int hfi_sight_briefly(const struct hf_classes *classes, const char *uverbs, bool calm,
		      struct hf_entry *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * What comes, goes or is renamed in a tree changes its class directories' stamps. So a scan between
 * whose begin and end they are the same saw one state, and need not prove it for each device.
 */
struct hf_class_stamp {
	uint64_t inode;
	struct timespec mtime;
};
struct hf_calm {
	struct hf_class_stamp verbs;
	struct hf_class_stamp ib;
};
bool hfi_calm_begin(const struct hf_search_root *root, const struct hf_classes *classes,
		    struct hf_calm *calm) HF_MUST_CHECK HF_NONNULL;
bool hfi_calm_holds(const struct hf_search_root *root,
		    const struct hf_calm *calm) HF_MUST_CHECK HF_NONNULL;

#endif
