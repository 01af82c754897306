/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What netlink alone knows of devices, as entries. */
#ifndef HF_DISCOVERY_READ_NETLINK_H
#define HF_DISCOVERY_READ_NETLINK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/sysfs.h"

/* What netlink alone knows of a device, as an entry. */
void hfi_nl_entry(const struct hf_nl_device *device, const struct hf_nldev_chardev *chardev,
		  struct hf_entry *entry) HF_NONNULL;

/*
 * What netlink knows of all devices of a table, which must stay. -EINVAL where the kernel does not say
 * which char device a device has (before 5.1), and the other errors of hfi_nl_chardev().
 */
struct hf_listing;
int hfi_listing_make(struct hf_nl *nl, const struct hf_nl_table *table,
		     struct hf_listing **ret) HF_MUST_CHECK HF_NONNULL;
void hfi_listing_free(struct hf_listing *listing); /* NULL is none */
/* A brief entry; false where netlink is not enough. To be proven by another dump, see discover.c. */
bool hfi_listing_sight(const struct hf_listing *listing, const struct hf_classes *classes,
		       const char *uverbs, struct hf_entry *ret) HF_MUST_CHECK HF_NONNULL;

#endif
