/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Loads a foreign library into this process. */
#ifndef HF_FOREIGN_LOAD_H
#define HF_FOREIGN_LOAD_H

#include "shared/attr.h"
#include "shared/attr.h"
#include "core/foreign/foreign.h"

/* As hfi_library_load(). */
int hfi_foreign_load(const struct hf_foreign *foreign, const struct hf_candidate *candidate,
		     struct hf_provider **ret, struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

#endif
