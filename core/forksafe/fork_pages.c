/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The page size of a mapping, for rounding a range to whole pages. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shared/hash.h"
#include "core/forksafe/fork_pages.h"

struct hf_fork_rounding {
	struct range {
		uintptr_t start;
		size_t size;
	} range;
	size_t page;
	unsigned int count; /* the same memory may be registered several times */
	UT_hash_handle hh;
};

/* "START-END perms ...", both in hex; any other line begins with a word and a colon. */
static bool parse_mapping_range(const char *line, uintptr_t *start, uintptr_t *end)
{
	char *rest;

	*start = strtoul(line, &rest, 16);
	if (rest == line || *rest != '-')
		return false;
	line = rest + 1;
	*end = strtoul(line, &rest, 16);
	return rest != line && *rest == ' ';
}

size_t hfi_fork_page_size(FILE *smaps, uintptr_t address, size_t usual)
{
	static const char key[] = "KernelPageSize:";
	size_t page = usual, room = 0;
	bool inside = false;
	char *line = NULL;

	while (getline(&line, &room, smaps) >= 0) {
		uintptr_t start, end;

		if (parse_mapping_range(line, &start, &end)) {
			inside = start <= address && address < end;
		} else if (inside && !strncmp(line, key, sizeof(key) - 1)) {
			unsigned long kib = strtoul(line + sizeof(key) - 1, NULL, 10);

			/* Rounding below needs a power of two, and no architecture has pages above 16 GiB. */
			if (kib && !(kib & (kib - 1)) && kib <= 1UL << 24 && kib * 1024 >= usual)
				page = kib * 1024;
			break;
		}
	}
	free(line);
	return page;
}

static struct hf_fork_rounding *find_rounding(struct hf_fork_rounding *table, uintptr_t start,
					      size_t size)
{
	const struct range range = {start, size};
	struct hf_fork_rounding *found;

	/* The key has no padding; the analyser gives up on the bytes of a structure. */
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	HASH_FIND(hh, table, &range, sizeof(range), found);
	return found;
}

int hfi_fork_rounding_keep(struct hf_fork_rounding **table, uintptr_t start, size_t size,
			   size_t page)
{
	struct hf_fork_rounding *kept = find_rounding(*table, start, size);

	if (kept && kept->page == page) {
		kept->count++;
		return 0;
	}
	kept = calloc(1, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	kept->range = (struct range){start, size};
	kept->page = page;
	kept->count = 1;
	HASH_ADD(hh, *table, range, sizeof(kept->range), kept);
	if (hf_hash_added(kept))
		return 0;
	free(kept);
	return -ENOMEM;
}

size_t hfi_fork_rounding_take(struct hf_fork_rounding **table, uintptr_t start, size_t size)
{
	struct hf_fork_rounding *kept = find_rounding(*table, start, size);
	size_t page = kept ? kept->page : 0;

	if (kept && --kept->count == 0) {
		HASH_DEL(*table, kept);
		free(kept);
	}
	return page;
}
