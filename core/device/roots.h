/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Decides which trees are searched: given by the program, by the environment, or the default ones.
 */
#ifndef HF_DEVICE_ROOTS_H
#define HF_DEVICE_ROOTS_H

#include <holdfast/context.h>

#include "shared/attr.h"
#include "core/base/log.h"
#include "core/base/root.h"

enum { HF_ROOTS_MAX = 64 };

struct hf_roots {
	struct hf_search_root *v;
	unsigned int count;
};

/* From the program's options; -EINVAL. */
int hfi_roots_given(struct hf_roots *roots, const struct hf_root *given, size_t count) HF_MUST_CHECK
	HF_NONNULL_OF(1);

/* From text: "SYSFS[:DEV][,SYSFS[:DEV]]..."; -EINVAL, and then *roots is empty. */
int hfi_roots_parse(struct hf_roots *roots, const char *text) HF_MUST_CHECK HF_NONNULL_OF(1);

/* /sys with /dev, then the soft roots that are safe to read. */
int hfi_roots_usual(struct hf_roots *roots, const struct hf_log *log) HF_MUST_CHECK
	HF_NONNULL_OF(1);

void hfi_roots_clear(struct hf_roots *roots) HF_NONNULL;

/*
 * libibverbs' variable: another sysfs with the machine's own device nodes. Until a tree appears
 * there, netlink lists the devices, as in libibverbs.
 */
int hfi_roots_of_sysfs_path(struct hf_roots *roots, const char *sysfs) HF_MUST_CHECK HF_NONNULL;

#endif
