/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Provider manifests: text files that anyone may have put there. */
#include <errno.h>

#include "core/provider/manifest.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "manifest";

static void check_manifest(const struct hf_manifest *m)
{
	fuzz_check(fuzz_is_string(m->path));
	fuzz_check(fuzz_is_string(m->file));
	fuzz_check(fuzz_is_string(m->name));
	fuzz_check(fuzz_is_string(m->version));
	fuzz_check(m->name[0] != '\0');
	fuzz_check(m->file[0] == '/');
	fuzz_check(!strstr(m->file, "/../"));
	fuzz_check(m->kernel_abi_min <= m->kernel_abi_max);
	fuzz_check(m->num_rules <= HF_MANIFEST_RULES_MAX);
	for (size_t i = 0; i < m->num_rules; i++) {
		const struct hf_rule *rule = &m->rules[i];

		switch (rule->kind) {
		case HF_RULE_DRIVER_ID:
			break;
		case HF_RULE_NAME:
		case HF_RULE_MODALIAS:
			fuzz_check(rule->pattern && rule->pattern[0]);
			break;
		default:
			fuzz_check(!"kind of rule");
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_manifest manifest;
	struct hf_reason reason;
	int ret;

	fuzz_fill(&manifest, sizeof(manifest));
	memset(&reason, 0, sizeof(reason));
	ret = hfi_manifest_parse("/usr/lib/holdfast/providers/fuzz.manifest", (const char *)data,
				 size, &manifest, &reason);
	if (ret) {
		fuzz_check(ret < 0);
		fuzz_check(fuzz_untouched(&manifest, sizeof(manifest)));
		if (ret == -EINVAL) {
			fuzz_check(reason.code != HF_REASON_NONE);
			fuzz_check(fuzz_is_string(reason.text) && reason.text[0]);
			fuzz_check(fuzz_is_string(reason.wanted));
			fuzz_check(fuzz_is_string(reason.found));
		}
		return 0;
	}
	check_manifest(&manifest);
	hfi_manifest_clear(&manifest);
	return 0;
}
