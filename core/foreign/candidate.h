/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a library says it matches becomes its candidate's manifest. */
#ifndef HF_FOREIGN_CANDIDATE_H
#define HF_FOREIGN_CANDIDATE_H

#include "shared/attr.h"
#include "core/foreign/tables.h"
#include "core/provider/candidate.h"

/* Takes what the library matches; moved out of *tables. */
void hfi_candidate_take(struct hf_candidate *candidate, struct hf_tables *tables) HF_NONNULL;
/* The same by asking it. -EINVAL, -ENOMEM. */
int hfi_candidate_take_ops(struct hf_candidate *candidate,
			   const struct verbs_device_ops *ops) HF_MUST_CHECK HF_NONNULL;

#endif
