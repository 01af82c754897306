/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists of candidates: sorting, searching, freeing. */
#include <stdlib.h>
#include <string.h>

#include "core/provider/candidate.h"

void hfi_candidates_free(struct hf_candidate *candidates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hfi_manifest_clear(&candidates[i].manifest);
	free(candidates);
}

bool hfi_candidates_have(const struct hf_candidate *candidates, size_t count, const char *file)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(candidates[i].manifest.file, file))
			return true;
	return false;
}

void hfi_candidates_sort(struct hf_candidate *candidates, size_t count)
{
	size_t front = 0;

	for (size_t i = 0; i < count; i++) {
		struct hf_candidate candidate;

		if (!candidates[i].by_program)
			continue;
		candidate = candidates[i];
		memmove(&candidates[front + 1], &candidates[front],
			(i - front) * sizeof(candidate));
		candidates[front++] = candidate;
	}
}
