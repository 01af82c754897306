/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The removal of a device from a tree that user space writes, as a descriptor to poll. */
#ifndef HF_NOTIFY_REMOVAL_TREE_H
#define HF_NOTIFY_REMOVAL_TREE_H

#include "shared/attr.h"

/*
 * A descriptor that becomes readable when class/infiniband_verbs/UVERBS is removed from the tree at
 * `sysfs`, and for no other reason; nobody reads from it. -ENODEV if there is no such device,
 * -EUSERS if the user has too many inotify instances to be notified; -EMFILE, -ENFILE, -ENOMEM, and
 * the other errors of open() and inotify_add_watch().
 */
int hfi_removal_tree_open(const char *sysfs, const char *uverbs) HF_MUST_CHECK HF_NONNULL;

#endif
