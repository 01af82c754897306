/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_VERBS_FORK_PAGES_H
#define HF_VERBS_FORK_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The page size of the mapping that holds `address`, from text as in /proc/self/smaps; `usual` where
 * the text does not say.
 */
size_t hf_fork_page_size(FILE *smaps, uintptr_t address, size_t usual);

#endif
