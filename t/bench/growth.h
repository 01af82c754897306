/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures whether the time per device grows with the number of devices. It depends on the processor's
 * caches, which hold the data of a few hundred devices but not of thousands. So cold and warm caches are
 * measured apart, and next to the lists the bare system calls of a list.
 */
#ifndef HF_BENCH_GROWTH_H
#define HF_BENCH_GROWTH_H

enum { GROWTH_SIZES = 3 };

struct tree;

/* Sets the libraries, and the trees in ascending order of their number of devices. */
void growth_begin(const char *incumbent, const char *holdfast,
		  struct tree *const trees[GROWTH_SIZES], const unsigned int sizes[GROWTH_SIZES]);

/* Measures one round. */
void growth_measure(void);

void growth_report(void);

#endif
