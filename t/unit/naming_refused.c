/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names that are refused, or that the first policy does not yield, and the explanations. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "naming/hardware.h"
#include "t/unit/naming_bed.h"

/*
 * Firmware that gives two devices the same index: the kernel accepts the first one's name, see
 * rdma_rename.c.
 */
static void refuses_one_name_twice(void **state)
{
	struct bed *bed = *state;

	for (uint32_t bus = 1; bus < 3; bus++) {
		function(bed, AT(0, bus, 0, 0), false);
		attribute(bed, AT(0, bus, 0, 0), bus == 1 ? "acpi_index" : "index", "3");
	}
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	device(bed, AT(0, 2, 0, 0), "mlx5_1");
	/*
	 * The two devices do not know of each other: a fallback would make the names depend on
	 * their order.
	 */
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
	/* Future protocols have names as well, but not if the word cannot be part of a name. */
	strcpy(facts.protocol, "srd");
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, &facts, NULL, &answer), 0);
	assert_string_equal(answer.name, "srdp1s0");
	strcpy(facts.protocol, "a/b");
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, &facts, NULL, &answer), -EBADMSG);
	/* A user's name is kept under every policy. */
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
		if (hfi_name_parse_policies(bad[i], &list) != -EINVAL)
			fail_msg("\"%s\" was taken for a policy", bad[i]);
		assert_int_equal(list.count, 99);
	}
	assert_int_equal(hfi_name_parse_policies("NAME_GUID,NAME_FALLBACK,NAME_KERNEL", &list), 0);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.v[0], HF_NAME_BY_GUID);
	assert_int_equal(list.v[1], HF_NAME_BY_ONBOARD);
	assert_int_equal(list.v[2], HF_NAME_BY_PCI);
	assert_int_equal(list.v[3], HF_NAME_BY_KERNEL);
	assert_false(hfi_name_has_policy(&list, HF_NAME_BY_FIXED));
	for (int i = 1; i < HF_NAME_POLICIES; i++)
		strcat(many, ",NAME_PCI");
	assert_int_equal(hfi_name_parse_policies(many, &list), 0);
	strcat(many, ",NAME_PCI");
	assert_int_equal(hfi_name_parse_policies(many, &list), -EINVAL);
}

/*
 * An unreadable attribute ends the search: the next policy would yield a name that changes at the
 * next boot.
 */
static void unreadable_attributes(void **state)
{
	struct hf_name_answer answer;
	struct bed *bed = *state;
	char path[PCI_TREE_PATH], file[PCI_TREE_PATH * 2], blank[65];

	function(bed, AT(0, 1, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	pci_tree_path(&AT(0, 1, 0, 0), path);

	/* A function that does not respond; a truncated configuration space. */
	memset(blank, 0xff, sizeof(blank));
	blank[64] = '\0';
	attribute(bed, AT(0, 1, 0, 0), "config", blank);
	assert_int_equal(decide(bed, "mlx5_0", "NAME_PCI,NAME_GUID", NULL, NULL, &answer), -EIO);
	snprintf(file, sizeof(file), "%s/config", path);
	assert_int_equal(hfi_soft_erase(bed->root, file), 0);
	attribute(bed, AT(0, 1, 0, 0), "config", "0123456789012");
	assert_int_equal(decide(bed, "mlx5_0", "NAME_PCI,NAME_GUID", NULL, NULL, &answer),
			 -EBADMSG);
	assert_int_equal(hfi_soft_erase(bed->root, file), 0);

	/* A FIFO instead of a file, which would block. */
	snprintf(file, sizeof(file), "%s/acpi_index", path);
	assert_int_equal(mkfifoat(bed->root, file, 0600), 0);
	wants(bed, "ib", "mlx5_0", "NAME_ONBOARD", NULL);
	assert_int_equal(hfi_soft_erase(bed->root, file), 0);
	assert_int_equal(symlinkat("acpi_index", bed->root, file), 0);
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, NULL, NULL, &answer), -ELOOP);
	assert_int_equal(hfi_soft_erase(bed->root, file), 0);
	wants(bed, "ib", "mlx5_0", FALLBACK, "ibp1s0");
	attribute(bed, AT(0, 1, 0, 0), "ari_enabled", "perhaps");
	assert_int_equal(decide(bed, "mlx5_0", FALLBACK, NULL, NULL, &answer), -EBADMSG);
	attribute(bed, AT(0, 1, 0, 0), "ari_enabled", "0");

	/* A PCI device without an entry in its parent directory. */
	assert_int_equal(hfi_soft_mkdirs(bed->root, "devices/odd"), 0);
	assert_int_equal(symlinkat("../../bus/pci", bed->root, "devices/odd/subsystem"), 0);
	assert_int_equal(pci_tree_add_ib(bed->root, "devices/odd", "odd", GUID), 0);
	assert_int_equal(decide(bed, "odd", "NAME_PCI,NAME_GUID", NULL, NULL, &answer), -ENODEV);

	/* A VF that its PF does not list does not get the PF's name. */
	function(bed, AT(0, 1, 0, 1), false);
	device(bed, AT(0, 1, 0, 1), "vf");
	assert_int_equal(pci_tree_make_vf(bed->root, &AT(0, 1, 0, 1), &AT(0, 1, 0, 0), 0), 0);
	wants(bed, "ib", "vf", FALLBACK, "ibp1s0v0");
	snprintf(file, sizeof(file), "%s/virtfn0", path);
	assert_int_equal(hfi_soft_erase(bed->root, file), 0);
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
		assert_int_equal(hfi_name_look(bed->root, names[i], &hardware), -ENODEV);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(hfi_name_look(bed->root, longest, &hardware), -ENODEV);
	/* Unplugged, and another device with that name plugged. */
	function(bed, AT(0, 1, 0, 0), false);
	function(bed, AT(0, 2, 0, 0), false);
	device(bed, AT(0, 1, 0, 0), "mlx5_0");
	assert_int_equal(hfi_name_look(bed->root, "mlx5_0", &hardware), 0);
	assert_true(hfi_name_is_still(bed->root, "mlx5_0", &hardware));
	assert_int_equal(unlinkat(bed->root, "class/infiniband/mlx5_0", 0), 0);
	assert_false(hfi_name_is_still(bed->root, "mlx5_0", &hardware));
	device(bed, AT(0, 2, 0, 0), "mlx5_0");
	assert_false(hfi_name_is_still(bed->root, "mlx5_0", &hardware));
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
	assert_int_equal(hfi_name_parse_policies(FALLBACK, &list), 0);
	assert_int_equal(hfi_name_look(bed->root, "d", &hardware), 0);
	assert_int_equal(hfi_name_decide(&list, NULL, &facts, &hardware, &trace, &answer), 0);
	/* The trace has both policies, what each found, and the name. */
	assert_in_range(sentences, 4, 8);
	assert_int_equal(answer.policy, HF_NAME_BY_PCI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_one_name_twice, naming_setup,
						naming_teardown),
		cmocka_unit_test_setup_teardown(kernel_facts, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(fixed, naming_setup, naming_teardown),
		cmocka_unit_test(policies),
		cmocka_unit_test_setup_teardown(unreadable_attributes, naming_setup,
						naming_teardown),
		cmocka_unit_test_setup_teardown(absent, naming_setup, naming_teardown),
		cmocka_unit_test_setup_teardown(explained, naming_setup, naming_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
