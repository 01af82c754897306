/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The least cost of a first list: the system calls that Holdfast makes for it, and nothing else. */
#ifndef HF_BENCH_BARE_H
#define HF_BENCH_BARE_H

/*
 * Reads the attributes that Holdfast reads of every device in $SYSFS_PATH, and stats each node. Returns
 * the number of devices. `counts` checks that the calls are Holdfast's. Exits with a message on failure.
 */
int bare_list(void);

/*
 * Touches more memory than a processor's own caches hold, so that a measurement starts with cold caches
 * whatever ran before.
 */
void bare_fill_caches(void);

#endif
