/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* hf_provider_list(): describes each provider. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/foreign/family.h"
#include "core/foreign/other_abi.h"
#include "core/registry/list.h"
#include "core/registry/registry.h"

HF_REQUIRES(hfi_registry_kind)
static void fill_provider_info(const struct hf_registry *registry,
			       const struct hf_candidate *candidate, struct hf_provider_info *info)
{
	const struct hf_provider *provider;
	const struct hf_reason *fault;

	snprintf(info->name, sizeof(info->name), "%s", candidate->manifest.name);
	snprintf(info->version, sizeof(info->version), "%s", candidate->manifest.version);
	snprintf(info->manifest, sizeof(info->manifest), "%s", candidate->manifest.path);
	snprintf(info->file, sizeof(info->file), "%s", candidate->manifest.file);
	info->abi = candidate->manifest.abi;
	info->abi_min = candidate->family ? candidate->family->abi : HF_PROVIDER_ABI_MIN;
	info->abi_max = candidate->family ? candidate->family->abi : HF_PROVIDER_ABI_MAX;
	if (candidate->family)
		snprintf(info->family, sizeof(info->family), "%s", candidate->family->name);
	if (candidate->other_abi) {
		hfi_other_abi_file(candidate, info->file, sizeof(info->file));
		info->abi = candidate->other_abi;
		snprintf(info->family, sizeof(info->family), "rdmav%u", candidate->other_abi);
	}
	if (candidate->profile)
		snprintf(info->layout, sizeof(info->layout), "rdma-core %u to %u",
			 candidate->profile->first, candidate->profile->last);
	info->reason = candidate->reason;
	DL_FOREACH (registry->providers, provider) {
		if (strcmp(provider->file, info->file) != 0)
			continue;
		info->loaded = 1;
		fault = atomic_load(&provider->fault);
		if (fault)
			info->reason = *fault;
		info->devices += provider->devices;
	}
	/* A provider that serves no device has nothing else to report. */
	if (!info->reason.code && !info->devices)
		info->reason = candidate->device_reason;
}

int hfi_registry_list(struct hf_registry *registry, size_t entry_size, void **ret)
{
	size_t count, own, all, bytes = entry_size;
	struct hf_provider_info info;
	char *list;

	if (bytes > sizeof(info))
		bytes = sizeof(info);
	hfi_registry_lock(registry);
	own = registry->num_candidates;
	count = registry->foreign.num_candidates;
	all = own + count;
	list = calloc(all + 1, entry_size);
	for (size_t i = 0; list && i < all; i++) {
		/* In the order in which they are tried. */
		size_t at = registry->foreign.preferred ? (i + own) % (all ? all : 1) : i;
		const struct hf_candidate *candidate =
			at < own ? &registry->candidates[at]
				 : &registry->foreign.candidates[at - own];

		memset(&info, 0, sizeof(info));
		fill_provider_info(registry, candidate, &info);
		memcpy(list + i * entry_size, &info, bytes);
	}
	hfi_registry_unlock(registry);
	if (!list)
		return -ENOMEM;
	*ret = list;
	return (int)all;
}
