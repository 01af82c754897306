/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What changes the table; all but the look-up within a scan only. */
#ifndef HF_DEVICE_TABLE_INTERNAL_H
#define HF_DEVICE_TABLE_INTERNAL_H

#include "core/device/hf.h"

/* Writes a sighting down: a new instance, another one in an old one's place, or a known one. */
int hfi_table_take(struct hf *hf, const struct hf_entry *entry,
		   uint64_t scan) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);

/* The device is gone. */
void hfi_table_remove(struct hf *hf, struct hf_device *device) HF_NONNULL
	HF_REQUIRES(hfi_scan_kind);

/* By its root and uverbs name, or NULL; valid within the scan. */
struct hf_device *hfi_table_lookup(struct hf *hf, unsigned int root,
				   const char *uverbs) HF_MUST_CHECK HF_NONNULL;

/* Forgets all, when nobody but the table can hold a reference any more. */
void hfi_table_clear(struct hf *hf) HF_NONNULL;

#endif
