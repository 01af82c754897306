/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a first list costs by itself: the system calls that Holdfast makes for it, and no more. */
#ifndef HF_BENCH_BARE_H
#define HF_BENCH_BARE_H

/*
 * Reads every device of $SYSFS_PATH in the order of the directory, each attribute that Holdfast reads,
 * and looks at each node; how many there are. `counts` proves that the calls are the same. Exits with
 * a message on failure.
 */
int bare_list(void);

/*
 * Touches more memory than a processor's own caches hold: what is measured after that finds them full
 * of something else, whoever ran before.
 */
void bare_fill_caches(void);

#endif
