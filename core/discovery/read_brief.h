/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads of a device only what a list needs. */
#ifndef HF_DISCOVERY_READ_BRIEF_H
#define HF_DISCOVERY_READ_BRIEF_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/sysfs.h"

/* Reads only the device number of a brief entry. Errors as hfi_entry_complete(). */
int hfi_entry_read_number(const struct hf_search_root *root, struct hf_entry *entry) HF_NONNULL;

/*
 * Reads what a list needs of one device: name, identity, ABI and node type. After any error
 * hfi_read_device() has to find out the reason.
 */
int hfi_read_brief(const struct hf_classes *classes, const char *uverbs, bool unchanged,
		   struct hf_entry *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * In a tree, a device that comes, goes or is renamed changes the time stamps of the class
 * directories. If they are the same before and after a scan, the scan saw one state, and its
 * devices need no verification.
 */
struct hf_class_stamp {
	uint64_t inode;
	struct timespec mtime;
};
struct hf_unchanged_dirs {
	struct hf_class_stamp verbs;
	struct hf_class_stamp ib;
};
bool hfi_unchanged_begin(const struct hf_search_root *root, const struct hf_classes *classes,
			 struct hf_unchanged_dirs *unchanged) HF_MUST_CHECK HF_NONNULL;
bool hfi_unchanged_holds(const struct hf_search_root *root,
			 const struct hf_unchanged_dirs *unchanged) HF_MUST_CHECK HF_NONNULL;

#endif
