/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes entries of what netlink alone reports. */
#ifndef HF_DISCOVERY_READ_NETLINK_H
#define HF_DISCOVERY_READ_NETLINK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/sysfs.h"

/* Makes an entry of what netlink alone reports of a device. */
void hfi_nl_entry(const struct hf_nl_device *device, const struct hf_nldev_chardev *chardev,
		  struct hf_entry *entry) HF_NONNULL;

/*
 * What netlink reports of all devices of a table, which must outlive this. -EINVAL: the kernel does
 * not report char devices (before 5.1); other errors as hfi_nl_chardev().
 */
struct hf_listing;
int hfi_listing_make(struct hf_nl *nl, const struct hf_nl_table *table,
		     struct hf_listing **ret) HF_MUST_CHECK HF_NONNULL_OF(2, 3);
void hfi_listing_free(struct hf_listing *listing); /* may be NULL */
/*
 * Makes a brief entry; false: netlink does not know enough. Verify it by another dump, see
 * discover.c.
 */
bool hfi_listing_read(const struct hf_listing *listing, const struct hf_classes *classes,
		      const char *uverbs, struct hf_entry *ret) HF_MUST_CHECK HF_NONNULL;

#endif
