/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Chooses the provider of a device, and loads and unloads providers. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "shared/error.h"
#include "shared/attr.h"
#include "core/base/reason.h"
#include "shared/cancel.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/foreign/foreign.h"
#include "core/foreign/learn.h"
#include "core/foreign/load.h"
#include "core/provider/library.h"
#include "core/provider/match.h"
#include "core/registry/manifests.h"
#include "core/registry/registry.h"

int hfi_registry_init(struct hf_registry *registry, const char *const *dirs,
		      const struct hf_foreign_options *foreign)
{
	size_t count = 0;

	while (dirs[count])
		count++;
	memset(registry, 0, sizeof(*registry));
	registry->dirs = calloc(count + 1, sizeof(*registry->dirs));
	if (!registry->dirs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		registry->dirs[i] = strdup(dirs[i]);
		if (!registry->dirs[i])
			goto free_dirs;
	}
	if (hfi_foreign_init(&registry->foreign, foreign))
		goto free_dirs;
	pthread_mutex_init(&registry->lock, NULL);
	pthread_cond_init(&registry->unloaded, NULL);
	return 0;

free_dirs:
	for (size_t i = 0; i < count; i++)
		free(registry->dirs[i]);
	free(registry->dirs);
	return -ENOMEM;
}

void hfi_registry_destroy(struct hf_registry *registry)
{
	hfi_candidates_free(registry->candidates, registry->num_candidates);
	hfi_foreign_destroy(&registry->foreign);
	for (size_t i = 0; registry->dirs[i]; i++)
		free(registry->dirs[i]);
	free(registry->dirs);
	pthread_cond_destroy(&registry->unloaded);
	pthread_mutex_destroy(&registry->lock);
}

static void keep_reason(struct hf_registry *registry, struct hf_candidate *candidate,
			const struct hf_reason *reason)
{
	hfi_registry_lock(registry);
	candidate->reason = *reason;
	hfi_registry_unlock(registry);
}

/* Loads the library of a candidate unless it is loaded, and counts one device on it. */
static struct hf_provider *get_library(struct hf_registry *registry, struct hf_candidate *candidate,
				       struct hf_reason *reason)
{
	/* As of the start of the scan. Checking it again for each device would cost a third of the scan. */
	const struct stat *st = &candidate->library;
	struct hf_provider *provider;
	int err;

	hfi_registry_lock(registry);
	DL_FOREACH (registry->providers, provider) {
		if (provider->dev == st->st_dev && provider->ino == st->st_ino &&
		    hfi_stamp_same(&provider->mtime, &st->st_mtim)) {
			provider->devices++;
			break;
		}
	}
	hfi_registry_unlock(registry);
	if (provider)
		return provider;
	if (candidate->family)
		err = hfi_foreign_load(&registry->foreign, candidate, &provider, reason);
	else
		err = hfi_library_load(&candidate->manifest, st, &provider, reason);
	if (err == -ENOMEM)
		hfi_reason_set(reason, HF_REASON_LOAD, "memory", "none", "%s: out of memory",
			       candidate->manifest.file);
	if (err)
		return NULL;
	provider->devices = 1;
	hfi_registry_lock(registry);
	DL_APPEND(registry->providers, provider);
	hfi_registry_unlock(registry);
	return provider;
}

static bool kernel_abi_fits(const struct hf_candidate *candidate,
			    const struct verbs_device_ops *ops, const struct hf_match_key *key,
			    struct hf_reason *reason)
{
	const uint32_t abi = key->kernel_abi;

	uint32_t min = candidate->manifest.kernel_abi_min;
	uint32_t max = candidate->manifest.kernel_abi_max;
	char wanted[64], found[64];

	if (ops && ops->match_min_abi_version > min)
		min = ops->match_min_abi_version;
	if (ops && ops->match_max_abi_version < max)
		max = ops->match_max_abi_version;
	if (abi >= min && abi <= max)
		return true;
	snprintf(wanted, sizeof(wanted), "kernel ABI %u..%u", min, max);
	snprintf(found, sizeof(found), "kernel ABI %u", abi);
	hfi_reason_set(reason, HF_REASON_KERNEL_ABI, wanted, found,
		       "provider %s supports the kernel driver's ABI %u to %u, device %s has %u",
		       candidate->manifest.name, min, max, key->name, abi);
	return false;
}

/* The reason of this device only, not of the provider. */
static struct hf_provider *not_for_device(struct hf_registry *registry,
					  struct hf_candidate *candidate,
					  const struct hf_reason *reason)
{
	hfi_registry_lock(registry);
	candidate->device_reason = *reason;
	hfi_registry_unlock(registry);
	return NULL;
}

void hfi_registry_begin_look(struct hf_registry *registry)
{
	const struct hf_reason none = {0};

	hfi_registry_lock(registry);
	for (size_t i = 0; i < registry->num_candidates; i++)
		registry->candidates[i].device_reason = none;
	for (size_t i = 0; i < registry->foreign.num_candidates; i++)
		registry->foreign.candidates[i].device_reason = none;
	hfi_registry_unlock(registry);
}

static struct hf_provider *try_candidate(struct hf_registry *registry,
					 struct hf_candidate *candidate,
					 struct verbs_sysfs_dev *device, struct hf_match_key *key,
					 struct hf_reason *reason)
{
	struct hf_provider *provider;

	if (candidate->reason.code && !candidate->again) {
		*reason = candidate->reason; /* kept until the files change */
		return NULL;
	}
	candidate->again = false;
	if (!kernel_abi_fits(candidate, NULL, key, reason))
		return not_for_device(registry, candidate, reason);
	provider = get_library(registry, candidate, reason);
	if (!provider) {
		keep_reason(registry, candidate, reason);
		return NULL;
	}
	if (candidate->reason.code)
		keep_reason(registry, candidate, &(const struct hf_reason){.code = HF_REASON_NONE});
	if (!kernel_abi_fits(candidate, provider->ops, key, reason)) {
		hfi_registry_put(registry, provider);
		return not_for_device(registry, candidate, reason);
	}
	if (!hfi_provider_takes(provider->ops, candidate->family, device, key)) {
		hfi_registry_put(registry, provider);
		hfi_reason_set(reason, HF_REASON_PROVIDER_FAILED, "the provider's consent", "none",
			       "provider %s looked at device %s and declined",
			       candidate->manifest.name, key->name);
		return not_for_device(registry, candidate, reason);
	}
	return provider;
}

/* The state of one search for one device. */
struct search {
	struct hf_registry *registry;
	const struct hf_log *log;
	struct verbs_sysfs_dev *device;
	struct hf_match_key *key;
	struct hf_reason first; /* the first reason for a refusal */
};

/* A program that uses the libibverbs shim gets libibverbs' warnings. */
static void say_own_refusal(const struct search *s, struct hf_candidate *candidate,
			    const struct hf_reason *why)
{
	if (why->code == HF_REASON_UNSAFE && !candidate->said)
		hfi_foreign_say(s->log, "Warning: couldn't load driver '%s': %s",
				candidate->manifest.file, why->text);
	else
		hf_info(s->log, "%s: %s", s->key->name, why->text);
	candidate->said |= why->code == HF_REASON_UNSAFE;
}

static struct hf_provider *try_own(struct search *s, bool by_driver_id)
{
	struct hf_registry *registry = s->registry;

	for (size_t i = 0; i < registry->num_candidates; i++) {
		struct hf_candidate *candidate = &registry->candidates[i];
		struct hf_reason why; /* large: written only for a refusal */
		struct hf_provider *provider;

		if (!hfi_manifest_matches(&candidate->manifest, s->key, by_driver_id))
			continue;
		provider = try_candidate(registry, candidate, s->device, s->key, &why);
		if (provider)
			return provider;
		say_own_refusal(s, candidate, &why);
		if (!s->first.code)
			s->first = why;
	}
	return NULL;
}

static void say_refusal(const struct search *s, const struct hf_candidate *candidate,
			const struct hf_reason *why)
{
	const struct hf_manifest *m = &candidate->manifest;

	if (why->code == HF_REASON_KERNEL_ABI)
		hfi_foreign_say(s->log,
				"Warning: Driver %s does not support the kernel ABI of %u "
				"(supports %u to %u) for device %s",
				m->name, s->key->kernel_abi, m->kernel_abi_min, m->kernel_abi_max,
				s->device->ibdev_path);
	else
		hf_info(s->log, "%s: %s", s->key->name, why->text);
}

static struct hf_provider *try_learned(struct search *s, bool by_driver_id)
{
	struct hf_foreign *foreign = &s->registry->foreign;

	for (size_t i = 0; i < foreign->num_candidates; i++) {
		struct hf_candidate *candidate = &foreign->candidates[i];
		struct hf_reason why; /* large: written only for a refusal */
		struct hf_provider *provider;

		if (!hfi_manifest_matches(&candidate->manifest, s->key, by_driver_id) &&
		    (by_driver_id || !candidate->asks))
			continue;
		provider = try_candidate(s->registry, candidate, s->device, s->key, &why);
		if (provider)
			return provider;
		say_refusal(s, candidate, &why);
		if (!s->first.code)
			s->first = why;
	}
	return NULL;
}

int hfi_registry_take_shortage(struct hf_registry *registry)
{
	const int err = registry->shortage;

	registry->shortage = 0;
	return err;
}

static struct hf_provider *keep_shortage(const struct search *s, int err)
{
	if (hfi_error_is_shortage(err))
		s->registry->shortage = err;
	return NULL;
}

static struct hf_provider *try_foreign(struct search *s, bool by_driver_id)
{
	struct hf_foreign *foreign = &s->registry->foreign;
	struct hf_provider *provider;
	int err;

	if (!foreign->config_dir)
		return NULL;
	err = hfi_registry_want_foreign(s->registry, s->log);
	if (err < 0)
		return keep_shortage(s, err);
	if (by_driver_id) {
		err = hfi_foreign_learn_driver(foreign, s->key->driver_id, s->log);
		if (err < 0)
			return keep_shortage(s, err);
		provider = try_learned(s, true);
		if (provider || foreign->learned)
			return provider;
	}
	err = hfi_foreign_learn(foreign, s->log);
	return err < 0 ? keep_shortage(s, err) : try_learned(s, by_driver_id);
}

void hfi_registry_try_named(struct hf_registry *registry, const struct hf_log *log)
{
	struct hf_foreign *foreign = &registry->foreign;

	if (!foreign->names || !foreign->config_dir || foreign->said)
		return;
	if (hfi_registry_want_foreign(registry, log) < 0 || hfi_foreign_learn(foreign, log) < 0)
		hf_debug(log, "the drivers of %s were not looked into", foreign->names_from);
}

struct hf_provider *hfi_registry_find(struct hf_registry *registry, const struct hf_log *log,
				      struct verbs_sysfs_dev *device, struct hf_match_key *key,
				      struct hf_reason *reason)
{
	struct search s;
	bool foreign_first = registry->foreign.preferred;

	s.registry = registry;
	s.log = log;
	s.device = device;
	s.key = key;
	/* Only the code: the rest is large, and is written together with a code. */
	s.first.code = HF_REASON_NONE;
	/* A driver number reported by the kernel is certain; a device name is only a convention. */
	for (int by_driver_id = key->driver_id ? 1 : 0; by_driver_id >= 0; by_driver_id--) {
		struct hf_provider *provider;

		provider = foreign_first ? try_foreign(&s, by_driver_id)
					 : try_own(&s, by_driver_id);
		if (!provider)
			provider = foreign_first ? try_own(&s, by_driver_id)
						 : try_foreign(&s, by_driver_id);
		if (provider)
			return provider;
	}
	if (!s.first.code)
		hfi_reason_set(&s.first, HF_REASON_NO_PROVIDER, "a provider that matches", "none",
			       "no provider matches the device");
	*reason = s.first;
	return NULL;
}

/* A library's destructor may fork: this thread must not wait for itself. */
static _Thread_local unsigned int unloading_here;

void hfi_registry_before_fork(struct hf_registry *registry)
{
	hfi_registry_lock(registry);
	while (registry->unloading > unloading_here)
		pthread_cond_wait(&registry->unloaded, &registry->lock);
}

void hfi_registry_after_fork(struct hf_registry *registry)
{
	hfi_registry_unlock(registry);
}

void hfi_registry_forked(void)
{
	hfi_library_forked();
}

void hfi_registry_no_object(struct hf_registry *registry, const struct hf_log *log,
			    struct hf_provider *provider, const struct verbs_sysfs_dev *device,
			    const char *name, struct hf_reason *reason)
{
	if (provider->foreign)
		hfi_foreign_say(log, "Fatal: couldn't allocate device for %s", device->ibdev_path);
	hfi_reason_set(reason, HF_REASON_PROVIDER_FAILED, "a device object", "none",
		       "provider %s could not make an object for device %s", provider->name, name);
	/* Frees the provider, if this was its only device. */
	hfi_registry_put(registry, provider);
}

void hfi_registry_fault(const struct hf_log *log, struct hf_provider *provider,
			const struct hf_reason *reason)
{
	struct hf_reason *none = NULL, *kept = malloc(sizeof(*kept));

	if (!kept)
		return;
	*kept = *reason;
	if (atomic_compare_exchange_strong(&provider->fault, &none, kept))
		hfi_foreign_say(log, "Warning: %s", reason->text);
	else
		free(kept);
}

static void unload(struct hf_registry *registry, struct hf_provider *provider)
{
	unloading_here++;
	hfi_library_unload(provider);
	unloading_here--;
	hfi_registry_lock(registry);
	registry->unloading--;
	pthread_cond_signal(&registry->unloaded);
	hfi_registry_unlock(registry);
}

/* A thread that is cancelled while it unloads would be waited for at each fork. */
void hfi_registry_put(struct hf_registry *registry, struct hf_provider *provider)
{
	bool last;

	hfi_cancel_block();
	hfi_registry_lock(registry);
	last = --provider->devices == 0;
	if (last) {
		DL_DELETE(registry->providers, provider);
		registry->unloading++;
	}
	hfi_registry_unlock(registry);
	if (last)
		unload(registry, provider);
	hfi_cancel_unblock();
}
