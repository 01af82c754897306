/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds out what the candidates match. */
#ifndef HF_FOREIGN_LEARN_H
#define HF_FOREIGN_LEARN_H

#include "shared/attr.h"
#include "shared/attr.h"
#include "core/foreign/foreign.h"

/* Finds out what each candidate matches, or why it is refused, without loading it here. */
int hfi_foreign_learn(struct hf_foreign *foreign,
		      const struct hf_log *log) HF_MUST_CHECK HF_NONNULL;

#endif
