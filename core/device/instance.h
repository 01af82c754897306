/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One instance: made when a device is first sighted, freed with its last reference. */
#ifndef HF_DEVICE_INSTANCE_H
#define HF_DEVICE_INSTANCE_H

#include "core/device/hf.h"

/*
 * Makes an instance with one reference, the table's, and lets a provider take it if one will; why
 * not stands in ->reason. Within a scan: providers' code runs. -ENOMEM.
 */
int hfi_instance_new(struct hf *hf, const struct hf_entry *entry, uint64_t generation,
		     struct hf_device **ret) HF_MUST_CHECK HF_NONNULL HF_REQUIRES(hfi_scan_kind);

/* Gives the table's reference back. Never with hf->lock held: a provider's code may run. */
void hfi_instance_put(struct hf_device *device) HF_NONNULL HF_EXCLUDES(hfi_hf_kind);

/* Sets the current name, keeping the strings given out before. hf->lock held. -ENOMEM. */
int hfi_instance_rename(struct hf_device *device, const char *name) HF_MUST_CHECK HF_NONNULL;

/* Writes what a newer sighting knows better; returns enum hf_event_change bits. hf->lock held. */
uint32_t hfi_instance_update(struct hf_device *device,
			     const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_hf_kind);

/*
 * Why a device cannot be used, or that it can. Where there is no memory for the details they are left
 * out. hf->lock held, unless nobody else knows the device yet.
 */
void hfi_instance_set_reason(struct hf_device *device, const struct hf_reason *reason) HF_NONNULL;
void hfi_instance_get_reason(const struct hf_device *device, struct hf_reason *ret) HF_NONNULL;

/* A copy of what is known, taken under the lock. */
struct hf_entry hfi_instance_entry(struct hf_device *device) HF_MUST_CHECK HF_NONNULL
	HF_EXCLUDES(hfi_hf_kind);

/* Reads what a brief sighting left out, if it still can be; not with hf->lock held. */
int hfi_instance_complete(struct hf_device *device) HF_NONNULL HF_EXCLUDES(hfi_hf_kind);
/* The same for a sighting that knows no more than the index: before its directories are opened. */
int hfi_instance_bind(struct hf_device *device) HF_MUST_CHECK HF_NONNULL HF_EXCLUDES(hfi_hf_kind);

#endif
