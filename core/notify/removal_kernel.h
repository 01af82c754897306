/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The removal of a device by the kernel, as a descriptor to poll. */
#ifndef HF_NOTIFY_REMOVAL_KERNEL_H
#define HF_NOTIFY_REMOVAL_KERNEL_H

#include "shared/attr.h"

/*
 * A descriptor that becomes readable when the kernel removes class/infiniband_verbs/UVERBS of the
 * sysfs at `sysfs`, and for no other reason; nobody reads from it. Only where uevents are received.
 * -ENODEV if there is no such device, -EOPNOTSUPP if sysfs does not show its path; -EMFILE,
 * -ENFILE, -ENOMEM, and the other errors of socket() and bind().
 */
int hfi_removal_kernel_open(const char *sysfs, const char *uverbs) HF_MUST_CHECK HF_NONNULL;

#endif
