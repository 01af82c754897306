/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waiting for the removal of an instance. */
#ifndef HF_DEVICE_REMOVAL_H
#define HF_DEVICE_REMOVAL_H

#include "shared/attr.h"
#include "core/device/device.h"

/*
 * A descriptor that becomes readable when the instance is removed, stays so, and is readable for no
 * other reason. Nobody reads it, so any number of epoll instances, threads and forked children can
 * share it. All users of an instance share one; it is closed with the last of them.
 */
struct hf_removal;

/*
 * Removals after this call are reported. Verify the instance afterwards to close the race.
 * -EOPNOTSUPP if removals are not reported; -EMFILE, -ENFILE, -ENOMEM, -ENODEV.
 */
int hfi_removal_get(struct hf_device *device, struct hf_removal **ret) HF_MUST_CHECK HF_NONNULL;
/* Drops a reference; may be NULL. */
void hfi_removal_put(struct hf_device *device, struct hf_removal *removal) HF_NONNULL_OF(1);

int hfi_removal_fd(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;
/*
 * In a tree that user space writes, a writer that breaks the rules removes a device without a
 * report: a thread that sleeps must then check the device periodically.
 */
bool hfi_removal_needs_checks(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;
/* False once the program has closed the descriptor. */
bool hfi_removal_is_heard(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;
bool hfi_removal_happened(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;

#endif
