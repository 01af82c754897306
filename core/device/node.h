/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens the device node that has the right device number. */
#ifndef HF_DEVICE_NODE_H
#define HF_DEVICE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

struct hf;

/*
 * Opens the node and verifies that it has the entry's device number. Waits for a missing node up to
 * wait_ms, but only while the instance lives. -ENODEV, -ENOENT, -EACCES, -ENXIO, or another error
 * of open().
 */
int hfi_node_open(const struct hf_search_root *root, const struct hf_entry *entry,
		  uint32_t wait_ms) HF_MUST_CHECK HF_NONNULL;

/*
 * True if the node can be opened; otherwise fills *reason. Call within a scan. Reads the device
 * number of a brief entry if it needs it.
 */
bool hfi_device_ready(struct hf *hf, struct hf_entry *entry, struct hf_reason *reason) HF_NONNULL;

#endif
