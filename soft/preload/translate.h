/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fixed paths of RDMA devices, and where those of soft devices are. */
#ifndef HF_SOFT_PRELOAD_TRANSLATE_H
#define HF_SOFT_PRELOAD_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>

/* A handler of signals may have a small stack. A longer path stays as it is. */
enum { HF_SHOWN_PATH = 512, HF_SHOWN_ROOTS = 8 };

/* A path as a program may have meant it. */
struct hf_shown {
	const char *path; /* to use: the program's own, or `changed` */
	bool is_node;	  /* a character device for the program */
	char changed[HF_SHOWN_PATH];
};

/*
 * Finds the path to use for /dev/infiniband/uverbsN and what is below /sys/class/infiniband/NAME, if a soft
 * root of HOLDFAST_SHOWN_ROOTS has them. The directories of both are those of the first soft root where the
 * kernel has none. Every other path stays as it is. Keeps errno.
 */
void hfi_shown(struct hf_shown *shown, const char *path);

/* Is it /sys/class/infiniband or /dev/infiniband? */
bool hfi_shown_is_listed(const char *path);

/* Is it one of these, or below one, or a pattern of such names? */
bool hfi_shown_is_below(const char *path);

/* The same directory in soft root `index`; false: there is none. Keeps errno. */
bool hfi_shown_directory(const char *path, size_t index, char ret[HF_SHOWN_PATH]);

/*
 * The next definition of a function, which is libc's or that of another preloaded library. `cache` is the
 * caller's. NULL: there is none.
 */
void *hfi_next_function(void **cache, const char *name);

/* The same at the start of the program, without an error that its dlerror() would report. */
void hfi_find_next(void **cache, const char *name);

/*
 * Finds the next function before the program runs: a program may call it in a handler of signals, and before it
 * asks for an error of its own with dlerror().
 */
#define HF_FIND_NEXT(name)                                              \
	static void *next_##name;                                       \
	__attribute__((constructor)) static void find_next_##name(void) \
	{                                                               \
		hfi_find_next(&next_##name, #name);                     \
	}

/* For calls of earlier constructors it is looked for here. */
#define HF_NEXT(type, name) ((type)hfi_next_function(&next_##name, #name))

#endif
