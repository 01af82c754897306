/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where a user's own soft roots are, and that no other user can put one in their place. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "shared/runtime_dir.h"
#include "core/device/roots.h"
#include "soft/files.h"

struct places_bed {
	char base[PATH_MAX];
	char run_user[PATH_MAX + 16], tmp[PATH_MAX + 16], var_tmp[PATH_MAX + 16];
	char own[PATH_MAX + 32], in_tmp[PATH_MAX + 32], in_var_tmp[PATH_MAX + 32];
	struct hf_runtime_places places;
	char found[PATH_MAX + 64];
};

static int make_places(void **state)
{
	struct places_bed *bed = calloc(1, sizeof(*bed));

	snprintf(bed->base, sizeof(bed->base), "%s/hf-places-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(bed->base));
	snprintf(bed->run_user, sizeof(bed->run_user), "%s/run", bed->base);
	snprintf(bed->tmp, sizeof(bed->tmp), "%s/tmp", bed->base);
	snprintf(bed->var_tmp, sizeof(bed->var_tmp), "%s/var", bed->base);
	snprintf(bed->own, sizeof(bed->own), "%s/%u", bed->run_user, geteuid());
	snprintf(bed->in_tmp, sizeof(bed->in_tmp), "%s/holdfast-%u", bed->tmp, geteuid());
	snprintf(bed->in_var_tmp, sizeof(bed->in_var_tmp), "%s/holdfast-%u", bed->var_tmp,
		 geteuid());
	assert_int_equal(mkdir(bed->run_user, 0755), 0);
	assert_int_equal(mkdir(bed->tmp, 0777), 0);
	assert_int_equal(mkdir(bed->var_tmp, 0777), 0);
	assert_int_equal(chmod(bed->tmp, 01777), 0);
	assert_int_equal(chmod(bed->var_tmp, 01777), 0);
	bed->places = (struct hf_runtime_places){
		.run_user = bed->run_user,
		.tmp = {bed->tmp, bed->var_tmp},
		.uid = geteuid(),
		.tmp_owner = geteuid(),
	};
	*state = bed;
	return 0;
}

static int erase_places(void **state)
{
	struct places_bed *bed = *state;

	hfi_soft_erase(AT_FDCWD, bed->base);
	free(bed);
	return 0;
}

/* NULL: expects that none is found. */
static void expect_dir(struct places_bed *bed, bool make, const char *expected)
{
	int err = hfi_runtime_dir_in(&bed->places, make, bed->found, sizeof(bed->found));

	assert_int_equal(err, expected ? 0 : -ENOENT);
	if (expected)
		assert_string_equal(bed->found, expected);
}

static void the_given_directory_comes_first(void **state)
{
	struct places_bed *bed = *state;

	assert_int_equal(mkdir(bed->own, 0700), 0);
	bed->places.given = "/nowhere";
	expect_dir(bed, false, "/nowhere");
	bed->places.given = "relative";
	expect_dir(bed, true, NULL);
}

static void then_the_directory_of_the_session(void **state)
{
	struct places_bed *bed = *state;

	assert_int_equal(mkdir(bed->in_tmp, 0700), 0);
	assert_int_equal(mkdir(bed->own, 0755), 0);
	expect_dir(bed, false, bed->in_tmp);
	assert_int_equal(chmod(bed->own, 0700), 0);
	expect_dir(bed, false, bed->own);
	/* A directory of another user. */
	bed->places.uid++;
	expect_dir(bed, false, NULL);
}

static void reading_creates_nothing(void **state)
{
	struct places_bed *bed = *state;
	struct stat st;

	expect_dir(bed, false, NULL);
	assert_int_equal(lstat(bed->in_tmp, &st), -1);
	expect_dir(bed, true, bed->in_tmp);
	assert_int_equal(lstat(bed->in_tmp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	expect_dir(bed, false, bed->in_tmp);
}

/* Another user created it first, or may write to it, or it is not a directory. */
static void directories_of_others_are_not_used(void **state)
{
	struct places_bed *bed = *state;

	assert_int_equal(symlink(bed->var_tmp, bed->in_tmp), 0);
	expect_dir(bed, false, NULL);
	expect_dir(bed, true, bed->in_var_tmp);
	assert_int_equal(unlink(bed->in_tmp), 0);
	/* The existing directory is still used after the preferred one has become free. */
	expect_dir(bed, true, bed->in_var_tmp);
	assert_int_equal(rmdir(bed->in_var_tmp), 0);
	assert_int_equal(mkdir(bed->in_tmp, 0700), 0);
	assert_int_equal(chmod(bed->in_tmp, 0770), 0);
	expect_dir(bed, false, NULL);
	assert_int_equal(rmdir(bed->in_tmp), 0);
	close(creat(bed->in_tmp, 0700));
	expect_dir(bed, false, NULL);
	if (geteuid() == 0) {
		assert_int_equal(unlink(bed->in_tmp), 0);
		assert_int_equal(mkdir(bed->in_tmp, 0700), 0);
		assert_int_equal(chown(bed->in_tmp, 12345, 12345), 0);
		expect_dir(bed, false, NULL);
	}
}

static void a_tmp_that_is_not_sticky_is_not_used(void **state)
{
	struct places_bed *bed = *state;

	assert_int_equal(mkdir(bed->in_tmp, 0700), 0);
	expect_dir(bed, false, bed->in_tmp);
	assert_int_equal(chmod(bed->tmp, 0777), 0);
	expect_dir(bed, false, NULL);
	assert_int_equal(chmod(bed->tmp, 01777), 0);
	bed->places.tmp_owner++;
	expect_dir(bed, true, NULL);
}

/* As a user without a session: the root is found once a writer has created it. */
static int look_as_user(void)
{
	const struct hf_log log = {.level = 0};
	struct hf_roots roots = {0};
	char path[4096], in_user[4160];
	bool found = false;

	unsetenv("XDG_RUNTIME_DIR");
	if (setuid(54321) < 0 || hfi_runtime_dir(path, sizeof(path)) != -ENOENT)
		return 1;
	if (hfi_runtime_dir_make(path, sizeof(path)) || hfi_roots_usual(&roots, &log))
		return 2;
	snprintf(in_user, sizeof(in_user), "%s/holdfast/soft", path);
	for (unsigned int i = 0; i < roots.count; i++)
		found |= !strcmp(roots.v[i].sysfs, in_user);
	hfi_roots_clear(&roots);
	rmdir(path);
	return found ? 0 : 3;
}

static void a_user_without_a_session_has_one(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (geteuid() != 0 || access("/run/user/54321", F_OK) == 0 ||
	    access("/tmp/holdfast-54321", F_OK) == 0 ||
	    access("/var/tmp/holdfast-54321", F_OK) == 0) {
		print_message("only root can be a user without a session\n");
		skip();
	}
	child = fork();
	if (child == 0)
		_exit(look_as_user());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool searches(const char *sysfs)
{
	const struct hf_log log = {.level = 0};
	struct hf_roots roots = {0};
	bool found = false;

	assert_int_equal(hfi_roots_usual(&roots, &log), 0);
	for (unsigned int i = 0; i < roots.count; i++)
		found |= !strcmp(roots.v[i].sysfs, sysfs);
	hfi_roots_clear(&roots);
	return found;
}

/* Each directory from the given one down to the root is checked once it exists. */
static void a_root_that_others_can_write_is_left_out(void **state)
{
	struct places_bed *bed = *state;
	char parts[3][PATH_MAX + 32];

	snprintf(parts[0], sizeof(parts[0]), "%s/given", bed->base);
	snprintf(parts[1], sizeof(parts[1]), "%s/given/holdfast", bed->base);
	snprintf(parts[2], sizeof(parts[2]), "%s/given/holdfast/soft", bed->base);
	setenv("XDG_RUNTIME_DIR", parts[0], 1);
	assert_false(searches(parts[2]));
	for (size_t i = 0; i < HF_ARRAY_SIZE(parts); i++) {
		assert_int_equal(mkdir(parts[i], 0700), 0);
		assert_true(searches(parts[2]));
		assert_int_equal(chmod(parts[i], 0777), 0);
		assert_false(searches(parts[2]));
		assert_int_equal(chmod(parts[i], 0700), 0);
	}
	for (size_t i = HF_ARRAY_SIZE(parts); i-- > 0;)
		assert_int_equal(rmdir(parts[i]), 0);
	unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_places, erase_places)
	const struct CMUnitTest tests[] = {
		TEST(the_given_directory_comes_first),
		TEST(then_the_directory_of_the_session),
		TEST(reading_creates_nothing),
		TEST(directories_of_others_are_not_used),
		TEST(a_tmp_that_is_not_sticky_is_not_used),
		TEST(a_root_that_others_can_write_is_left_out),
		cmocka_unit_test(a_user_without_a_session_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
