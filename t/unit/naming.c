/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of devices on trees made by hand: every form of a name, and everything that is refused. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/lib/pci_tree.h"
#include "t/lib/tree_files.h"

#define GUID	 UINT64_C(0x525400c0fe123455)
#define AT(...)	 ((struct hf_pci_address){__VA_ARGS__})
#define FALLBACK "NAME_FALLBACK"
#define SLOTS	 "NAME_ONBOARD,NAME_SLOT,NAME_PCI"

struct bed {
	struct tree *tree;
	int root;
};

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	if (!bed || tree_new(&bed->tree, NULL))
		return -1;
	bed->root = open(tree_sysfs(bed->tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = bed;
	return bed->root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	close(bed->root);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

static void function(struct bed *bed, struct hf_pci_address at, bool multi_function)
{
	const struct pci_tree_function f = {.at = at,
					    .multi_function = multi_function,
					    .ari = 0,
					    .acpi_index = PCI_TREE_NONE,
					    .smbios_index = PCI_TREE_NONE};

	assert_int_equal(pci_tree_add(bed->root, &f), 0);
}

/* An attribute of a function that is there. */
static void attribute(struct bed *bed, struct hf_pci_address at, const char *file,
		      const char *value)
{
	char path[PCI_TREE_PATH], full[PCI_TREE_PATH * 2];

	pci_tree_path(&at, path);
	snprintf(full, sizeof(full), "%s/%s", path, file);
	assert_int_equal(tree_put(bed->root, full, value), 0);
}

static void device(struct bed *bed, struct hf_pci_address at, const char *name)
{
	char path[PCI_TREE_PATH];

	pci_tree_path(&at, path);
	assert_int_equal(pci_tree_add_ib(bed->root, path, name, GUID), 0);
}

static int decide(struct bed *bed, const char *name, const char *words,
		  const struct hf_nldev *facts, const char *fixed, struct hf_name_answer *answer)
{
	struct hf_name_hardware hardware;
	struct hf_name_policies policies;
	struct hf_nldev own = {.protocol = "ib", .node_guid = GUID, .index = 1};

	snprintf(own.name, sizeof(own.name), "%s", name);
	memset(answer, 0, sizeof(*answer));
	assert_int_equal(hf_name_parse_policies(words, &policies), 0);
	assert_int_equal(hf_name_look(bed->root, name, &hardware), 0);
	assert_true(hf_name_is_still(bed->root, name, &hardware));
	return hf_name_decide(&policies, fixed, facts ? facts : &own, &hardware, NULL, answer);
}

static void wants(struct bed *bed, const char *protocol, const char *device, const char *words,
		  const char *wanted)
{
	struct hf_nldev facts = {.node_guid = GUID};
	struct hf_name_answer answer;
	int ret;

	snprintf(facts.name, sizeof(facts.name), "%s", device);
	snprintf(facts.protocol, sizeof(facts.protocol), "%s", protocol);
	ret = decide(bed, device, words, &facts, NULL, &answer);
	if (wanted) {
		if (ret)
			fail_msg("%s %s: %s, wanted %s", device, words, answer.why, wanted);
		assert_string_equal(answer.name, wanted);
		assert_null(hf_name_fault(answer.name));
	} else {
		if (ret != -ENOENT)
			fail_msg("%s %s: %d %s, wanted none", device, words, ret, answer.name);
		assert_string_equal(answer.name, "");
	}
	assert_true(answer.why[0]);
}

/* What the older tool gave in a guest, wherever it was right. */
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

/* Names that people have published together with the address; cards below bridges, in domains. */
static void in_the_field(void **state)
{
	static const struct {
		const char *path, *protocol, *name;
		bool multi_function;
	} seen[] = {
		{"pci0000:2e/0000:2e:00.0/0000:2f:00.0", "roce", "rocep47s0f0", true},
		{"pci0000:00/0000:00:0a.0", "ib", "ibp0s10f0", true},
		{"pci0000:00/0000:00:09.0", "ib", "ibp0s9", false},
		{"pci0000:80/0000:80:02.0/0000:81:00.0", "opa", "opap129s0", false},
		/* Two cards that each have two ports, in domains of their own. */
		{"pci0000:00/0000:00:00.0/0000:01:00.0", "roce", "rocep1s0f0", true},
		{"pci0000:00/0000:00:00.0/0000:01:00.1", "roce", "rocep1s0f1", true},
		{"pci0002:00/0002:00:00.0/0002:01:00.0", "roce", "roceP2p1s0f0", true},
		{"pci0002:00/0002:00:00.0/0002:01:00.1", "roce", "roceP2p1s0f1", true},
		/* A protocol that the kernel has no word for. */
		{"pci0000:00/0000:00:06.0", "", "rdmap0s6", false},
		{"pci0000:10/0000:10:1b.0", "", "rdmap16s27", false},
		{"pci0000:20/0000:20:1b.0", "", "rdmap32s27", false},
		{"pci0000:90/0000:90:1b.0", "", "rdmap144s27", false},
		{"pci0000:a0/0000:a0:1b.0", "", "rdmap160s27", false},
	};
	struct bed *bed = *state;
	char path[PCI_TREE_PATH], file[PCI_TREE_PATH * 2], config[65], kernel[32];

	assert_int_equal(tree_mkdirs(bed->root, "bus/pci"), 0);
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		snprintf(path, sizeof(path), "devices/%s", seen[i].path);
		assert_int_equal(tree_mkdirs(bed->root, path), 0);
		snprintf(file, sizeof(file), "%s/subsystem", path);
		/* How often it goes up does not matter for a name. */
		assert_int_equal(symlinkat("../../../../bus/pci", bed->root, file), 0);
		memset(config, 'x', sizeof(config) - 1);
		config[sizeof(config) - 1] = '\0';
		config[14] = seen[i].multi_function ? '\x80' : '\x01';
		snprintf(file, sizeof(file), "%s/config", path);
		assert_int_equal(tree_put(bed->root, file, config), 0);
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
	/* The PF's index is not the VFs'. */
	attribute(bed, AT(0, 3, 0, 0), "acpi_index", "3");
	wants(bed, "roce", "pf3", FALLBACK, "roceo3");
	wants(bed, "roce", "v3_1", FALLBACK, "rocep3s0v1");
}

/* VFs with the same device and function numbers on two buses; numbers with two digits. */
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
	/* The function's index is not the sub-function's. */
	wants(bed, "roce", "sf", "NAME_ONBOARD", NULL);
	function(bed, AT(0, 0, 0x0c, 1), false);
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 0, 0x0c, 1), &AT(0, 0, 0x0c, 0), 0), 0);
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0, 0x0c, 1), 5, 99, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "vfsf", GUID), 0);
	wants(bed, "roce", "vfsf", FALLBACK, "rocep0s12f0v0S99");
	/* On the auxiliary bus, and no sub-function. */
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0, 0x0c, 0), 6, 1, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "aux", GUID), 0);
	strcat(path, "/sfnum");
	assert_int_equal(tree_erase(bed->root, path), 0);
	wants(bed, "roce", "aux", FALLBACK, NULL);
	wants(bed, "roce", "aux", "NAME_GUID", "rocex525400c0fe123455");
}

static void addresses(void **state)
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
	/* ARI: the eight bits of device and function are one number. */
	function(bed, AT(0, 5, 1, 2), false);
	attribute(bed, AT(0, 5, 1, 2), "ari_enabled", "1");
	device(bed, AT(0, 5, 1, 2), "ari");
	wants(bed, "ib", "ari", FALLBACK, "ibp5s1f10");
	/* A function above 0 says so, whatever the header type is. */
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
	/* Only who asks for slots gets them. */
	wants(bed, "ib", "pf0", FALLBACK, "ibp59s0f0");
	function(bed, AT(0, 0x3b, 0, 2), false);
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 0x3b, 0, 2), &AT(0, 0x3b, 0, 1), 0), 0);
	device(bed, AT(0, 0x3b, 0, 2), "vf");
	wants(bed, "ib", "vf", SLOTS, "ibs7f1v0");
	assert_int_equal(pci_tree_add_sf(bed->root, &AT(0, 0x3b, 0, 1), 1, 5, path), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, path, "sf", GUID), 0);
	wants(bed, "ib", "sf", SLOTS, "ibs7f1S5");
	/* A device of a domain, in a slot of that number there. */
	function(bed, AT(2, 1, 0, 0), false);
	device(bed, AT(2, 1, 0, 0), "domain");
	assert_int_equal(pci_tree_slot(bed->root, "9", "0002:01:00"), 0);
	wants(bed, "ib", "domain", SLOTS, "ibP2s9");
	/* With ARI the bus has one device, and its slot stands at device 0. */
	function(bed, AT(0, 0x50, 1, 0), true);
	attribute(bed, AT(0, 0x50, 1, 0), "ari_enabled", "1");
	device(bed, AT(0, 0x50, 1, 0), "ari");
	assert_int_equal(pci_tree_slot(bed->root, "10", "0000:50:00"), 0);
	wants(bed, "ib", "ari", SLOTS, "ibs10f8");
	/* Two slots with one address tell nothing. */
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
	/* An older kernel's rxe stands below the card of its network device. */
	function(bed, AT(0, 1, 0, 0), false);
	attribute(bed, AT(0, 1, 0, 0), "acpi_index", "3");
	device(bed, AT(0, 1, 0, 0), "rxe1");
	pci_tree_path(&AT(0, 1, 0, 0), path);
	strcat(path, "/infiniband/rxe1/parent");
	assert_int_equal(tree_put(bed->root, path, "eth0"), 0);
	wants(bed, "roce", "rxe1", FALLBACK, NULL);
	/* Hardware that is not on PCI, with a file that is called as one of PCI's. */
	assert_int_equal(tree_mkdirs(bed->root, "devices/platform/HISI00D1:00"), 0);
	assert_int_equal(tree_mkdirs(bed->root, "bus/platform"), 0);
	assert_int_equal(symlinkat("../../../bus/platform", bed->root,
				   "devices/platform/HISI00D1:00/subsystem"),
			 0);
	assert_int_equal(tree_put(bed->root, "devices/platform/HISI00D1:00/index", "1"), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, "devices/platform/HISI00D1:00", "hns_0", GUID),
			 0);
	wants(bed, "roce", "hns_0", FALLBACK, NULL);
}

/* Firmware that numbers two devices alike: the kernel takes the first one's name, see rdma_rename.c. */
static void twice(void **state)
{
	struct bed *bed = *state;

	for (uint32_t bus = 1; bus < 3; bus++) {
		function(bed, AT(0, bus, 0, 0), false);
		attribute(bed, AT(0, bus, 0, 0), bus == 1 ? "acpi_index" : "index", "3");
	}
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	device(bed, AT(0, 2, 0, 0), "mlx5_1");
	/* Neither knows of the other: who comes second would else change its name with the order. */
	wants(bed, "ib", "mlx5_0", FALLBACK, "ibo3");
	wants(bed, "ib", "mlx5_1", FALLBACK, "ibo3");
	wants(bed, "ib", "mlx5_0", "NAME_PCI", "ibp1s0");
	wants(bed, "ib", "mlx5_1", "NAME_PCI", "ibp2s0");
}

static void kernel_facts(void **state)
{
	struct hf_nldev facts = {.name = "mlx5_0", .protocol = "ib", .node_guid = 1};
	struct hf_name_answer answer;
	struct bed *bed = *state;

	function(bed, AT(0, 1, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	assert_int_equal(decide(bed, "mlx5_0", "NAME_GUID", &facts, NULL, &answer), 0);
	assert_string_equal(answer.name, "ibx0000000000000001");
	facts.node_guid = 0;
	assert_int_equal(decide(bed, "mlx5_0", "NAME_GUID", &facts, NULL, &answer), -ENOENT);
	/* Protocols to come have names; what is none is not put into one. */
	strcpy(facts.protocol, "srd");
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, &facts, NULL, &answer), 0);
	assert_string_equal(answer.name, "srdp1s0");
	strcpy(facts.protocol, "a/b");
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, &facts, NULL, &answer), -EBADMSG);
	/* A user's name stays, whatever the policy. */
	strcpy(facts.protocol, "ib");
	facts.name_assign = 1;
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, &facts, NULL, &answer), 0);
	assert_string_equal(answer.name, "mlx5_0");
	assert_int_equal(decide(bed, "mlx5_0", "NAME_FIXED", &facts, "other", &answer), 0);
	assert_string_equal(answer.name, "mlx5_0");
}

static void fixed(void **state)
{
	static const char *const bad[] = {"",	 ".",	      "..",    "a/b",	"/",
					  "a b", "a\tb",      "a\nb",  "a\x01", "a\x7f",
					  "a%d", "%",	      "a:1",   ":",	" a",
					  "a ",	 "\xc3\xa4x", "a\x80", "x!y",	"it's",
					  "\"a", "a\\",	      "a*",    "?",	"a[0]"};
	static const char *const good[] = {"a", "mlx5_0", "...", "A-b.c_d+e", "a@b,c=d"};
	struct hf_name_answer answer;
	struct bed *bed = *state;
	char longest[66];

	function(bed, AT(0, 1, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(decide(bed, "mlx5_0", "NAME_FIXED", NULL, good[i], &answer), 0);
		assert_string_equal(answer.name, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (decide(bed, "mlx5_0", "NAME_FIXED", NULL, bad[i], &answer) != -EINVAL)
			fail_msg("\"%s\" was taken for a name", bad[i]);
		assert_string_equal(answer.name, "");
		assert_true(answer.why[0]);
	}
	memset(longest, 'x', sizeof(longest));
	longest[63] = '\0';
	assert_int_equal(decide(bed, "mlx5_0", "NAME_FIXED", NULL, longest, &answer), 0);
	longest[63] = 'x';
	longest[64] = '\0';
	assert_int_equal(decide(bed, "mlx5_0", "NAME_FIXED", NULL, longest, &answer),
			 -ENAMETOOLONG);
	assert_int_equal(decide(bed, "mlx5_0", "NAME_FIXED", NULL, NULL, &answer), -EINVAL);
}

static void policies(void **state)
{
	static const char *const bad[] = {
		"",	  "name_pci",  "NAME_",	       "NAME_PCI,",
		",",	  ",NAME_PCI", "NAME_PCI ",    "NAME_PCI;NAME_GUID",
		"NAME_P", "NAME_PCIE", "NAME_FALLBAC", "NAME_FALLBACKS"};
	struct hf_name_policies list = {.count = 99};
	char many[400] = "NAME_PCI";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (hf_name_parse_policies(bad[i], &list) != -EINVAL)
			fail_msg("\"%s\" was taken for a policy", bad[i]);
		assert_int_equal(list.count, 99);
	}
	assert_int_equal(hf_name_parse_policies("NAME_GUID,NAME_FALLBACK,NAME_KERNEL", &list), 0);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.v[0], HF_NAME_BY_GUID);
	assert_int_equal(list.v[1], HF_NAME_BY_ONBOARD);
	assert_int_equal(list.v[2], HF_NAME_BY_PCI);
	assert_int_equal(list.v[3], HF_NAME_BY_KERNEL);
	assert_false(hf_name_has_policy(&list, HF_NAME_BY_FIXED));
	for (int i = 1; i < HF_NAME_POLICIES; i++)
		strcat(many, ",NAME_PCI");
	assert_int_equal(hf_name_parse_policies(many, &list), 0);
	strcat(many, ",NAME_PCI");
	assert_int_equal(hf_name_parse_policies(many, &list), -EINVAL);
}

/* What cannot be read decides nothing: the next policy's name would be another one tomorrow. */
static void doubts(void **state)
{
	struct hf_name_answer answer;
	struct bed *bed = *state;
	char path[PCI_TREE_PATH], file[PCI_TREE_PATH * 2], blank[65];

	function(bed, AT(0, 1, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	pci_tree_path(&AT(0, 1, 0, 0), path);

	/* A function that does not answer; a configuration space cut short. */
	memset(blank, 0xff, sizeof(blank));
	blank[64] = '\0';
	attribute(bed, AT(0, 1, 0, 0), "config", blank);
	assert_int_equal(decide(bed, "mlx5_0", "NAME_PCI,NAME_GUID", NULL, NULL, &answer), -EIO);
	snprintf(file, sizeof(file), "%s/config", path);
	assert_int_equal(tree_erase(bed->root, file), 0);
	attribute(bed, AT(0, 1, 0, 0), "config", "0123456789012");
	assert_int_equal(decide(bed, "mlx5_0", "NAME_PCI,NAME_GUID", NULL, NULL, &answer),
			 -EBADMSG);
	assert_int_equal(tree_erase(bed->root, file), 0);

	/* A file that is none, and would block. */
	snprintf(file, sizeof(file), "%s/acpi_index", path);
	assert_int_equal(mkfifoat(bed->root, file, 0600), 0);
	wants(bed, "ib", "mlx5_0", "NAME_ONBOARD", NULL);
	assert_int_equal(tree_erase(bed->root, file), 0);
	assert_int_equal(symlinkat("acpi_index", bed->root, file), 0);
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, NULL, NULL, &answer), -ELOOP);
	assert_int_equal(tree_erase(bed->root, file), 0);
	wants(bed, "ib", "mlx5_0", FALLBACK, "ibp1s0");
	attribute(bed, AT(0, 1, 0, 0), "ari_enabled", "perhaps");
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, NULL, NULL, &answer), -EBADMSG);
	attribute(bed, AT(0, 1, 0, 0), "ari_enabled", "0");

	/* A PCI device that is no entry of the directory above. */
	assert_int_equal(tree_mkdirs(bed->root, "devices/odd"), 0);
	assert_int_equal(symlinkat("../../bus/pci", bed->root, "devices/odd/subsystem"), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, "devices/odd", "odd", GUID), 0);
	assert_int_equal(decide(bed, "odd", "NAME_PCI,NAME_GUID", NULL, NULL, &answer), -ENODEV);

	/* A VF that its PF does not know does not get the PF's name. */
	function(bed, AT(0, 1, 0, 1), false);
	device(bed, AT(0, 1, 0, 1), "vf");
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 1, 0, 1), &AT(0, 1, 0, 0), 0), 0);
	wants(bed, "ib", "vf", FALLBACK, "ibp1s0v0");
	snprintf(file, sizeof(file), "%s/virtfn0", path);
	assert_int_equal(tree_erase(bed->root, file), 0);
	assert_int_equal(decide(bed, "vf", FALLBACK, NULL, NULL, &answer), -ENODEV);
	assert_int_equal(symlinkat("../0000:01:00.2", bed->root, file), 0);
	assert_int_equal(decide(bed, "vf", FALLBACK, NULL, NULL, &answer), -ENODEV);
}

static void absent(void **state)
{
	static const char *const names[] = {"none", "", ".", "..", "a/b", "../infiniband"};
	struct hf_name_hardware hardware;
	struct bed *bed = *state;
	char longest[80];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(hf_name_look(bed->root, names[i], &hardware), -ENODEV);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(hf_name_look(bed->root, longest, &hardware), -ENODEV);
	/* Unplugged, and another device of that name plugged. */
	function(bed, AT(0, 1, 0, 0), false);
	function(bed, AT(0, 2, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	assert_int_equal(hf_name_look(bed->root, "mlx5_0", &hardware), 0);
	assert_true(hf_name_is_still(bed->root, "mlx5_0", &hardware));
	assert_int_equal(unlinkat(bed->root, "class/infiniband/mlx5_0", 0), 0);
	assert_false(hf_name_is_still(bed->root, "mlx5_0", &hardware));
	device(bed, AT(0, 2, 0, 0), "mlx5_0");
	assert_false(hf_name_is_still(bed->root, "mlx5_0", &hardware));
}

static unsigned int sentences;

static void count_sentence(void *arg, enum hf_name_policy policy, const char *sentence)
{
	(void)arg;
	assert_true(policy == HF_NAME_BY_ONBOARD || policy == HF_NAME_BY_PCI);
	assert_true(*sentence);
	sentences++;
}

static void explained(void **state)
{
	const struct hf_name_trace trace = {.say = count_sentence};
	struct hf_nldev facts = {.name = "d", .protocol = "ib", .node_guid = 7};
	struct hf_name_hardware hardware;
	struct hf_name_policies list;
	struct hf_name_answer answer;
	struct bed *bed = *state;

	function(bed, AT(0, 1, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "d");
	assert_int_equal(hf_name_parse_policies(FALLBACK, &list), 0);
	assert_int_equal(hf_name_look(bed->root, "d", &hardware), 0);
	assert_int_equal(hf_name_decide(&list, NULL, &facts, &hardware, &trace, &answer), 0);
	/* Both policies, what each found, and the name. */
	assert_in_range(sentences, 4, 8);
	assert_int_equal(answer.policy, HF_NAME_BY_PCI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(examples, setup, teardown),
		cmocka_unit_test_setup_teardown(in_the_field, setup, teardown),
		cmocka_unit_test_setup_teardown(virtual_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(virtual_functions_on_two_buses, setup, teardown),
		cmocka_unit_test_setup_teardown(sub_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(onboard, setup, teardown),
		cmocka_unit_test_setup_teardown(slots, setup, teardown),
		cmocka_unit_test_setup_teardown(virtual_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(twice, setup, teardown),
		cmocka_unit_test_setup_teardown(kernel_facts, setup, teardown),
		cmocka_unit_test_setup_teardown(fixed, setup, teardown),
		cmocka_unit_test(policies),
		cmocka_unit_test_setup_teardown(doubts, setup, teardown),
		cmocka_unit_test_setup_teardown(absent, setup, teardown),
		cmocka_unit_test_setup_teardown(explained, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
