/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds out what the candidates match. */
#ifndef HF_FOREIGN_LEARN_H
#define HF_FOREIGN_LEARN_H

#include <stdint.h>

#include "shared/attr.h"
#include "core/foreign/foreign.h"

/* Reads what the cache file has into `known`, once. -ENOMEM or a shortage of descriptors. */
int hfi_foreign_read_caches(struct hf_foreign *foreign) HF_MUST_CHECK HF_NONNULL;

/* Finds out what each candidate matches, or why it is refused, without loading it here. */
int hfi_foreign_learn(struct hf_foreign *foreign,
		      const struct hf_log *log) HF_MUST_CHECK HF_NONNULL;

/*
 * The same for a device of that kernel driver: leaves out the distribution's libraries for other drivers that the
 * cache does not know. If none of the rest matches, hfi_foreign_learn() has to follow.
 */
int hfi_foreign_learn_driver(struct hf_foreign *foreign, uint32_t driver_id,
			     const struct hf_log *log) HF_MUST_CHECK HF_NONNULL;

#endif
