/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Discovery with RDMA netlink, which t/lib/fakenl.c answers from generated trees. */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "core/device/hf.h"
#include "core/device/root_kind.h"
#include "core/discovery/attrs.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/sysfs.h"
#include "t/lib/tree.h"

enum { BOTH = HF_SOURCE_SYSFS | HF_SOURCE_NETLINK };

struct world {
	struct tree *tree;
	struct hf_search_root root;
	struct hf_entries entries;
	struct hf_nl *nl;
};

static int setup_netlink_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || tree_new(&world->tree, NULL))
		return -1;
	*state = world;
	if (hfi_search_root_init(&world->root, tree_sysfs(world->tree), tree_dev(world->tree)))
		return -1;
	world->root.kind = &hfi_root_kernel;
	setenv("HF_FAKE_RDMA_TREE", tree_sysfs(world->tree), 1);
	return hfi_nl_open(&world->nl);
}

static int teardown_netlink_world(void **state)
{
	struct world *world = *state;

	hfi_nl_close(world->nl);
	hfi_entries_free(&world->entries);
	tree_free(world->tree);
	free(world);
	return 0;
}

static void discover_by_both(struct world *world)
{
	hfi_entries_free(&world->entries);
	assert_int_equal(hfi_discover(&world->root, 0, BOTH, world->nl, &world->entries), 0);
}

static struct hf_entry discover_one_by_both(struct world *world, const char *uverbs)
{
	struct hf_entry entry;

	assert_int_equal(hfi_discover_one(&world->root, 0, BOTH, world->nl, uverbs, &entry), 0);
	return entry;
}

static void add_to_world(struct world *world, unsigned int n, const char *name,
			 const struct tree_options *options)
{
	assert_int_equal(tree_add(world->tree, n, name, options), 0);
}

static void both_sources_make_one_entry(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {
		.node = TREE_NODE_FILE, .ports = 2, .driver_id = 1, .abi = 4, .protocol = "ib"};
	struct hf_entry entry;

	add_to_world(world, 0, "before", NULL);
	add_to_world(world, 3, "mlx5_0", &options);
	entry = discover_one_by_both(world, "uverbs3");
	assert_int_equal(entry.reason.code, HF_REASON_NONE);
	assert_int_equal(entry.index, tree_index(world->tree, 3));
	assert_int_equal(entry.life.inode, tree_inode(world->tree, 3));
	assert_int_not_equal(entry.device_inode, 0);
	assert_int_equal(entry.node_guid, htobe64(tree_guid(world->tree, 3)));
	assert_int_equal(entry.node_number, makedev(231, 3));
	assert_int_equal(entry.driver_id, 1);
	assert_int_equal(entry.kernel_abi, 4);
	assert_int_equal(entry.num_ports, 2);
	assert_int_equal(entry.node_type, IBV_NODE_CA);
	assert_int_equal(entry.protocol, HF_PROTOCOL_IB);
	assert_int_equal(hfi_entry_verify(&world->root, world->nl, &entry), 0);
}

static void order_is_the_index_then_sysfs(void **state)
{
	struct world *world = *state;
	const struct tree_options silent = {.no_index = true};

	add_to_world(world, 5, "a", NULL);
	add_to_world(world, 9, "x", &silent);
	add_to_world(world, 4, "b", NULL);
	add_to_world(world, 0, "c", NULL);
	discover_by_both(world);
	assert_int_equal(world->entries.count, 4);
	assert_string_equal(world->entries.v[0].name, "a");
	assert_string_equal(world->entries.v[1].name, "b");
	assert_string_equal(world->entries.v[2].name, "c");
	assert_string_equal(world->entries.v[3].name, "x");
	assert_int_equal(world->entries.v[3].index, -1);
	/*
	 * Here devices are shared between namespaces, so this one is unknown rather than in another
	 * namespace.
	 */
	assert_int_equal(world->entries.v[3].reason.code, HF_REASON_NONE);
}

static void an_odd_name_hides_no_other(void **state)
{
	struct world *world = *state;

	add_to_world(world, 0, "odd", NULL);
	add_to_world(world, 1, "b", NULL);
	add_to_world(world, 2, "c", NULL);
	discover_by_both(world);
	assert_int_equal(world->entries.count, 3);
	assert_string_equal(world->entries.v[0].name, "b");
	assert_int_equal(world->entries.v[0].index, 1);
	assert_int_equal(world->entries.v[1].index, 2);
	/* Sysfs has a better name for it. */
	assert_string_equal(world->entries.v[2].name, "odd");
}

/* Linux 6.1 lets users rename a device to "a/b", which no path can contain; libibverbs lists it. */
static void a_name_that_cannot_be_in_a_path(void **state)
{
	struct world *world = *state;
	struct hf_entry entry;

	add_to_world(world, 0, "odd", NULL);
	assert_int_equal(tree_set_uverbs(world->tree, 0, "ibdev", "a/b"), 0);
	for (int brief = 0; brief < 2; brief++) {
		hfi_entries_free(&world->entries);
		assert_int_equal(hfi_discover(&world->root, 0, BOTH | (brief ? HF_READ_BRIEF : 0),
					      world->nl, &world->entries),
				 0);
		assert_int_equal(world->entries.count, 1);
		entry = world->entries.v[0];
		assert_int_equal(entry.reason.code, HF_REASON_NONE);
		assert_string_equal(entry.name, "a/b");
		assert_int_equal(entry.index, 0);
		assert_int_equal(hfi_entry_complete(&world->root, world->nl, &entry), 0);
		assert_false(entry.brief);
		assert_int_equal(hfi_entry_verify(&world->root, world->nl, &entry), 0);
		assert_int_equal(hfi_entry_open_dir(&world->root, &entry, NULL), -EOPNOTSUPP);
	}
	entry = discover_one_by_both(world, "uverbs0");
	assert_int_equal(entry.reason.code, HF_REASON_NONE);
	assert_string_equal(entry.name, "a/b");
}

static unsigned int devices_of(struct hf *hf, const char *name, int32_t index)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device **list;
	int count = hf_device_list(hf, HF_LIST_ALL, &list);

	assert_true(count >= 0);
	if (count) {
		assert_int_equal(hf_device_get_info(list[0], &info), 0);
		assert_string_equal(info.name, name);
		assert_int_equal(info.index, index);
	}
	hf_device_list_free(list);
	return (unsigned int)count;
}

/* Like libibverbs, which asks netlink first whatever the variable says. */
static void without_sysfs_netlink_lists(void **state)
{
	const struct hf_options options = {.size = sizeof(options), .flags = HF_NO_NOTIFY};
	struct world *world = *state;
	struct tree *other;
	char path[HF_PATH_SIZE];
	struct hf *hf;

	add_to_world(world, 0, "rxe0", NULL);
	assert_int_equal(tree_new(&other, NULL), 0);
	assert_int_equal(tree_add(other, 0, "made0", NULL), 0);
	snprintf(path, sizeof(path), "%s/later", tree_sysfs(world->tree));
	setenv("SYSFS_PATH", path, 1);
	assert_int_equal(hf_new(&options, &hf), 0);
	assert_int_equal(devices_of(hf, "rxe0", 0), 1);
	add_to_world(world, 1, "rxe1", NULL);
	assert_int_equal(tree_remove(world->tree, 0), 0);
	assert_int_equal(devices_of(hf, "rxe1", 1), 1);
	/* If the tree exists, its devices are listed. */
	assert_int_equal(symlink(tree_sysfs(other), path), 0);
	assert_int_equal(devices_of(hf, "made0", -1), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(devices_of(hf, "rxe1", 1), 1);
	hf_unref(hf);
	/* No other variable may name a tree that does not exist. */
	unsetenv("SYSFS_PATH");
	setenv("HOLDFAST_ROOTS", path, 1);
	assert_int_equal(hf_new(&options, &hf), 0);
	assert_int_equal(devices_of(hf, "", 0), 0);
	hf_unref(hf);
	unsetenv("HOLDFAST_ROOTS");
	tree_free(other);
}

static uint64_t generation_of_the_only(struct hf *hf, bool by_netlink)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device **list;

	hf->flags = HF_NO_NOTIFY | (by_netlink ? 0 : HF_NO_NETLINK);
	assert_int_equal(hf_device_list(hf, HF_LIST_ALL, &list), 1);
	assert_int_equal(hf_device_get_info(list[0], &info), 0);
	hf_device_list_free(list);
	return info.generation;
}

/*
 * A list by netlink knows only the index, one by sysfs only the inode: both must see the same
 * instance.
 */
static void lists_by_one_source_see_one_instance(void **state)
{
	const struct hf_options options = {.size = sizeof(options), .flags = HF_NO_NOTIFY};
	struct world *world = *state;
	uint64_t generation;
	struct hf *hf;

	setenv("HOLDFAST_ROOTS", tree_sysfs(world->tree), 1);
	add_to_world(world, 0, "rxe0", NULL);
	for (int by_netlink = 0; by_netlink < 2; by_netlink++) {
		assert_int_equal(hf_new(&options, &hf), 0);
		hf->roots[0].kind = &hfi_root_kernel;
		generation = generation_of_the_only(hf, by_netlink);
		for (int i = 0; i < 4; i++) {
			by_netlink = !by_netlink;
			assert_int_equal(generation_of_the_only(hf, by_netlink), generation);
		}
		assert_int_equal(tree_remove(world->tree, 0), 0);
		add_to_world(world, 0, "rxe0", NULL);
		assert_int_not_equal(generation_of_the_only(hf, true), generation);
		hf_unref(hf);
	}
	unsetenv("HOLDFAST_ROOTS");
}

static void a_swap_changes_the_index(void **state)
{
	struct world *world = *state;
	struct hf_entry before, after;

	add_to_world(world, 0, "rxe0", NULL);
	before = discover_one_by_both(world, "uverbs0");
	assert_int_equal(tree_swap(world->tree, 0), 0);
	after = discover_one_by_both(world, "uverbs0");
	assert_true(after.index > before.index);
	assert_int_equal(hfi_entry_same(&before, &after), 0);
	/* Also by index alone, as without sysfs. */
	before.life.inode = after.life.inode = 0;
	assert_int_equal(hfi_entry_same(&before, &after), 0);
	assert_int_equal(hfi_entry_verify(&world->root, world->nl, &before), -ENODEV);
	assert_int_equal(hfi_entry_verify(&world->root, world->nl, &after), 0);
}

static void rename_is_followed(void **state)
{
	struct world *world = *state;
	struct hf_entry before, after;

	add_to_world(world, 0, "rxe0", NULL);
	before = discover_one_by_both(world, "uverbs0");
	assert_int_equal(tree_rename(world->tree, 0, "foo7"), 0);
	after = discover_one_by_both(world, "uverbs0");
	assert_string_equal(after.name, "foo7");
	assert_int_equal(after.index, before.index);
	assert_int_equal(hfi_entry_same(&before, &after), 1);
	assert_int_equal(hfi_entry_verify(&world->root, world->nl, &before), 0);
}

static void another_namespace_is_reported(void **state)
{
	struct world *world = *state;
	const struct tree_options unseen = {.no_device = true};

	add_to_world(world, 0, "rxe0", NULL);
	add_to_world(world, 1, "rxe1", NULL);
	add_to_world(world, 2, "rxe2", &unseen);
	assert_int_equal(tree_hide(world->tree, 1, true), 0);
	assert_int_equal(tree_hide(world->tree, 2, true), 0);
	discover_by_both(world);
	assert_int_equal(world->entries.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_not_equal(world->entries.v[i].reason.code, HF_REASON_OTHER_NETNS);
	assert_int_equal(discover_one_by_both(world, "uverbs2").reason.code, HF_REASON_HALF_MADE);
	assert_int_equal(tree_fake(world->tree, "exclusive", UINT_MAX), 0);
	discover_by_both(world);
	assert_int_equal(world->entries.count, 3);
	assert_int_equal(world->entries.v[0].reason.code, HF_REASON_NONE);
	assert_int_equal(world->entries.v[1].reason.code, HF_REASON_OTHER_NETNS);
	assert_int_equal(world->entries.v[2].reason.code, HF_REASON_OTHER_NETNS);
	assert_int_equal(discover_one_by_both(world, "uverbs1").reason.code, HF_REASON_OTHER_NETNS);
	assert_int_equal(discover_one_by_both(world, "uverbs2").reason.code, HF_REASON_OTHER_NETNS);
	assert_int_equal(discover_one_by_both(world, "uverbs0").reason.code, HF_REASON_NONE);
}

static void netlink_alone_is_enough(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.node = TREE_NODE_FILE, .no_uverbs = true};
	struct hf_search_root root = world->root;
	struct hf_entry entry;

	add_to_world(world, 0, "rxe0", NULL);
	add_to_world(world, 7, "rxe7", &options);
	strcpy(root.sysfs, "/nowhere");
	assert_int_equal(hfi_discover(&root, 0, BOTH, world->nl, &world->entries), 0);
	assert_int_equal(world->entries.count, 2);
	entry = world->entries.v[1];
	assert_string_equal(entry.name, "rxe7");
	assert_string_equal(entry.uverbs, "uverbs7");
	assert_int_equal(entry.life.inode, 0);
	assert_int_equal(entry.node_number, makedev(231, 7));
	assert_int_equal(entry.protocol, HF_PROTOCOL_ROCE);
	assert_int_equal(entry.reason.code, HF_REASON_NONE);
	assert_int_equal(hfi_entry_verify(&root, world->nl, &entry), 0);
	assert_int_equal(hfi_entry_verify(&root, NULL, &entry), -EIO);
	assert_int_equal(hfi_entry_open_dir(&root, &entry, NULL), -EOPNOTSUPP);
	assert_int_equal(hfi_discover_one(&root, 0, BOTH, world->nl, "uverbs7", &entry), 0);
	assert_int_equal(hfi_discover_one(&root, 0, BOTH, world->nl, "uverbs8", &entry), -ENODEV);
	assert_int_equal(hfi_discover_one(&world->root, 0, HF_SOURCE_NETLINK, world->nl, "uverbs7",
					  &entry),
			 0);
	assert_int_equal(tree_remove(world->tree, 7), 0);
	assert_int_equal(hfi_entry_verify(&root, world->nl, &entry), -ENODEV);
}

static void old_kernels_report_less(void **state)
{
	struct world *world = *state;
	struct hf_entry entry;

	add_to_world(world, 0, "rxe0", NULL);
	assert_int_equal(tree_fake(world->tree, "old", UINT_MAX), 0);
	entry = discover_one_by_both(world, "uverbs0");
	assert_int_equal(entry.index, tree_index(world->tree, 0));
	assert_int_equal(entry.kernel_abi, 2);
	assert_int_equal(entry.node_number, makedev(1, 3));
	assert_int_equal(entry.driver_id, 0);
	assert_int_equal(entry.protocol, HF_PROTOCOL_UNKNOWN);
	assert_int_equal(entry.reason.code, HF_REASON_NONE);
	assert_int_equal(hfi_entry_verify(&world->root, world->nl, &entry), 0);
}

static void a_late_char_device_is_waited_for(void **state)
{
	struct world *world = *state;
	struct hf_entry entry;

	add_to_world(world, 0, "rxe0", NULL);
	assert_int_equal(tree_fake(world->tree, "late", 3), 0);
	entry = discover_one_by_both(world, "uverbs0");
	assert_int_equal(entry.driver_id, 14);
	/* After some time the name must do. */
	assert_int_equal(tree_fake(world->tree, "late", UINT_MAX), 0);
	entry = discover_one_by_both(world, "uverbs0");
	assert_int_equal(entry.index, tree_index(world->tree, 0));
	assert_int_equal(entry.driver_id, 0);
	assert_int_equal(hfi_entry_verify(&world->root, world->nl, &entry), 0);
}

static void disturbances_change_nothing(void **state)
{
	static const struct {
		const char *fault;
		unsigned int count;
	} faults[] = {{"interrupt", 1}, {"interrupt", 4}, {"enobufs", 1}, {"enobufs", 3},
		      {"eintr", 1},	{"eintr", 20},	  {"stray", 1},	  {"stray", UINT_MAX}};
	struct world *world = *state;

	add_to_world(world, 0, "rxe0", NULL);
	add_to_world(world, 1, "rxe1", NULL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		assert_int_equal(tree_fake(world->tree, faults[i].fault, faults[i].count), 0);
		discover_by_both(world);
		assert_int_equal(world->entries.count, 2);
		assert_int_equal(world->entries.v[0].index, 0);
		assert_int_equal(world->entries.v[1].index, 1);
		assert_int_equal(tree_fake(world->tree, faults[i].fault, 0), 0);
	}
	print_message("%zu kinds of disturbance\n", sizeof(faults) / sizeof(faults[0]));
}

static void broken_netlink_leaves_sysfs(void **state)
{
	static const char *const faults[] = {"cut", "refuse", "enobufs", "interrupt"};
	struct world *world = *state;
	struct hf_search_root root = world->root;

	strcpy(root.sysfs, "/nowhere");
	add_to_world(world, 0, "rxe0", NULL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct hf_entry entry;

		assert_int_equal(tree_fake(world->tree, faults[i], UINT_MAX), 0);
		entry = discover_one_by_both(world, "uverbs0");
		/* Only dumps are interrupted, and a device that was found before needs none. */
		assert_int_equal(entry.index, strcmp(faults[i], "interrupt") ? -1 : 0);
		assert_int_equal(entry.node_guid, htobe64(tree_guid(world->tree, 0)));
		assert_int_equal(entry.reason.code, HF_REASON_NONE);
		assert_int_equal(hfi_discover(&root, 0, HF_SOURCE_NETLINK, world->nl,
					      &world->entries),
				 -EIO);
		assert_int_equal(tree_fake(world->tree, faults[i], 0), 0);
		assert_int_equal(discover_one_by_both(world, "uverbs0").index, 0);
	}
}

static void the_wait_for_an_answer_is_bounded(void **state)
{
	struct world *world = *state;
	struct hf_nl_device device;
	struct timeval bound;
	socklen_t size = sizeof(bound);

	assert_int_equal(getsockopt(hfi_nl_fd(world->nl), SOL_SOCKET, SO_RCVTIMEO, &bound, &size),
			 0);
	assert_in_range(bound.tv_sec, 4, 20); /* clock: a setting */
	/* Shorten it for the test. */
	bound = (struct timeval){.tv_usec = 50000};
	assert_int_equal(setsockopt(hfi_nl_fd(world->nl), SOL_SOCKET, SO_RCVTIMEO, &bound, size),
			 0);
	assert_int_equal(tree_fake(world->tree, "mute", 1), 0);
	assert_int_equal(hfi_nl_device_get(world->nl, 0, &device), -ETIMEDOUT);
	assert_int_equal(hfi_nl_device_get(world->nl, 0, &device), -ENODEV);
}

static void without_a_socket_sysfs_is_used(void **state)
{
	struct world *world = *state;
	struct hf_nl *nl = NULL;

	assert_int_equal(tree_fake(world->tree, "nosocket", 1), 0);
	assert_int_equal(hfi_nl_open(&nl), -EPROTONOSUPPORT);
	assert_null(nl);
}

static int count_device(void *arg, const struct hf_nl_device *device)
{
	unsigned int *count = arg;

	assert_int_equal(device->index, *count);
	return ++*count == 1500 ? 42 : 0;
}

static void a_dump_has_parts(void **state)
{
	struct world *world = *state;
	struct hf_entries brief = {.v = NULL};
	unsigned int count = 0;
	char name[32];

	for (unsigned int n = 0; n < 1000; n++) {
		snprintf(name, sizeof(name), "rxe%u", n);
		add_to_world(world, n, name, NULL);
	}
	assert_int_equal(hfi_nl_dump(world->nl, count_device, &count), 0);
	assert_int_equal(count, 1000);
	discover_by_both(world);
	assert_int_equal(world->entries.count, 1000);
	for (unsigned int n = 0; n < 1000; n++)
		assert_int_equal(world->entries.v[n].index, n);
	brief.count = 0;
	assert_int_equal(hfi_discover(&world->root, 0, BOTH | HF_READ_BRIEF, world->nl, &brief), 0);
	assert_int_equal(brief.count, 1000);
	for (unsigned int n = 0; n < 1000; n++) {
		const struct hf_entry *whole = &world->entries.v[n];
		const struct hf_entry *entry = &brief.v[n];

		assert_true(entry->brief && !whole->brief);
		assert_string_equal(entry->uverbs, whole->uverbs);
		assert_string_equal(entry->name, whole->name);
		assert_int_equal(entry->index, whole->index);
		/* Read when the device is opened or compared. */
		assert_int_equal(entry->life.inode, 0);
		assert_int_equal(entry->node_number, whole->node_number);
		assert_int_equal(entry->node_guid, whole->node_guid);
		assert_int_equal(entry->driver_id, whole->driver_id);
		assert_int_equal(entry->kernel_abi, whole->kernel_abi);
	}
	hfi_entries_free(&brief);
	/* The walk ends when told to, and the socket stays usable. */
	count = 500;
	assert_int_equal(tree_remove(world->tree, 0), 0);
	assert_int_equal(hfi_nl_chardev(world->nl, 0, &(struct hf_nldev_chardev){0}), -ENODEV);
}

static void brief_by_both(struct world *world)
{
	hfi_entries_free(&world->entries);
	assert_int_equal(
		hfi_discover(&world->root, 0, BOTH | HF_READ_BRIEF, world->nl, &world->entries), 0);
}

/* With every dump disturbed: the devices are requested by their indices. */
static void a_brief_list_needs_no_dump(void **state)
{
	struct world *world = *state;
	char name[32];

	for (unsigned int n = 0; n < 40; n++) {
		snprintf(name, sizeof(name), "rxe%u", n);
		add_to_world(world, n, name, NULL);
	}
	/* Eight of the indices are gaps now; the others are the last ones. */
	for (unsigned int n = 0; n < 40; n += 5) {
		assert_int_equal(tree_remove(world->tree, n), 0);
		snprintf(name, sizeof(name), "new%u", n);
		add_to_world(world, n, name, NULL);
	}
	assert_int_equal(tree_fake(world->tree, "interrupt", UINT_MAX), 0);
	brief_by_both(world);
	assert_int_equal(world->entries.count, 40);
	for (unsigned int i = 0; i < 40; i++) {
		const struct hf_entry *entry = &world->entries.v[i];

		assert_true(entry->brief && entry->index >= 0);
		assert_int_equal(entry->reason.code, HF_REASON_NONE);
		assert_true(!i || world->entries.v[i - 1].index < entry->index);
	}
}

/* With this many gaps a dump is cheaper. */
static void scattered_indices_are_found(void **state)
{
	struct world *world = *state;
	char name[32];

	for (unsigned int n = 0; n < 200; n++) {
		snprintf(name, sizeof(name), "rxe%u", n);
		add_to_world(world, n, name, NULL);
	}
	for (unsigned int n = 0; n < 200; n++)
		if (n % 7)
			assert_int_equal(tree_remove(world->tree, n), 0);
	brief_by_both(world);
	assert_int_equal(world->entries.count, 29);
	for (unsigned int i = 0; i < 29; i++) {
		assert_true(world->entries.v[i].brief);
		assert_int_equal(world->entries.v[i].index, 7 * i);
	}
	/* The lowest index is far from 0, and is requested directly. */
	for (unsigned int n = 0; n < 200; n += 7)
		assert_int_equal(tree_remove(world->tree, n), 0);
	for (unsigned int n = 0; n < 30; n++) {
		snprintf(name, sizeof(name), "again%u", n);
		add_to_world(world, n, name, NULL);
	}
	brief_by_both(world);
	assert_int_equal(world->entries.count, 30);
	assert_int_equal(world->entries.v[0].index, tree_index(world->tree, 0));
}

static void a_brief_entry_is_bound_by_its_index(void **state)
{
	struct world *world = *state;
	struct hf_entry first, entry;

	add_to_world(world, 0, "a", NULL);
	brief_by_both(world);
	first = world->entries.v[0];
	entry = first;
	assert_int_equal(hfi_entry_complete(&world->root, NULL, &entry), -EIO);
	assert_int_equal(hfi_entry_complete(&world->root, world->nl, &entry), 0);
	assert_false(entry.brief);
	assert_int_equal(entry.life.inode, tree_inode(world->tree, 0));
	assert_int_equal(entry.index, first.index);
	assert_int_equal(entry.driver_id, first.driver_id);
	/* Another device has its names and its number. */
	assert_int_equal(tree_remove(world->tree, 0), 0);
	add_to_world(world, 0, "a", NULL);
	entry = first;
	assert_int_equal(hfi_entry_bind(&world->root, world->nl, &entry), -ENODEV);
	assert_int_equal(hfi_entry_complete(&world->root, world->nl, &entry), -ENODEV);
	assert_int_equal(entry.life.inode, 0);
	brief_by_both(world);
	assert_int_equal(hfi_entry_same(&first, &world->entries.v[0]), 0);
}

/* With every dump disturbed, only requests for a single device get an answer. */
static void one_among_many_needs_no_dump(void **state)
{
	struct world *world = *state;

	add_to_world(world, 0, "a", NULL);
	add_to_world(world, 1, "b", NULL);
	discover_by_both(world);
	assert_int_equal(tree_fake(world->tree, "interrupt", UINT_MAX), 0);
	add_to_world(world, 2, "c", NULL);
	assert_int_equal(discover_one_by_both(world, "uverbs2").index, 2);
	assert_int_equal(tree_rename(world->tree, 1, "renamed"), 0);
	assert_int_equal(discover_one_by_both(world, "uverbs1").index, 1);
	assert_int_equal(tree_swap(world->tree, 0), 0);
	assert_int_equal(discover_one_by_both(world, "uverbs0").index, 3);
	/* Several that were plugged before one of them was requested. */
	for (unsigned int n = 3; n < 8; n++) {
		char name[8];

		snprintf(name, sizeof(name), "x%u", n);
		add_to_world(world, n, name, NULL);
	}
	assert_int_equal(discover_one_by_both(world, "uverbs7").index, 8);
	assert_int_equal(discover_one_by_both(world, "uverbs3").index, 4);
}

static void ports_have_netdevs(void **state)
{
	struct world *world = *state;
	const struct tree_options options = {.netdev = "lo"};
	struct hf_port_info info = {.size = sizeof(info)};
	struct hf_nldev_port port;
	struct hf_entry entry;
	int fd;

	add_to_world(world, 0, "rxe0", &options);
	entry = discover_one_by_both(world, "uverbs0");
	assert_int_equal(hfi_nl_port(world->nl, 0, 1, &port), 0);
	assert_int_equal(port.state, 4);
	assert_string_equal(port.netdev, "lo");
	assert_int_equal(hfi_nl_port(world->nl, 0, 2, &port), -ENODEV);
	fd = hfi_entry_open_dir(&world->root, &entry, NULL);
	assert_true(fd >= 0);
	assert_int_equal(hfi_read_port(fd, world->nl, &entry, 1, &info, NULL), 0);
	close(fd);
	assert_int_equal(info.netdev_index, 2);
	assert_string_equal(info.netdev, "lo");
	assert_int_not_equal(info.netdev_mtu, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_netlink_world, teardown_netlink_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_sources_make_one_entry),
		TEST(order_is_the_index_then_sysfs),
		TEST(an_odd_name_hides_no_other),
		TEST(a_name_that_cannot_be_in_a_path),
		TEST(without_sysfs_netlink_lists),
		TEST(lists_by_one_source_see_one_instance),
		TEST(a_swap_changes_the_index),
		TEST(rename_is_followed),
		TEST(another_namespace_is_reported),
		TEST(netlink_alone_is_enough),
		TEST(old_kernels_report_less),
		TEST(a_late_char_device_is_waited_for),
		TEST(disturbances_change_nothing),
		TEST(broken_netlink_leaves_sysfs),
		TEST(the_wait_for_an_answer_is_bounded),
		TEST(without_a_socket_sysfs_is_used),
		TEST(a_dump_has_parts),
		TEST(a_brief_list_needs_no_dump),
		TEST(scattered_indices_are_found),
		TEST(a_brief_entry_is_bound_by_its_index),
		TEST(one_among_many_needs_no_dump),
		TEST(ports_have_netdevs),
	};

	return cmocka_run_group_tests_name("discovery with netlink", tests, NULL, NULL);
}
