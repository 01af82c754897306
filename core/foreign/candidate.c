/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes the manifest of a candidate from the match tables of its library. */
#include "core/base/reason.h"
#include "shared/text.h"
#include "core/foreign/candidate.h"
#include "core/foreign/tables.h"

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
