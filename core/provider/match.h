/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_PROVIDER_MATCH_H
#define HF_PROVIDER_MATCH_H

#include "core/registry/registry.h"

/* Does a rule of the manifest match? By the driver id, or, in a second pass, by all the rest. */
bool hfi_manifest_matches(const struct hf_manifest *manifest, struct hf_match_key *key,
			  bool by_driver_id);

/*
 * Asks the library itself: sets device->match to the entry of its table that fits, if it has one,
 * and lets its match_device decide. Without one `by_table` says whether the table must match.
 */
bool hfi_provider_takes(const struct verbs_device_ops *ops, bool by_table,
			struct verbs_sysfs_dev *device, struct hf_match_key *key);

#endif
