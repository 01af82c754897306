/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The text that says which roots are searched, as in HOLDFAST_ROOTS. */
#include "core/device/roots.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "config";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_roots roots = {0};
	char *text = strndup((const char *)data, size);
	int ret;

	if (!text)
		abort();
	ret = hf_roots_parse(&roots, text);
	fuzz_check(ret <= 0);
	fuzz_check(ret ? !roots.count && !roots.v : roots.count >= 1);
	fuzz_check(roots.count <= HF_ROOTS_MAX);
	for (unsigned int i = 0; i < roots.count; i++) {
		const struct hf_search_root *root = &roots.v[i];

		fuzz_check(fuzz_is_string(root->sysfs) && root->sysfs[0] == '/');
		fuzz_check(fuzz_is_string(root->dev) && root->dev[0] == '/');
		fuzz_check(!root->sysfs[1] || root->sysfs[strlen(root->sysfs) - 1] != '/');
		fuzz_check(!root->dev[1] || root->dev[strlen(root->dev) - 1] != '/');
	}
	hf_roots_clear(&roots);
	free(text);
	return 0;
}
