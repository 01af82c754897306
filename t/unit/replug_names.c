/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The names of device units, as systemd makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "boot/replug/devices.h"

static void paths_are_escaped(void **state)
{
	static const struct {
		const char *path, *unit;
	} cases[] = {
		{"/sys/subsystem/rdma/devices/ibp1s0/uverbs",
		 "sys-subsystem-rdma-devices-ibp1s0-uverbs.device"},
		{"/sys/subsystem/rdma/devices/ibp1s0:1/umad",
		 "sys-subsystem-rdma-devices-ibp1s0:1-umad.device"},
		{"/dev/infiniband/by-path/pci-0000:01:00.0",
		 "dev-infiniband-by\\x2dpath-pci\\x2d0000:01:00.0.device"},
		{"//dev//a_B9/", "dev-a_B9.device"},
		{"/.a/.b", "\\x2ea-.b.device"},
		{"/a b\\@", "a\\x20b\\x5c\\x40.device"},
		{"/\303\244", "\\xc3\\xa4.device"},
		{"/", NULL},
		{"dev/a", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct replug_names units = {0};

		assert_int_equal(replug_add_unit_of_path(&units, cases[i].path), 0);
		assert_int_equal(units.count, cases[i].unit ? 1 : 0);
		if (cases[i].unit)
			assert_string_equal(units.v[0], cases[i].unit);
		replug_free_names(&units);
	}
}

static void long_paths_are_left_out(void **state)
{
	struct replug_names units = {0};
	char path[1024] = "/";

	(void)state;
	/* Every character alone and escaped; the longest name has 255. */
	for (size_t length = 1; length < sizeof(path) - 1; length++) {
		size_t before = units.count;

		path[length] = length % 2 ? '-' : 'a';
		path[length + 1] = '\0';
		assert_int_equal(replug_add_unit_of_path(&units, path), 0);
		if (units.count > before)
			assert_true(strlen(units.v[before]) <= 255);
		else
			assert_true(length > 80);
	}
	assert_true(units.count > 80);
	replug_free_names(&units);
}

static void a_device_that_is_gone_has_none(void **state)
{
	struct replug_names units = {0};

	(void)state;
	assert_int_equal(replug_units_of("infiniband", "no-such-device", &units), 0);
	assert_int_equal(replug_units_of("infiniband", "../../..", &units), 0);
	assert_int_equal(units.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_escaped),
		cmocka_unit_test(long_paths_are_left_out),
		cmocka_unit_test(a_device_that_is_gone_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
