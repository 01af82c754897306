/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Changes the table; call only within a scan, except the look-up. */
#ifndef HF_DEVICE_TABLE_INTERNAL_H
#define HF_DEVICE_TABLE_INTERNAL_H

#include "core/device/hf.h"

/* Stores what a scan found: a new instance, one that replaces an old one, or a known one. */
int hfi_table_take(struct hf *hf, const struct hf_entry *entry,
		   uint64_t scan) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);

/* Removes a device that is gone. */
void hfi_table_remove(struct hf *hf, struct hf_device *device) HF_NONNULL
	HF_REQUIRES(hfi_scan_kind);

/* Finds a device by root and uverbs name; NULL if there is none. Valid within the scan. */
struct hf_device *hfi_table_lookup(struct hf *hf, unsigned int root,
				   const char *uverbs) HF_MUST_CHECK HF_NONNULL;

/* Removes all devices, once only the table can hold references. */
void hfi_table_clear(struct hf *hf) HF_NONNULL;

#endif
