/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a stream has told of a device's ports, so that it can say what is different now. */
#ifndef HF_STREAM_PORT_SNAPSHOT_H
#define HF_STREAM_PORT_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/discovery/discovery.h"

struct hf_snapshot_port {
	uint64_t gids; /* digest of the GID table */
	uint64_t port; /* digest of state, rate, MTU, link layer */
	bool missing;  /* could not be read to the end */
	uint32_t netdev_index;
	char netdev[16];
};

struct hf_snapshot {
	uint32_t num_ports;
	struct hf_snapshot_port ports[];
};

/*
 * Reads the ports. What cannot be read of one of them is remembered as that. Errors: -ENODEV (gone),
 * -ENOMEM, -EMFILE, -ENFILE. `nl` may be NULL.
 */
int hfi_snapshot_read(const struct hf_search_root *root, struct hf_nl *nl,
		      const struct hf_entry *entry, struct hf_snapshot **ret);

/*
 * What is different, as enum hf_event_change bits. Ports that have gone missing are those of a device
 * that is being taken apart, or renamed: no change, and *now is given what was known of them.
 */
uint32_t hfi_snapshot_compare(const struct hf_snapshot *before, struct hf_snapshot *now);

/*
 * Does one of its ports stand on an interface of the set? Where `unknown`, a port without one counts
 * as well: the hint may be about the one it gets.
 */
bool hfi_snapshot_concerns(const struct hf_snapshot *snapshot, const uint32_t *interfaces,
			   unsigned int count, bool unknown);

#endif
