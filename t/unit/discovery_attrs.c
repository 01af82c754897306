/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports, GIDs and P_Keys below a device's directory. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/root_kind.h"
#include "core/discovery/attrs.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/parse.h"
#include "core/discovery/port_tables.h"
#include "core/discovery/sysfs.h"
#include "t/lib/tree.h"

struct world {
	struct tree *tree;
	struct hf_search_root root;
	struct hf_entry entry;
	int dir;
};

static int plug_and_open(struct world *world, const struct tree_options *options)
{
	if (tree_add(world->tree, 0, "rxe0", options) ||
	    hfi_discover_one(&world->root, 0, HF_SOURCE_SYSFS, NULL, "uverbs0", &world->entry))
		return -1;
	world->dir = hfi_entry_open_dir(&world->root, &world->entry, NULL);
	return world->dir < 0 ? -1 : 0;
}

static int setup_attrs(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || tree_new(&world->tree, NULL))
		return -1;
	*state = world;
	world->dir = -1;
	return hfi_search_root_init(&world->root, tree_sysfs(world->tree), tree_dev(world->tree));
}

static int teardown_attrs(void **state)
{
	struct world *world = *state;

	if (world->dir >= 0)
		close(world->dir);
	tree_free(world->tree);
	free(world);
	return 0;
}

static void a_port_is_read(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.ports = 2, .netdev = "made0"};
	struct hf_port_info info = {.size = 12};

	assert_int_equal(plug_and_open(world, &options), 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/2/state", "1: DOWN"), 0);
	assert_int_equal(hfi_read_port(world->dir, NULL, &world->entry, 2, &info, NULL), 0);
	assert_int_equal(info.size, 12);
	assert_int_equal(info.port, 2);
	assert_int_equal(info.state, IBV_PORT_DOWN);
	assert_int_equal(info.phys_state, 5);
	assert_int_equal(info.link_layer, IBV_LINK_LAYER_ETHERNET);
	assert_string_equal(info.rate, "10 Gb/sec (4X)");
	assert_string_equal(info.netdev, "made0");
	assert_int_equal(info.netdev_index, 0);
	assert_int_equal(info.num_gids, 2);
}

/* Replaces the file by one that fails with EIO. */
static void break_attr(struct world *world, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/class/infiniband/rxe0/%s", tree_sysfs(world->tree), path);
	unlink(full);
	assert_int_equal(symlink("/proc/self/mem", full), 0);
}

static void replug(struct world *world, const struct tree_options *options)
{
	assert_int_equal(tree_remove(world->tree, 0), 0);
	close(world->dir);
	assert_int_equal(plug_and_open(world, options), 0);
}

static void a_bad_attribute_hides_no_other(void **state)
{
	static const struct {
		const char *path, *value; /* "EIO": fails with that; NULL: is missing */
		uint32_t state, phys_state, link_layer, num_gids;
		bool rate, netdev;
	} faults[] = {
		{"state", NULL, 0, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"state", "x", 0, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"state", "999: X", 0, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"state", "EIO", 0, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"phys_state", "", 4, 0, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"phys_state", "EIO", 4, 0, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"link_layer", "EIO", 4, 5, IBV_LINK_LAYER_UNSPECIFIED, 2, true, true},
		{"link_layer", NULL, 4, 5, IBV_LINK_LAYER_UNSPECIFIED, 2, true, true},
		{"rate", NULL, 4, 5, IBV_LINK_LAYER_ETHERNET, 2, false, true},
		{"rate", "EIO", 4, 5, IBV_LINK_LAYER_ETHERNET, 2, false, true},
		{"gids/0", "EIO", 4, 5, IBV_LINK_LAYER_ETHERNET, 1, true, true},
		{"gids/1", "junk", 4, 5, IBV_LINK_LAYER_ETHERNET, 1, true, true},
		{"gid_attrs/types/0", "EIO", 4, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"gid_attrs/types/0", "", 4, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"gid_attrs/ndevs/0", "EIO", 4, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
		{"pkeys/0", "EIO", 4, 5, IBV_LINK_LAYER_ETHERNET, 2, true, true},
	};
	struct world *world = *state;
	struct hf_port_info info;
	char path[64];

	assert_int_equal(plug_and_open(world, NULL), 0);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		replug(world, NULL);
		snprintf(path, sizeof(path), "ports/1/%s", faults[i].path);
		if (faults[i].value && !strcmp(faults[i].value, "EIO"))
			break_attr(world, path);
		else
			assert_int_equal(tree_set(world->tree, 0, path, faults[i].value), 0);
		info = (struct hf_port_info){.size = 7};
		assert_int_equal(hfi_read_port(world->dir, NULL, &world->entry, 1, &info, NULL), 0);
		assert_int_equal(info.port, 1);
		assert_int_equal(info.state, faults[i].state);
		assert_int_equal(info.phys_state, faults[i].phys_state);
		assert_int_equal(info.link_layer, faults[i].link_layer);
		assert_int_equal(info.num_gids, faults[i].num_gids);
		assert_string_equal(info.rate, faults[i].rate ? "10 Gb/sec (4X)" : "");
		assert_string_equal(info.netdev, faults[i].netdev ? "eth0" : "");
	}
	info = (struct hf_port_info){.port = 99};
	assert_int_equal(hfi_read_port(world->dir, NULL, &world->entry, 2, &info, NULL), -ENOENT);
	assert_int_equal(info.port, 99);
}

static void an_unreadable_type_is_unknown(void **state)
{
	struct world *world = *state;
	struct hf_gid *gids = NULL;

	assert_int_equal(plug_and_open(world, NULL), 0);
	break_attr(world, "ports/1/gid_attrs/types/0");
	break_attr(world, "ports/1/gid_attrs/ndevs/1");
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids), 2);
	assert_int_equal(gids[0].type, HF_GID_TYPE_UNKNOWN);
	assert_string_equal(gids[0].netdev, "eth0");
	assert_int_equal(gids[1].type, HF_GID_ROCE_V2);
	assert_string_equal(gids[1].netdev, "");
	free(gids);
	/* Only unreadable entries: that is not an empty table. */
	break_attr(world, "ports/1/gids/0");
	break_attr(world, "ports/1/gids/1");
	gids = NULL;
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids), -EIO);
	assert_null(gids);
}

static void gids_of_a_roce_port(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.gids = 8};
	struct hf_gid *gids = NULL;
	uint64_t low;

	assert_int_equal(plug_and_open(world, &options), 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gid_attrs/types/0", "IB/RoCE v1"), 0);
	/* A gap, an entry whose owner disappeared between two reads, and the last one. */
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gids/7",
				  "fd00:0000:0000:0000:0000:0000:0000:0007"),
			 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gids/3",
				  "fe80:0000:0000:0000:0000:0000:0000:0000"),
			 0);
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids), 3);
	assert_int_equal(gids[0].index, 0);
	assert_int_equal(gids[0].type, HF_GID_ROCE_V1);
	assert_string_equal(gids[0].netdev, "eth0");
	assert_int_equal(be64toh(gids[0].gid.global.subnet_prefix), 0xfe80000000000000);
	low = tree_guid(world->tree, 0);
	assert_int_equal(be64toh(gids[0].gid.global.interface_id), low);
	assert_int_equal(gids[1].index, 1);
	assert_int_equal(gids[1].type, HF_GID_ROCE_V2);
	assert_int_equal(gids[2].index, 7);
	assert_int_equal(gids[2].gid.raw[15], 7);
	assert_string_equal(gids[2].netdev, "");
	free(gids);
}

static void gids_of_an_ib_port(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {
		.link_layer = "InfiniBand", .gid_type = "IB/RoCE v1", .netdev = ""};
	struct hf_gid *gids = NULL;

	assert_int_equal(plug_and_open(world, &options), 0);
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids), 2);
	assert_int_equal(gids[0].type, HF_GID_IB);
	assert_string_equal(gids[0].netdev, "");
	free(gids);
}

static void set_gid(struct world *world, unsigned int index)
{
	char path[64], value[64];

	snprintf(path, sizeof(path), "ports/1/gids/%u", index);
	snprintf(value, sizeof(value), "fd00:0000:0000:0000:0000:0000:0000:%04u", index);
	assert_int_equal(tree_set(world->tree, 0, path, value), 0);
}

static void the_table_ends_where_its_directory_does(void **state)
{
	static const unsigned int used[] = {0, 1, 65, 130, 199};
	struct world *world = *state;
	const struct tree_options options = {.gids = 200};
	struct hf_gid *gids = NULL;

	assert_int_equal(plug_and_open(world, &options), 0);
	for (size_t i = 2; i < sizeof(used) / sizeof(used[0]); i++)
		set_gid(world, used[i]);
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids),
			 sizeof(used) / sizeof(used[0]));
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		assert_int_equal(gids[i].index, used[i]);
	free(gids);
}

static void a_table_may_begin_anywhere(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.gids = 2};
	struct hf_gid *gids = NULL;

	assert_int_equal(plug_and_open(world, &options), 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gids/0", NULL), 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gids/1", NULL), 0);
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids), 0);
	free(gids);
	set_gid(world, 91);
	set_gid(world, 64);
	/* Only names that are not an index. */
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gids/007", "x"), 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/1/gids/65536", "x"), 0);
	assert_int_equal(hfi_read_gids(world->dir, &world->entry, 1, &gids), 2);
	assert_int_equal(gids[0].index, 64);
	assert_int_equal(gids[0].type, HF_GID_TYPE_UNKNOWN);
	assert_int_equal(gids[1].index, 91);
	free(gids);
}

static void ports_and_pkeys_with_gaps(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.ports = 3};
	char path[512], to[512];

	assert_int_equal(plug_and_open(world, &options), 0);
	assert_int_equal(hfi_count_ports(world->dir), 3);
	snprintf(path, sizeof(path), "%s/class/infiniband/rxe0/ports/2", tree_sysfs(world->tree));
	snprintf(to, sizeof(to), "%s/class/infiniband/rxe0/ports/9", tree_sysfs(world->tree));
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(hfi_count_ports(world->dir), 9);
	assert_int_equal(tree_set(world->tree, 0, "ports/3/pkeys/70", "0x8001"), 0);
	assert_int_equal(tree_set(world->tree, 0, "ports/3/pkeys/0", NULL), 0);
	assert_int_equal(hfi_find_pkey(world->dir, 3, 0x8001), 70);
	assert_int_equal(hfi_find_pkey(world->dir, 3, 0x7fff), -ENOENT);
	break_attr(world, "ports/3/pkeys/2");
	assert_int_equal(hfi_find_pkey(world->dir, 3, 0x8001), 70);
	assert_int_equal(hfi_find_pkey(world->dir, 3, 0x7fff), -EIO);
	assert_int_equal(hfi_find_pkey(world->dir, 4, 0x8001), -ENOENT);
}

static void single_entries(void **state)
{
	struct world *world = *state;
	union ibv_gid gid = {.raw = {1}};
	uint16_t pkey = 0;

	assert_int_equal(plug_and_open(world, NULL), 0);
	assert_int_equal(hfi_read_gid(world->dir, &world->entry, 1, 1, &gid), 0);
	assert_int_equal(gid.raw[10], 0xff);
	assert_int_equal(hfi_read_gid(world->dir, &world->entry, 1, 3, &gid), 0);
	assert_int_equal(gid.global.interface_id, 0);
	assert_int_equal(hfi_read_gid(world->dir, &world->entry, 1, 4, &gid), -ENOENT);
	assert_int_equal(hfi_read_gid(world->dir, &world->entry, 9, 0, &gid), -ENOENT);
	assert_int_equal(hfi_read_pkey(world->dir, 1, 0, &pkey), 0);
	assert_int_equal(pkey, 0xffff);
	assert_int_equal(hfi_read_pkey(world->dir, 1, 1, &pkey), -ENOENT);
	assert_int_equal(tree_set(world->tree, 0, "ports/1/pkeys/0", "0x10000"), 0);
	assert_int_equal(hfi_read_pkey(world->dir, 1, 0, &pkey), -EIO);
	assert_int_equal(pkey, 0xffff);
}

static void texts_are_taken_whole(void **state)
{
	union ibv_gid gid;
	uint64_t guid = 7;
	uint32_t number;
	dev_t dev;

	(void)state;
	assert_int_equal(hfi_parse_guid("0002:C903:0000:00ff", &guid), 0);
	assert_int_equal(be64toh(guid), 0x0002c903000000ff);
	assert_int_equal(hfi_parse_guid("", &guid), -EINVAL);
	assert_int_equal(hfi_parse_guid("0002:c903:0000", &guid), -EINVAL);
	assert_int_equal(hfi_parse_guid("0002:c903:0000:00ff ", &guid), -EINVAL);
	assert_int_equal(hfi_parse_guid("0002-c903-0000-00ff", &guid), -EINVAL);
	assert_int_equal(hfi_parse_guid("002:c903:0000:000ff", &guid), -EINVAL);
	assert_int_equal(be64toh(guid), 0x0002c903000000ff);
	assert_int_equal(hfi_parse_gid("fe80:0000:0000:0000:0002:c903:0000:00ff", &gid), 0);
	assert_int_equal(gid.raw[0], 0xfe);
	assert_int_equal(gid.raw[15], 0xff);
	assert_int_equal(hfi_parse_gid("fe80::1", &gid), -EINVAL);
	assert_int_equal(hfi_parse_dev("4095:1048575", &dev), 0);
	assert_int_equal(hfi_parse_dev("4096:0", &dev), -EINVAL);
	assert_int_equal(hfi_parse_dev("0:1048576", &dev), -EINVAL);
	assert_int_equal(hfi_parse_dev(":", &dev), -EINVAL);
	assert_int_equal(hfi_parse_dev("1:3 ", &dev), -EINVAL);
	assert_int_equal(hfi_parse_dev("0000000000000000000001:3", &dev), -EINVAL);
	assert_int_equal(hfi_parse_state("4: ACTIVE", &number), 0);
	assert_int_equal(number, 4);
	assert_int_equal(hfi_parse_state("4:", &number), 0);
	assert_int_equal(hfi_parse_state("4", &number), -EINVAL);
	assert_int_equal(hfi_parse_state(": x", &number), -EINVAL);
	assert_int_equal(hfi_node_type(4), IBV_NODE_RNIC);
	assert_int_equal(hfi_node_type(7), IBV_NODE_UNSPECIFIED);
	assert_int_equal(hfi_node_type(0), IBV_NODE_UNKNOWN);
	assert_int_equal(hfi_node_type(8), IBV_NODE_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_attrs, teardown_attrs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_port_is_read),
		TEST(a_bad_attribute_hides_no_other),
		TEST(an_unreadable_type_is_unknown),
		TEST(gids_of_a_roce_port),
		TEST(gids_of_an_ib_port),
		TEST(the_table_ends_where_its_directory_does),
		TEST(a_table_may_begin_anywhere),
		TEST(ports_and_pkeys_with_gaps),
		TEST(single_entries),
		cmocka_unit_test(texts_are_taken_whole),
	};

	return cmocka_run_group_tests_name("attributes", tests, NULL, NULL);
}
