/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What foreign libraries match, kept in a file so that no process needs to look again: by the
 * identity of each library's file. A libibverbs.so.1 whose exports agree with its version is in it as well, as a
 * driver of that name that matches nothing. The text is
 *
 *	holdfast-cache 1 VERSION
 *	library DEV INODE SIZE MTIME MTIME_NS CTIME CTIME_NS
 *	... a block of tables.h
 *	sum N		FNV-1a of all that stands before, hexadecimal
 */
#ifndef HF_FOREIGN_CACHE_H
#define HF_FOREIGN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "core/foreign/tables.h"

enum { HF_CACHE_MAX = 1 << 20, HF_CACHE_ENTRIES_MAX = 512 };

struct hf_file_identity {
	uint64_t dev, ino, size;
	int64_t mtime, mtime_ns, ctime, ctime_ns;
};

struct hf_cached {
	struct hf_file_identity identity;
	struct hf_tables tables;
};

struct hf_cache {
	struct hf_cached *v;
	size_t count;
};

struct hf_file_identity hfi_file_identity(const struct stat *st) HF_MUST_CHECK HF_NONNULL;

/* `text` ends with a NUL. -EINVAL: written by another version, or damaged. */
int hfi_cache_parse(const char *text, struct hf_cache *ret) HF_MUST_CHECK HF_NONNULL_OF(2);
/* The caller frees *ret. -ENOMEM. */
int hfi_cache_print(const struct hf_cache *cache, char **ret,
		    size_t *ret_size) HF_MUST_CHECK HF_NONNULL;

const struct hf_tables *
hfi_cache_find(const struct hf_cache *cache,
	       const struct hf_file_identity *identity) HF_MUST_CHECK HF_NONNULL;
/* Takes a copy. -ENOMEM, -E2BIG. */
int hfi_cache_add(struct hf_cache *cache, const struct hf_file_identity *identity,
		  const struct hf_tables *tables) HF_MUST_CHECK HF_NONNULL;
void hfi_cache_clear(struct hf_cache *cache) HF_NONNULL;

#endif
