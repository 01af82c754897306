/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts how often each page is protected from fork. The caller locks. */
#ifndef HF_FORKSAFE_FORK_RANGES_H
#define HF_FORKSAFE_FORK_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct hf_fork_edge;

/*
 * The counts are kept as a search tree of the addresses at which they change, each with the change;
 * the sum of the changes up to an address is its count.
 */
struct hf_fork_ranges {
	struct hf_fork_edge *root;
	uint64_t random; /* state of what keeps the tree balanced */
	/* Called for each range whose first protection begins or whose last one ends: 0 or -errno. */
	int (*apply)(void *arg, uintptr_t start, size_t size, int protect);
	void *arg;
};

/*
 * Adds one to the count of every address from `start` up to `end`. On failure nothing is added, and
 * what apply() did is undone by further calls of it.
 */
int hfi_fork_ranges_add(struct hf_fork_ranges *ranges, uintptr_t start, uintptr_t end);

/*
 * Subtracts one. -EINVAL, without an effect, if a count is 0 already. An error of apply() is
 * returned, but the counts change anyway: memory that was unmapped must not stay counted.
 */
int hfi_fork_ranges_remove(struct hf_fork_ranges *ranges, uintptr_t start, uintptr_t end);

/* The count at an address. */
long hfi_fork_ranges_count(const struct hf_fork_ranges *ranges, uintptr_t address);

/* Forgets everything without calling apply(). */
void hfi_fork_ranges_clear(struct hf_fork_ranges *ranges);

#endif
