/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests of shared/text.c. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "shared/text.h"

static void numbers_are_taken_whole(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		int base, err;
	} cases[] = {
		{"0", 10, 0, 10, 0},
		{"10", 10, 10, 10, 0},
		{"11", 10, 0, 10, -EINVAL},
		{"0x1f", 255, 31, 16, 0},
		{"0x1f", 255, 31, 0, 0},
		{"1f", 255, 31, 16, 0},
		{"FFff", 65535, 65535, 16, 0},
		{"ffffffffffffffff", UINT64_MAX, UINT64_MAX, 16, 0},
		{"10000000000000000", UINT64_MAX, 0, 16, -EINVAL},
		{"1g", 255, 0, 16, -EINVAL},
		{" 1", 255, 0, 16, -EINVAL},
		{"1f", 255, 0, 10, -EINVAL},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX, 10, 0},
		{"18446744073709551616", UINT64_MAX, 0, 10, -EINVAL},
		{"", 10, 0, 10, -EINVAL},
		{" 1", 10, 0, 10, -EINVAL},
		{"1 ", 10, 0, 10, -EINVAL},
		{"-1", UINT64_MAX, 0, 10, -EINVAL},
		{"+1", 10, 0, 10, -EINVAL},
		{"1\n", 10, 0, 10, -EINVAL},
		{"x", 10, 0, 10, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(hfi_parse_number(cases[i].text, cases[i].base, cases[i].max,
						  &value),
				 cases[i].err);
		assert_true(value == cases[i].value);
	}
}

static void errno_is_kept(void **state)
{
	uint64_t value;

	(void)state;
	errno = 99;
	assert_int_equal(hfi_parse_number("99999999999999999999999", 10, UINT64_MAX, &value),
			 -EINVAL);
	assert_int_equal(errno, 99);
}

static void copies_fit_or_fail(void **state)
{
	char to[4] = "old";

	(void)state;
	assert_int_equal(hfi_copy(to, sizeof(to), "1234"), -ENAMETOOLONG);
	assert_string_equal(to, "old");
	assert_int_equal(hfi_copy(to, sizeof(to), "123"), 0);
	assert_string_equal(to, "123");
	assert_int_equal(hfi_copy(to, sizeof(to), ""), 0);
	assert_string_equal(to, "");
	assert_int_equal(hfi_print(to, sizeof(to), "%d", 123), 0);
	assert_string_equal(to, "123");
	assert_int_equal(hfi_print(to, sizeof(to), "%d", 1234), -ENAMETOOLONG);
	assert_string_equal(to, "");
}

static void strings_are_joined(void **state)
{
	char to[8] = "old";

	(void)state;
	assert_int_equal(hfi_print(to, sizeof(to), "%s/%s", "abc", "def"), 0);
	assert_string_equal(to, "abc/def");
	assert_int_equal(hfi_print(to, sizeof(to), "%s/%s", "abc", "defg"), -ENAMETOOLONG);
	assert_string_equal(to, "");
	assert_int_equal(hfi_print(to, sizeof(to), "%s%s/", "", "123456"), 0);
	assert_string_equal(to, "123456/");
	assert_int_equal(hfi_print(to, sizeof(to), "%s/%u%%", "abc", 12u), 0);
	assert_string_equal(to, "abc/12%");
	assert_int_equal(hfi_print(to, sizeof(to), "%.*s", 2, "abc"), 0);
	assert_string_equal(to, "ab");
	assert_int_equal(hfi_print(to, 1, "%s", ""), 0);
	assert_string_equal(to, "");
	assert_int_equal(hfi_print(to, 1, "%s", "a"), -ENAMETOOLONG);
	assert_int_equal(hfi_join(to, sizeof(to), "abc", "/", "def"), 0);
	assert_string_equal(to, "abc/def");
	assert_int_equal(hfi_join(to, sizeof(to), "abc", "/", "defg"), -ENAMETOOLONG);
	assert_string_equal(to, "");
	assert_int_equal(hfi_join(to, 1, "", "", ""), 0);
}

static void names(void **state)
{
	(void)state;
	assert_true(hfi_is_name("rxe0", 4));
	assert_false(hfi_is_name("rxe01", 4));
	assert_false(hfi_is_name("", 4));
	assert_false(hfi_is_name(".", 4));
	assert_false(hfi_is_name("..", 4));
	assert_true(hfi_is_name("...", 4));
	assert_false(hfi_is_name("a/b", 4));
	assert_false(hfi_is_name("a b", 4));
	assert_false(hfi_is_name("a\n", 4));
	assert_false(hfi_is_name("\xc3\xa4", 4));
	assert_true(hfi_is_component("a b\n", 4));
	assert_true(hfi_is_component("\xc3\xa4\t", 4));
	assert_true(hfi_is_component("\\\"%s", 4));
	assert_false(hfi_is_component("a/b", 4));
	assert_false(hfi_is_component("", 4));
	assert_false(hfi_is_component("12345", 4));
	assert_false(hfi_is_component(".", 4));
	assert_false(hfi_is_component("..", 4));
	assert_true(hfi_is_uverbs_name("uverbs0"));
	assert_true(hfi_is_uverbs_name("uverbs4095"));
	assert_false(hfi_is_uverbs_name("uverbs"));
	assert_false(hfi_is_uverbs_name("uverbs1a"));
	assert_false(hfi_is_uverbs_name("uverbs-1"));
	assert_false(hfi_is_uverbs_name("uverbs12345678901"));
	assert_false(hfi_is_uverbs_name("uverb"));
	assert_false(hfi_is_uverbs_name(""));
	assert_false(hfi_is_uverbs_name("xuverbs0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_taken_whole),
		cmocka_unit_test(errno_is_kept),
		cmocka_unit_test(copies_fit_or_fail),
		cmocka_unit_test(strings_are_joined),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("texts", tests, NULL, NULL);
}
