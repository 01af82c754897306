/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The allocator of a test program: counts live blocks, and can make the Nth allocation fail.
 * Linking alloc.c replaces malloc() and its family in the whole process, libraries included. In a
 * build with sanitizers the allocator is theirs: no allocation can be made to fail, and their leak
 * checker finds leaks.
 */
#ifndef HF_FAULT_ALLOC_H
#define HF_FAULT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Whether allocations can be made to fail and be counted. */
bool alloc_available(void);

/* Counts allocations of all threads from 1 from now on. fail_at 0: none fails. */
void alloc_begin(size_t fail_at, bool onward);
/* Stops failures. Returns the number of allocations since alloc_begin(). */
size_t alloc_end(void);
/* The caller whose allocation failed. */
const void *alloc_failed_site(void);

/* Blocks allocated since alloc_mark() and not freed, by caller. */
struct alloc_site {
	const void *caller;
	size_t blocks;
	size_t bytes;
};

enum { ALLOC_SITES = 128 };

struct alloc_left {
	size_t num_sites;
	size_t blocks;
	struct alloc_site sites[ALLOC_SITES];
};

void alloc_mark(void);
void alloc_look(struct alloc_left *left);

/* The blocks of `left` that are not in `base`; *culprit is a caller with more than there. */
size_t alloc_excess(const struct alloc_left *left, const struct alloc_left *base,
		    struct alloc_site *culprit);

#endif
