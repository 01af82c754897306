/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opening a device: proven to be the one that was asked for. */
#ifndef HF_DEVICE_OPEN_H
#define HF_DEVICE_OPEN_H

#include "core/device/hf.h"

/* What the verbs room adds to an open context before it is proven and handed out, and its undoing. */
struct hf_open_steps {
	/*
	 * What is wrong with what the provider made, as the end of "a context that ..."; what can be
	 * released of it then is released. NULL: nothing is wrong.
	 */
	const char *(*fault)(struct verbs_context *context, const struct hf_device *device);
	int (*prepare)(struct verbs_context *context);
	void (*undo)(struct verbs_context *context);
};

/* Contract 3. `private_data` goes to the provider as it is. */
int hfi_open(struct hf_device *device, const struct hf_open_steps *steps, void *private_data,
	     struct ibv_context **ret) HF_MUST_CHECK HF_NONNULL_OF(1, 2, 4);

/*
 * A context on a descriptor that another process opened, of this device as far as the caller can
 * tell. The descriptor is the context's as soon as the provider was asked; -EOPNOTSUPP and -ENODEV
 * may come before that.
 */
int hfi_import(struct hf_device *device, int cmd_fd, const struct hf_open_steps *steps,
	       struct ibv_context **ret) HF_MUST_CHECK HF_NONNULL;

/* -ENODEV when the instance is gone or replaced, 0 while it is there. */
int hfi_verify(struct hf_device *device, const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL;

#endif
