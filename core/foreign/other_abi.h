/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A driver whose only library here is for a private ABI that this library does not take. */
#ifndef HF_FOREIGN_OTHER_ABI_H
#define HF_FOREIGN_OTHER_ABI_H

#include "shared/attr.h"
#include "core/provider/candidate.h"

/*
 * Where the library that the candidate's manifest names, a path or a name without a directory, is missing:
 * looks beside it, or in the distribution's directory, for the same driver's of another ABI. If there is one,
 * that is the reason; else the reason stays.
 */
void hfi_other_abi_name(struct hf_candidate *candidate) HF_NONNULL;

#endif
