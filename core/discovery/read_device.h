/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads one device from sysfs, and adds what netlink reports of it. */
#ifndef HF_DISCOVERY_READ_DEVICE_H
#define HF_DISCOVERY_READ_DEVICE_H

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/sysfs.h"

/* How many attempts are made while a device changes. */
enum { HF_READ_TRIES = 8 };

/* Whether netlink knows a device that sysfs shows. */
enum hf_match {
	HF_MATCH_NONE = 0, /* netlink was not asked */
	HF_MATCH_ABSENT,   /* the dump has no device of this name */
	HF_MATCH_STALE,	   /* the dump has the name, but for another instance */
	HF_MATCH_FOUND,
};

/*
 * Reads one device. `nl` and `table` may be NULL. 0: *ret is the entry, perhaps with a reason;
 * -ENODEV: there is no such device; other errors are fatal.
 */
int hfi_read_device(const struct hf_classes *classes, struct hf_nl *nl, struct hf_nl_table *table,
		    const char *uverbs, struct hf_entry *ret, enum hf_match *match) HF_MUST_CHECK
	HF_NONNULL_OF(1, 4, 5, 6);

#endif
