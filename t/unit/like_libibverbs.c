/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Strings, rates, structures and old helper functions, compared with the distribution's libibverbs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <holdfast/verbs.h>

#include "shared/attr.h"
#include "core/verbs/marshall.h"
#include "core/verbs/sysfs_compat.h"

enum { ROUNDS = 200 };

static void *theirs;

static void *find_theirs(const char *name)
{
	void *found = dlsym(theirs, name);

	if (!found)
		print_error("%s is not in the distribution's library\n", name);
	assert_non_null(found);
	return found;
}

/* Pass enumerators of any type as an int. */
typedef const char *(*string_fn)(int);

static void strings(void **state)
{
	static const struct {
		const char *name;
		string_fn mine;
	} functions[] = {
		{"ibv_node_type_str", (string_fn)ibv_node_type_str},
		{"ibv_port_state_str", (string_fn)ibv_port_state_str},
		{"ibv_event_type_str", (string_fn)ibv_event_type_str},
		{"ibv_wc_status_str", (string_fn)ibv_wc_status_str},
	};
	int compared = 0;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(functions); i++) {
		string_fn other = (string_fn)find_theirs(functions[i].name);

		for (int value = -5; value < 300; value++) {
			/* An older libibverbs does not have it. */
			if (functions[i].mine == (string_fn)ibv_event_type_str &&
			    value == (int)IBV_EVENT_DEVICE_SPEED_CHANGE)
				continue;
			assert_string_equal(functions[i].mine(value), other(value));
			compared++;
		}
		assert_string_equal(functions[i].mine(INT32_MIN), other(INT32_MIN));
		assert_string_not_equal(functions[i].mine(1), "unknown");
	}
	printf("%d strings are the same\n", compared);
}

static void rates(void **state)
{
	int (*to_mult)(int) = (int (*)(int))find_theirs("ibv_rate_to_mult");
	int (*to_mbps)(int) = (int (*)(int))find_theirs("ibv_rate_to_mbps");
	int (*from_mult)(int) = (int (*)(int))find_theirs("mult_to_ibv_rate");
	int (*from_mbps)(int) = (int (*)(int))find_theirs("mbps_to_ibv_rate");

	(void)state;
	for (int i = -300; i < 300; i++) {
		assert_int_equal(ibv_rate_to_mult((enum ibv_rate)i), to_mult(i));
		assert_int_equal(ibv_rate_to_mbps((enum ibv_rate)i), to_mbps(i));
	}
	for (int i = -10; i < 2000000; i++) {
		assert_int_equal(mult_to_ibv_rate(i), from_mult(i));
		assert_int_equal(mbps_to_ibv_rate(i), from_mbps(i));
	}
	assert_int_equal(ibv_rate_to_mbps(IBV_RATE_100_GBPS), 103125);
}

static void fill_random(void *data, size_t size)
{
	unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random();
}

/* Compare every byte, including those left alone: both begin with the same random bytes. */
#define COMPARE(function, to_type, from_type)                                                   \
	do {                                                                                    \
		void (*other)(struct to_type *, struct from_type *) =                           \
			(void (*)(struct to_type *, struct from_type *))find_theirs(#function); \
		struct to_type a, b;                                                            \
		struct from_type from;                                                          \
                                                                                                \
		for (int i = 0; i < ROUNDS; i++) {                                              \
			fill_random(&a, sizeof(a));                                             \
			memcpy(&b, &a, sizeof(b));                                              \
			fill_random(&from, sizeof(from));                                       \
			function(&a, &from);                                                    \
			other(&b, &from);                                                       \
			assert_memory_equal(&a, &b, sizeof(a));                                 \
		}                                                                               \
	} while (0)

static void structures(void **state)
{
	(void)state;
	srandom(34);
	COMPARE(ibv_copy_ah_attr_from_kern, ibv_ah_attr, ib_uverbs_ah_attr);
	COMPARE(ibv_copy_qp_attr_from_kern, ibv_qp_attr, ib_uverbs_qp_attr);
	COMPARE(ibv_copy_path_rec_from_kern, ibv_sa_path_rec, ib_user_path_rec);
	COMPARE(ibv_copy_path_rec_to_kern, ib_user_path_rec, ibv_sa_path_rec);
}

static void write_driver_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void sysfs_helpers(void **state)
{
	static const char *const texts[] = {"",	       "\n",	      "x",	 "x\n",
					    "abc\n\n", "4: ACTIVE\n", "12345678"};
	int (*other)(const char *, const char *, char *, size_t) = (int (*)(
		const char *, const char *, char *, size_t))find_theirs("ibv_read_sysfs_file");
	const char *(*other_path)(void) = (const char *(*)(void))find_theirs("ibv_get_sysfs_path");
	char dir[] = "/tmp/hf-sysfs-XXXXXX", path[64], mine[16], their[16];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++) {
		write_driver_file(path, texts[i]);
		for (size_t size = 1; size <= sizeof(mine); size++) {
			memset(mine, 'z', sizeof(mine));
			memset(their, 'z', sizeof(their));
			assert_int_equal(ibv_read_sysfs_file(dir, "file", mine, size),
					 other(dir, "file", their, size));
			assert_memory_equal(mine, their, sizeof(mine));
		}
	}
	assert_int_equal(other(dir, "none", their, sizeof(their)), -1);
	errno = 0;
	assert_int_equal(ibv_read_sysfs_file(dir, "none", mine, sizeof(mine)), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(ibv_read_sysfs_file("/nonexistent", "none", mine, sizeof(mine)), -1);
	unlink(path);
	rmdir(dir);

	setenv("SYSFS_PATH", "/some/where///", 1);
	assert_string_equal(ibv_get_sysfs_path(), "/some/where");
	assert_string_equal(ibv_get_sysfs_path(), other_path());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(rates),
		cmocka_unit_test(structures),
		cmocka_unit_test(sysfs_helpers),
	};

	/* Never closed: a leak checker would report what the library keeps. */
	theirs = dlopen("libibverbs.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!theirs) {
		printf("no libibverbs to compare with: %s\n", dlerror());
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
