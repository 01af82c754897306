/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the library remembers about providers: a process that may write no files stores no cache;
 * the patterns of PCI numbers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "core/foreign/cache.h"
#include "core/foreign/cache_file.h"

static void no_files(void **state)
{
	char dir[] = "/tmp/cache_limit.XXXXXX", file[64];
	const struct hf_cache cache = {0};
	struct rlimit old, none;
	int err;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/providers", dir);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	err = hfi_cache_save(dir, &cache);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, -EFBIG);
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_equal(hfi_cache_save(dir, &cache), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Also numbers with the digits a to f: each has its place in the kernel's pattern. */
static void pci_numbers(void **state)
{
	const char *text = "driver x 1 2\npci 15d3 dead\npci dddd 0\npci 1 ffff\nend\n";
	struct hf_tables tables;

	(void)state;
	assert_int_equal(hfi_tables_parse(&text, &tables), 0);
	assert_int_equal(tables.num_rules, 3);
	assert_string_equal(tables.rules[0].pattern, "pci:v000015D3d0000DEADsv*");
	assert_string_equal(tables.rules[1].pattern, "pci:v0000DDDDd00000000sv*");
	assert_string_equal(tables.rules[2].pattern, "pci:v00000001d0000FFFFsv*");
	hfi_tables_clear(&tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_files),
					   cmocka_unit_test(pci_numbers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
