/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A generated tree of PCI devices, and checks of the names given on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "naming/hardware.h"
#include "t/unit/naming_bed.h"

int naming_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	if (!bed || tree_new(&bed->tree, NULL))
		return -1;
	bed->root = open(tree_sysfs(bed->tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = bed;
	return bed->root < 0 ? -1 : 0;
}

int naming_teardown(void **state)
{
	struct bed *bed = *state;

	close(bed->root);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

void function(struct bed *bed, struct hf_pci_address at, bool multi_function)
{
	const struct pci_tree_function f = {.at = at,
					    .multi_function = multi_function,
					    .ari = 0,
					    .acpi_index = PCI_TREE_NONE,
					    .smbios_index = PCI_TREE_NONE};

	assert_int_equal(pci_tree_add(bed->root, &f), 0);
}

void attribute(struct bed *bed, struct hf_pci_address at, const char *file, const char *value)
{
	char path[PCI_TREE_PATH], full[PCI_TREE_PATH * 2];

	pci_tree_path(&at, path);
	snprintf(full, sizeof(full), "%s/%s", path, file);
	assert_int_equal(hfi_soft_put(bed->root, full, value), 0);
}

void device(struct bed *bed, struct hf_pci_address at, const char *name)
{
	char path[PCI_TREE_PATH];

	pci_tree_path(&at, path);
	assert_int_equal(pci_tree_add_ib(bed->root, path, name, GUID), 0);
}

int decide(struct bed *bed, const char *name, const char *words, const struct hf_nldev *facts,
	   const char *fixed, struct hf_name_answer *answer)
{
	struct hf_name_hardware hardware;
	struct hf_name_policies policies;
	struct hf_nldev own = {.protocol = "ib", .node_guid = GUID, .index = 1};

	snprintf(own.name, sizeof(own.name), "%s", name);
	memset(answer, 0, sizeof(*answer));
	assert_int_equal(hfi_name_parse_policies(words, &policies), 0);
	assert_int_equal(hfi_name_look(bed->root, name, &hardware), 0);
	assert_true(hfi_name_is_still(bed->root, name, &hardware));
	return hfi_name_decide(&policies, fixed, facts ? facts : &own, &hardware, NULL, answer);
}

void wants(struct bed *bed, const char *protocol, const char *name, const char *words,
	   const char *wanted)
{
	struct hf_nldev facts = {.node_guid = GUID};
	struct hf_name_answer answer;
	int ret;

	snprintf(facts.name, sizeof(facts.name), "%s", name);
	snprintf(facts.protocol, sizeof(facts.protocol), "%s", protocol);
	ret = decide(bed, name, words, &facts, NULL, &answer);
	if (wanted) {
		if (ret)
			fail_msg("%s %s: %s, wanted %s", name, words, answer.why, wanted);
		assert_string_equal(answer.name, wanted);
		assert_null(hfi_name_fault(answer.name));
	} else {
		if (ret != -ENOENT)
			fail_msg("%s %s: %d %s, wanted none", name, words, ret, answer.name);
		assert_string_equal(answer.name, "");
	}
	assert_true(answer.why[0]);
}
