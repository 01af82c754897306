/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes the manifest of a candidate from the match tables of its library. */
#ifndef HF_FOREIGN_CANDIDATE_H
#define HF_FOREIGN_CANDIDATE_H

#include "shared/attr.h"
#include "core/foreign/tables.h"
#include "core/provider/candidate.h"

/* Moves the rules out of *tables into the manifest. */
void hfi_candidate_take(struct hf_candidate *candidate, struct hf_tables *tables) HF_NONNULL;
/* The same for a library that is loaded. -EINVAL, -ENOMEM. */
int hfi_candidate_take_ops(struct hf_candidate *candidate,
			   const struct verbs_device_ops *ops) HF_MUST_CHECK HF_NONNULL;

#endif
