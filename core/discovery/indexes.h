/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The entries of a directory that are numbered: ports, GIDs, P_Keys. */
#ifndef HF_DISCOVERY_INDEXES_H
#define HF_DISCOVERY_INDEXES_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

struct hf_indexes {
	uint32_t *v; /* ascending */
	size_t count;
	size_t size;
};

/*
 * Lists the entries whose names are decimal numbers of at most `max`; all other entries are ignored.
 * This is where a table ends: reading it until an entry is missing would stop at the first gap. The
 * caller frees *ret, also after an error. Errors: those of open() and readdir(), -E2BIG, -ENOMEM.
 */
int hfi_indexes_read(int dir, uint32_t max, struct hf_indexes *ret) HF_MUST_CHECK HF_NONNULL;
void hfi_indexes_free(struct hf_indexes *indexes) HF_NONNULL;

#endif
