/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A driver whose only library here is for a private ABI that this library does not take. */
#ifndef HF_FOREIGN_OTHER_ABI_H
#define HF_FOREIGN_OTHER_ABI_H

#include "shared/attr.h"
#include "core/provider/candidate.h"

/*
 * If the library that the candidate's manifest names, by path or by name, is missing: searches its
 * directory, or the distribution's, for the same driver with another ABI. If there is one, that
 * becomes the reason.
 */
void hfi_other_abi_name(struct hf_candidate *candidate) HF_NONNULL;
/* The path of that library; without one, the file that the manifest names. */
void hfi_other_abi_file(const struct hf_candidate *candidate, char *ret, size_t size) HF_NONNULL;

#endif
