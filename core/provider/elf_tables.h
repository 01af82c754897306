/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Checks the tables of an ELF library that the loader follows without checking them: hash chains and versions. */
#ifndef HF_PROVIDER_ELF_TABLES_H
#define HF_PROVIDER_ELF_TABLES_H

#include <stdint.h>

#include "core/provider/elf_reader.h"
#include "shared/attr.h"

/* Addresses and sizes from the dynamic section; 0: it has none. */
struct hf_elf_dynamic {
	uint64_t strings, strings_size, symbols;
	uint64_t relocations[2], relocations_size[2]; /* at once, and of calls */
	uint64_t hash, gnu_hash;
	uint64_t versions_of, needed, defined; /* of each symbol; needed and defined versions */
};

/* The symbols up to the last one that is used, which are read at once. */
int hfi_elf_check_symbols(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			  uint64_t last) HF_MUST_CHECK HF_NONNULL;

/*
 * Hash tables, whose chains the loader follows to their end, and the versions of symbols. 0, -EACCES with the reason,
 * -ENOMEM.
 */
int hfi_elf_check_tables(const struct hf_elf_reader *r,
			 const struct hf_elf_dynamic *d) HF_MUST_CHECK HF_NONNULL;

#endif
