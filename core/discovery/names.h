/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The uverbs names of a root. */
#ifndef HF_DISCOVERY_NAMES_H
#define HF_DISCOVERY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/base/root.h"

/* The uverbs names of a root in readdir order. The caller frees `v`, also after an error. */
struct hf_names {
	char (*v)[HF_NAME_SIZE];
	size_t count;
	size_t size;
	bool links; /* not all of them are directories */
};
int hfi_names_read(int verbs, struct hf_names *ret) HF_MUST_CHECK HF_NONNULL;
/*
 * readdir() may return a name twice while the directory changes: empties all but the first. Names that are empty
 * already are passed over.
 */
int hfi_names_drop_doubles(struct hf_names *names) HF_MUST_CHECK HF_NONNULL;

/* N of a name "uverbsN". */
uint64_t hfi_uverbs_number(const char *uverbs) HF_MUST_CHECK HF_NONNULL;

#endif
