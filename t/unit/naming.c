/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of devices on hand-made trees: every form of a name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/unit/naming_bed.h"

/* The names that rdma-core's tool gave in a virtual machine, wherever it was right. */
static void examples(void **state)
{
	struct bed *bed = *state;

	function(bed, AT(0, 0, 0x0c, 0), true);
	function(bed, AT(0, 0, 0x0c, 4), true);
	device(bed, AT(0, 0, 0x0c, 0), "mlx5_0");
	device(bed, AT(0, 0, 0x0c, 4), "mlx5_1");
	wants(bed, "ib", "mlx5_0", FALLBACK, "ibp0s12f0");
	wants(bed, "ib", "mlx5_1", FALLBACK, "ibp0s12f4");
	wants(bed, "opa", "mlx5_1", "NAME_PCI", "opap0s12f4");
	wants(bed, "usnic", "mlx5_1", "NAME_PCI", "usnicp0s12f4");
	wants(bed, "", "mlx5_1", "NAME_PCI", "rdmap0s12f4");
	wants(bed, "ib", "mlx5_0", "NAME_ONBOARD", NULL);
	wants(bed, "ib", "mlx5_0", "NAME_KERNEL", "mlx5_0");
	wants(bed, "ib", "mlx5_0", "NAME_GUID", "ibx525400c0fe123455");
	wants(bed, "roce", "mlx5_0", "NAME_GUID", "rocex525400c0fe123455");

	function(bed, AT(0, 0, 0x0d, 0), false);
	device(bed, AT(0, 0, 0x0d, 0), "mlx5_2");
	wants(bed, "ib", "mlx5_2", FALLBACK, "ibp0s13");
	wants(bed, "iw", "mlx5_2", FALLBACK, "iwp0s13");

	function(bed, AT(0, 0, 0x0e, 0), false);
	attribute(bed, AT(0, 0, 0x0e, 0), "index", "5");
	device(bed, AT(0, 0, 0x0e, 0), "mlx5_3");
	wants(bed, "ib", "mlx5_3", "NAME_PCI", "ibp0s14");
	wants(bed, "ib", "mlx5_3", "NAME_ONBOARD", "ibo5");
	wants(bed, "ib", "mlx5_3", FALLBACK, "ibo5");

	function(bed, AT(0, 1, 0, 0), false);
	attribute(bed, AT(0, 1, 0, 0), "acpi_index", "3");
	attribute(bed, AT(0, 1, 0, 0), "index", "9");
	device(bed, AT(0, 1, 0, 0), "mlx5_4");
	wants(bed, "ib", "mlx5_4", FALLBACK, "ibo3");
	wants(bed, "ib", "mlx5_4", "NAME_PCI", "ibp1s0");

	function(bed, AT(0, 0xc1, 0, 0), false);
	device(bed, AT(0, 0xc1, 0, 0), "mlx5_5");
	wants(bed, "ib", "mlx5_5", "NAME_PCI", "ibp193s0");
}

/*
 * Names that were published together with the address: cards below bridges, and in other domains.
 */
static void published_names(void **state)
{
	static const struct {
		const char *path, *protocol, *name;
		bool multi_function;
	} seen[] = {
		{"pci0000:2e/0000:2e:00.0/0000:2f:00.0", "roce", "rocep47s0f0", true},
		{"pci0000:00/0000:00:0a.0", "ib", "ibp0s10f0", true},
		{"pci0000:00/0000:00:09.0", "ib", "ibp0s9", false},
		{"pci0000:80/0000:80:02.0/0000:81:00.0", "opa", "opap129s0", false},
		/* Two cards with two ports each, in different domains. */
		{"pci0000:00/0000:00:00.0/0000:01:00.0", "roce", "rocep1s0f0", true},
		{"pci0000:00/0000:00:00.0/0000:01:00.1", "roce", "rocep1s0f1", true},
		{"pci0002:00/0002:00:00.0/0002:01:00.0", "roce", "roceP2p1s0f0", true},
		{"pci0002:00/0002:00:00.0/0002:01:00.1", "roce", "roceP2p1s0f1", true},
		/* A protocol that has no word in the kernel. */
		{"pci0000:00/0000:00:06.0", "", "rdmap0s6", false},
		{"pci0000:10/0000:10:1b.0", "", "rdmap16s27", false},
		{"pci0000:20/0000:20:1b.0", "", "rdmap32s27", false},
		{"pci0000:90/0000:90:1b.0", "", "rdmap144s27", false},
		{"pci0000:a0/0000:a0:1b.0", "", "rdmap160s27", false},
	};
	struct bed *bed = *state;
	char path[PCI_TREE_PATH], file[PCI_TREE_PATH * 2], config[65], kernel[32];

	assert_int_equal(hfi_soft_mkdirs(bed->root, "bus/pci"), 0);
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		snprintf(path, sizeof(path), "devices/%s", seen[i].path);
		assert_int_equal(hfi_soft_mkdirs(bed->root, path), 0);
		snprintf(file, sizeof(file), "%s/subsystem", path);
		/* The number of "../" in the link does not matter. */
		assert_int_equal(symlinkat("../../../../bus/pci", bed->root, file), 0);
		memset(config, 'x', sizeof(config) - 1);
		config[sizeof(config) - 1] = '\0';
		config[14] = seen[i].multi_function ? '\x80' : '\x01';
		snprintf(file, sizeof(file), "%s/config", path);
		assert_int_equal(hfi_soft_put(bed->root, file, config), 0);
		snprintf(kernel, sizeof(kernel), "kernel_%zu", i);
		assert_int_equal(pci_tree_add_ib(bed->root, path, kernel, GUID), 0);
	}
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		snprintf(kernel, sizeof(kernel), "kernel_%zu", i);
		wants(bed, seen[i].protocol, kernel, FALLBACK, seen[i].name);
	}
}

static void virtual_functions(void **state)
{
	static const char *const with[] = {"rocep2s0f0v0", "rocep2s0f0v1", "rocep2s0f0v2"};
	static const char *const without[] = {"rocep3s0v0", "rocep3s0v1", "rocep3s0v2"};
	struct bed *bed = *state;
	char name[16];

	for (uint32_t bus = 2; bus < 4; bus++) {
		function(bed, AT(0, bus, 0, 0), bus == 2);
		attribute(bed, AT(0, bus, 0, 0), "ari_enabled", "1");
		for (uint32_t i = 0; i < 3; i++) {
			function(bed, AT(0, bus, 0, i + 1), false);
			attribute(bed, AT(0, bus, 0, i + 1), "ari_enabled", "1");
			assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, bus, 0, i + 1),
							  &AT(0, bus, 0, 0), i),
					 0);
			snprintf(name, sizeof(name), "v%" PRIu32 "_%" PRIu32, bus, i);
			device(bed, AT(0, bus, 0, i + 1), name);
			wants(bed, "roce", name, FALLBACK, bus == 2 ? with[i] : without[i]);
		}
	}
	device(bed, AT(0, 2, 0, 0), "pf2");
	device(bed, AT(0, 3, 0, 0), "pf3");
	wants(bed, "roce", "pf2", FALLBACK, "rocep2s0f0");
	wants(bed, "roce", "pf3", FALLBACK, "rocep3s0");
	/* The PF's index does not apply to its VFs. */
	attribute(bed, AT(0, 3, 0, 0), "acpi_index", "3");
	wants(bed, "roce", "pf3", FALLBACK, "roceo3");
	wants(bed, "roce", "v3_1", FALLBACK, "rocep3s0v1");
}

/* VFs with equal device and function numbers on two buses; numbers with two digits. */
static void virtual_functions_on_two_buses(void **state)
{
	struct bed *bed = *state;

	function(bed, AT(0, 0x3b, 0, 1), true);
	function(bed, AT(0, 0x3b, 2, 3), false);
	function(bed, AT(0, 0x3c, 2, 3), false);
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 0x3b, 2, 3), &AT(0, 0x3b, 0, 1), 1), 0);
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 0x3c, 2, 3), &AT(0, 0x3b, 0, 1), 33),
			 0);
	device(bed, AT(0, 0x3b, 2, 3), "first");
	device(bed, AT(0, 0x3c, 2, 3), "second");
	wants(bed, "roce", "first", FALLBACK, "rocep59s0f1v1");
	wants(bed, "roce", "second", FALLBACK, "rocep59s0f1v33");
}

static void sub_functions(void **state)
{
	struct bed *bed = *state;
	char path[PCI_TREE_PATH];

	function(bed, AT(0, 0, 0x0c, 0), true);
	attribute(bed, AT(0, 0, 0x0c, 0), "acpi_index", "7");
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0, 0x0c, 0), 4, 88, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "sf", GUID), 0);
	wants(bed, "roce", "sf", FALLBACK, "rocep0s12f0S88");
	/* The function's index does not apply to the sub-function. */
	wants(bed, "roce", "sf", "NAME_ONBOARD", NULL);
	function(bed, AT(0, 0, 0x0c, 1), false);
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 0, 0x0c, 1), &AT(0, 0, 0x0c, 0), 0), 0);
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0, 0x0c, 1), 5, 99, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "vfsf", GUID), 0);
	wants(bed, "roce", "vfsf", FALLBACK, "rocep0s12f0v0S99");
	/* On the auxiliary bus, but not a sub-function. */
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0, 0x0c, 0), 6, 1, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "aux", GUID), 0);
	strcat(path, "/sfnum");
	assert_int_equal(hfi_soft_erase(bed->root, path), 0);
	wants(bed, "roce", "aux", FALLBACK, NULL);
	wants(bed, "roce", "aux", "NAME_GUID", "rocex525400c0fe123455");
}

static void names_by_address(void **state)
{
	struct bed *bed = *state;

	function(bed, AT(0xe3a4, 0, 2, 0), false);
	device(bed, AT(0xe3a4, 0, 2, 0), "azure");
	wants(bed, "ib", "azure", FALLBACK, "ibP58276p0s2");
	function(bed, AT(0x10000, 0xe1, 0, 0), false);
	device(bed, AT(0x10000, 0xe1, 0, 0), "vmd");
	wants(bed, "roce", "vmd", FALLBACK, "roceP65536p225s0");
	function(bed, AT(0xffffffff, 0xff, 0x1f, 7), true);
	device(bed, AT(0xffffffff, 0xff, 0x1f, 7), "last");
	wants(bed, "usnic", "last", FALLBACK, "usnicP4294967295p255s31f7");
	/* ARI: the eight bits of device and function form one number. */
	function(bed, AT(0, 5, 1, 2), false);
	attribute(bed, AT(0, 5, 1, 2), "ari_enabled", "1");
	device(bed, AT(0, 5, 1, 2), "ari");
	wants(bed, "ib", "ari", FALLBACK, "ibp5s1f10");
	/* A function number above 0 proves several functions, whatever the header type says. */
	function(bed, AT(0, 6, 0, 1), false);
	device(bed, AT(0, 6, 0, 1), "function");
	wants(bed, "ib", "function", FALLBACK, "ibp6s0f1");
}

static void onboard(void **state)
{
	static const char *const bad[] = {"16384", "4294967295", "16777215", "99999999999", "-1",
					  "",	   "3x",	 "0x3",	     " 3"};
	static const char *const good[][2] = {{"0", "ibo0"}, {"1", "ibo1"}, {"16383", "ibo16383"}};
	struct bed *bed = *state;

	function(bed, AT(0, 1, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "d");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		attribute(bed, AT(0, 1, 0, 0), "acpi_index", good[i][0]);
		wants(bed, "ib", "d", FALLBACK, good[i][1]);
	}
	attribute(bed, AT(0, 1, 0, 0), "index", "4");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		attribute(bed, AT(0, 1, 0, 0), "acpi_index", bad[i]);
		wants(bed, "ib", "d", "NAME_ONBOARD", NULL);
		wants(bed, "ib", "d", FALLBACK, "ibp1s0");
	}
}

static void slots(void **state)
{
	struct bed *bed = *state;
	char path[PCI_TREE_PATH];

	function(bed, AT(0, 0x3b, 0, 0), true);
	function(bed, AT(0, 0x3b, 0, 1), true);
	function(bed, AT(0, 0x3b, 1, 0), true);
	device(bed, AT(0, 0x3b, 0, 0), "pf0");
	device(bed, AT(0, 0x3b, 0, 1), "pf1");
	device(bed, AT(0, 0x3b, 1, 0), "other");
	wants(bed, "ib", "pf0", "NAME_SLOT", NULL);
	assert_int_equal(pci_tree_slot(bed->root, "0", "0000:3b:00"), 0);
	assert_int_equal(pci_tree_slot(bed->root, "0-2", "0000:3b:00"), 0);
	assert_int_equal(pci_tree_slot(bed->root, "07", "0000:3b:00"), 0);
	assert_int_equal(pci_tree_slot(bed->root, "8", "0000:3c:00"), 0);
	wants(bed, "ib", "pf0", "NAME_SLOT", NULL);
	wants(bed, "ib", "pf0", SLOTS, "ibp59s0f0");
	assert_int_equal(pci_tree_slot(bed->root, "7", "0000:3b:00"), 0);
	wants(bed, "ib", "pf0", "NAME_SLOT", "ibs7f0");
	wants(bed, "ib", "pf1", SLOTS, "ibs7f1");
	wants(bed, "ib", "other", SLOTS, "ibp59s1f0");
	/* Only the slot policy uses slots. */
	wants(bed, "ib", "pf0", FALLBACK, "ibp59s0f0");
	function(bed, AT(0, 0x3b, 0, 2), false);
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 0x3b, 0, 2), &AT(0, 0x3b, 0, 1), 0), 0);
	device(bed, AT(0, 0x3b, 0, 2), "vf");
	wants(bed, "ib", "vf", SLOTS, "ibs7f1v0");
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0x3b, 0, 1), 1, 5, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "sf", GUID), 0);
	wants(bed, "ib", "sf", SLOTS, "ibs7f1S5");
	/* A device of another domain, in a slot with that number. */
	function(bed, AT(2, 1, 0, 0), false);
	device(bed, AT(2, 1, 0, 0), "domain");
	assert_int_equal(pci_tree_slot(bed->root, "9", "0002:01:00"), 0);
	wants(bed, "ib", "domain", SLOTS, "ibP2s9");
	/* With ARI the bus has one device, and its slot has device number 0. */
	function(bed, AT(0, 0x50, 1, 0), true);
	attribute(bed, AT(0, 0x50, 1, 0), "ari_enabled", "1");
	device(bed, AT(0, 0x50, 1, 0), "ari");
	assert_int_equal(pci_tree_slot(bed->root, "10", "0000:50:00"), 0);
	wants(bed, "ib", "ari", SLOTS, "ibs10f8");
	/* Two slots with the same address are ambiguous. */
	assert_int_equal(pci_tree_slot(bed->root, "11", "0000:3b:00"), 0);
	wants(bed, "ib", "pf0", SLOTS, "ibp59s0f0");
}

static void virtual_devices(void **state)
{
	struct bed *bed = *state;
	char path[PCI_TREE_PATH];

	assert_int_equal(pci_tree_add_ib(bed->root, NULL, "rxe0", GUID), 0);
	wants(bed, "roce", "rxe0", "NAME_KERNEL", "rxe0");
	wants(bed, "roce", "rxe0", FALLBACK, NULL);
	wants(bed, "roce", "rxe0", "NAME_PCI", NULL);
	wants(bed, "roce", "rxe0", "NAME_ONBOARD", NULL);
	wants(bed, "roce", "rxe0", "NAME_FALLBACK,NAME_KERNEL", "rxe0");
	wants(bed, "roce", "rxe0", "NAME_GUID", "rocex525400c0fe123455");
	/* With an older kernel rxe's parent is the card of its network device. */
	function(bed, AT(0, 1, 0, 0), false);
	attribute(bed, AT(0, 1, 0, 0), "acpi_index", "3");
	device(bed, AT(0, 1, 0, 0), "rxe1");
	pci_tree_path(&AT(0, 1, 0, 0), path);
	strcat(path, "/infiniband/rxe1/parent");
	assert_int_equal(hfi_soft_put(bed->root, path, "eth0"), 0);
	wants(bed, "roce", "rxe1", FALLBACK, NULL);
	/* Hardware that is not on PCI, with a file that is named like a PCI attribute. */
	assert_int_equal(hfi_soft_mkdirs(bed->root, "devices/platform/HISI00D1:00"), 0);
	assert_int_equal(hfi_soft_mkdirs(bed->root, "bus/platform"), 0);
	assert_int_equal(symlinkat("../../../bus/platform", bed->root,
				   "devices/platform/HISI00D1:00/subsystem"),
			 0);
	assert_int_equal(hfi_soft_put(bed->root, "devices/platform/HISI00D1:00/index", "1"), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, "devices/platform/HISI00D1:00", "hns_0", GUID),
			 0);
	wants(bed, "roce", "hns_0", FALLBACK, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(examples, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(published_names, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(virtual_functions, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(virtual_functions_on_two_buses, naming_setup,
						naming_teardown),
		cmocka_unit_test_setup_teardown(sub_functions, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(names_by_address, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(onboard, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(slots, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(virtual_devices, naming_setup, naming_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
