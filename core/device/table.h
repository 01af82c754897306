/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of device instances. */
#ifndef HF_DEVICE_TABLE_H
#define HF_DEVICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/base/thread_safety.h"
#include "core/device/device.h"

struct hf_table {
	struct hf_device *by_key;			     /* uthash: root and uverbs name */
	struct hf_device *listed HF_GUARDED_BY(hfi_hf_kind); /* in list order */
	struct hf_device *
		unlisted HF_GUARDED_BY(hfi_hf_kind); /* found since the last list, in that order */
	size_t count HF_GUARDED_BY(hfi_hf_kind);
	size_t unusable; /* devices that are not ready: each list checks them again */
	uint64_t scans HF_GUARDED_BY(hfi_scan_kind);
	/*
	 * Set while a list of libibverbs is made. It has every device whose node exists, so nodes are
	 * checked only when a later call needs to know whether they can be opened.
	 */
	bool nodes_later;
	bool unchecked;	     /* some device's node was not checked */
	bool hidden_changes; /* a tree's devices can be replaced without a sign */
	bool complete;	     /* a full scan was made, and lists can tell when it is out of date */
	bool drivers_loaded; /* libibverbs would have loaded its drivers by now */
};

/* Called for each change of the table with hf->lock held: it must only record the change. */
enum hf_change_kind { HF_TABLE_ADDED, HF_TABLE_CHANGED, HF_TABLE_REMOVED };

struct hf_observer {
	bool all; /* also get devices that cannot be opened */
	void (*changed)(struct hf_observer *observer, struct hf_device *device,
			enum hf_change_kind kind, uint32_t what);
	struct hf_observer *prev, *next; /* utlist */
};

/* Call both with hf->lock held. */
void hfi_observe(struct hf *hf, struct hf_observer *observer) HF_NONNULL HF_REQUIRES(hfi_hf_kind);
void hfi_unobserve(struct hf *hf, struct hf_observer *observer) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

/* Finds a device by its RDMA name, in the first root that has it; returns a reference, or NULL. */
struct hf_device *hfi_table_find_name(struct hf *hf, const char *name) HF_MUST_CHECK HF_NONNULL;

/* Checks the nodes that were not checked yet, see struct hf_table. */
void hfi_table_check_nodes(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_scan_kind);

#endif
