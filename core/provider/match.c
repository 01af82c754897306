/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Matches a device against a manifest, or against the tables of a library. */
#include <fnmatch.h>
#include <stdio.h>

#include "shared/text.h"
#include "core/provider/match.h"

/* Read the modalias only when it is needed: most devices match by driver or name. */
static const char *modalias_of(struct hf_match_key *key)
{
	if (!key->modalias)
		key->modalias = key->read_modalias(key->arg);
	return key->modalias;
}

/* How a match table of libibverbs writes a device name. */
static bool name_matches(const char *pattern, const struct hf_match_key *key)
{
	char by_name[128];

	return hfi_print(by_name, sizeof(by_name), "rdma_device:N%s", key->name) == 0 &&
	       fnmatch(pattern, by_name, 0) == 0;
}

static bool rule_matches(const struct hf_rule *rule, struct hf_match_key *key, bool by_driver_id)
{
	switch (rule->kind) {
	case HF_RULE_DRIVER_ID:
		return by_driver_id && key->driver_id == rule->driver_id;
	case HF_RULE_NAME:
		return !by_driver_id && fnmatch(rule->pattern, key->name, 0) == 0;
	case HF_RULE_MODALIAS:
		return !by_driver_id && modalias_of(key)[0] &&
		       fnmatch(rule->pattern, modalias_of(key), 0) == 0;
	case HF_RULE_EITHER:
		return !by_driver_id && (name_matches(rule->pattern, key) ||
					 fnmatch(rule->pattern, modalias_of(key), 0) == 0);
	}
	return false;
}

bool hfi_manifest_matches(const struct hf_manifest *manifest, struct hf_match_key *key,
			  bool by_driver_id)
{
	for (size_t i = 0; i < manifest->num_rules; i++)
		if (rule_matches(&manifest->rules[i], key, by_driver_id))
			return true;
	return false;
}

/* libibverbs searches the table three times; the order decides which entry it finds. */
enum pass { BY_DRIVER_ID, BY_NAME, BY_MODALIAS, NUM_PASSES };

static bool entry_matches(const struct verbs_match_ent *entry, struct hf_match_key *key,
			  enum pass pass)
{
	char pattern[64];

	switch (entry->kind) {
	case HF_MATCH_DRIVER_ID:
		return pass == BY_DRIVER_ID && key->driver_id &&
		       entry->u.driver_id == key->driver_id;
	case HF_MATCH_PCI:
		if (pass != BY_MODALIAS)
			return false;
		/* The kernel's form: pci:v%08Xd%08Xsv... (scripts/mod/file2alias.c) */
		snprintf(pattern, sizeof(pattern), "pci:v%08Xd%08Xsv*", entry->vendor,
			 entry->device);
		return fnmatch(pattern, modalias_of(key), 0) == 0;
	case HF_MATCH_MODALIAS:
		if (pass == BY_NAME)
			return name_matches(entry->u.modalias, key);
		return pass == BY_MODALIAS && fnmatch(entry->u.modalias, modalias_of(key), 0) == 0;
	default:
		return false;
	}
}

static const struct verbs_match_ent *find_entry(const struct verbs_device_ops *ops,
						struct hf_match_key *key)
{
	for (int pass = BY_DRIVER_ID; pass < NUM_PASSES; pass++)
		for (const struct verbs_match_ent *e = ops->match_table;
		     e && e->kind != HF_MATCH_END; e++)
			if (entry_matches(e, key, (enum pass)pass))
				return e;
	return NULL;
}

bool hfi_provider_takes(const struct verbs_device_ops *ops, bool by_table,
			struct verbs_sysfs_dev *device, struct hf_match_key *key)
{
	device->match = find_entry(ops, key);
	if (ops->match_device)
		return ops->match_device(device);
	return device->match || !by_table;
}
