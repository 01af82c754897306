/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A place where both libraries find the same made-up devices: a mount namespace of its own, in which
 * /dev/infiniband is that of a tree, and trees that SYSFS_PATH may point at.
 */
#ifndef HF_BENCH_PLACE_H
#define HF_BENCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t/lib/tree.h"

enum { PLACE_EXIT_SKIP = 77 };

/* Exits with PLACE_EXIT_SKIP and the reason where the system does not allow it. Call it once. */
void place_enter(void);

/* A tree with `count` devices rxe0... in uverbs0...; exits on failure. */
struct tree *place_tree(unsigned int count);

/*
 * Makes `tree` the one that /dev/infiniband and SYSFS_PATH of processes started from now on show.
 */
void place_use(const struct tree *tree);

/*
 * The build tree's libholdfast.so.0, and its directory of providers for HOLDFAST_PROVIDER_PATH. The
 * build tree is $top_builddir, or found above the program.
 */
const char *place_library(void);
const char *place_providers(void);

/*
 * Prepares what place_use_default() needs; false where that cannot be, or where `program` would not
 * take Holdfast's libibverbs.so.1 by it.
 */
bool place_make_default(const char *program);

/*
 * Is Holdfast's libibverbs.so.1 the system's default for processes started from now on? As
 * libholdfast-compat(7) has it: by the loader's configuration, of which only the cache is looked at.
 */
void place_use_default(bool holdfast);

/* Has the system forget what it holds in memory of these files, as far as nobody uses them. */
void place_evict(const char *pattern);
void place_evict_providers(void);

#endif
