/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Manifests: which are accepted, and which message refuses the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/provider/manifest.h"
#include "core/provider/match.h"

static const char path[] = "/some/where/x.provider";

static int parse_text(const char *text, struct hf_manifest *manifest, struct hf_reason *reason)
{
	return hfi_manifest_parse(path, text, strlen(text), manifest, reason);
}

static void understands_every_key(void **state)
{
	struct hf_manifest m;
	struct hf_reason why;

	(void)state;
	assert_int_equal(
		parse_text("# comment\n\n name = x\nversion=1.2\r\nfile = x-hf1.so\nabi = 1\n"
			   "kernel-abi = 3..5\ndriver-id = 14\nmatch-name = x*\n"
			   "match-modalias = pci:v000015B3d*\nkey-of-tomorrow = 1",
			   &m, &why),
		0);
	assert_string_equal(m.name, "x");
	assert_string_equal(m.version, "1.2");
	assert_string_equal(m.file, "/some/where/x-hf1.so");
	assert_int_equal(m.abi, 1);
	assert_int_equal(m.kernel_abi_min, 3);
	assert_int_equal(m.kernel_abi_max, 5);
	assert_int_equal(m.num_rules, 3);
	hfi_manifest_clear(&m);
}

static void one_number_is_a_range(void **state)
{
	struct hf_manifest m;
	struct hf_reason why;

	(void)state;
	assert_int_equal(parse_text("name=x\nfile=x-hf1.so\nabi=1\nkernel-abi=7\n", &m, &why), 0);
	assert_int_equal(m.kernel_abi_min, 7);
	assert_int_equal(m.kernel_abi_max, 7);
	hfi_manifest_clear(&m);
}

static void refuses_with_the_line(void **state)
{
	static const struct {
		const char *text;
		const char *line;
	} cases[] = {
		{"", "line 1"},
		{"name = x\nabi = 1\n", "file = "},
		{"name = x\nfile = x-hf1.so\n", "abi = "},
		{"file = x-hf1.so\nabi = 1\n", "name = "},
		{"name = x\nno equals sign\n", "line 2"},
		{"name =\n", "line 1"},
		{"name = ../x\n", "line 1"},
		{"name = x\nfile = ../x-hf1.so\n", "line 2"},
		{"name = x\nfile = /etc/passwd\n", "line 2"},
		{"abi = -1\n", "line 1"},
		{"abi = 1x\n", "line 1"},
		{"abi = 4294967296\n", "line 1"},
		{"kernel-abi = 5..3\n", "line 1"},
		{"kernel-abi = ..3\n", "line 1"},
		{"driver-id = 0\n", "line 1"},
		{"driver-id = rxe\n", "line 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hf_manifest m = {0};
		struct hf_reason why = {0};

		assert_int_equal(parse_text(cases[i].text, &m, &why), -EINVAL);
		assert_int_equal(why.code, HF_REASON_BAD_MANIFEST);
		assert_non_null(strstr(why.text, path));
		if (!strstr(why.text, cases[i].line))
			fail_msg("case %zu: '%s' lacks '%s'", i, why.text, cases[i].line);
	}
}

static void is_bounded(void **state)
{
	static char big[HF_MANIFEST_MAX + 2];
	struct hf_manifest m;
	struct hf_reason why;
	size_t length = 0;

	(void)state;
	memset(big, '\n', sizeof(big));
	assert_int_equal(hfi_manifest_parse(path, big, sizeof(big), &m, &why), -EINVAL);
	assert_int_equal(hfi_manifest_parse(path, "name\0=x", 7, &m, &why), -EINVAL);
	for (int i = 0; i <= HF_MANIFEST_RULES_MAX; i++)
		length += (size_t)sprintf(big + length, "match-name = x%d\n", i);
	assert_int_equal(hfi_manifest_parse(path, big, length, &m, &why), -EINVAL);
	assert_non_null(strstr(why.text, "1024"));
}

static void matches_in_two_passes(void **state)
{
	struct hf_manifest m;
	struct hf_reason why;
	struct hf_match_key key = {.driver_id = 14, .name = "y0", .modalias = ""};

	(void)state;
	assert_int_equal(parse_text("name=x\nfile=x-hf1.so\nabi=1\ndriver-id=14\nmatch-name=x*\n"
				    "match-modalias=pci:v000015B3*\n",
				    &m, &why),
			 0);
	assert_true(hfi_manifest_matches(&m, &key, true));
	assert_false(hfi_manifest_matches(&m, &key, false));
	key = (struct hf_match_key){.driver_id = 15, .name = "x0", .modalias = ""};
	assert_false(hfi_manifest_matches(&m, &key, true));
	assert_true(hfi_manifest_matches(&m, &key, false));
	key = (struct hf_match_key){.name = "y0", .modalias = "pci:v000015B3d00001017sv"};
	assert_true(hfi_manifest_matches(&m, &key, false));
	hfi_manifest_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_every_key), cmocka_unit_test(one_number_is_a_range),
		cmocka_unit_test(refuses_with_the_line), cmocka_unit_test(is_bounded),
		cmocka_unit_test(matches_in_two_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
