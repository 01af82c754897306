/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The allocator of a test program: counts what is live, and has the Nth allocation fail. Linking
 * alloc.c replaces malloc() and its family in the whole process, libraries included. In a build
 * with sanitizers the allocator is theirs: nothing can be failed, and leaks are their leak checker's.
 */
#ifndef HF_FAULT_ALLOC_H
#define HF_FAULT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Whether allocations can be made to fail and be counted. */
bool alloc_available(void);

/* Allocations are counted from 1 from here on, by every thread. fail_at 0: none fails. */
void alloc_begin(size_t fail_at, bool onward);
/* Nothing fails any more. Returns how many were made since alloc_begin(). */
size_t alloc_end(void);
/* Who asked for the one that failed. */
const void *alloc_failed_site(void);

/* Blocks taken since alloc_mark() and not given back, by who took them. */
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

/* Blocks of `left` that are not in `base`; *culprit is a site that has more. */
size_t alloc_excess(const struct alloc_left *left, const struct alloc_left *base,
		    struct alloc_site *culprit);

#endif
