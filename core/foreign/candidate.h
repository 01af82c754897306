/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_FOREIGN_CANDIDATE_H
#define HF_FOREIGN_CANDIDATE_H

#include "core/foreign/family.h"
#include "core/foreign/tables.h"
#include "core/provider/candidate.h"

void hfi_candidates_free(struct hf_candidate *candidates, size_t count);

/* Is the file one of theirs? By its name. */
bool hfi_candidates_have(const struct hf_candidate *candidates, size_t count, const char *file);

/* Puts the program's own in front; else the order stays. */
void hfi_candidates_sort(struct hf_candidate *candidates, size_t count);

/* Takes what the library matches; moved out of *tables. */
void hfi_candidate_take(struct hf_candidate *candidate, struct hf_tables *tables);
/* The same by asking it. -EINVAL, -ENOMEM. */
int hfi_candidate_take_ops(struct hf_candidate *candidate, const struct verbs_device_ops *ops);

#endif
