/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One instance of a device: created when it is first found, freed with its last reference. */
#ifndef HF_DEVICE_INSTANCE_H
#define HF_DEVICE_INSTANCE_H

#include "core/device/hf.h"

/*
 * Creates an instance with one reference, the table's, and offers it to the providers; ->reason
 * says why none took it. Within a scan: calls providers. -ENOMEM.
 */
int hfi_instance_new(struct hf *hf, const struct hf_entry *entry, uint64_t generation,
		     struct hf_device **ret) HF_MUST_CHECK HF_NONNULL HF_REQUIRES(hfi_scan_kind);

/* Drops the table's reference. Never call with hf->lock held: may call a provider. */
void hfi_instance_put(struct hf_device *device) HF_NONNULL HF_EXCLUDES(hfi_hf_kind);

/* Sets the current name and keeps the strings that were returned before. hf->lock held. -ENOMEM. */
int hfi_instance_rename(struct hf_device *device, const char *name) HF_MUST_CHECK HF_NONNULL;

/* Stores what a later scan found; returns enum hf_event_change bits. hf->lock held. */
uint32_t hfi_instance_update(struct hf_device *device,
			     const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_hf_kind);

/*
 * Sets the reason why a device is not usable, or that it is usable. Without memory for the details
 * they are omitted. hf->lock held, unless no other thread knows the device yet.
 */
void hfi_instance_set_reason(struct hf_device *device, const struct hf_reason *reason) HF_NONNULL;
void hfi_instance_get_reason(const struct hf_device *device, struct hf_reason *ret) HF_NONNULL;

/* A copy of the entry, taken under the lock. */
struct hf_entry hfi_instance_entry(struct hf_device *device) HF_MUST_CHECK HF_NONNULL
	HF_EXCLUDES(hfi_hf_kind);

/* Reads what a brief scan left out, if the device still exists; not with hf->lock held. */
int hfi_instance_complete(struct hf_device *device) HF_NONNULL HF_EXCLUDES(hfi_hf_kind);
/* The same for an entry that has only an index: call before its directories are opened. */
int hfi_instance_bind(struct hf_device *device) HF_MUST_CHECK HF_NONNULL HF_EXCLUDES(hfi_hf_kind);

#endif
