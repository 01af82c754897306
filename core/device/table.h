/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of instances. */
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
	struct hf_device *listed HF_GUARDED_BY(hfi_hf_kind); /* in the order of the list */
	struct hf_device *unlisted
		HF_GUARDED_BY(hfi_hf_kind); /* found since the last list, in the order found */
	size_t count HF_GUARDED_BY(hfi_hf_kind);
	size_t unusable; /* devices that are not ready: looked at again by each list */
	uint64_t scans HF_GUARDED_BY(hfi_scan_kind);
	bool user_decides;   /* some node may be opened by some users only */
	bool hidden_changes; /* the devices of a tree can be replaced without a list's noticing */
	bool complete;	     /* a full scan was made, and a list can tell when it is out of date */
	bool drivers_loaded; /* libibverbs would have loaded its drivers by now */
};

/* Called for each change of the table, with hf->lock held: it may only take notes. */
enum hf_change_kind { HF_TABLE_ADDED, HF_TABLE_CHANGED, HF_TABLE_REMOVED };

struct hf_observer {
	bool all; /* also of devices that cannot be opened */
	void (*changed)(struct hf_observer *observer, struct hf_device *device,
			enum hf_change_kind kind, uint32_t what);
	struct hf_observer *prev, *next; /* utlist */
};

/* Both with hf->lock held. */
void hfi_observe(struct hf *hf, struct hf_observer *observer) HF_NONNULL HF_REQUIRES(hfi_hf_kind);
void hfi_unobserve(struct hf *hf, struct hf_observer *observer) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

/* A device by its RDMA name; with a reference, or NULL. */
struct hf_device *hfi_table_find_name(struct hf *hf, const char *name) HF_MUST_CHECK HF_NONNULL;

#endif
