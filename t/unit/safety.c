/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which owners and permissions of a library are acceptable, in each kind of process; which owners
 * have no number in this user namespace.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/provider/safety.h"
#include "shared/userns.h"

static bool secure;

/* Replaces libc's function in this program. */
unsigned long getauxval(unsigned long type)
{
	return type == AT_SECURE ? secure : 0;
}

static const struct {
	uid_t uid;
	mode_t mode;
	bool safe, safe_when_secure;
} files[] = {
	{0, 0644, true, true},	    {0, 0755, true, true},	 {0, 0664, true, false},
	{0, 0775, true, false},	    {1000, 0644, true, false},	 {1000, 0664, true, false},
	{1000, 0775, true, false},  {65534, 0644, true, false},	 {65534, 0664, true, false},
	{0, 0666, false, false},    {0, 0777, false, false},	 {0, 01777, false, false},
	{1000, 0666, false, false}, {65534, 0646, false, false}, {0, 0602, false, false},
};

static void owners_and_modes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const struct stat st = {.st_uid = files[i].uid, .st_mode = S_IFREG | files[i].mode};
		struct hf_reason reason = {0};

		for (int kind = 0; kind < 2; kind++) {
			bool safe = kind ? files[i].safe_when_secure : files[i].safe;

			secure = kind;
			if (hfi_safety_check("/the/file", &st, &reason) != (safe ? 0 : -EACCES))
				fail_msg("uid %u mode %04o, secure %d", files[i].uid, files[i].mode,
					 kind);
			if (safe)
				continue;
			assert_int_equal(reason.code, HF_REASON_UNSAFE);
			assert_memory_equal(reason.text, "/the/file ", 10);
			assert_non_null(strstr(reason.found, "owner"));
		}
	}
	secure = false;
}

/*
 * In a process with more rights than its user the directories above count as well; a sticky one is
 * acceptable.
 */
static void directories_above(void **state)
{
	char base[] = "/tmp/hf-safety-XXXXXX", above[64], dir[80];
	struct hf_reason reason;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(above, sizeof(above), "%s/above", base);
	snprintf(dir, sizeof(dir), "%s/dir", above);
	assert_int_equal(mkdir(above, 0755), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chmod(above, 0777), 0);
	assert_int_equal(hfi_safety_check_dir(dir, &reason), 0);
	secure = true;
	assert_int_equal(hfi_safety_check_dir(dir, &reason), -EACCES);
	if (geteuid() == 0) {
		assert_memory_equal(reason.text, above, strlen(above));
		assert_int_equal(reason.text[strlen(above)], ' ');
		assert_int_equal(chmod(above, 0755), 0);
		assert_int_equal(hfi_safety_check_dir(dir, &reason), 0);
	} else {
		print_message("that one of root's is taken: not tried, only root owns such\n");
	}
	secure = false;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(hfi_safety_check_dir(dir, &reason), -EACCES);
	assert_memory_equal(reason.text, dir, strlen(dir));
	rmdir(dir);
	rmdir(above);
	rmdir(base);
}

static void owners_without_a_number(void **state)
{
	const char all[] = "         0          0 4294967295\n";
	const char me[] = "      1000       1000          1\n";
	const char root[] = "         0       1000          1\n";
	const char usual[] = "0 1000 1\n1 100000 65536\n";
	const char two[] = "0 1000 1\n65534 100000 1\n";

	(void)state;
	assert_false(hfi_uid_is_unmapped_in(65534, "65534", all));
	assert_true(hfi_uid_is_unmapped_in(65534, "65534", me));
	assert_true(hfi_uid_is_unmapped_in(65534, "65534\n", root));
	assert_true(hfi_uid_is_unmapped_in(65534, "65534", ""));
	assert_true(hfi_uid_is_unmapped_in(1234, "1234", root));
	assert_false(hfi_uid_is_unmapped_in(1000, "65534", me));
	assert_false(hfi_uid_is_unmapped_in(0, "65534", me));
	/* The uid may belong to a user of the namespace. */
	assert_false(hfi_uid_is_unmapped_in(65534, "65534", usual));
	assert_false(hfi_uid_is_unmapped_in(65534, "65534", two));
	assert_true(hfi_uid_is_unmapped_in(70000, "70000", usual));
	/* Invalid input makes nobody trusted. */
	assert_false(hfi_uid_is_unmapped_in(0, "", me));
	assert_false(hfi_uid_is_unmapped_in(65534, "65534", "what"));
	assert_false(hfi_uid_is_unmapped_in(65534, "65534", "0 1000 1 more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_and_modes),
		cmocka_unit_test(directories_above),
		cmocka_unit_test(owners_without_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
