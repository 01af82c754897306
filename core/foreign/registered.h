/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Foreign libraries that registered themselves while the loader ran their constructors. */
#ifndef HF_FOREIGN_REGISTERED_H
#define HF_FOREIGN_REGISTERED_H

#include <stddef.h>
#include <sys/types.h>

#include <holdfast-provider/objects.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

/* It registered by the calls of more than one private ABI. */
enum { HF_SEVERAL_ABIS = 0 };

/*
 * What a library that is mapped has registered, or NULL; `library` is from dlopen(). *ret_abi is the
 * private ABI by whose call it did, or HF_SEVERAL_ABIS; untouched for NULL.
 */
const struct verbs_device_ops *hfi_registered_by(void *library,
						 uint32_t *ret_abi) HF_MUST_CHECK HF_NONNULL;

/* Call it before and after dlclose(): another library may get the same address later. */
void hfi_registered_forget(const struct verbs_device_ops *ops) HF_NONNULL;

struct hf_registered {
	const struct verbs_device_ops *ops;
	uint32_t abi;
	char file[HF_PATH_MAX]; /* as the loader names it */
};

/*
 * Every library that is mapped and has registered, oldest first. The caller frees *ret, which is NULL if there is
 * none. -ENOMEM.
 */
int hfi_registered_list(struct hf_registered **ret, size_t *ret_count) HF_MUST_CHECK HF_NONNULL;

#endif
