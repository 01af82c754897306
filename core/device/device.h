/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One instance of a device, and its reference count. */
#ifndef HF_DEVICE_DEVICE_H
#define HF_DEVICE_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <holdfast-provider/objects.h>

#include "shared/attr.h"
#include "shared/hash.h"
#include "core/base/thread_safety.h"
#include "core/discovery/entry.h"

struct hf;
struct hf_provider;
struct hf_removal;

/* A name the device had. ibv_get_device_name() returned it, so it lives as long as the device. */
struct hf_past_name {
	struct hf_past_name *next;
	char name[];
};

struct hf_device {
	struct verbs_sysfs_dev sysfs; /* first member: verbs_device.sysfs points to it */
	struct hf *hf;		      /* holds a reference */
	struct verbs_device *handle;  /* the provider's object, or one of this library */
	struct hf_provider *provider; /* NULL: none */
	struct hf_entry entry;	      /* guarded by hf->lock once in the table */
	enum hf_reason_code reason;   /* why it is not usable; guarded by hf->lock */
	struct hf_reason *details;    /* of `reason`, or NULL; guarded by hf->lock */
	uint64_t generation;
	const char *name; /* the current one, within past_names */
	struct hf_past_name *past_names;
	atomic_bool gone;
	bool announced_to_all; /* observers of all devices got ADDED */
	bool announced;	       /* observers of usable devices got ADDED */
	bool listed;	       /* was part of a list */
	bool node_unchecked; /* the node may have changed since it was checked; guarded by hf->lock */
	bool node_checked; /* `reason` covers the node, as it was last checked; guarded by hf->lock */
	uint64_t seen;	   /* the last full scan that found it */
	struct hf_removal *removal HF_GUARDED_BY(hfi_hf_kind); /* while a context is open */
	struct hf_table_key {
		unsigned int root;
		char uverbs[HF_NAME_SIZE];
	} key;
	UT_hash_handle hh;
	struct hf_device *prev, *next; /* utlist, in list order */
};

/* The device that a handle belongs to. */
struct hf_device *hfi_device_of(const struct ibv_device *handle) HF_MUST_CHECK HF_NONNULL;

/*
 * References from outside the table; each also keeps the context. Never call hfi_device_drop() with
 * hf->lock held: dropping the last one calls the provider.
 */
void hfi_device_hold(struct hf_device *device) HF_NONNULL;
void hfi_device_drop(struct hf_device *device) HF_NONNULL HF_EXCLUDES(hfi_hf_kind);

#endif
