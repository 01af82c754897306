/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The roots that the library searches, for what the tool has to look at itself. */
#ifndef HF_TOOLS_ROOTS_H
#define HF_TOOLS_ROOTS_H

#include "tools/common.h"

struct hf_roots {
	struct hf_root *v; /* never empty */
	size_t count;
};

/*
 * Parses SYSFS[:DEV]. Without DEV it is /dev for /sys, else "dev" below SYSFS. The strings of *ret
 * are the caller's to free. -EINVAL when a part is empty.
 */
int hfi_root_parse(const char *text, struct hf_root *ret);

/* --root, or HOLDFAST_ROOTS, or SYSFS_PATH, or /sys; soft roots are not among them. */
void hfi_roots_get(const struct hf_tool *tool, struct hf_roots *ret);
void hfi_roots_free(struct hf_roots *roots);

/*
 * The root whose class/infiniband has the device, although it has no uverbs entry: it is on its way
 * out, or programs cannot use it. The caller frees the string; NULL: none has.
 */
char *hfi_roots_find_hidden(const struct hf_tool *tool, const char *name);

#endif
