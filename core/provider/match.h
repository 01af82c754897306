/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Matches a device against a manifest, or against the tables of a library. */
#ifndef HF_PROVIDER_MATCH_H
#define HF_PROVIDER_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <holdfast-provider/objects.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

/* The properties of a device that are matched. */
struct hf_match_key {
	uint32_t driver_id;
	const char *name;     /* RDMA name */
	const char *modalias; /* may be empty; NULL: call read_modalias() */
	uint32_t kernel_abi;
	const char *(*read_modalias)(void *arg); /* never NULL, may be empty */
	void *arg;
};

/* Whether a rule of the manifest matches: by driver id, or in a second pass by the other rules. */
bool hfi_manifest_matches(const struct hf_manifest *manifest, struct hf_match_key *key,
			  bool by_driver_id) HF_MUST_CHECK HF_NONNULL;

/*
 * Asks the library itself: sets device->match to the entry of its table that fits, if it has one,
 * and lets its match_device decide. Without one `by_table` says whether the table must match.
 */
bool hfi_provider_takes(const struct verbs_device_ops *ops, bool by_table,
			struct verbs_sysfs_dev *device,
			struct hf_match_key *key) HF_MUST_CHECK HF_NONNULL;

#endif
