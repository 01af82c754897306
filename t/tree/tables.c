/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* GID and P_Key tables of a device without a kernel: they are read from files. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct ibv_device *device;
	struct ibv_context *context;
};

static int setup_tables(void **state)
{
	const struct tree_options lo = {.netdev = "lo"};
	struct bed *bed = calloc(1, sizeof(*bed));
	char dir[512];
	const char *dirs[] = {dir, NULL};
	struct hf_root root;
	struct hf_options options = {
		.size = sizeof(options), .roots = &root, .num_roots = 1, .provider_dirs = dirs};

	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	assert_int_equal(tree_add(bed->tree, 0, "fake0", &lo), 0);
	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &bed->device), 0);
	assert_int_equal(hf_device_open(bed->device, &bed->context), 0);
	*state = bed;
	return 0;
}

static int teardown_tables(void **state)
{
	struct bed *bed = *state;

	hf_device_close(bed->context);
	hf_device_unref(bed->device);
	hf_unref(bed->hf);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

static void entries(void **state)
{
	struct bed *bed = *state;
	struct ibv_gid_entry entry;
	union ibv_gid gid;

	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(ibv_query_gid_ex(bed->context, 1, i, &entry, 0), 0);
		assert_int_equal(ibv_query_gid(bed->context, 1, (int)i, &gid), 0);
		assert_memory_equal(&entry.gid, &gid, sizeof(gid));
		assert_int_equal(entry.gid_index, i);
		assert_int_equal(entry.port_num, 1);
		assert_int_equal(entry.gid_type, IBV_GID_TYPE_ROCE_V2);
		assert_int_equal(entry.ndev_ifindex, if_nametoindex("lo"));
	}
	assert_int_equal(ibv_query_gid_ex(bed->context, 1, 2, &entry, 0), ENODATA);
	assert_int_equal(ibv_query_gid_ex(bed->context, 1, 4, &entry, 0), EINVAL);
	assert_int_equal(ibv_query_gid_ex(bed->context, 2, 0, &entry, 0), EINVAL);
	assert_int_equal(ibv_query_gid_ex(bed->context, 1, 0, &entry, 1), EINVAL);
	assert_int_equal(tree_set(bed->tree, 0, "ports/1/gid_attrs/types/0", "IB/RoCE v1"), 0);
	assert_int_equal(ibv_query_gid_ex(bed->context, 1, 0, &entry, 0), 0);
	assert_int_equal(entry.gid_type, IBV_GID_TYPE_ROCE_V1);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(ibv_query_gid_ex(bed->context, 1, 0, &entry, 0), ENODEV);
}

static void tables(void **state)
{
	struct bed *bed = *state;
	struct ibv_gid_entry table[4], one;
	uint8_t small[2 * 16], large[2 * 48];

	memset(table, 0x5a, sizeof(table));
	assert_int_equal(ibv_query_gid_table(bed->context, table, 4, 0), 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(ibv_query_gid_ex(bed->context, 1, i, &one, 0), 0);
		assert_memory_equal(&table[i], &one, sizeof(one));
	}
	assert_int_equal(((uint8_t *)&table[2])[0], 0x5a);
	assert_int_equal(ibv_query_gid_table(bed->context, table, 1, 0), -EINVAL);
	assert_int_equal(ibv_query_gid_table(bed->context, table, 4, 1), -EINVAL);

	/* Entries of another size than this library's: an older program's, and a newer one's. */
	assert_int_equal(_ibv_query_gid_table(bed->context, (void *)small, 2, 0, 16), 2);
	assert_memory_equal(small, &table[0], 16);
	assert_memory_equal(small + 16, &table[1], 16);
	memset(large, 0x5a, sizeof(large));
	assert_int_equal(_ibv_query_gid_table(bed->context, (void *)large, 2, 0, 48), 2);
	assert_memory_equal(large, &table[0], 32);
	assert_memory_equal(large + 48, &table[1], 32);
	for (int i = 32; i < 48; i++)
		assert_int_equal(large[i] | large[48 + i], 0);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(ibv_query_gid_table(bed->context, table, 4, 0), -ENODEV);
}

static void partition_keys(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(tree_set(bed->tree, 0, "ports/1/pkeys/1", "0x8001"), 0);
	assert_int_equal(ibv_get_pkey_index(bed->context, 1, htons(0xffff)), 0);
	assert_int_equal(ibv_get_pkey_index(bed->context, 1, htons(0x8001)), 1);
	assert_int_equal(ibv_get_pkey_index(bed->context, 1, htons(0x7777)), -1);
	assert_int_equal(ibv_get_pkey_index(bed->context, 9, htons(0xffff)), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries, setup_tables, teardown_tables),
		cmocka_unit_test_setup_teardown(tables, setup_tables, teardown_tables),
		cmocka_unit_test_setup_teardown(partition_keys, setup_tables, teardown_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
