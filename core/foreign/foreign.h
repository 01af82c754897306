/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The distribution's own provider libraries, as candidates of the registry. */
#ifndef HF_FOREIGN_FOREIGN_H
#define HF_FOREIGN_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/base/log.h"
#include "core/foreign/cache.h"
#include "core/foreign/drivers.h"
#include "core/foreign/shim.h"

struct hf_candidate;
struct hf_provider;

/* Strings are borrowed during the call; NULL or 0 for unused members. */
struct hf_foreign_options {
	const char *config_dir;
	const char *names;	   /* before those of the directory */
	const char *names_from;	   /* the variable that they are from */
	const char *cache_dirs[2]; /* read both, write the last one that is there */
	unsigned int stated;	   /* version of rdma-core, in place of the evidence */
	bool preferred;		   /* before Holdfast's own providers */
};

struct hf_foreign {
	char *config_dir; /* NULL: none are taken */
	char *names, *names_from;
	char *cache_dirs[2];
	unsigned int stated;
	bool preferred;
	bool read;		  /* `candidates` were read; `print` is the hash of their files */
	bool learned;		  /* what each of them matches is known */
	uint64_t learned_drivers; /* bits: kernel drivers whose candidates are known */
	bool said;		  /* the warnings were printed: libibverbs prints them once */
	bool cache_read;
	bool news; /* `known` has what the cache file lacks */
	uint64_t print;
	struct hf_candidate *candidates;
	size_t num_candidates;
	struct hf_cache known;
	struct hf_shim_files files;
	struct hf_reason no_shim; /* code HF_REASON_NONE: there is none to give */
};

int hfi_foreign_init(struct hf_foreign *foreign,
		     const struct hf_foreign_options *options) HF_MUST_CHECK HF_NONNULL;
void hfi_foreign_destroy(struct hf_foreign *foreign) HF_NONNULL;

/*
 * Reads the configuration if something of it has changed. *ret and *ret_count are the new candidates
 * when 1 is returned, which the caller puts into place; 0: nothing has changed. -errno.
 */
int hfi_foreign_read(struct hf_foreign *foreign, const struct hf_log *log,
		     struct hf_candidate **ret, size_t *ret_count) HF_MUST_CHECK HF_NONNULL;

/* Prints libibverbs' message on standard error if the program uses the shim, otherwise logs it. */
void hfi_foreign_say(const struct hf_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
