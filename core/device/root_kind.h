/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The two kinds of roots: the kernel's sysfs, and trees that user space writes. */
#ifndef HF_DEVICE_ROOT_KIND_H
#define HF_DEVICE_ROOT_KIND_H

#include "shared/attr.h"
#include "core/base/root.h"

extern const struct hf_root_kind hfi_root_kernel;
extern const struct hf_root_kind hfi_root_tree;

/*
 * The file system determines the kind; "/sys" itself is always the kernel's. -EINVAL,
 * -ENAMETOOLONG.
 */
int hfi_search_root_init(struct hf_search_root *root, const char *sysfs,
			 const char *dev) HF_MUST_CHECK HF_NONNULL;

#endif
