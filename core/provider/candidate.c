/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "core/base/reason.h"
#include "shared/text.h"
#include "core/foreign/candidate.h"

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
		struct hf_candidate candidate = candidates[i];

		if (!candidate.by_program)
			continue;
		memmove(&candidates[front + 1], &candidates[front],
			(i - front) * sizeof(candidate));
		candidates[front++] = candidate;
	}
}

void hfi_candidate_take(struct hf_candidate *candidate, struct hf_tables *tables)
{
	struct hf_manifest *m = &candidate->manifest;

	candidate->learned = true;
	if (tables->file[0])
		hfi_copy(m->file, sizeof(m->file), tables->file);
	if (tables->error[0]) {
		hfi_reason_set(&candidate->reason, HF_REASON_LOAD, "a library that loads",
			       tables->error, "%s", tables->error);
		hfi_tables_clear(tables);
		return;
	}
	hfi_manifest_clear(m);
	hfi_copy(m->name, sizeof(m->name), tables->name);
	m->kernel_abi_min = tables->abi_min;
	m->kernel_abi_max = tables->abi_max;
	m->rules = tables->rules;
	m->num_rules = tables->num_rules;
	candidate->asks = tables->asks;
	tables->rules = NULL;
	tables->num_rules = 0;
}

int hfi_candidate_take_ops(struct hf_candidate *candidate, const struct verbs_device_ops *ops)
{
	struct hf_tables tables;
	int err;

	err = hfi_tables_take(ops, &tables);
	if (!err)
		hfi_candidate_take(candidate, &tables);
	return err;
}
