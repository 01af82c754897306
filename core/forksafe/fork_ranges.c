/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts how often each page is protected from fork. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/forksafe/fork_ranges.h"

/* A treap: ordered by address, and a heap by priority. */
struct hf_fork_edge {
	uintptr_t address;
	long delta; /* never 0 while in the tree */
	long sum;   /* of the deltas of this subtree */
	uint64_t priority;
	struct hf_fork_edge *left, *right;
};

static long subtree_sum(const struct hf_fork_edge *edge)
{
	return edge ? edge->sum : 0;
}

static void update(struct hf_fork_edge *edge)
{
	edge->sum = subtree_sum(edge->left) + edge->delta + subtree_sum(edge->right);
}

/* Splits into the edges before `address` and the rest. Random priorities keep the depth logarithmic. */
static void split(struct hf_fork_edge *edge, uintptr_t address, struct hf_fork_edge **before,
		  struct hf_fork_edge **rest)
{
	if (!edge) {
		*before = NULL;
		*rest = NULL;
	} else if (edge->address < address) {
		split(edge->right, address, &edge->right, rest);
		*before = edge;
		update(edge);
	} else {
		split(edge->left, address, before, &edge->left);
		*rest = edge;
		update(edge);
	}
}

static struct hf_fork_edge *join_trees(struct hf_fork_edge *before, struct hf_fork_edge *rest)
{
	if (!before || !rest)
		return before ? before : rest;
	if (before->priority > rest->priority) {
		before->right = join_trees(before->right, rest);
		update(before);
		return before;
	}
	rest->left = join_trees(before, rest->left);
	update(rest);
	return rest;
}

/* xorshift64 (Marsaglia 2003). Without it, registrations in order of address would make a list. */
static uint64_t next_random(struct hf_fork_ranges *ranges)
{
	uint64_t x = ranges->random ? ranges->random : 0x9e3779b97f4a7c15;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	ranges->random = x;
	return x;
}

/* Changes the delta at an address. A new edge is taken from *spare; an edge that is dropped goes there. */
static void change_at(struct hf_fork_ranges *ranges, uintptr_t address, long delta,
		      struct hf_fork_edge **spare)
{
	struct hf_fork_edge *before, *here, *after = NULL;

	split(ranges->root, address, &before, &here);
	if (address < UINTPTR_MAX)
		split(here, address + 1, &here, &after);
	if (!here) {
		here = *spare;
		*spare = NULL;
		*here = (struct hf_fork_edge){.address = address, .priority = next_random(ranges)};
	}
	here->delta += delta;
	update(here);
	if (!here->delta) {
		free(here);
		here = NULL;
	}
	ranges->root = join_trees(join_trees(before, here), after);
}

/* The sum of all deltas before an address, which is the count just below it. */
static long count_before(const struct hf_fork_ranges *ranges, uintptr_t address)
{
	const struct hf_fork_edge *edge = ranges->root;
	long count = 0;

	while (edge) {
		if (edge->address < address) {
			count += subtree_sum(edge->left) + edge->delta;
			edge = edge->right;
		} else {
			edge = edge->left;
		}
	}
	return count;
}

long hfi_fork_ranges_count(const struct hf_fork_ranges *ranges, uintptr_t address)
{
	return address == UINTPTR_MAX ? subtree_sum(ranges->root)
				      : count_before(ranges, address + 1);
}

static const struct hf_fork_edge *first_from(const struct hf_fork_edge *edge, uintptr_t address)
{
	const struct hf_fork_edge *found = NULL;

	while (edge) {
		if (edge->address >= address) {
			found = edge;
			edge = edge->left;
		} else {
			edge = edge->right;
		}
	}
	return found;
}

/*
 * Finds the next range in [*at, end) with a count of `wanted`. True: *at is its end. Adjacent ranges
 * with the same count have no edge between them.
 */
static bool next_stretch(const struct hf_fork_ranges *ranges, long wanted, uintptr_t *at,
			 uintptr_t end, uintptr_t *from)
{
	long count = hfi_fork_ranges_count(ranges, *at);

	while (*at < end) {
		const struct hf_fork_edge *edge = first_from(ranges->root, *at + 1);
		uintptr_t to = edge && edge->address < end ? edge->address : end;
		bool found = count == wanted;

		*from = *at;
		*at = to;
		if (found)
			return true;
		if (to < end)
			count += edge->delta;
	}
	return false;
}

/* Calls apply() for every range in [start, end) with that count; `all`: goes on after an error. */
static int protect_stretches(struct hf_fork_ranges *ranges, long wanted, uintptr_t start,
			     uintptr_t end, int protect, bool all, uintptr_t *failed)
{
	uintptr_t at = start, from;
	int err = 0;

	while (next_stretch(ranges, wanted, &at, end, &from)) {
		int answer = ranges->apply(ranges->arg, from, at - from, protect);

		if (answer && !err) {
			err = answer;
			*failed = from;
		}
		if (answer && !all)
			break;
	}
	return err;
}

int hfi_fork_ranges_add(struct hf_fork_ranges *ranges, uintptr_t start, uintptr_t end)
{
	struct hf_fork_edge *first = malloc(sizeof(*first)), *second = malloc(sizeof(*second));
	uintptr_t failed = start, unused;
	int err = -ENOMEM;

	if (!first || !second)
		goto done;
	err = protect_stretches(ranges, 0, start, end, 1, false, &failed);
	if (err) {
		protect_stretches(ranges, 0, start, failed, 0, true, &unused);
		goto done;
	}
	change_at(ranges, start, 1, &first);
	change_at(ranges, end, -1, &second);

done:
	free(first);
	free(second);
	return err;
}

int hfi_fork_ranges_remove(struct hf_fork_ranges *ranges, uintptr_t start, uintptr_t end)
{
	struct hf_fork_edge *first = NULL, *second = NULL;
	uintptr_t at = start, failed;
	int err = -EINVAL;

	if (next_stretch(ranges, 0, &at, end, &failed))
		return err;
	first = malloc(sizeof(*first));
	second = malloc(sizeof(*second));
	if (!first || !second) {
		err = -ENOMEM;
		goto done;
	}
	err = protect_stretches(ranges, 1, start, end, 0, true, &failed);
	change_at(ranges, start, -1, &first);
	change_at(ranges, end, 1, &second);

done:
	free(first);
	free(second);
	return err;
}

void hfi_fork_ranges_clear(struct hf_fork_ranges *ranges)
{
	while (ranges->root) {
		struct hf_fork_edge *edge = ranges->root;

		ranges->root = join_trees(edge->left, edge->right);
		free(edge);
	}
}
