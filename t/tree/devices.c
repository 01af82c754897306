/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices through the public calls: identity, references, order, opening. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

struct bed {
	struct tree *tree;
	struct hf *hf;
};

static int setup_devices(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	char dir[512];
	const char *dirs[] = {dir, NULL};
	struct hf_root root;
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		.node_wait_ms = 300,
	};

	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	*state = bed;
	return 0;
}

static int teardown_devices(void **state)
{
	struct bed *bed = *state;

	hf_unref(bed->hf);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

static struct ibv_device *find_by_name(const struct bed *bed, const char *name)
{
	struct ibv_device *device = NULL;

	assert_int_equal(hf_device_by_name(bed->hf, name, &device), 0);
	return device;
}

static void a_rename_keeps_the_instance(void **state)
{
	struct bed *bed = *state;
	struct ibv_device *before, *after;
	const char *old_name;
	char name[64];

	tree_add(bed->tree, 0, "fake0", NULL);
	before = find_by_name(bed, "fake0");
	old_name = ibv_get_device_name(before);
	assert_int_equal(tree_rename(bed->tree, 0, "fake7"), 0);
	after = find_by_name(bed, "fake7");
	assert_ptr_equal(before, after);
	assert_string_equal(old_name, "fake0"); /* returned before: stays valid */
	assert_string_equal(ibv_get_device_name(after), "fake7");
	assert_string_equal(after->name, "fake7");
	assert_int_equal(hf_device_name(after, name, sizeof(name)), 5);
	assert_int_equal(hf_device_name(after, name, 5), -ERANGE);
	hf_device_unref(before);
	hf_device_unref(after);
}

static void dropped_caches_change_nothing(void **state)
{
	struct bed *bed = *state;
	struct ibv_device *before, *after;

	tree_add(bed->tree, 0, "fake0", NULL);
	before = find_by_name(bed, "fake0");
	assert_int_equal(tree_drop_caches(bed->tree), 0);
	tree_add(bed->tree, 1, "fake1", NULL); /* makes the library scan */
	after = find_by_name(bed, "fake0");
	assert_ptr_equal(before, after);
	hf_device_unref(before);
	hf_device_unref(after);
}

static void a_replug_is_another_instance(void **state)
{
	struct bed *bed = *state;
	struct ibv_device *before, *after;
	struct ibv_context *context = NULL;
	char value[64] = "untouched";

	tree_add(bed->tree, 0, "fake0", NULL);
	before = find_by_name(bed, "fake0");
	assert_int_equal(tree_swap(bed->tree, 0), 0);
	/* No scan since then: the call itself finds out. */
	assert_int_equal(hf_device_open(before, &context), -ENODEV);
	assert_int_equal(hf_device_read_attr(before, "node_guid", value, sizeof(value)), -ENODEV);
	assert_string_equal(value, "untouched");
	after = find_by_name(bed, "fake0");
	assert_ptr_not_equal(before, after);
	assert_true(hf_device_generation(after) > hf_device_generation(before));
	assert_int_equal(hf_device_is_gone(before), 1);
	assert_int_equal(hf_device_is_gone(after), 0);
	assert_int_equal(hf_device_open(after, &context), 0);
	assert_int_equal(hf_device_close(context), 0);
	hf_device_unref(before);
	hf_device_unref(after);
}

static void newer_devices_come_first(void **state)
{
	struct bed *bed = *state;
	struct ibv_device **list;

	tree_add(bed->tree, 0, "fake0", NULL);
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 1);
	hf_device_list_free(list);
	tree_add(bed->tree, 1, "fake1", NULL);
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 2);
	assert_string_equal(ibv_get_device_name(list[0]), "fake1");
	assert_string_equal(ibv_get_device_name(list[1]), "fake0");
	assert_null(list[2]);
	hf_device_list_free(list);
}

/* Whichever of them was plugged in first, and whether or not it can be opened. */
static void a_name_is_that_of_the_first_root(void **state)
{
	const struct tree_options no_node = {.node = TREE_NODE_NONE};
	struct bed *bed = *state;
	struct tree *other;
	struct hf_root roots[2];
	const struct hf_options options = {.size = sizeof(options), .roots = roots, .num_roots = 2};
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device *device;
	struct hf *hf;

	assert_int_equal(tree_new(&other, NULL), 0);
	roots[0] = (struct hf_root){.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	roots[1] = (struct hf_root){.sysfs = tree_sysfs(other), .dev = tree_dev(other)};
	assert_int_equal(hf_new(&options, &hf), 0);
	tree_add(other, 0, "fake0", NULL);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(hf_device_by_name(hf, "fake0", &device), 0);
		assert_int_equal(hf_device_get_info(device, &info), 0);
		assert_string_equal(info.root, roots[1].sysfs);
		hf_device_unref(device);
		tree_add(bed->tree, 3, "fake0", &no_node);
		assert_int_equal(hf_device_by_name(hf, "fake0", &device), 0);
		assert_int_equal(hf_device_get_info(device, &info), 0);
		assert_string_equal(info.root, roots[0].sysfs);
		hf_device_unref(device);
		tree_remove(bed->tree, 3);
	}
	hf_unref(hf);
	tree_free(other);
}

static void unusable_devices_have_a_reason(void **state)
{
	const struct tree_options no_node = {.node = TREE_NODE_NONE};
	const struct tree_options wrong_node = {.node = TREE_NODE_WRONG};
	const struct tree_options half = {.no_device = true};
	static const struct {
		const char *name;
		enum hf_reason_code code;
		int error;
	} want[] = {
		{"fake0", HF_REASON_NO_NODE, ENOENT},
		{"fake1", HF_REASON_NODE_MISMATCH, ENXIO},
		{"fake2", HF_REASON_HALF_MADE, ENODEV},
		{"other0", HF_REASON_NO_PROVIDER, ENOSYS},
	};
	struct bed *bed = *state;
	struct ibv_device **list;
	struct ibv_context *context;

	tree_add(bed->tree, 0, "fake0", &no_node);
	tree_add(bed->tree, 1, "fake1", &wrong_node);
	tree_add(bed->tree, 2, "fake2", &half);
	tree_add(bed->tree, 3, "other0", NULL);
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 0);
	hf_device_list_free(list);
	assert_int_equal(hf_device_list(bed->hf, HF_LIST_ALL, &list), 4);
	hf_device_list_free(list);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct hf_device_info info = {.size = sizeof(info)};
		struct ibv_device *device = find_by_name(bed, want[i].name);

		assert_int_equal(hf_device_get_info(device, &info), 0);
		assert_int_equal(info.reason.code, want[i].code);
		assert_int_equal(hf_device_open(device, &context), -want[i].error);
		hf_device_unref(device);
	}
	assert_int_equal(tree_make_node(bed->tree, 0), 0);
	assert_int_equal(tree_complete(bed->tree, 2), 0);
	assert_int_equal(hf_device_list(bed->hf, 0, &list), 2);
	hf_device_list_free(list);
}

static void handles_outlive_everything(void **state)
{
	struct bed *bed = *state;
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_context *context;
	struct ibv_device_attr attr;
	struct ibv_device *device;
	struct ibv_device **list;
	union ibv_gid gid;

	tree_add(bed->tree, 0, "fake0", NULL);
	device = find_by_name(bed, "fake0");
	assert_int_equal(hf_device_open(device, &context), 0);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(hf_device_list(bed->hf, HF_LIST_ALL, &list), 0);
	hf_device_list_free(list);
	bed->hf = hf_unref(bed->hf);
	assert_int_equal(hf_device_get_info(device, &info), 0);
	assert_int_equal(info.state, HF_DEVICE_GONE);
	assert_string_equal(info.name, "fake0");
	assert_int_equal(ibv_query_device(context, &attr), 0);
	errno = 0;
	assert_int_equal(ibv_query_gid(context, 1, 0, &gid), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(hf_device_close(context), 0);
	assert_null(hf_device_unref(device));
}

static void refuses_to_leave_the_device(void **state)
{
	static const char *const paths[] = {
		"", "/etc/passwd", "..", "../fake0/node_guid", "ports/../../x", "ports/.."};
	struct bed *bed = *state;
	struct ibv_device *device;
	char value[64], longer[300];

	tree_add(bed->tree, 0, "fake0", NULL);
	device = find_by_name(bed, "fake0");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(hf_device_read_attr(device, paths[i], value, sizeof(value)),
				 -EINVAL);
	assert_int_equal(hf_device_read_attr(device, "nothing", value, sizeof(value)), -ENOENT);
	assert_int_equal(hf_device_read_attr(device, "fw_ver/x", value, sizeof(value)), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(hf_device_read_attr(device, longer, value, sizeof(value)), -ENOENT);
	assert_int_equal(hf_device_read_attr(device, "ports", value, sizeof(value)), -EINVAL);
	assert_int_equal(hf_device_read_attr(device, "node_guid", value, 3), -ERANGE);
	assert_int_equal(hf_device_read_attr(device, "node_guid", value, sizeof(value)), 19);
	hf_device_unref(device);
}

static const char *node_desc(struct ibv_device *device)
{
	static char value[256];

	assert_true(hf_device_read_attr(device, "node_desc", value, sizeof(value)) >= 0);
	return value;
}

static void writes_only_to_the_instance(void **state)
{
	static const char *const paths[] = {"", "/dev/null", "../fake0/node_desc", "ports", "link"};
	char much[4098];
	struct bed *bed = *state;
	struct ibv_device *device;
	char path[512];

	tree_add(bed->tree, 0, "fake0", NULL);
	device = find_by_name(bed, "fake0");
	assert_int_equal(hf_device_write_attr(device, "node_desc", "a longer one first"), 0);
	assert_string_equal(node_desc(device), "a longer one first");
	assert_int_equal(hf_device_write_attr(device, "node_desc", "short"), 0);
	assert_string_equal(node_desc(device), "short");
	tree_rename(bed->tree, 0, "fake7");
	assert_int_equal(hf_device_write_attr(device, "node_desc", "renamed"), 0);
	assert_string_equal(node_desc(device), "renamed");

	snprintf(path, sizeof(path), "%s/class/infiniband/fake7/link", tree_sysfs(bed->tree));
	assert_int_equal(symlink("node_desc", path), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(hf_device_write_attr(device, paths[i], "x"), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(hf_device_write_attr(device, "link", "x"), -EINVAL);
	assert_int_equal(hf_device_write_attr(device, "fw_ver/x", "x"), -ENOENT);
	assert_int_equal(hf_device_write_attr(device, "nothing", "x"), -ENOENT);
	assert_int_equal(hf_device_write_attr(device, "node_desc", ""), -EINVAL);
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	assert_int_equal(hf_device_write_attr(device, "node_desc", much), -EINVAL);
	much[4096] = '\0';
	assert_int_equal(hf_device_write_attr(device, "fw_ver", much), 0);
	assert_string_equal(node_desc(device), "renamed");

	tree_swap(bed->tree, 0);
	assert_int_equal(hf_device_write_attr(device, "node_desc", "of the old one"), -ENODEV);
	hf_device_unref(device);
	device = find_by_name(bed, "fake7");
	assert_string_not_equal(node_desc(device), "of the old one");
	tree_remove(bed->tree, 0);
	assert_int_equal(hf_device_write_attr(device, "node_desc", "of nobody"), -ENODEV);
	hf_device_unref(device);
}

static void a_child_may_list_and_close(void **state)
{
	struct bed *bed = *state;
	struct ibv_context *context;
	struct ibv_device *device;
	int status;
	pid_t child;

	tree_add(bed->tree, 0, "fake0", NULL);
	device = find_by_name(bed, "fake0");
	assert_int_equal(hf_device_open(device, &context), 0);
	child = fork();
	if (child == 0) {
		struct ibv_device **list;
		int count;

		tree_add(bed->tree, 1, "fake1", NULL);
		count = hf_device_list(bed->hf, 0, &list);
		hf_device_list_free(list);
		hf_device_close(context);
		hf_device_unref(device);
		hf_unref(bed->hf);
		_exit(count == 2 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* What the child read from its own sockets is not missing here. */
	hf_device_unref(find_by_name(bed, "fake1"));
	assert_int_equal(hf_device_close(context), 0);
	hf_device_unref(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rename_keeps_the_instance, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(dropped_caches_change_nothing, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(a_replug_is_another_instance, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(newer_devices_come_first, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(a_name_is_that_of_the_first_root, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(unusable_devices_have_a_reason, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(handles_outlive_everything, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(refuses_to_leave_the_device, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(writes_only_to_the_instance, setup_devices,
						teardown_devices),
		cmocka_unit_test_setup_teardown(a_child_may_list_and_close, setup_devices,
						teardown_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
