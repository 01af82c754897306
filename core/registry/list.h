/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes the array that hf_provider_list() returns. */
#ifndef HF_REGISTRY_LIST_H
#define HF_REGISTRY_LIST_H

#include "shared/attr.h"
#include "core/registry/registry.h"

/* An array of struct hf_provider_info, cut or padded to entry_size; the caller frees it. */
int hfi_registry_list(struct hf_registry *registry, size_t entry_size,
		      void **ret) HF_MUST_CHECK HF_NONNULL;

#endif
