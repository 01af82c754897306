/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a context is told by the environment and by its options. The input is lines: the text of
 * HOLDFAST_ROOTS, SYSFS_PATH, HOLDFAST_PROVIDER_PATH and HOLDFAST_LOG, of which an empty one is not
 * set, and then raw bytes of a struct hf_options (without its pointers).
 */
#include <errno.h>

#include <holdfast/holdfast.h>

#include "core/device/hf.h"
#include "core/device/roots.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "config";

static void check_root(const struct hf_search_root *root)
{
	fuzz_check(fuzz_is_string(root->sysfs) && root->sysfs[0] == '/');
	fuzz_check(fuzz_is_string(root->dev) && root->dev[0] == '/');
	fuzz_check(!root->sysfs[1] || root->sysfs[strlen(root->sysfs) - 1] != '/');
	fuzz_check(!root->dev[1] || root->dev[strlen(root->dev) - 1] != '/');
}

static void try_roots(const char *text)
{
	struct hf_roots roots = {0};
	int ret = hfi_roots_parse(&roots, text);

	fuzz_check(ret <= 0);
	fuzz_check(ret ? !roots.count && !roots.v : roots.count >= 1);
	fuzz_check(roots.count <= HF_ROOTS_MAX);
	for (unsigned int i = 0; i < roots.count; i++)
		check_root(&roots.v[i]);
	hfi_roots_clear(&roots);
}

static void try_context(const struct hf_options *options)
{
	struct hf *hf = NULL;
	int ret = hf_new(options, &hf);

	if (ret) {
		fuzz_check(ret == -EINVAL && !hf);
		return;
	}
	fuzz_check(hf->num_roots >= 1 && hf->num_roots <= HF_ROOTS_MAX);
	for (unsigned int i = 0; i < hf->num_roots; i++)
		check_root(&hf->roots[i]);
	fuzz_check(hf->node_wait_ms > 0);
	for (char **dir = hf->registry.dirs; *dir; dir++)
		fuzz_check(dir[0][0] == '/');
	fuzz_check(!hf_unref(hf));
}

/* With room behind, for sizes beyond the structure. */
union raw_options {
	struct hf_options options;
	uint8_t bytes[sizeof(struct hf_options) + 64];
};

static void take_options(const uint8_t *data, size_t size, union raw_options *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->bytes, data, size < sizeof(ret->bytes) ? size : sizeof(ret->bytes));
	ret->options.size %= sizeof(ret->bytes) + 1;
	ret->options.roots = NULL;
	ret->options.provider_dirs = NULL;
	ret->options.log = NULL;
	ret->options.driver_config_dir = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"HOLDFAST_ROOTS", "SYSFS_PATH",
					    "HOLDFAST_PROVIDER_PATH", "HOLDFAST_LOG"};
	union raw_options raw;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
		size_t length = end ? (size_t)(end - data) : size;
		char *text = strndup((const char *)data, length);

		if (!text)
			abort();
		if (i == 0)
			try_roots(text);
		if (*text)
			setenv(names[i], text, 1);
		else
			unsetenv(names[i]);
		free(text);
		length += end != NULL;
		data += length;
		size -= length;
	}
	try_context(NULL);
	take_options(data, size, &raw);
	try_context(&raw.options);
	return 0;
}
