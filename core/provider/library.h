/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Checks, loads and unloads a provider library. */
#ifndef HF_PROVIDER_LIBRARY_H
#define HF_PROVIDER_LIBRARY_H

#include "shared/attr.h"
#include "core/provider/candidate.h"
#include "core/provider/safety.h"

/* Regular, there, and safe, as is the way to it: see safety.h. As hfi_library_check(). */
int hfi_library_check_file(const char *file, struct stat *st, struct hf_checked_dirs *checked,
			   struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL_OF(1, 2, 4);

/* Loads it without asking for its descriptor. Errors as hfi_library_load(). */
int hfi_library_open(const char *file, const struct stat *st, struct hf_provider **ret,
		     struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

/*
 * Checks what shows without mapping the file: that it is there, safe, and that the ABI numbers of
 * manifest and file name agree and are in range. Fills *st. `checked` may be NULL. 0, or -EACCES with
 * *reason filled.
 */
int hfi_library_check(const struct hf_manifest *manifest, struct stat *st,
		      struct hf_checked_dirs *checked, struct hf_reason *reason) HF_MUST_CHECK
	HF_NONNULL_OF(1, 2, 4);

/*
 * Maps it and takes its descriptor. 0; -EACCES with *reason filled when it is refused; -ENOMEM.
 * `st` is what hfi_library_check() saw: another file in its place is refused.
 */
int hfi_library_load(const struct hf_manifest *manifest, const struct stat *st,
		     struct hf_provider **ret, struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;

void hfi_library_unload(struct hf_provider *provider) HF_NONNULL;

/* In the child of a fork, before it does anything else here. */
void hfi_library_forked(void);

#endif
