/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Examines foreign libraries in a helper process, which may crash or hang. */
#ifndef HF_FOREIGN_SCAN_H
#define HF_FOREIGN_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/attr.h"
#include "core/foreign/shim.h"
#include "core/foreign/tables.h"

struct hf_scan_item {
	const char *file; /* a path, or a name that the loader searches for */
	struct hf_tables tables;
	bool done;	/* `tables` holds the answer, which may be a refusal */
	bool permanent; /* the answer depends on the file alone, so it can be cached */
};

/*
 * Fills the items that are not done. Returns the number of processes it took, or -errno if none
 * could be started: then items stay undone.
 */
int hfi_scan_run(const struct hf_shim_files *files, struct hf_scan_item *items,
		 size_t count) HF_MUST_CHECK HF_NONNULL;

/* What a batch's output says, for items in their order; returns how many it completed. -ENOMEM. */
int hfi_scan_take(const char *text, struct hf_scan_item *items,
		  size_t count) HF_MUST_CHECK HF_NONNULL;

#endif
