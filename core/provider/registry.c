/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/base/attr.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/reason.h"
#include "core/base/stamp.h"
#include "core/base/text.h"
#include "core/foreign/candidate.h"
#include "core/provider/load.h"
#include "core/provider/match.h"
#include "core/provider/registry.h"

enum { CANDIDATES_MAX = 4096 };

int hf_registry_init(struct hf_registry *registry, const char *const *dirs,
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
	if (hf_foreign_init(&registry->foreign, foreign))
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

void hf_registry_destroy(struct hf_registry *registry)
{
	hf_candidates_free(registry->candidates, registry->num_candidates);
	hf_foreign_destroy(&registry->foreign);
	for (size_t i = 0; registry->dirs[i]; i++)
		free(registry->dirs[i]);
	free(registry->dirs);
	pthread_cond_destroy(&registry->unloaded);
	pthread_mutex_destroy(&registry->lock);
}

/* The manifests as they stand now, before they replace those of the registry. */
struct reading {
	struct hf_candidate *v;
	size_t count;
	uint64_t print; /* of every file's identity: differs when anything was touched */
};

static void add_to_print(uint64_t *print, uint64_t value)
{
	/* FNV-1a, 64 bit, over the value's bytes. */
	for (int i = 0; i < 8; i++) {
		*print ^= (value >> (8 * i)) & 0xff;
		*print *= 0x100000001b3u;
	}
}

static void add_file_to_print(uint64_t *print, const struct stat *st)
{
	add_to_print(print, st->st_dev);
	add_to_print(print, st->st_ino);
	add_to_print(print, (uint64_t)st->st_mtim.tv_sec);
	add_to_print(print, (uint64_t)st->st_mtim.tv_nsec);
	add_to_print(print, ((uint64_t)st->st_mode << 32) | st->st_uid);
}

static bool known_name(const struct reading *reading, const char *name)
{
	for (size_t i = 0; i < reading->count; i++)
		if (name[0] && !strcmp(reading->v[i].manifest.name, name) &&
		    reading->v[i].reason.code != HF_REASON_UNSAFE)
			return true;
	return false;
}

static int read_manifest(struct reading *reading, const char *path)
{
	struct hf_candidate candidate = {0};
	struct hf_candidate *grown;
	struct stat st;
	char *text;
	ssize_t length;
	int err = 0, unsafe = 0;

	text = malloc(HF_MANIFEST_MAX + 1);
	if (!text)
		return -ENOMEM;
	length = hf_read_file(AT_FDCWD, path, text, HF_MANIFEST_MAX + 1, &st);
	if (length >= 0) {
		add_file_to_print(&reading->print, &st);
		err = hf_manifest_parse(path, text, (size_t)length, &candidate.manifest,
					&candidate.reason);
		if (!err)
			unsafe = hf_library_check_owner(path, &st, &candidate.reason);
	} else {
		hf_reason_set(&candidate.reason, HF_REASON_BAD_MANIFEST, "a readable text file",
			      strerrordesc_np((int)-length), "%s: %s", path,
			      strerrordesc_np((int)-length));
	}
	free(text);
	if (err == -ENOMEM)
		return -ENOMEM;
	/* What was not read must not be taken for what is not there. */
	if (hf_error_is_shortage((int)length))
		return (int)length;
	if (length == -ENOENT || known_name(reading, candidate.manifest.name))
		goto clear; /* gone meanwhile, or an earlier directory's provider of that name wins */
	if (candidate.reason.code && !unsafe)
		snprintf(candidate.manifest.path, sizeof(candidate.manifest.path), "%s", path);
	else if (!unsafe &&
		 hf_library_check(&candidate.manifest, &candidate.library, &candidate.reason) == 0)
		candidate.reason.code = HF_REASON_NONE;
	add_file_to_print(&reading->print, &candidate.library);
	add_to_print(&reading->print, candidate.reason.code);
	grown = reallocarray(reading->v, reading->count + 1, sizeof(*grown));
	if (!grown) {
		err = -ENOMEM;
		goto clear;
	}
	reading->v = grown;
	reading->v[reading->count++] = candidate;
	return 0;

clear:
	hf_manifest_clear(&candidate.manifest);
	return err;
}

static int is_manifest(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strcmp(dot, ".provider");
}

static int read_dir(struct reading *reading, const char *dir, const struct hf_log *log)
{
	struct dirent **names;
	char path[HF_PATH_MAX];
	int count, err = 0;

	errno = 0;
	count = scandir(dir, &names, is_manifest, alphasort);
	if (count < 0) {
		if (hf_error_is_shortage(-errno))
			return -errno;
		hf_debug(log, "provider directory %s: %s", dir, strerrordesc_np(errno));
		return 0;
	}
	for (int i = 0; i < count; i++) {
		if (!err && reading->count < CANDIDATES_MAX &&
		    hf_print(path, sizeof(path), "%s/%s", dir, names[i]->d_name) == 0)
			err = read_manifest(reading, path);
		free(names[i]);
	}
	free(names);
	return err;
}

/*
 * A library that looked right and was not to be had may have lacked descriptors, memory or another
 * library that is installed by now: nothing of that shows in its own file. Once in each scan.
 */
static int try_again(struct hf_registry *registry, const struct reading *same)
{
	int any = 0;

	for (size_t i = 0; i < registry->num_candidates; i++) {
		struct hf_candidate *candidate = &registry->candidates[i];
		enum hf_reason_code code = candidate->reason.code;

		candidate->again = !same->v[i].reason.code &&
				   (code == HF_REASON_LOAD || code == HF_REASON_FILE_MISSING);
		any |= candidate->again;
	}
	return any;
}

static int refresh_foreign(struct hf_registry *registry, const struct hf_log *log)
{
	struct hf_foreign *foreign = &registry->foreign;
	struct hf_candidate *fresh, *old;
	size_t count, old_count;
	int changed;

	if (!registry->foreign_wanted)
		return 0;
	changed = hf_foreign_read(foreign, log, &fresh, &count);
	if (changed <= 0)
		return changed;
	pthread_mutex_lock(&registry->lock);
	old = foreign->candidates;
	old_count = foreign->num_candidates;
	foreign->candidates = fresh;
	foreign->num_candidates = count;
	pthread_mutex_unlock(&registry->lock);
	hf_candidates_free(old, old_count);
	return 1;
}

int hf_registry_want_foreign(struct hf_registry *registry, const struct hf_log *log)
{
	if (registry->foreign_wanted)
		return 0;
	registry->foreign_wanted = true;
	return refresh_foreign(registry, log);
}

static int refresh_own(struct hf_registry *registry, const struct hf_log *log)
{
	struct reading reading = {.print = 0xcbf29ce484222325u};
	struct hf_candidate *old;
	size_t old_count;
	int err = 0;

	for (size_t i = 0; registry->dirs[i] && !err; i++)
		err = read_dir(&reading, registry->dirs[i], log);
	if (err || (registry->read && reading.print == registry->print)) {
		if (!err)
			err = try_again(registry, &reading);
		hf_candidates_free(reading.v, reading.count);
		return err;
	}
	pthread_mutex_lock(&registry->lock);
	old = registry->candidates;
	old_count = registry->num_candidates;
	registry->candidates = reading.v;
	registry->num_candidates = reading.count;
	registry->print = reading.print;
	registry->read = true;
	pthread_mutex_unlock(&registry->lock);
	hf_candidates_free(old, old_count);
	return 1;
}

int hf_registry_refresh(struct hf_registry *registry, const struct hf_log *log)
{
	int own, foreign;

	own = refresh_own(registry, log);
	if (own < 0)
		return own;
	foreign = refresh_foreign(registry, log);
	return foreign < 0 ? foreign : own | foreign;
}

static void keep_reason(struct hf_registry *registry, struct hf_candidate *candidate,
			const struct hf_reason *reason)
{
	pthread_mutex_lock(&registry->lock);
	candidate->reason = *reason;
	pthread_mutex_unlock(&registry->lock);
}

/* The library of a candidate that is mapped already, or is mapped now; one device counted. */
static struct hf_provider *get_library(struct hf_registry *registry, struct hf_candidate *candidate,
				       struct hf_reason *reason)
{
	/* As the look began. Checking it for each device again would be a third of a look's cost. */
	const struct stat *st = &candidate->library;
	struct hf_provider *provider;
	int err;

	pthread_mutex_lock(&registry->lock);
	DL_FOREACH (registry->providers, provider) {
		if (provider->dev == st->st_dev && provider->ino == st->st_ino &&
		    hf_stamp_same(&provider->mtime, &st->st_mtim)) {
			provider->devices++;
			break;
		}
	}
	pthread_mutex_unlock(&registry->lock);
	if (provider)
		return provider;
	if (candidate->family)
		err = hf_foreign_load(&registry->foreign, candidate, &provider, reason);
	else
		err = hf_library_load(&candidate->manifest, st, &provider, reason);
	if (err == -ENOMEM)
		hf_reason_set(reason, HF_REASON_LOAD, "memory", "none", "%s: out of memory",
			      candidate->manifest.file);
	if (err)
		return NULL;
	provider->devices = 1;
	pthread_mutex_lock(&registry->lock);
	DL_APPEND(registry->providers, provider);
	pthread_mutex_unlock(&registry->lock);
	return provider;
}

static bool kernel_abi_fits(const struct hf_candidate *candidate,
			    const struct verbs_device_ops *ops, uint32_t abi,
			    struct hf_reason *reason)
{
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
	hf_reason_set(reason, HF_REASON_KERNEL_ABI, wanted, found,
		      "provider %s supports the kernel driver's ABI %u to %u, the kernel has %u",
		      candidate->manifest.name, min, max, abi);
	return false;
}

static struct hf_provider *try_candidate(struct hf_registry *registry,
					 struct hf_candidate *candidate,
					 struct verbs_sysfs_dev *device, struct hf_match_key *key,
					 struct hf_reason *reason)
{
	struct hf_provider *provider;

	if (candidate->reason.code && candidate->reason.code != HF_REASON_KERNEL_ABI &&
	    !candidate->again) {
		*reason = candidate->reason; /* stands until the files change */
		return NULL;
	}
	candidate->again = false;
	if (!kernel_abi_fits(candidate, NULL, key->kernel_abi, reason))
		goto refused;
	provider = get_library(registry, candidate, reason);
	if (!provider)
		goto refused;
	if (candidate->reason.code != HF_REASON_KERNEL_ABI)
		keep_reason(registry, candidate, &(const struct hf_reason){.code = HF_REASON_NONE});
	if (!kernel_abi_fits(candidate, provider->ops, key->kernel_abi, reason)) {
		hf_registry_put(registry, provider);
		goto refused;
	}
	if (!hf_provider_takes(provider->ops, candidate->family, device, key)) {
		hf_registry_put(registry, provider);
		hf_reason_set(reason, HF_REASON_PROVIDER_FAILED, "the provider's consent", "none",
			      "provider %s looked at the device and declined",
			      candidate->manifest.name);
		return NULL;
	}
	return provider;

refused:
	keep_reason(registry, candidate, reason);
	return NULL;
}

/* One look for one device. */
struct search {
	struct hf_registry *registry;
	const struct hf_log *log;
	struct verbs_sysfs_dev *device;
	struct hf_match_key *key;
	struct hf_reason first; /* what stood in the way first */
};

static struct hf_provider *try_own(struct search *s, bool by_driver_id)
{
	struct hf_registry *registry = s->registry;

	for (size_t i = 0; i < registry->num_candidates; i++) {
		struct hf_candidate *candidate = &registry->candidates[i];
		struct hf_reason why = {0};
		struct hf_provider *provider;

		if (!hf_manifest_matches(&candidate->manifest, s->key, by_driver_id))
			continue;
		provider = try_candidate(registry, candidate, s->device, s->key, &why);
		if (provider)
			return provider;
		hf_info(s->log, "%s: %s", s->key->name, why.text);
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
		hf_foreign_say(s->log,
			       "Warning: Driver %s does not support the kernel ABI of %u "
			       "(supports %u to %u) for device %s",
			       m->name, s->key->kernel_abi, m->kernel_abi_min, m->kernel_abi_max,
			       s->device->ibdev_path);
	else
		hf_info(s->log, "%s: %s", s->key->name, why->text);
}

static struct hf_provider *try_foreign(struct search *s, bool by_driver_id)
{
	struct hf_foreign *foreign = &s->registry->foreign;

	if (!foreign->config_dir || hf_registry_want_foreign(s->registry, s->log) < 0 ||
	    hf_foreign_learn(foreign, s->log) < 0)
		return NULL;
	for (size_t i = 0; i < foreign->num_candidates; i++) {
		struct hf_candidate *candidate = &foreign->candidates[i];
		struct hf_reason why = {0};
		struct hf_provider *provider;

		if (!hf_manifest_matches(&candidate->manifest, s->key, by_driver_id) &&
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

struct hf_provider *hf_registry_find(struct hf_registry *registry, const struct hf_log *log,
				     struct verbs_sysfs_dev *device, struct hf_match_key *key,
				     struct hf_reason *reason)
{
	struct search s = {registry, log, device, key};
	bool foreign_first = registry->foreign.preferred;

	/* A kernel that states its driver's number leaves no doubt; a name is a convention. */
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
		hf_reason_set(&s.first, HF_REASON_NO_PROVIDER, "a provider that matches", "none",
			      "no provider matches the device");
	*reason = s.first;
	return NULL;
}

/* A library's destructor may fork: who waits must not wait for itself. */
static _Thread_local unsigned int unloading_here;

void hf_registry_settle(struct hf_registry *registry)
{
	while (registry->unloading > unloading_here)
		pthread_cond_wait(&registry->unloaded, &registry->lock);
}

void hf_registry_put(struct hf_registry *registry, struct hf_provider *provider)
{
	bool last;

	pthread_mutex_lock(&registry->lock);
	last = --provider->devices == 0;
	if (last) {
		DL_DELETE(registry->providers, provider);
		registry->unloading++;
	}
	pthread_mutex_unlock(&registry->lock);
	if (!last)
		return;
	unloading_here++;
	hf_library_unload(provider);
	unloading_here--;
	pthread_mutex_lock(&registry->lock);
	registry->unloading--;
	pthread_cond_signal(&registry->unloaded);
	pthread_mutex_unlock(&registry->lock);
}

static void fill_info(const struct hf_registry *registry, const struct hf_candidate *candidate,
		      struct hf_provider_info *info)
{
	const struct hf_provider *provider;

	snprintf(info->name, sizeof(info->name), "%s", candidate->manifest.name);
	snprintf(info->version, sizeof(info->version), "%s", candidate->manifest.version);
	snprintf(info->manifest, sizeof(info->manifest), "%s", candidate->manifest.path);
	snprintf(info->file, sizeof(info->file), "%s", candidate->manifest.file);
	info->abi = candidate->manifest.abi;
	info->abi_min = candidate->family ? candidate->family->abi : HF_PROVIDER_ABI_MIN;
	info->abi_max = candidate->family ? candidate->family->abi : HF_PROVIDER_ABI_MAX;
	if (candidate->family)
		snprintf(info->family, sizeof(info->family), "%s", candidate->family->name);
	if (candidate->profile)
		snprintf(info->layout, sizeof(info->layout), "rdma-core %u to %u",
			 candidate->profile->first, candidate->profile->last);
	info->reason = candidate->reason;
	DL_FOREACH (registry->providers, provider) {
		if (strcmp(provider->file, info->file) != 0)
			continue;
		info->loaded = 1;
		info->devices += provider->devices;
	}
}

int hf_registry_list(struct hf_registry *registry, size_t entry_size, void **ret)
{
	size_t count, own, all, bytes = entry_size;
	struct hf_provider_info info;
	char *list;

	if (bytes > sizeof(info))
		bytes = sizeof(info);
	pthread_mutex_lock(&registry->lock);
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
		fill_info(registry, candidate, &info);
		memcpy(list + i * entry_size, &info, bytes);
	}
	pthread_mutex_unlock(&registry->lock);
	if (!list)
		return -ENOMEM;
	*ret = list;
	return (int)all;
}
