/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Page sizes of protected ranges. */
#ifndef HF_FORKSAFE_FORK_PAGES_H
#define HF_FORKSAFE_FORK_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The page size of the mapping that holds `address`, from text as in /proc/self/smaps; `usual` where
 * the text does not say.
 */
size_t hfi_fork_page_size(FILE *smaps, uintptr_t address, size_t usual);

/*
 * Remembers the page size that a range was rounded to when it was protected: its mapping may be gone
 * when the protection ends. Only sizes other than the usual one are kept. The caller locks.
 */
struct hf_fork_rounding;

/* -ENOMEM: nothing is kept. */
int hfi_fork_rounding_keep(struct hf_fork_rounding **table, uintptr_t start, size_t size,
			   size_t page);
/* Returns the page size and forgets it; 0 for a range that was not kept. */
size_t hfi_fork_rounding_take(struct hf_fork_rounding **table, uintptr_t start, size_t size);

#endif
