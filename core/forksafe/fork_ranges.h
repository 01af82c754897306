/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which pages are protected from fork, and how many times over. Callers take turns. */
#ifndef HF_FORKSAFE_FORK_RANGES_H
#define HF_FORKSAFE_FORK_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct hf_fork_edge;

/*
 * The counts are kept as a search tree of the addresses at which they change, each with by how much;
 * the sum up to an address is its count.
 */
struct hf_fork_ranges {
	struct hf_fork_edge *root;
	uint64_t random; /* state of what keeps the tree balanced */
	/* Told of each stretch whose first protection begins or whose last one ends: 0 or -errno. */
	int (*apply)(void *arg, uintptr_t start, size_t size, int protect);
	void *arg;
};

/*
 * Adds one to the count of every address from `start` up to `end`, or nothing on failure: what was
 * told is taken back.
 */
int hfi_fork_ranges_add(struct hf_fork_ranges *ranges, uintptr_t start, uintptr_t end);

/*
 * Takes one off. -EINVAL, and nothing is done, where a count is 0 already. An error of apply() is
 * returned, but counts all the same: what is unmapped by now cannot be told, and must not count.
 */
int hfi_fork_ranges_remove(struct hf_fork_ranges *ranges, uintptr_t start, uintptr_t end);

/* The count at an address. */
long hfi_fork_ranges_count(const struct hf_fork_ranges *ranges, uintptr_t address);

/* Forgets everything, telling nobody. */
void hfi_fork_ranges_clear(struct hf_fork_ranges *ranges);

#endif
