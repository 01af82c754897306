/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Digests of a device's ports as a stream last reported them, to find what has changed since. */
#ifndef HF_STREAM_PORT_SNAPSHOT_H
#define HF_STREAM_PORT_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

struct hf_snapshot_port {
	uint64_t gids; /* digest of the GID table */
	uint64_t rate; /* digest of the text; this and the next three: 0 is unknown */
	uint32_t state;
	uint32_t phys_state;
	int32_t link_layer;
	uint32_t netdev_mtu;
	bool missing; /* there is no such port, or it cannot be entered */
	uint32_t netdev_index;
	char netdev[16];
};

struct hf_snapshot {
	uint32_t num_ports;
	struct hf_snapshot_port ports[];
};

/*
 * Reads the ports. A port that cannot be read is marked as missing. Errors: -ENODEV (gone), -ENOMEM,
 * -EMFILE, -ENFILE. `nl` may be NULL.
 */
int hfi_snapshot_read(const struct hf_search_root *root, struct hf_nl *nl,
		      const struct hf_entry *entry, struct hf_snapshot **ret) HF_MUST_CHECK
	HF_NONNULL_OF(1, 3, 4);

/*
 * Returns what is different, as enum hf_event_change bits. A port that is missing now belongs to a
 * device that is being removed or renamed: that is no change, and *now gets its earlier values.
 */
uint32_t hfi_snapshot_compare(const struct hf_snapshot *before,
			      struct hf_snapshot *now) HF_MUST_CHECK HF_NONNULL;

/*
 * True when one of the ports uses an interface of the set. With `unknown`, a port without an
 * interface matches too: the hint may be about the interface that it is about to get.
 */
bool hfi_snapshot_concerns(const struct hf_snapshot *snapshot, const uint32_t *interfaces,
			   unsigned int count, bool unknown) HF_MUST_CHECK HF_NONNULL;

#endif
