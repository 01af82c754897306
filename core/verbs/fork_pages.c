/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/verbs/fork_pages.h"

/* "START-END perms ...", both in hex; any other line begins with a word and a colon. */
static bool is_mapping(const char *line, uintptr_t *start, uintptr_t *end)
{
	char *rest;

	*start = strtoul(line, &rest, 16);
	if (rest == line || *rest != '-')
		return false;
	line = rest + 1;
	*end = strtoul(line, &rest, 16);
	return rest != line && *rest == ' ';
}

size_t hf_fork_page_size(FILE *smaps, uintptr_t address, size_t usual)
{
	static const char key[] = "KernelPageSize:";
	size_t page = usual, room = 0;
	bool inside = false;
	char *line = NULL;

	while (getline(&line, &room, smaps) >= 0) {
		uintptr_t start, end;

		if (is_mapping(line, &start, &end)) {
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
