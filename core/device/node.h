/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The device node: the one with the right number, or none. */
#ifndef HF_DEVICE_NODE_H
#define HF_DEVICE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

struct hf;

/*
 * Opens the node and proves that it carries the entry's device number. Waits for a missing one as
 * long as wait_ms, but no longer than the instance lives. -ENODEV, -ENOENT, -EACCES, -ENXIO, or
 * what open() answers.
 */
int hfi_node_open(const struct hf_search_root *root, const struct hf_entry *entry,
		  uint32_t wait_ms) HF_MUST_CHECK HF_NONNULL;

/*
 * Is it ready to be opened? Looks at the node, within a scan. Fills *reason if not. Reads the device number of a
 * brief entry where the answer depends on it.
 */
bool hfi_device_ready(struct hf *hf, struct hf_entry *entry, struct hf_reason *reason) HF_NONNULL;

#endif
