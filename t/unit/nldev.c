/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink as the programs that udev runs use it: late, disturbed and malformed answers. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shared/nldev.h"
#include "t/lib/tree.h"

enum { MANY = 500 };

struct world {
	struct tree *tree;
	struct hf_nldev_socket *nl;
};

static int setup_nldev(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	assert_int_equal(tree_new(&world->tree, NULL), 0);
	setenv("HF_FAKE_RDMA_TREE", tree_sysfs(world->tree), 1);
	assert_int_equal(hfi_nldev_open(&world->nl), 0);
	*state = world;
	return 0;
}

static int teardown_nldev(void **state)
{
	struct world *world = *state;

	hfi_nldev_close(world->nl);
	tree_free(world->tree);
	free(world);
	return 0;
}

static void add_nldev(struct world *world, unsigned int n, const char *name, const char *protocol)
{
	const struct tree_options options = {.protocol = protocol, .guid = 0x1000 + n};

	assert_int_equal(tree_add(world->tree, n, name, &options), 0);
}

static void finds_by_name(void **state)
{
	struct world *world = *state;
	struct hf_nldev device;

	add_nldev(world, 0, "rxe0", "roce");
	add_nldev(world, 1, "rxe00", "iw");
	add_nldev(world, 2, "silent", "");
	add_nldev(world, 3, "none", "-");
	assert_int_equal(hfi_nldev_find(world->nl, "rxe00", &device), 0);
	assert_string_equal(device.name, "rxe00");
	assert_string_equal(device.protocol, "iw");
	assert_int_equal(device.node_guid, 0x1001);
	assert_int_equal(device.index, tree_index(world->tree, 1));
	assert_true(device.tells_protocol);
	assert_int_equal(hfi_nldev_find(world->nl, "silent", &device), 0);
	assert_string_equal(device.protocol, "");
	assert_false(device.tells_protocol);
	assert_int_equal(hfi_nldev_find(world->nl, "none", &device), 0);
	assert_string_equal(device.protocol, "");
	assert_true(device.tells_protocol);
}

static void absent_is_no_device(void **state)
{
	struct world *world = *state;
	struct hf_nldev device, before;

	memset(&device, 0xa5, sizeof(device));
	before = device;
	assert_int_equal(hfi_nldev_find(world->nl, "rxe0", &device), -ENODEV);
	add_nldev(world, 0, "rxe0", "roce");
	assert_int_equal(hfi_nldev_find(world->nl, "rxe", &device), -ENODEV);
	assert_int_equal(hfi_nldev_find(world->nl, "", &device), -ENODEV);
	assert_int_equal(tree_rename(world->tree, 0, "rxe1"), 0);
	assert_int_equal(hfi_nldev_find(world->nl, "rxe0", &device), -ENODEV);
	assert_memory_equal(&device, &before, sizeof(device));
	assert_int_equal(hfi_nldev_find(world->nl, "rxe1", &device), 0);
}

/* The list arrives in several parts. */
static void many_devices(void **state)
{
	struct world *world = *state;
	struct hf_nldev device;
	char name[32];

	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "device%u", i);
		add_nldev(world, i, name, "roce");
	}
	for (unsigned int i = 0; i < MANY; i += MANY / 7) {
		snprintf(name, sizeof(name), "device%u", i);
		assert_int_equal(hfi_nldev_find(world->nl, name, &device), 0);
		assert_int_equal(device.index, tree_index(world->tree, i));
	}
	printf("%d devices\n", MANY);
	/* Other devices are unplugged while the list is read, so it ends too early. */
	assert_int_equal(tree_fake(world->tree, "slip", 2), 0);
	assert_int_equal(hfi_nldev_find(world->nl, name, &device), 0);
	assert_int_equal(tree_fake(world->tree, "slip", UINT_MAX), 0);
	assert_int_equal(hfi_nldev_find(world->nl, name, &device), -ENODEV);
}

static void survives_errors(void **state)
{
	static const struct {
		const char *fault;
		unsigned int count;
		int wanted;
	} faults[] = {
		{"interrupt", 3, 0},   {"interrupt", UINT_MAX, -EIO},
		{"enobufs", 2, 0},     {"enobufs", UINT_MAX, -EIO},
		{"eintr", 3, 0},       {"stray", UINT_MAX, 0},
		{"refuse", 1, -EPERM}, {"cut", UINT_MAX, -ENODEV},
		{"old", UINT_MAX, 0},
	};
	struct world *world = *state;
	struct hf_nldev device;

	add_nldev(world, 0, "rxe0", "roce");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		assert_int_equal(tree_fake(world->tree, faults[i].fault, faults[i].count), 0);
		print_message("%s\n", faults[i].fault);
		assert_int_equal(hfi_nldev_find(world->nl, "rxe0", &device), faults[i].wanted);
		assert_int_equal(tree_fake(world->tree, faults[i].fault, 0), 0);
		if (!faults[i].wanted)
			assert_int_equal(device.index, tree_index(world->tree, 0));
		/* The rest of an answer is not taken for the next one. */
		assert_int_equal(hfi_nldev_find(world->nl, "rxe0", &device), 0);
		assert_string_equal(device.protocol, "roce");
	}
}

static void finds_nothing_without_netlink(void **state)
{
	struct world *world = *state;
	struct hf_nldev_socket *nl = NULL;

	assert_int_equal(tree_fake(world->tree, "nosocket", 1), 0);
	assert_int_equal(hfi_nldev_open(&nl), -EPROTONOSUPPORT);
	assert_null(nl);
	hfi_nldev_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_by_name, setup_nldev, teardown_nldev),
		cmocka_unit_test_setup_teardown(absent_is_no_device, setup_nldev, teardown_nldev),
		cmocka_unit_test_setup_teardown(many_devices, setup_nldev, teardown_nldev),
		cmocka_unit_test_setup_teardown(survives_errors, setup_nldev, teardown_nldev),
		cmocka_unit_test_setup_teardown(finds_nothing_without_netlink, setup_nldev,
						teardown_nldev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
