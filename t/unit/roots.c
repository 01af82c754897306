/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* HOLDFAST_ROOTS: what is accepted, and that anything else is refused as a whole. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/root_kind.h"
#include "core/device/roots.h"

static void a_tree_brings_its_nodes(void **state)
{
	struct hf_roots roots = {0};

	(void)state;
	assert_int_equal(hfi_roots_parse(&roots, "/nowhere/a,/nowhere/b:/nowhere/c,/sys"), 0);
	assert_int_equal(roots.count, 3);
	assert_string_equal(roots.v[0].sysfs, "/nowhere/a");
	assert_string_equal(roots.v[0].dev, "/nowhere/a/dev");
	assert_ptr_equal(roots.v[0].kind, &hfi_root_tree);
	assert_string_equal(roots.v[1].dev, "/nowhere/c");
	assert_string_equal(roots.v[2].dev, "/dev");
	assert_ptr_equal(roots.v[2].kind, &hfi_root_kernel);
	hfi_roots_clear(&roots);
}

static void refuses_the_rest(void **state)
{
	static const char *const bad[] = {"", "a", "/a,", ",/a", "/a:b", "/a,relative"};
	char long_path[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hf_roots roots = {0};

		assert_int_equal(hfi_roots_parse(&roots, bad[i]), -EINVAL);
		assert_int_equal(roots.count, 0);
		assert_null(roots.v);
	}
	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_not_equal(hfi_roots_parse(&(struct hf_roots){0}, long_path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_brings_its_nodes),
		cmocka_unit_test(refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
