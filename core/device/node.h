/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The device node: the one with the right number, or none. */
#ifndef HF_DEVICE_NODE_H
#define HF_DEVICE_NODE_H

#include "core/device/table.h"

/*
 * Opens the node and proves that it carries the entry's device number. Waits for a missing one as
 * long as wait_ms, but no longer than the instance lives. -ENODEV, -ENOENT, -EACCES, -ENXIO, or
 * what open() answers.
 */
int hfi_node_open(const struct hf_search_root *root, const struct hf_entry *entry,
		  uint32_t wait_ms);

#endif
