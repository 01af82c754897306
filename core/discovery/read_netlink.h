/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes entries of what netlink alone reports. */
#ifndef HF_DISCOVERY_READ_NETLINK_H
#define HF_DISCOVERY_READ_NETLINK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"

/* Makes an entry of what netlink alone reports of a device. */
void hfi_nl_entry(const struct hf_nl_device *device, const struct hf_nldev_chardev *chardev,
		  struct hf_entry *entry) HF_NONNULL;

/*
 * What netlink reports of devices, asked for by their indices. `wanted` devices are looked for. If not so many
 * are found by trying indices, *table is filled by a dump. -EINVAL: the kernel does not report char devices
 * (before 5.1); other errors as hfi_nl_see() and hfi_nl_table_fill().
 */
struct hf_listing;
int hfi_listing_make(struct hf_nl *nl, size_t wanted, struct hf_nl_table *table,
		     struct hf_listing **ret) HF_MUST_CHECK HF_NONNULL;
void hfi_listing_free(struct hf_listing *listing); /* may be NULL */
/* Marks a device for hfi_listing_next(); false: netlink does not know it. */
bool hfi_listing_mark(struct hf_listing *listing, const char *uverbs) HF_MUST_CHECK HF_NONNULL;
/*
 * Makes a brief entry, with an index and without an inode, of the next device that is marked, from *at on, which
 * begins at 0; false: there are no more.
 */
bool hfi_listing_next(const struct hf_listing *listing, size_t *at,
		      struct hf_entry *ret) HF_MUST_CHECK HF_NONNULL;

#endif
