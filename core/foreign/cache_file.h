/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The file in which the cache is kept. */
#ifndef HF_FOREIGN_CACHE_FILE_H
#define HF_FOREIGN_CACHE_FILE_H

#include "shared/attr.h"
#include "shared/attr.h"
#include "core/foreign/cache.h"

/*
 * Reads DIR/providers, if it and the directory belong to root or this user and nobody else can write
 * them. 0 also when there is none: then *ret is empty. -ENOMEM.
 */
int hfi_cache_load(const char *dir, struct hf_cache *ret) HF_MUST_CHECK HF_NONNULL;
/* Replaces it as a whole. -errno, which may be ignored: it is a cache. */
int hfi_cache_save(const char *dir, const struct hf_cache *cache) HF_MUST_CHECK HF_NONNULL;

#endif
