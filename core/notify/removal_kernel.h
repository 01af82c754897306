/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The removal of a device by the kernel, as a descriptor to wait on. */
#ifndef HF_NOTIFY_REMOVAL_KERNEL_H
#define HF_NOTIFY_REMOVAL_KERNEL_H

#include "shared/attr.h"

/*
 * A descriptor that becomes readable when the kernel removes class/infiniband_verbs/UVERBS of the
 * sysfs at `sysfs`, and for no other reason; nobody reads from it. For where uevents are heard. -ENODEV
 * when there is no such device, -EOPNOTSUPP when sysfs does not say where it is; -EMFILE, -ENFILE,
 * -ENOMEM, and what else socket() and bind() answer.
 */
int hfi_removal_kernel_open(const char *sysfs, const char *uverbs) HF_MUST_CHECK HF_NONNULL;

#endif
