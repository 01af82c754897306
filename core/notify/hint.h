/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a notification says about where to look. A hint is never taken for the truth: it may be late,
 * doubled or forged, and the answer is always to look at the device.
 */
#ifndef HF_NOTIFY_HINT_H
#define HF_NOTIFY_HINT_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/base/root.h"

enum hf_hint_kind {
	HF_HINT_NONE,
	HF_HINT_DEVICE,	    /* look at the device with the uverbs name `name` */
	HF_HINT_IBDEV,	    /* look at the device with the RDMA name `name` */
	HF_HINT_IBDEV_WENT, /* the same, and it is probably gone */
	HF_HINT_RENAME,	    /* the RDMA device `name` is now called `to` */
	HF_HINT_ATTRIBUTES, /* ports or GIDs of the RDMA device `name`; empty: of every device */
	HF_HINT_NETDEV,	    /* the network interface `ifindex`, which may lie upon `lower` */
	HF_HINT_NODE,	    /* something happened to the device node of `name` */
	HF_HINT_PROVIDERS,  /* a provider directory has changed */
	HF_HINT_ALL,	    /* look at every device */
	HF_HINT_LOST,	    /* notifications were lost: look at everything there is */
	HF_HINT_TIMER,	    /* the time that was set has come */
};

/* For `root`: every root that the kernel's notifications speak of; every root there is. */
#define HF_ROOT_KERNEL UINT32_MAX
#define HF_ROOT_ANY    (UINT32_MAX - 1)

/* Without padding and zeroed beyond the strings, so that two of them compare as bytes. */
struct hf_hint {
	uint32_t kind; /* enum hf_hint_kind */
	uint32_t root; /* index of a root, or one of the above */
	uint32_t ifindex;
	uint32_t lower;
	char name[HF_NAME_SIZE];
	char to[HF_NAME_SIZE];
};

_Static_assert(sizeof(struct hf_hint) == 16 + 2 * HF_NAME_SIZE, "hints are compared as bytes");

/* Empties *hint but for the kind and, unless NULL, the name. */
void hfi_hint_set(struct hf_hint *hint, enum hf_hint_kind kind, uint32_t root, const char *name)
	HF_NONNULL_OF(1);

/*
 * What a uevent says: 1 and a hint, 0 when it says nothing of interest, -EINVAL when it is malformed.
 * Any string may be NULL.
 */
int hfi_uevent_classify(const char *action, const char *subsystem, const char *devpath,
			const char *devpath_old, const char *sysname,
			struct hf_hint *ret) HF_MUST_CHECK HF_NONNULL_OF(6);

/* Who takes hints from a source. Taking never fails: without room or memory it becomes HF_HINT_LOST. */
struct hf_hint_sink {
	void (*take)(void *arg, const struct hf_hint *hint);
	void *arg;
};

/* One drain reads no more than this from a source: a flood must not keep a caller for ever. */
enum { HF_DRAIN_MAX = 4096 };

/* Hands a hint of that kind to the sink; `name` may be NULL. */
void hfi_hint_send(const struct hf_hint_sink *sink, enum hf_hint_kind kind, uint32_t root,
		   const char *name) HF_NONNULL_OF(1);

#endif
