/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads parts of an ELF file, none of which may lead outside. */
#ifndef HF_PROVIDER_ELF_READER_H
#define HF_PROVIDER_ELF_READER_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/reason.h>

#include "shared/attr.h"

enum { HF_ELF_SEGMENTS_MAX = 64, HF_ELF_TABLE_MAX = 4 << 20 };

struct hf_elf_reader {
	const char *path;
	int fd;
	uint64_t size;
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[HF_ELF_SEGMENTS_MAX];
	struct hf_reason *reason;
};

/* -EACCES, with the reason: the file is damaged. */
int hfi_elf_refuse(const struct hf_elf_reader *r, const char *wanted, const char *found) HF_NONNULL;

/* Whether the file has these bytes. */
bool hfi_elf_inside(const struct hf_elf_reader *r, uint64_t offset,
		    uint64_t length) HF_MUST_CHECK HF_NONNULL;

/* 0, -EACCES with the reason. */
int hfi_elf_read_at(const struct hf_elf_reader *r, void *to, size_t length,
		    uint64_t offset) HF_MUST_CHECK HF_NONNULL;

/*
 * Reads a part of the image from the file, to the second byte of *ret (a char *), which the caller frees. 0, -EACCES
 * with the reason, -ENOMEM.
 */
int hfi_elf_read_table(const struct hf_elf_reader *r, uint64_t address, uint64_t size,
		       void *ret) HF_MUST_CHECK HF_NONNULL;

/* The bytes from that address to the end of what its segment loads from the file; 0: it is in none. */
uint64_t hfi_elf_rest(const struct hf_elf_reader *r, uint64_t address) HF_MUST_CHECK HF_NONNULL;

#endif
