/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fixed paths of RDMA devices, and where those of soft devices are. */
#ifndef HF_SOFT_PRELOAD_TRANSLATE_H
#define HF_SOFT_PRELOAD_TRANSLATE_H

#include <stdbool.h>

enum { HF_SHOWN_PATH = 4096 };

/* A path as a program may have meant it. */
struct hf_shown {
	const char *path; /* to use: the program's own, or `changed` */
	bool is_node;	  /* a character device for the program */
	char changed[HF_SHOWN_PATH];
};

/*
 * Finds the path to use for /dev/infiniband/uverbsN and what is below /sys/class/infiniband/NAME, if a soft
 * root of HOLDFAST_SHOWN_ROOTS has them. Every other path stays as it is. Keeps errno.
 */
void hfi_shown(struct hf_shown *shown, const char *path);

/*
 * The next definition of a function, which is libc's or that of another preloaded library. `cache` is the
 * caller's. NULL: there is none.
 */
void *hfi_next_function(void **cache, const char *name);

#define HF_NEXT(type, name) ((type)hfi_next_function(&next_##name, #name))

#endif
