/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The roots that the library searches, for code here that reads sysfs itself. */
#ifndef HF_TOOLS_ROOTS_H
#define HF_TOOLS_ROOTS_H

#include "tools/common.h"

struct hf_roots {
	struct hf_root *v; /* never empty */
	size_t count;
};

/*
 * Parses SYSFS[:DEV]. The default for DEV is /dev for /sys, otherwise SYSFS/dev. The caller frees
 * the strings of *ret. Returns 0, or -EINVAL if a part is empty.
 */
int hfi_root_parse(const char *text, struct hf_root *ret);

/* The roots of --root, or of HOLDFAST_ROOTS, or SYSFS_PATH, or /sys. Soft roots are not included. */
void hfi_roots_get(const struct hf_tool *tool, struct hf_roots *ret);
void hfi_roots_free(struct hf_roots *roots);

/*
 * Finds the root whose class/infiniband has a device that the library does not list because it has
 * no uverbs entry: it is being unplugged, or ib_uverbs does not serve it. The caller frees the
 * returned path; NULL if no root has the device.
 */
char *hfi_roots_find_hidden(const struct hf_tool *tool, const char *name);

#endif
