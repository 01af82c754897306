/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which kind of device it is, as decided from its directory and RDMA netlink: every combination. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "boot/describe/describe.h"
#include "t/lib/tree.h"

enum { IB = HF_KIND_INFINIBAND, IWARP = HF_KIND_IWARP, OPA = HF_KIND_OPA, ROCE = HF_KIND_ROCE };

static const char *const protocols[] = {"", "ib", "roce", "iw", "opa", "usnic", "srd"};

static struct hf_nldev device_with_protocol(const char *protocol)
{
	struct hf_nldev device = {.tells_protocol = true};

	strcpy(device.protocol, protocol);
	return device;
}

/*
 * Each node type, both link layers, each driver of the table and none, and every answer of netlink.
 */
static void every_combination(void **state)
{
	size_t count = 0, silent = 0;

	(void)state;
	for (int type = 0; type <= 9; type++)
		for (unsigned int ports = 0; ports < 4; ports++)
			for (size_t row = 0;; row++) {
				struct hf_tree_facts tree = {
					.node_type = type,
					.infiniband_ports = ports & 1,
					.ethernet_ports = ports & 2,
				};
				unsigned int can = 0;
				const char *driver = row ? hfi_driver_table(row - 1, &can)
							 : "e1000e";
				struct hf_description answer;
				int err;

				if (!driver)
					break;
				strcpy(tree.drivers[tree.num_drivers++], "outer");
				strcpy(tree.drivers[tree.num_drivers++], driver);
				for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]);
				     i++) {
					struct hf_nldev nl = device_with_protocol(protocols[i]);
					unsigned int of_ports = (ports & 1 ? IB : 0U) |
								(ports & 2 ? ROCE : 0U);

					assert_int_equal(hfi_describe(&tree, &nl, &answer), 0);
					assert_string_equal(answer.source, "netlink");
					assert_string_equal(answer.protocol, protocols[i]);
					if (!strcmp(protocols[i], "ib"))
						assert_int_equal(answer.kinds, IB | of_ports);
					else if (!strcmp(protocols[i], "roce"))
						assert_int_equal(answer.kinds, ROCE | of_ports);
					else if (!strcmp(protocols[i], "iw"))
						assert_int_equal(answer.kinds, IWARP);
					else if (!strcmp(protocols[i], "opa"))
						assert_int_equal(answer.kinds, OPA);
					else
						assert_int_equal(answer.kinds, 0);
					count++;
				}
				err = hfi_describe(&tree, NULL, &answer);
				count++;
				if (err) {
					assert_int_equal(err, -ENODATA);
					assert_int_equal(row, 0);
					silent++;
					continue;
				}
				assert_string_equal(answer.protocol, "");
				/* Only what the driver can be. */
				if (row)
					assert_int_equal(answer.kinds & ~can, 0);
				assert_true(!row || !can || answer.kinds);
			}
	print_message("%zu combinations, %zu without an answer\n", count, silent);
	assert_in_range(silent, 1, 30);
}

static void the_nearest_driver_counts(void **state)
{
	struct hf_tree_facts tree = {.node_type = 1, .ethernet_ports = true};
	struct hf_description answer;

	(void)state;
	strcpy(tree.drivers[0], "mlx5_core.sf");
	strcpy(tree.drivers[1], "mlx5_core");
	strcpy(tree.drivers[2], "hfi1");
	tree.num_drivers = 3;
	assert_int_equal(hfi_describe(&tree, NULL, &answer), 0);
	assert_int_equal(answer.kinds, ROCE);
	assert_string_equal(answer.source, "driver");
	/* rxe below a card, as up to Linux 5.10. */
	tree.has_parent = true;
	strcpy(tree.drivers[1], "i40e");
	assert_int_equal(hfi_describe(&tree, NULL, &answer), 0);
	assert_int_equal(answer.kinds, ROCE);
	assert_string_equal(answer.source, "sysfs");
}

static void reads_a_tree(void **state)
{
	const struct tree_options options = {.ports = 3, .link_layer = "InfiniBand"};
	struct hf_tree_facts facts;
	struct tree *tree;
	char path[4096];
	int dir;

	(void)state;
	assert_int_equal(tree_new(&tree, NULL), 0);
	assert_int_equal(tree_add(tree, 0, "mlx0", &options), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband/mlx0", tree_sysfs(tree));
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	hfi_tree_read(dir, &facts);
	assert_int_equal(facts.node_type, 1);
	assert_true(facts.infiniband_ports);
	assert_false(facts.ethernet_ports);
	assert_false(facts.has_parent);
	/*
	 * The last port differs; and after a rename everything is read through the held directory.
	 */
	assert_int_equal(tree_set(tree, 0, "ports/3/link_layer", "Ethernet"), 0);
	assert_int_equal(tree_set(tree, 0, "parent", "eth0"), 0);
	assert_int_equal(tree_rename(tree, 0, "mlx7"), 0);
	assert_int_equal(symlinkat("../../../bus/pci/drivers/mlx4_core", dir, "driver"), 0);
	hfi_tree_read(dir, &facts);
	assert_true(facts.infiniband_ports && facts.ethernet_ports && facts.has_parent);
	assert_string_equal(facts.drivers[0], "mlx4_core");
	/* The attributes are invalid or missing. */
	assert_int_equal(tree_set(tree, 0, "node_type", "16: CA"), 0);
	assert_int_equal(tree_set(tree, 0, "ports/3/link_layer", "EthernetInfiniBand"), 0);
	assert_int_equal(tree_set(tree, 0, "ports/1/link_layer", ""), 0);
	assert_int_equal(tree_set(tree, 0, "ports/2/link_layer", NULL), 0);
	hfi_tree_read(dir, &facts);
	assert_int_equal(facts.node_type, 0);
	assert_false(facts.infiniband_ports || facts.ethernet_ports);
	assert_int_equal(tree_remove(tree, 0), 0);
	hfi_tree_read(dir, &facts);
	close(dir);
	tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(the_nearest_driver_counts),
		cmocka_unit_test(reads_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
