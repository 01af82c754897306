/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of libibverbs among the strings of a file: what it may open with dlopen(). */
#ifndef HF_TOOLS_OPENED_H
#define HF_TOOLS_OPENED_H

#include <stddef.h>

enum hf_opened_kind {
	HF_OPENED_NAME, /* "libibverbs.so": the loader searches for it like for a linked library */
	HF_OPENED_PATH, /* "/usr/lib/libibverbs.so.1": this file and no other */
	HF_OPENED_COMPOSED, /* "%s/libibverbs.so": the directory is unknown */
};

struct hf_opened {
	enum hf_opened_kind kind;
	char *name; /* without the directory if composed */
	char *file; /* that has the string */
};

struct hf_opened_list {
	struct hf_opened *v;
	size_t count;
};

/* Adds those of a file. Returns 0, -errno, or -ENOEXEC for an invalid ELF file. */
int hfi_opened_add(struct hf_opened_list *list, const char *file);
void hfi_opened_free(struct hf_opened_list *list);

#endif
