/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the dynamic section and symbols of an ELF library without loading it. */
#ifndef HF_PROVIDER_ELF_H
#define HF_PROVIDER_ELF_H

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/reason.h>

#include "shared/attr.h"

/* The strings of its dynamic section: names of needed libraries, symbols and versions. */
struct hf_elf {
	char *strings; /* a NUL at the end, and before the first */
	size_t size;
};

/*
 * Checks that the file is a whole library for this machine: all that its headers speak of must lie
 * within it, or the loader would map what is not there, and the process would die of the first touch.
 * Without `ret` that is all, else its tables are looked at, too. 0, -EACCES with *reason filled, -ENOMEM.
 */
int hfi_elf_read(const char *path, struct hf_elf *ret, struct hf_reason *reason) HF_MUST_CHECK
	HF_NONNULL_OF(1, 3);

/* The same, and also the tables that only the loader reads, without checking them. */
int hfi_elf_read_to_load(const char *path, struct hf_elf *ret,
			 struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;
void hfi_elf_clear(struct hf_elf *elf) HF_NONNULL;

bool hfi_elf_names(const struct hf_elf *elf, const char *string) HF_MUST_CHECK HF_NONNULL;

#endif
