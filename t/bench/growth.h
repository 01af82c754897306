/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Does the time per device grow with their number? What a processor has in its caches decides much of
 * it, and a few hundred devices stay there where thousands do not. So the states are told apart, and
 * the system calls of a list are measured by themselves beside it.
 */
#ifndef HF_BENCH_GROWTH_H
#define HF_BENCH_GROWTH_H

enum { GROWTH_SIZES = 3 };

struct tree;

/* The libraries, and trees in ascending order of their devices. */
void growth_begin(const char *incumbent, const char *holdfast,
		  struct tree *const trees[GROWTH_SIZES], const unsigned int sizes[GROWTH_SIZES]);

/* One round. */
void growth_measure(void);

void growth_report(void);

#endif
