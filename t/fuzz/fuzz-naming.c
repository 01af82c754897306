/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a name is made from: the attributes and links of a PCI function, its PF, a sub-function, a slot,
 * and netlink's words. The input is a list of records, each a byte that picks a file, a byte that says
 * what becomes of it, a length byte and that many bytes. What a record changed is put back before the
 * next input. Whatever is in there, a name that comes out is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "naming/hardware.h"
#include "t/fuzz/fuzz.h"
#include "t/lib/pci_tree.h"
#include "soft/files.h"
#include "t/lib/tree.h"

const char fuzz_name[] = "naming";

#define FUNCTION "devices/pci0000:00/0000:02:00.1/"
#define PF	 "devices/pci0000:00/0000:02:00.0/"
#define SF	 FUNCTION "mlx5_core.sf.1/"

/* Each is absent to begin with, or as pci_tree makes it. */
static const char *const files[] = {
	FUNCTION "acpi_index",
	FUNCTION "index",
	FUNCTION "ari_enabled",
	FUNCTION "config",
	FUNCTION "physfn",
	FUNCTION "subsystem",
	PF "config",
	PF "ari_enabled",
	PF "virtfn0",
	PF "virtfn7",
	SF "sfnum",
	SF "subsystem",
	"bus/pci/slots/7",
	"bus/pci/slots/7/address",
	"bus/pci/slots/8/address",
	"class/infiniband/hf0",
	FUNCTION "infiniband/hf0/device",
	FUNCTION "infiniband/hf0/parent",
};

enum { NUM_FILES = sizeof(files) / sizeof(files[0]), RECORDS = 8 };

enum action { CONTENTS, MISSING, LINK, DIRECTORY, NUM_ACTIONS };

static struct tree *tree;
static int root;

static void free_naming_tree(void)
{
	tree_free(tree);
}

static void make_naming_tree(void)
{
	const struct hf_pci_address pf = {0, 2, 0, 0}, vf = {0, 2, 0, 1};
	const struct pci_tree_function one = {.at = pf, .acpi_index = -1, .smbios_index = -1};
	struct pci_tree_function other = one;
	char path[PCI_TREE_PATH];

	other.at = vf;
	fuzz_check(!pci_tree_add(root, &one) && !pci_tree_add(root, &other));
	fuzz_check(!pci_tree_make_vf(root, &vf, &pf, 0));
	pci_tree_path(&vf, path);
	fuzz_check(!pci_tree_add_ib(root, path, "hf0", 1));
	fuzz_check(!pci_tree_add_sf(root, &vf, 1, 88, path));
	fuzz_check(!pci_tree_add_ib(root, path, "hf1", 2));
	fuzz_check(!pci_tree_slot(root, "7", "0000:02:00"));
	fuzz_check(!pci_tree_slot(root, "8", "0000:03:00"));
}

static void unmake(void)
{
	static const char *const tops[] = {"devices", "bus", "class/infiniband/hf0",
					   "class/infiniband/hf1"};

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		fuzz_check(!hfi_soft_erase(root, tops[i]));
}

static void change_file(const char *file, enum action action, const uint8_t *data, size_t length)
{
	char target[256];
	int fd;

	hfi_soft_erase(root, file);
	memcpy(target, data, length);
	target[length] = '\0';
	switch (action) {
	case CONTENTS:
		fd = openat(root, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			fuzz_check(write(fd, data, length) == (ssize_t)length && !close(fd));
		break;
	case LINK:
		/* Within the tree: what else is on the machine must not tell. */
		if (*target != '/' && !strstr(target, "../../../.."))
			(void)!symlinkat(target, root, file);
		break;
	case DIRECTORY:
		mkdirat(root, file, 0700);
		break;
	default:
		break;
	}
}

static void name(const char *device, const char *protocol)
{
	static const char *const lists[] = {"NAME_FALLBACK", "NAME_SLOT,NAME_PCI", "NAME_GUID"};
	struct hf_nldev facts = {.node_guid = 1};
	struct hf_name_hardware hardware;
	struct hf_name_policies policies;
	struct hf_name_answer answer;
	int ret;

	strcpy(facts.name, device);
	snprintf(facts.protocol, sizeof(facts.protocol), "%s", protocol);
	fuzz_fill(&hardware, sizeof(hardware));
	ret = hfi_name_look(root, device, &hardware);
	if (ret) {
		fuzz_check(ret < 0 && fuzz_untouched(&hardware, sizeof(hardware)));
		return;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		fuzz_check(!hfi_name_parse_policies(lists[i], &policies));
		fuzz_fill(&answer, sizeof(answer));
		ret = hfi_name_decide(&policies, NULL, &facts, &hardware, NULL, &answer);
		fuzz_check(fuzz_is_string(answer.why));
		if (!ret)
			fuzz_check(fuzz_is_string(answer.name) && !hfi_name_fault(answer.name));
		else
			fuzz_check(ret < 0 && fuzz_untouched(answer.name, sizeof(answer.name)));
	}
}

static void names_as_text(const uint8_t *data, size_t length)
{
	struct hf_name_policies policies;
	char text[256];

	memcpy(text, data, length);
	text[length] = '\0';
	if (!hfi_name_fault(text))
		fuzz_check(*text && strlen(text) < HF_NAME_SIZE && !strpbrk(text, "/:% \n"));
	if (!hfi_name_parse_policies(text, &policies))
		fuzz_check(policies.count && policies.count <= HF_NAME_POLICIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char protocol[8] = "ib";
	int records = 0;

	if (!tree) {
		fuzz_check(!tree_new(&tree, NULL));
		atexit(free_naming_tree);
		root = open(tree_sysfs(tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
		fuzz_check(root >= 0);
	}
	make_naming_tree();
	for (; size >= 3 && records < RECORDS; records++) {
		size_t length = data[2] < size - 3 ? data[2] : size - 3;

		names_as_text(data + 3, length);
		if (data[0] % (NUM_FILES + 1) == NUM_FILES)
			snprintf(protocol, sizeof(protocol), "%.*s", (int)length,
				 (const char *)data + 3);
		else
			change_file(files[data[0] % (NUM_FILES + 1)], data[1] % NUM_ACTIONS,
				    data + 3, length);
		data += 3 + length;
		size -= 3 + length;
	}
	name("hf0", protocol);
	name("hf1", protocol);
	unmake();
	return 0;
}
