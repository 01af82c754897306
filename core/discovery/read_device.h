/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads one device from sysfs, and what netlink says of it. */
#ifndef HF_DISCOVERY_READ_DEVICE_H
#define HF_DISCOVERY_READ_DEVICE_H

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/sysfs.h"

/* How often a reading that was disturbed is made again. */
enum { HF_SIGHT_TRIES = 8 };

/* What netlink has to say of a device that sysfs shows. */
enum hf_match {
	HF_MATCH_NONE = 0, /* netlink was not asked */
	HF_MATCH_ABSENT,   /* no device of this name in the dump */
	HF_MATCH_STALE,	   /* the dump knows the name, but as of another instance */
	HF_MATCH_FOUND,
};

/*
 * Reads one device. `nl` and `table` may be NULL. 0 with an entry, perhaps one with a reason;
 * -ENODEV when there is no such device; fatal errors.
 */
int hfi_sight(const struct hf_classes *classes, struct hf_nl *nl, struct hf_nl_table *table,
	      const char *uverbs, struct hf_entry *ret, enum hf_match *match) HF_MUST_CHECK
	HF_NONNULL_OF(1, 4, 5, 6);

#endif
