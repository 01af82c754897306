/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The end of an instance as something to wait for. */
#ifndef HF_DEVICE_REMOVAL_H
#define HF_DEVICE_REMOVAL_H

#include "shared/attr.h"
#include "core/device/device.h"

/*
 * A descriptor that becomes readable when the instance is removed, stays so, and is readable for no
 * other reason. Nobody reads it, so any number of epoll instances, threads and forked children share
 * it. One for all users of an instance; closed with the last.
 */
struct hf_removal;

/*
 * What is removed from now on will be told: who proves after this that the instance is still there
 * cannot miss it. -EOPNOTSUPP where nothing is heard; -EMFILE, -ENFILE, -ENOMEM, -ENODEV.
 */
int hfi_removal_get(struct hf_device *device, struct hf_removal **ret) HF_MUST_CHECK HF_NONNULL;
/* Gives it back; NULL is none. */
void hfi_removal_put(struct hf_device *device, struct hf_removal *removal) HF_NONNULL_OF(1);

int hfi_removal_fd(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;
/*
 * In a tree that user space writes, a writer that does not keep to the rules removes a device without a
 * report: then whoever sleeps must look at the device now and then as well.
 */
bool hfi_removal_needs_checks(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;
/* False once the program closed the descriptor under the library. */
bool hfi_removal_is_heard(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;
bool hfi_removal_happened(const struct hf_removal *removal) HF_MUST_CHECK HF_NONNULL;

#endif
