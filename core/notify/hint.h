/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A hint: which device a notification is about. It may be late, duplicate or forged, so it is never
 * believed: the response is always to read the device.
 */
#ifndef HF_NOTIFY_HINT_H
#define HF_NOTIFY_HINT_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/base/root.h"

enum hf_hint_kind {
	HF_HINT_NONE,
	HF_HINT_DEVICE,	    /* read the device with the uverbs name `name` */
	HF_HINT_IBDEV,	    /* read the device with the RDMA name `name` */
	HF_HINT_IBDEV_WENT, /* the same, and it is probably removed */
	HF_HINT_RENAME,	    /* the RDMA device `name` is now called `to` */
	HF_HINT_ATTRIBUTES, /* ports or GIDs of the RDMA device `name`; empty: of every device */
	HF_HINT_NETDEV,	    /* the network interface `ifindex`, which may be stacked on `lower` */
	HF_HINT_NODE,	    /* something happened to the device node of `name` */
	HF_HINT_PROVIDERS,  /* a provider directory has changed */
	HF_HINT_MOUNTS,	    /* a mount has changed: a node that could not be opened may be now */
	HF_HINT_ALL,	    /* read every device */
	HF_HINT_LOST,	    /* notifications were lost: read everything */
	HF_HINT_TIMER,	    /* the time that was set has come */
};

/* Values of `root`: all roots that the kernel's notifications concern; all roots. */
#define HF_ROOT_KERNEL UINT32_MAX
#define HF_ROOT_ANY    (UINT32_MAX - 1)

/* Has no padding and is zeroed beyond the strings, so that two of them can be compared as bytes. */
struct hf_hint {
	uint32_t kind; /* enum hf_hint_kind */
	uint32_t root; /* index of a root, or one of the above */
	uint32_t ifindex;
	uint32_t lower;
	char name[HF_NAME_SIZE];
	char to[HF_NAME_SIZE];
};

_Static_assert(sizeof(struct hf_hint) == 16 + 2 * HF_NAME_SIZE, "hints are compared as bytes");

/* Sets the kind and, unless NULL, the name; clears the other members. */
void hfi_hint_set(struct hf_hint *hint, enum hf_hint_kind kind, uint32_t root, const char *name)
	HF_NONNULL_OF(1);

/*
 * Turns a uevent into a hint. 1 and a hint, 0 if the uevent is irrelevant, -EINVAL if it is
 * malformed. Any string may be NULL.
 */
int hfi_uevent_classify(const char *action, const char *subsystem, const char *devpath,
			const char *devpath_old, const char *sysname,
			struct hf_hint *ret) HF_MUST_CHECK HF_NONNULL_OF(6);

/*
 * Receives the hints of a source. Cannot fail: without room or memory the hint becomes
 * HF_HINT_LOST.
 */
struct hf_hint_sink {
	void (*take)(void *arg, const struct hf_hint *hint);
	void *arg;
};

/*
 * One drain reads at most this much from a source, so that a flood cannot hold the caller for ever.
 */
enum { HF_DRAIN_MAX = 4096 };

/* Passes a hint of that kind to the sink; `name` may be NULL. */
void hfi_hint_send(const struct hf_hint_sink *sink, enum hf_hint_kind kind, uint32_t root,
		   const char *name) HF_NONNULL_OF(1);

#endif
