/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* uthash for a library: as it comes it ends the process when memory runs out. */
#ifndef HF_SHARED_HASH_H
#define HF_SHARED_HASH_H

#define HASH_NONFATAL_OOM 1
/* Each element of a chain is a cache miss, and a chain of 10, as it comes, a microsecond of them. */
#define HASH_BKT_CAPACITY_THRESH 2U
#include <uthash.h>

/* Check after each HASH_ADD: without memory the element is not in the table. */
#define hf_hash_added(element) ((element)->hh.tbl != NULL)

#endif
