/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens a device and verifies that it is the requested instance. */
#ifndef HF_DEVICE_OPEN_H
#define HF_DEVICE_OPEN_H

#include "core/device/hf.h"

/*
 * What the verbs room adds to an open context before it is verified and returned, and how to undo
 * it.
 */
struct hf_open_steps {
	/*
	 * Returns what is wrong with the provider's context, as the end of "a context that ...",
	 * after releasing what can be released. NULL: nothing is wrong.
	 */
	const char *(*fault)(struct verbs_context *context, const struct hf_device *device);
	int (*prepare)(struct verbs_context *context);
	void (*undo)(struct verbs_context *context);
};

/* Opens a device: see IDENTITY in holdfast-hotplug(7). `private_data` is passed to the provider. */
int hfi_open(struct hf_device *device, const struct hf_open_steps *steps, void *private_data,
	     struct ibv_context **ret) HF_MUST_CHECK HF_NONNULL_OF(1, 2, 4);

/*
 * Makes a context from a descriptor that another process opened. It must belong to this device,
 * which the caller checks as far as possible. The context owns the descriptor once the provider has
 * been called; -EOPNOTSUPP and -ENODEV may be returned before that.
 */
int hfi_import(struct hf_device *device, int cmd_fd, const struct hf_open_steps *steps,
	       struct ibv_context **ret) HF_MUST_CHECK HF_NONNULL;

/* -ENODEV if the instance is gone or replaced, 0 while it exists. */
int hfi_verify(struct hf_device *device, const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL;

#endif
