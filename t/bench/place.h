/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A mount namespace in which both libraries find the same made-up devices: SYSFS_PATH is a tree, and
 * /dev/infiniband has its nodes.
 */
#ifndef HF_BENCH_PLACE_H
#define HF_BENCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t/lib/tree.h"

enum { PLACE_EXIT_SKIP = 77 };

/* Enters the namespace. Exits with PLACE_EXIT_SKIP and a reason if that is not permitted. Call once. */
void place_enter(void);

/* Creates a tree with `count` devices rxe0... in uverbs0... Exits on failure. */
struct tree *place_tree(unsigned int count);

/* Sets SYSFS_PATH and /dev/infiniband to `tree` for processes started from now on. */
void place_use(const struct tree *tree);

/*
 * The build tree's libholdfast.so.0, and its provider directory for HOLDFAST_PROVIDER_PATH. The build
 * tree is $top_builddir, or is found from the program's path.
 */
const char *place_library(void);
const char *place_providers(void);

/*
 * Prepares place_use_default(). False if that fails, or if `program` would not load Holdfast's
 * libibverbs.so.1 then.
 */
bool place_make_default(const char *program);

/*
 * Makes Holdfast's libibverbs.so.1 the system's default for processes started from now on, or no longer.
 * Uses the loader's cache, as libholdfast-compat(7) describes.
 */
void place_use_default(bool holdfast);

/* Evicts these files from the page cache, unless they are in use. */
void place_evict(const char *pattern);
void place_evict_providers(void);

#endif
