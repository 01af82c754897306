/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Scans the roots and updates the table. */
#ifndef HF_DEVICE_SCAN_H
#define HF_DEVICE_SCAN_H

#include "shared/attr.h"
#include "core/device/hf.h"

/*
 * Scans every root, or one device by its uverbs name, updates the table and notifies observers.
 * Call between hfi_scan_begin() and hfi_scan_end(). 0 or the -errno of hfi_discover() or
 * hfi_registry_refresh().
 */
int hfi_table_scan(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);
int hfi_table_scan_one(struct hf *hf, unsigned int root,
		       const char *uverbs) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);
/*
 * Scans the devices that exist but are not ready; returns how many are still not ready, or -errno.
 */
int hfi_table_scan_unready(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);

/* True if it is enough for this scan that the node exists, and it does. */
bool hfi_postpone_node_check(struct hf *hf, const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind);

/* The netlink socket, opened when first needed; NULL if there is none. Only within a scan. */
struct hf_nl *hfi_netlink(struct hf *hf, const struct hf_search_root *root) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_netlink_kind);
unsigned int hfi_sources(const struct hf *hf,
			 const struct hf_search_root *root) HF_MUST_CHECK HF_NONNULL;

#endif
