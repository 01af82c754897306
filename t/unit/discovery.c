/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Discovery by sysfs alone, on generated trees. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <endian.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/device/root_kind.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/sysfs.h"
#include "t/lib/process.h"
#include "t/lib/tree.h"

struct world {
	struct tree *tree;
	struct hf_search_root root;
	struct hf_entries entries;
};

static int setup_discovery(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || tree_new(&world->tree, NULL))
		return -1;
	*state = world;
	return hfi_search_root_init(&world->root, tree_sysfs(world->tree), tree_dev(world->tree));
}

static int teardown_discovery(void **state)
{
	struct world *world = *state;

	hfi_entries_free(&world->entries);
	tree_free(world->tree);
	free(world);
	return 0;
}

static void discover_by_sysfs(struct world *world)
{
	hfi_entries_free(&world->entries);
	assert_int_equal(hfi_discover(&world->root, 7, HF_SOURCE_SYSFS, NULL, &world->entries), 0);
}

static struct hf_entry *entry_of(struct world *world, const char *uverbs)
{
	for (size_t i = 0; i < world->entries.count; i++)
		if (!strcmp(world->entries.v[i].uverbs, uverbs))
			return &world->entries.v[i];
	return NULL;
}

static struct hf_entry discover_one_by_sysfs(struct world *world, const char *uverbs)
{
	struct hf_entry entry;

	assert_int_equal(hfi_discover_one(&world->root, 7, HF_SOURCE_SYSFS, NULL, uverbs, &entry),
			 0);
	return entry;
}

static void an_entry_is_complete(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {
		.node = TREE_NODE_FILE,
		.abi = 5,
		.modalias = "pci:v000015B3d00001017sv000015B3sd00000020bc02sc00i00"};
	char path[HF_PATH_SIZE], expected[HF_PATH_SIZE], modalias[HF_MODALIAS_SIZE];
	struct hf_entry *entry;

	assert_int_equal(tree_add(world->tree, 300, "mlx5_0", &options), 0);
	discover_by_sysfs(world);
	assert_int_equal(world->entries.count, 1);
	entry = &world->entries.v[0];
	assert_int_equal(entry->root, 7);
	assert_string_equal(entry->uverbs, "uverbs300");
	assert_string_equal(entry->name, "mlx5_0");
	assert_int_equal(entry->index, -1);
	assert_int_equal(entry->life.inode, tree_inode(world->tree, 300));
	assert_int_not_equal(entry->device_inode, 0);
	assert_int_equal(entry->stamp.tv_sec, 1700000000);
	assert_int_equal(entry->node_number, makedev(231, 300));
	assert_int_equal(entry->node_guid, htobe64(tree_guid(world->tree, 300)));
	assert_int_equal(entry->kernel_abi, 5);
	assert_int_equal(entry->node_type, IBV_NODE_CA);
	assert_int_equal(hfi_entry_read_modalias(&world->root, entry, modalias), 0);
	assert_string_equal(modalias, options.modalias);
	/* A tree made for libibverbs has this entry in the RDMA device's directory. */
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/%s/device", tree_sysfs(world->tree),
		 entry->uverbs);
	snprintf(expected, sizeof(expected), "%s/class/infiniband/%s/device",
		 tree_sysfs(world->tree), entry->name);
	assert_int_equal(rename(path, expected), 0);
	modalias[0] = '\0';
	assert_int_equal(hfi_entry_read_modalias(&world->root, entry, modalias), 0);
	assert_string_equal(modalias, options.modalias);
	assert_int_equal(rename(expected, path), 0);
	assert_int_equal(entry->reason.code, HF_REASON_NONE);
	assert_int_equal(hfi_entry_node_path(&world->root, entry, path), 0);
	snprintf(expected, sizeof(expected), "%s/infiniband/uverbs300", tree_dev(world->tree));
	assert_string_equal(path, expected);
}

static void every_device_once(void **state)
{
	struct world *world = *state;
	char name[32];

	for (unsigned int n = 0; n < 200; n++) {
		snprintf(name, sizeof(name), "rxe%u", n);
		assert_int_equal(tree_add(world->tree, n, name, NULL), 0);
	}
	discover_by_sysfs(world);
	assert_int_equal(world->entries.count, 200);
	for (unsigned int n = 0; n < 200; n++) {
		snprintf(name, sizeof(name), "uverbs%u", n);
		assert_non_null(entry_of(world, name));
	}
	/* A second root is appended. */
	assert_int_equal(hfi_discover(&world->root, 8, HF_SOURCE_SYSFS, NULL, &world->entries), 0);
	assert_int_equal(world->entries.count, 400);
	assert_int_equal(world->entries.v[200].root, 8);
}

static void a_root_that_is_not_there_is_empty(void **state)
{
	struct world *world = *state;
	struct hf_search_root root;
	struct hf_entry entry;

	assert_int_equal(hfi_search_root_init(&root, "/nowhere/at/all//", "/dev"), 0);
	assert_string_equal(root.sysfs, "/nowhere/at/all");
	assert_ptr_equal(root.kind, &hfi_root_tree);
	assert_int_equal(hfi_discover(&root, 0, HF_SOURCE_SYSFS, NULL, &world->entries), 0);
	assert_int_equal(world->entries.count, 0);
	assert_int_equal(hfi_discover_one(&root, 0, HF_SOURCE_SYSFS, NULL, "uverbs0", &entry),
			 -ENODEV);
	assert_int_equal(hfi_search_root_init(&root, "sys", "/dev"), -EINVAL);
	assert_int_equal(hfi_search_root_init(&root, "/sys/", "/dev/"), 0);
	assert_ptr_equal(root.kind, &hfi_root_kernel);
	assert_string_equal(root.dev, "/dev");
	assert_int_equal(hfi_search_root_init(&root, "/", "/"), 0);
	assert_string_equal(root.sysfs, "/");
}

static void one_by_its_name(void **state)
{
	struct world *world = *state;
	struct hf_entry entry = {.index = 77};

	assert_int_equal(tree_add(world->tree, 1, "rxe1", NULL), 0);
	assert_int_equal(hfi_discover_one(&world->root, 7, HF_SOURCE_SYSFS, NULL, "uverbs0",
					  &entry),
			 -ENODEV);
	assert_int_equal(hfi_discover_one(&world->root, 7, HF_SOURCE_SYSFS, NULL, "../x", &entry),
			 -ENODEV);
	assert_int_equal(entry.index, 77);
	entry = discover_one_by_sysfs(world, "uverbs1");
	assert_string_equal(entry.name, "rxe1");
	assert_int_equal(entry.root, 7);
}

static void rename_keeps_identity(void **state)
{
	struct world *world = *state;
	struct hf_entry before, after;
	char name[HF_NAME_SIZE];
	int fd;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", NULL), 0);
	before = discover_one_by_sysfs(world, "uverbs0");
	assert_int_equal(tree_rename(world->tree, 0, "foo7"), 0);
	after = discover_one_by_sysfs(world, "uverbs0");
	assert_string_equal(after.name, "foo7");
	assert_int_equal(hfi_entry_same(&before, &after), 1);
	assert_int_equal(hfi_entry_verify(&world->root, NULL, &before), 0);
	/* Another device takes the old name: it must not be opened. */
	assert_int_equal(tree_add(world->tree, 1, "rxe0", NULL), 0);
	fd = hfi_entry_open_dir(&world->root, &before, name);
	assert_true(fd >= 0);
	assert_string_equal(name, "foo7");
	close(fd);
}

static void swap_is_another_identity(void **state)
{
	struct world *world = *state;
	struct hf_entry before, after;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", NULL), 0);
	before = discover_one_by_sysfs(world, "uverbs0");
	assert_int_equal(tree_swap(world->tree, 0), 0);
	after = discover_one_by_sysfs(world, "uverbs0");
	assert_int_equal(before.stamp.tv_sec, after.stamp.tv_sec);
	assert_int_equal(before.node_number, after.node_number);
	assert_int_equal(hfi_entry_same(&before, &after), 0);
	assert_int_equal(hfi_entry_verify(&world->root, NULL, &before), -ENODEV);
	assert_int_equal(hfi_entry_verify(&world->root, NULL, &after), 0);
	assert_int_equal(hfi_entry_open_dir(&world->root, &before, NULL), -ENODEV);
	assert_int_equal(hfi_entry_open_uverbs(&world->root, &before), -ENODEV);
	assert_int_equal(tree_remove(world->tree, 0), 0);
	assert_int_equal(hfi_entry_verify(&world->root, NULL, &after), -ENODEV);
	assert_int_equal(hfi_entry_open_dir(&world->root, &after, NULL), -ENODEV);
	assert_int_equal(hfi_entry_open_uverbs(&world->root, &after), -ENODEV);
}

static void dropped_caches_change_no_instance(void **state)
{
	struct world *world = *state;
	struct hf_entry before, after;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", NULL), 0);
	before = discover_one_by_sysfs(world, "uverbs0");
	assert_int_equal(tree_drop_caches(world->tree), 0);
	after = discover_one_by_sysfs(world, "uverbs0");
	assert_int_not_equal(before.stamp.tv_nsec, after.stamp.tv_nsec);
	assert_int_equal(hfi_entry_same(&before, &after), 1);
}

static void identity_uses_what_both_sources_have(void **state)
{
	const struct hf_entry base = {.uverbs = "uverbs0",
				      .index = 3,
				      .life = {.inode = 5, .id = {0, 2}},
				      .stamp.tv_sec = 9,
				      .node_number = 1};
	struct hf_entry other = base;

	(void)state;
	assert_int_equal(hfi_entry_same(&base, &other), 1);
	other.index = 4;
	assert_int_equal(hfi_entry_same(&base, &other), 0);
	other.index = -1;
	assert_int_equal(hfi_entry_same(&base, &other), 1);
	other.life.inode = 6;
	assert_int_equal(hfi_entry_same(&base, &other), 0);
	other = base;
	other.life.born.tv_nsec = 1;
	assert_int_equal(hfi_entry_same(&base, &other), 0);
	other = base;
	other.life.id[1] = 1;
	assert_int_equal(hfi_entry_same(&base, &other), 0);
	other.life.id[1] = 0;
	assert_int_equal(hfi_entry_same(&base, &other), 1);
	other = base;
	other.index = -1;
	other.life.inode = 0;
	assert_int_equal(hfi_entry_same(&base, &other), 1);
	other.stamp.tv_nsec = 1;
	assert_int_equal(hfi_entry_same(&base, &other), 0);
	other = base;
	other.root = 1;
	assert_int_equal(hfi_entry_same(&base, &other), 0);
	other = base;
	strcpy(other.uverbs, "uverbs1");
	assert_int_equal(hfi_entry_same(&base, &other), 0);
}

static void an_incomplete_device_has_a_reason(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.no_device = true};
	static const struct {
		const char *path, *value;
	} faults[] = {
		{"ibdev", NULL},       {"ibdev", ""},	      {"ibdev", "a/b"},	    {"ibdev", ".."},
		{"dev", NULL},	       {"dev", "1"},	      {"dev", "1:"},	    {"dev", "-1:3"},
		{"dev", "1:99999999"}, {"abi_version", NULL}, {"abi_version", "x"},
	};
	struct hf_reason reason;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", &options), 0);
	assert_int_equal(tree_add(world->tree, 1, "rxe1", NULL), 0);
	discover_by_sysfs(world);
	assert_int_equal(world->entries.count, 2);
	assert_int_equal(entry_of(world, "uverbs0")->reason.code, HF_REASON_HALF_MADE);
	hfi_entry_format_reason(entry_of(world, "uverbs0"), &reason);
	assert_non_null(strstr(reason.text, "rxe0"));
	assert_int_equal(entry_of(world, "uverbs0")->life.inode, tree_inode(world->tree, 0));
	assert_int_equal(entry_of(world, "uverbs1")->reason.code, HF_REASON_NONE);
	assert_int_equal(tree_complete(world->tree, 0), 0);
	assert_int_equal(discover_one_by_sysfs(world, "uverbs0").reason.code, HF_REASON_NONE);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct hf_entry entry;

		assert_int_equal(tree_add(world->tree, 2, "rxe2", NULL), 0);
		assert_int_equal(tree_set_uverbs(world->tree, 2, faults[i].path, faults[i].value),
				 0);
		entry = discover_one_by_sysfs(world, "uverbs2");
		hfi_entry_format_reason(&entry, &reason);
		if (reason.code != HF_REASON_HALF_MADE || !strstr(reason.text, faults[i].path))
			fail_msg("%s = %s: %d, %s", faults[i].path, faults[i].value, reason.code,
				 reason.text);
		assert_int_equal(tree_remove(world->tree, 2), 0);
	}
	print_message("%zu kinds of fault\n", sizeof(faults) / sizeof(faults[0]));
}

/* IB_DEVICE_NAME_MAX is 64 with the NUL; Linux 6.1 checks nothing else. */
static void every_name_of_the_kernel_is_read(void **state)
{
	static const char *const names[] = {
		"a23456789012345678901234567890123456789012345678901234567890123",
		"a b",
		" ",
		"\ttab",
		"\xc3\xa4\xf0\x9f\x90\xa7",
		"\xff\xfe",
		"back\\slash",
		"'\"`$(x)",
		"100%s%n",
		"-n",
		"...",
		"line\nbreak",
		"\033[31m",
	};
	struct world *world = *state;
	char name[HF_NAME_SIZE];
	struct hf_entry entry;
	int fd;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(tree_add(world->tree, 2, i % 2 ? names[i] : "rxe2", NULL), 0);
		if (i % 2 == 0)
			assert_int_equal(tree_rename(world->tree, 2, names[i]), 0);
		discover_by_sysfs(world);
		assert_int_equal(world->entries.count, 1);
		entry = discover_one_by_sysfs(world, "uverbs2");
		assert_int_equal(entry.reason.code, HF_REASON_NONE);
		assert_string_equal(entry.name, names[i]);
		assert_int_equal(be64toh(entry.node_guid), tree_guid(world->tree, 2));
		fd = hfi_entry_open_dir(&world->root, &entry, name);
		assert_true(fd >= 0);
		assert_string_equal(name, names[i]);
		close(fd);
		assert_int_equal(tree_remove(world->tree, 2), 0);
	}
	/* Longer than any that the kernel has. */
	assert_int_equal(tree_add(world->tree, 2, "rxe2", NULL), 0);
	assert_int_equal(
		tree_set_uverbs(world->tree, 2, "ibdev",
				"a234567890123456789012345678901234567890123456789012345678901234"),
		0);
	assert_int_equal(discover_one_by_sysfs(world, "uverbs2").reason.code, HF_REASON_HALF_MADE);
}

/* As while a writer shortens the name: padded, not yet cut. */
static void newlines_are_no_part_of_a_name_in_a_tree(void **state)
{
	struct world *world = *state;
	char path[512];
	FILE *file;

	assert_int_equal(tree_add(world->tree, 2, "rxe2", NULL), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs2/ibdev",
		 tree_sysfs(world->tree));
	file = fopen(path, "r+e");
	assert_non_null(file);
	assert_true(fputs("rxe2\n\n\n\n\n\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_string_equal(discover_one_by_sysfs(world, "uverbs2").name, "rxe2");
}

static void type_and_guid_are_read_separately(void **state)
{
	static const char *const guids[] = {NULL, "0:0", "0002:c903:0000:000g",
					    "0002:c903:0000:0001:0000"};
	struct world *world = *state;
	struct hf_entry entry;

	for (size_t i = 0; i < sizeof(guids) / sizeof(guids[0]); i++) {
		assert_int_equal(tree_add(world->tree, 2, "rxe2", NULL), 0);
		assert_int_equal(tree_set(world->tree, 2, "node_guid", guids[i]), 0);
		entry = discover_one_by_sysfs(world, "uverbs2");
		assert_int_equal(entry.reason.code, HF_REASON_NONE);
		assert_int_equal(entry.node_guid, 0);
		assert_true(entry.brief);
		assert_int_equal(entry.node_type, IBV_NODE_CA);
		/* With neither of them the device is incomplete. */
		assert_int_equal(tree_set(world->tree, 2, "node_type", i % 2 ? NULL : "CA"), 0);
		entry = discover_one_by_sysfs(world, "uverbs2");
		assert_int_equal(entry.reason.code, HF_REASON_HALF_MADE);
		assert_string_equal(entry.reason.attribute, "node_type");
		assert_int_equal(tree_remove(world->tree, 2), 0);
	}
	assert_int_equal(tree_add(world->tree, 2, "rxe2", NULL), 0);
	assert_int_equal(tree_set(world->tree, 2, "node_guid", ""), 0);
	entry = discover_one_by_sysfs(world, "uverbs2");
	assert_int_equal(tree_set(world->tree, 2, "node_guid", "0002:c903:0000:0001"), 0);
	assert_int_equal(hfi_entry_complete(&world->root, NULL, &entry), 0);
	assert_false(entry.brief);
	assert_int_equal(be64toh(entry.node_guid), 0x0002c90300000001);
	assert_int_equal(tree_remove(world->tree, 2), 0);
	assert_int_equal(tree_add(world->tree, 2, "rxe2", NULL), 0);
	assert_int_equal(tree_set(world->tree, 2, "node_type", NULL), 0);
	entry = discover_one_by_sysfs(world, "uverbs2");
	assert_int_equal(entry.reason.code, HF_REASON_NONE);
	assert_int_equal(entry.node_type, IBV_NODE_UNKNOWN);
	assert_int_equal(be64toh(entry.node_guid), tree_guid(world->tree, 2));
}

static void out_of_files_is_an_error(void **state)
{
	struct world *world = *state;
	struct rlimit before, now;
	struct hf_entry entry;
	unsigned int failed = 0;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	now = before;
	for (now.rlim_cur = 3; now.rlim_cur < 32; now.rlim_cur++) {
		int err;

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		err = hfi_discover_one(&world->root, 0, HF_SOURCE_SYSFS, NULL, "uverbs0", &entry);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		failed += err != 0;
		if (err)
			assert_int_equal(err, -EMFILE);
		else
			assert_int_equal(entry.reason.code, HF_REASON_NONE);
	}
	assert_true(failed > 0);
}

static void open_directories_belong_to_the_instance(void **state)
{
	struct world *world = *state;
	struct hf_entry entry, blind;
	char text[64], name[HF_NAME_SIZE];
	int fd;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", NULL), 0);
	entry = discover_one_by_sysfs(world, "uverbs0");
	fd = hfi_entry_open_uverbs(&world->root, &entry);
	assert_true(fd >= 0);
	assert_true(hfi_read_file(fd, "dev", text, sizeof(text), NULL) > 0);
	assert_string_equal(text, "1:3");
	close(fd);
	/* Without the inode check another way leads to the same directory. */
	blind = entry;
	blind.device_inode = 0;
	strcpy(blind.name, "other");
	fd = hfi_entry_open_dir(&world->root, &blind, name);
	assert_true(fd >= 0);
	assert_string_equal(name, "rxe0");
	close(fd);
	blind.life.inode = 0;
	blind.index = 4;
	assert_int_equal(hfi_entry_open_dir(&world->root, &blind, name), -EOPNOTSUPP);
	assert_int_equal(hfi_entry_open_uverbs(&world->root, &blind), -EOPNOTSUPP);
}

static void strange_things_among_the_devices(void **state)
{
	struct world *world = *state;
	char path[HF_PATH_SIZE];
	int fd;

	assert_int_equal(tree_add(world->tree, 0, "rxe0", NULL), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs1", tree_sysfs(world->tree));
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs2", tree_sysfs(world->tree));
	assert_int_equal(symlink("/nowhere", path), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs", tree_sysfs(world->tree));
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs3", tree_sysfs(world->tree));
	assert_int_equal(mkdir(path, 0755), 0);
	/* Opening a FIFO must not wait for a writer. */
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/uverbs3/ibdev",
		 tree_sysfs(world->tree));
	assert_int_equal(mkfifo(path, 0644), 0);
	discover_by_sysfs(world);
	assert_int_equal(world->entries.count, 2);
	assert_int_equal(entry_of(world, "uverbs3")->reason.code, HF_REASON_HALF_MADE);
}

static void no_file_stays_open(void **state)
{
	unsigned int before = count_open_fds();

	an_incomplete_device_has_a_reason(state);
	assert_int_equal(count_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_entry_is_complete, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(every_device_once, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(a_root_that_is_not_there_is_empty, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(one_by_its_name, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(rename_keeps_identity, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(swap_is_another_identity, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(dropped_caches_change_no_instance, setup_discovery,
						teardown_discovery),
		cmocka_unit_test(identity_uses_what_both_sources_have),
		cmocka_unit_test_setup_teardown(an_incomplete_device_has_a_reason, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(every_name_of_the_kernel_is_read, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(newlines_are_no_part_of_a_name_in_a_tree,
						setup_discovery, teardown_discovery),
		cmocka_unit_test_setup_teardown(type_and_guid_are_read_separately, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(out_of_files_is_an_error, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(open_directories_belong_to_the_instance,
						setup_discovery, teardown_discovery),
		cmocka_unit_test_setup_teardown(strange_things_among_the_devices, setup_discovery,
						teardown_discovery),
		cmocka_unit_test_setup_teardown(no_file_stays_open, setup_discovery,
						teardown_discovery),
	};

	return cmocka_run_group_tests_name("discovery by sysfs", tests, NULL, NULL);
}
