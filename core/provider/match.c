/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fnmatch.h>
#include <stdio.h>

#include "core/base/text.h"
#include "core/provider/match.h"

/* Most devices are known by their driver or name: only for the others it has to be read. */
static const char *modalias_of(struct hf_match_key *key)
{
	if (!key->modalias)
		key->modalias = key->read_modalias(key->arg);
	return key->modalias;
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
	}
	return false;
}

bool hf_manifest_matches(const struct hf_manifest *manifest, struct hf_match_key *key,
			 bool by_driver_id)
{
	for (size_t i = 0; i < manifest->num_rules; i++)
		if (rule_matches(&manifest->rules[i], key, by_driver_id))
			return true;
	return false;
}

static bool entry_matches(const struct verbs_match_ent *entry, struct hf_match_key *key)
{
	char pattern[64];
	char by_name[128];

	switch (entry->kind) {
	case HF_MATCH_DRIVER_ID:
		return key->driver_id && entry->u.driver_id == key->driver_id;
	case HF_MATCH_PCI:
		/* The kernel's form: pci:v%08Xd%08Xsv... (scripts/mod/file2alias.c) */
		snprintf(pattern, sizeof(pattern), "pci:v%08Xd%08Xsv*", entry->vendor,
			 entry->device);
		return fnmatch(pattern, modalias_of(key), 0) == 0;
	case HF_MATCH_MODALIAS:
		if (hf_print(by_name, sizeof(by_name), "rdma_device:N%s", key->name))
			return false;
		return fnmatch(entry->u.modalias, by_name, 0) == 0 ||
		       fnmatch(entry->u.modalias, modalias_of(key), 0) == 0;
	default:
		return false;
	}
}

bool hf_provider_takes(const struct verbs_device_ops *ops, struct verbs_sysfs_dev *device,
		       struct hf_match_key *key)
{
	device->match = NULL;
	for (const struct verbs_match_ent *e = ops->match_table; e && e->kind != HF_MATCH_END; e++)
		if (entry_matches(e, key)) {
			device->match = e;
			break;
		}
	return !ops->match_device || ops->match_device(device);
}
