/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What all functions that register memory share. */
#ifndef HF_VERBS_MR_H
#define HF_VERBS_MR_H

#include <stddef.h>

#include <holdfast-provider/objects.h>

#include "shared/attr.h"

/* Protects pages that a device will write to from fork. 0, or an errno value that is in errno as well. */
int hfi_mr_protect(void *addr, size_t length, int access) HF_MUST_CHECK;
/* Keeps errno. */
void hfi_mr_unprotect(void *addr, size_t length, int access);

/* The flags that the device's kernel takes: an optional one may be left out, and older kernels refuse all of these. */
int hfi_mr_access(const struct ibv_pd *pd, unsigned int access) HF_MUST_CHECK HF_NONNULL;

/* Fills the members of a registration that the core keeps; handle and keys are the provider's. */
struct ibv_mr *hfi_mr_describe(struct ibv_mr *mr, struct ibv_pd *pd, enum ibv_mr_type type,
			       void *start, size_t length, int access);

#endif
