/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Chooses the provider of a device: manifests, matching, loading, unloading, reasons for refusals. */
#ifndef HF_REGISTRY_REGISTRY_H
#define HF_REGISTRY_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast/provider.h>
#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/base/log.h"
#include "core/base/thread_safety.h"
#include "core/foreign/foreign.h"
#include "core/provider/candidate.h"
#include "core/provider/match.h"

struct hf_registry {
	pthread_mutex_t lock;		 /* guards `providers`, and `candidates` against readers */
	char **dirs;			 /* NULL-terminated */
	struct hf_candidate *candidates; /* changed within a scan only */
	size_t num_candidates;
	bool read;
	uint64_t print;		   /* of the files the candidates were read from */
	struct hf_foreign foreign; /* its candidates are changed within a scan only */
	bool foreign_wanted;	   /* a device needed them, or a list was asked for */
	int shortage;		   /* see hfi_registry_take_shortage() */
	struct hf_provider *providers HF_GUARDED_BY(hfi_registry_kind);
	unsigned int unloading HF_GUARDED_BY(
		hfi_registry_kind); /* libraries being loaded or unloaded outside of a scan */
	pthread_cond_t unloaded;
};

HF_ACQUIRE(hfi_registry_kind)
HF_UNCHECKED_LOCKS static inline void hfi_registry_lock(struct hf_registry *registry)
{
	pthread_mutex_lock(&registry->lock);
}

HF_RELEASE(hfi_registry_kind)
HF_UNCHECKED_LOCKS static inline void hfi_registry_unlock(struct hf_registry *registry)
{
	pthread_mutex_unlock(&registry->lock);
}

int hfi_registry_init(struct hf_registry *registry, const char *const *dirs,
		      const struct hf_foreign_options *foreign) HF_MUST_CHECK HF_NONNULL;
void hfi_registry_destroy(struct hf_registry *registry) HF_NONNULL;

/* Call it before all devices are matched again: their reasons are reported anew. */
void hfi_registry_begin_look(struct hf_registry *registry) HF_NONNULL;

/*
 * Once there are devices, libibverbs loads its drivers. Looks, once, into the drivers that IBV_DRIVERS or RDMAV_DRIVERS
 * name, and warns of each that cannot be loaded. Only within a scan.
 */
void hfi_registry_try_named(struct hf_registry *registry, const struct hf_log *log) HF_NONNULL
	HF_REQUIRES(hfi_scan_kind);

/*
 * The provider for a device, loaded, with one device counted on it, and its match entry. NULL with
 * *reason filled when there is none. Only within a scan: a library's constructors run.
 */
struct hf_provider *hfi_registry_find(struct hf_registry *registry, const struct hf_log *log,
				      struct verbs_sysfs_dev *device, struct hf_match_key *key,
				      struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind);

/*
 * The error if memory or descriptors ran out since the last call while foreign providers were
 * searched, else 0. A device that found no provider may have one then. Only within a scan.
 */
int hfi_registry_take_shortage(struct hf_registry *registry) HF_MUST_CHECK HF_NONNULL;

/*
 * The provider that was found made no object for the device: says so, as libibverbs does, fills
 * *reason and gives the device back. `name` is the device's.
 */
void hfi_registry_no_object(struct hf_registry *registry, const struct hf_log *log,
			    struct hf_provider *provider, const struct verbs_sysfs_dev *device,
			    const char *name, struct hf_reason *reason) HF_NONNULL;

/*
 * The provider opened a device but violated a rule, so the open is refused. Logs that, and keeps
 * the first reason until the library is unloaded.
 */
void hfi_registry_fault(const struct hf_log *log, struct hf_provider *provider,
			const struct hf_reason *reason) HF_NONNULL;

/* Gives the device back; the last one unloads the library. Never call it from the library's own code. */
void hfi_registry_put(struct hf_registry *registry, struct hf_provider *provider) HF_NONNULL
	HF_EXCLUDES(hfi_registry_kind, hfi_hf_kind);

/*
 * Around fork: takes the lock, and waits until no other thread unloads. A child that is forked in the
 * middle of that has a loader which aborts the process at the next dlopen() or dlclose().
 */
void hfi_registry_before_fork(struct hf_registry *registry) HF_NONNULL
	HF_ACQUIRE(hfi_registry_kind);
/* In the parent and in the child. */
void hfi_registry_after_fork(struct hf_registry *registry) HF_NONNULL HF_RELEASE(hfi_registry_kind);
/* In the child once, before any registry is used. */
void hfi_registry_forked(void);

#endif
