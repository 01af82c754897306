/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Programs built with shorter or longer public structures than the library's. */
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

/* These are elements of arrays and members of other structures: their size is final. */
static_assert(sizeof(struct hf_reason) == 512, "struct hf_reason");
static_assert(sizeof(struct hf_root) == 2 * sizeof(char *) + 32, "struct hf_root");
static_assert(sizeof(enum hf_event_type) == sizeof(int), "enum hf_event_type");
static_assert(sizeof(enum hf_log_level) == sizeof(int), "enum hf_log_level");

enum { LONGER = 24 };

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct ibv_device *device;
	struct hf_root root;
};

static int setup_sizes(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	char dir[512];
	const char *dirs[] = {dir, NULL};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &bed->root,
		.num_roots = 1,
		.provider_dirs = dirs,
	};

	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	tree_add(bed->tree, 0, "fake0", NULL);
	bed->root.sysfs = tree_sysfs(bed->tree);
	bed->root.dev = tree_dev(bed->tree);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &bed->device), 0);
	*state = bed;
	return 0;
}

static int teardown_sizes(void **state)
{
	struct bed *bed = *state;

	hf_device_unref(bed->device);
	hf_unref(bed->hf);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

static bool are_zero(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)bytes)[i])
			return false;
	return true;
}

/*
 * Checks that `entries` of `size` bytes each begin like those of `whole`, which have `whole_size`
 * bytes.
 */
static void expect_same(const void *entries, size_t size, const void *whole, size_t whole_size,
			int count)
{
	size_t same = size < whole_size ? size : whole_size;

	for (size_t i = 0; i < (size_t)count; i++) {
		const char *entry = (const char *)entries + i * size;

		assert_memory_equal(entry, (const char *)whole + i * whole_size, same);
		assert_true(are_zero(entry + same, size - same));
	}
}

static void entries_of_gids_have_the_callers_size(void **state)
{
	static const size_t sizes[] = {offsetof(struct hf_gid, type),
				       sizeof(struct hf_gid) + LONGER};
	struct bed *bed = *state;
	struct hf_gid *whole, *entries;
	int count = hf_device_get_gids(bed->device, 1, sizeof(*whole), &whole);

	assert_int_equal(count, 2);
	assert_int_equal(whole[1].index, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(hf_device_get_gids(bed->device, 1, sizes[i], &entries), count);
		expect_same(entries, sizes[i], whole, sizeof(*whole), count);
		free(entries);
	}
	free(whole);
	entries = (void *)1;
	assert_int_equal(hf_device_get_gids(bed->device, 1, 4, &entries), -EINVAL);
	assert_int_equal(hf_device_get_gids(bed->device, 1, 65537, &entries), -EINVAL);
	assert_ptr_equal(entries, (void *)1);
}

static void entries_of_providers_have_the_callers_size(void **state)
{
	static const size_t sizes[] = {offsetof(struct hf_provider_info, abi),
				       sizeof(struct hf_provider_info) + LONGER};
	struct bed *bed = *state;
	struct hf_provider_info *whole, *entries;
	int count = hf_provider_list(bed->hf, sizeof(*whole), &whole);

	assert_true(count > 0);
	assert_true(whole[0].name[0]);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(hf_provider_list(bed->hf, sizes[i], &entries), count);
		expect_same(entries, sizes[i], whole, sizeof(*whole), count);
		free(entries);
	}
	free(whole);
	entries = (void *)1;
	assert_int_equal(hf_provider_list(bed->hf, 1, &entries), -EINVAL);
	assert_int_equal(hf_provider_list(bed->hf, 65537, &entries), -EINVAL);
	assert_ptr_equal(entries, (void *)1);
}

static void info_has_the_callers_size(void **state)
{
	struct bed *bed = *state;
	struct {
		struct hf_device_info info;
		char more[LONGER];
	} filled = {.info.size = sizeof(filled.info)}, other;

	assert_int_equal(hf_device_get_info(bed->device, &filled.info), 0);
	memset(&other, 'x', sizeof(other));
	other.info.size = sizeof(other);
	assert_int_equal(hf_device_get_info(bed->device, &other.info), 0);
	assert_true(are_zero(other.more, sizeof(other.more)));
	other.info.size = sizeof(other.info);
	assert_memory_equal(&other.info, &filled.info, sizeof(other.info));

	memset(&other, 'x', sizeof(other));
	other.info.size = offsetof(struct hf_device_info, index);
	assert_int_equal(hf_device_get_info(bed->device, &other.info), 0);
	assert_string_equal(other.info.name, "fake0");
	assert_int_equal(other.info.index, 0x78787878);
	other.info.size = 4;
	assert_int_equal(hf_device_get_info(bed->device, &other.info), -EINVAL);
}

static void ports_have_the_callers_size(void **state)
{
	struct bed *bed = *state;
	struct {
		struct hf_port_info port;
		char more[LONGER];
	} other;

	memset(&other, 'x', sizeof(other));
	other.port.size = sizeof(other);
	assert_int_equal(hf_device_get_port(bed->device, 1, &other.port), 0);
	assert_int_equal(other.port.num_gids, 2);
	assert_true(are_zero(other.more, sizeof(other.more)));
	memset(&other, 'x', sizeof(other));
	other.port.size = offsetof(struct hf_port_info, link_layer);
	assert_int_equal(hf_device_get_port(bed->device, 1, &other.port), 0);
	assert_int_equal(other.port.port, 1);
	assert_int_equal(other.port.link_layer, 0x78787878);
}

/* An option that a later version defines must not be ignored by this one. */
static void unknown_options_are_refused(void **state)
{
	struct bed *bed = *state;
	struct {
		struct hf_options options;
		char more[LONGER];
	} longer = {.options = {.size = sizeof(longer), .roots = &bed->root, .num_roots = 1}};
	struct hf *hf = (void *)1;

	longer.more[LONGER - 1] = 1;
	assert_int_equal(hf_new(&longer.options, &hf), -EINVAL);
	longer.more[LONGER - 1] = 0;
	bed->root.reserved[3] = 1;
	assert_int_equal(hf_new(&longer.options, &hf), -EINVAL);
	bed->root.reserved[3] = 0;
	assert_ptr_equal(hf, (void *)1);
	assert_int_equal(hf_new(&longer.options, &hf), 0);
	hf_unref(hf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_of_gids_have_the_callers_size, setup_sizes,
						teardown_sizes),
		cmocka_unit_test_setup_teardown(entries_of_providers_have_the_callers_size,
						setup_sizes, teardown_sizes),
		cmocka_unit_test_setup_teardown(info_has_the_callers_size, setup_sizes,
						teardown_sizes),
		cmocka_unit_test_setup_teardown(ports_have_the_callers_size, setup_sizes,
						teardown_sizes),
		cmocka_unit_test_setup_teardown(unknown_options_are_refused, setup_sizes,
						teardown_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
