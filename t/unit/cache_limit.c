/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* In a process that may write no files what is known of providers is not kept, and nothing else happens. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_files)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
