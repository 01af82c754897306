/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One instance of a device, and references to it. */
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

/* A name the device had; kept while the device lives, since ibv_get_device_name() hands it out. */
struct hf_past_name {
	struct hf_past_name *next;
	char name[];
};

struct hf_device {
	struct verbs_sysfs_dev sysfs; /* first: a handle leads here through verbs_device.sysfs */
	struct hf *hf;		      /* holds a reference */
	struct verbs_device *handle;  /* the provider's, or own for a device without one */
	struct hf_provider *provider; /* NULL: none */
	struct hf_entry entry;	      /* guarded by hf->lock once in the table */
	enum hf_reason_code reason;   /* of not being usable; guarded by hf->lock */
	struct hf_reason *details;    /* of that; NULL for none. Guarded by hf->lock */
	uint64_t generation;
	const char *name; /* current one, within past_names */
	struct hf_past_name *past_names;
	atomic_bool gone;
	bool announced_to_all; /* observers of all devices were given ADDED */
	bool announced;	       /* observers of devices that can be opened were, too */
	bool listed;	       /* was part of a list */
	uint64_t seen;	       /* the last full scan that sighted it */
	struct hf_removal *removal HF_GUARDED_BY(hfi_hf_kind); /* while a context is open */
	struct hf_table_key {
		unsigned int root;
		char uverbs[HF_NAME_SIZE];
	} key;
	UT_hash_handle hh;
	struct hf_device *prev, *next; /* utlist, in list order */
};

/* The device behind a handle. */
struct hf_device *hfi_device_of(const struct ibv_device *handle) HF_MUST_CHECK HF_NONNULL;

/*
 * References of anybody but the table; they keep the context as well. hfi_device_drop() never with
 * hf->lock held: the last one out lets a provider's code run.
 */
void hfi_device_hold(struct hf_device *device) HF_NONNULL;
void hfi_device_drop(struct hf_device *device) HF_NONNULL HF_EXCLUDES(hfi_hf_kind);

#endif
