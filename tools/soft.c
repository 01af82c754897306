/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast soft: its options, the tree that it changes, and removing a device. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/runtime_dir.h"
#include "soft/find.h"
#include "soft/root.h"
#include "soft/tree.h"
#include "tools/doctor.h"
#include "tools/roots.h"
#include "tools/soft.h"

enum { OPT_NETDEV = HF_OPT_OWN, OPT_ADDRESS, OPT_PATH };

/* The tree of an option or variable: the first that is no kernel's. Its nodes must be in its own directory. */
static char *given_tree(const struct hf_tool *tool)
{
	struct hf_roots roots;
	char *tree = NULL;

	hfi_roots_get(tool, &roots);
	for (size_t i = 0; i < roots.count && !tree; i++) {
		const struct hf_root *root = &roots.v[i];
		char *dev = hfi_tool_print("%s/dev", root->sysfs);

		if (!hfi_is_kernel_root(root->sysfs) && !strcmp(dev, root->dev))
			tree = hfi_tool_print("%s", root->sysfs);
		free(dev);
	}
	hfi_roots_free(&roots);
	if (!tree)
		hfi_complain("soft: none of the given roots can have soft devices: not the "
			     "kernel's, nor "
			     "one whose nodes are elsewhere than in its directory dev");
	return tree;
}

static void cannot_make_root(int err, const char *path)
{
	if (err == -ENOENT)
		hfi_complain(
			"soft: there is no safe directory for soft devices: XDG_RUNTIME_DIR names "
			"none, and neither /tmp nor /var/tmp is sticky and root's");
	else if (err == -EPERM)
		hfi_complain("soft: %s: other users can write there, so the library would not look "
			     "there",
			     path);
	else
		hfi_complain("soft: cannot make %s: %s", *path ? path : "the soft root",
			     strerror(-err));
}

/* The path of the tree, or NULL after an error; the empty string: there is none yet. */
static char *find_tree(const struct hf_tool *tool, bool make)
{
	const char *list = getenv("HOLDFAST_ROOTS"), *sysfs = getenv("SYSFS_PATH");
	char path[256] = "";
	int err;

	if (tool->num_roots || (list && *list))
		return given_tree(tool);
	if (sysfs && *sysfs) {
		hfi_complain("soft: SYSFS_PATH is set, so programs do not look for soft devices: "
			     "unset it");
		return NULL;
	}
	err = hfi_soft_root(make, path, sizeof(path));
	if (err == -ENOENT && !make)
		return hfi_tool_print("%s", "");
	if (!err)
		return hfi_tool_print("%s", path);
	cannot_make_root(err, path);
	return NULL;
}

static int open_tree(struct hf_soft_place *place, bool make)
{
	struct stat st;
	int err = 0;

	if (!*place->sysfs)
		return 0;
	if (make && mkdir(place->sysfs, 0755) < 0 && errno != EEXIST)
		return -errno;
	place->tree = open(place->sysfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->tree < 0)
		return errno == ENOENT && !make ? 0 : -errno;
	if (fstat(place->tree, &st) < 0)
		return -errno;
	if (!hfi_is_trusted(&st))
		return -EPERM;
	err = hfi_soft_lock(place->tree, &place->lock);
	if (!err && make)
		err = hfi_soft_tree_make(place->tree);
	return err;
}

int hfi_soft_place_open(const struct hf_tool *tool, bool make, struct hf_soft_place *ret)
{
	struct hf_soft_place place = {.tree = -1, .lock = -1};
	int err;

	place.sysfs = find_tree(tool, make);
	if (!place.sysfs)
		return HF_EXIT_FAILED;
	err = open_tree(&place, make);
	if (!err) {
		*ret = place;
		return HF_EXIT_OK;
	}
	if (err == -EPERM)
		hfi_complain(
			"soft: %s: it must be yours or root's, and no other user may write to it",
			place.sysfs);
	else
		hfi_complain("soft: %s: %s", place.sysfs, strerror(-err));
	hfi_soft_place_close(&place);
	return HF_EXIT_FAILED;
}

void hfi_soft_place_close(struct hf_soft_place *place)
{
	hfi_close(&place->lock);
	hfi_close(&place->tree);
	free(place->sysfs);
}

/* Removes the device of that number. Its files in class/infiniband say whether it is a soft one. */
static int remove_soft_device(const struct hf_soft_place *place, unsigned int n, const char *name)
{
	char *mark = hfi_tool_print("class/infiniband/%s/uroce_path", name);
	struct stat st;
	int err = 0;

	if (fstatat(place->tree, mark, &st, AT_SYMLINK_NOFOLLOW) < 0)
		err = errno == ENOENT ? -EOPNOTSUPP : -errno;
	free(mark);
	if (!err)
		err = hfi_soft_unplug(place->tree, n, name);
	if (!err)
		err = hfi_soft_erase_node(place->tree, n);
	return err;
}

int hfi_soft_del(const struct hf_tool *tool, const char *name)
{
	struct hf_soft_place place;
	unsigned int n = 0;
	int status = hfi_soft_place_open(tool, false, &place);
	int err = -ENODEV;

	if (status)
		return status;
	if (place.tree >= 0)
		err = hfi_soft_find(place.tree, name, &n);
	if (!err)
		err = remove_soft_device(&place, n, name);
	if (err == -ENODEV) {
		hfi_complain("%s: there is no such soft device%s%s; \"holdfast soft list\" shows "
			     "those that "
			     "exist",
			     name, *place.sysfs ? " in " : "", place.sysfs);
		status = HF_EXIT_NO_DEVICE;
	} else if (err == -EOPNOTSUPP) {
		hfi_complain("%s: \"holdfast soft add\" did not make this device", name);
		status = HF_EXIT_FAILED;
	} else if (err) {
		hfi_complain("%s: cannot remove the device: %s", name, strerror(-err));
		status = HF_EXIT_FAILED;
	} else if (tool->json) {
		struct hf_json json;

		hfi_json_begin(&json, stdout, false);
		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "removed", name);
		hfi_json_close(&json);
	}
	/* What killed commands have left is no reason to fail. */
	if (!err && hfi_soft_sweep(place.tree))
		hfi_complain("%s: some files of earlier devices cannot be erased", place.sysfs);
	hfi_soft_place_close(&place);
	return status;
}

static int wrong_use(const char *what)
{
	hfi_complain("soft: %s", what);
	fprintf(stderr, "Try \"holdfast soft --help\".\n");
	return HF_EXIT_USAGE;
}

static int run_soft(struct hf_tool *tool, char **args)
{
	bool add = !strcmp(args[0], "add");

	if (!add && (tool->netdev || tool->address || tool->path))
		return wrong_use("--netdev, --address and --path are for \"soft add\"");
	if (!strcmp(args[0], "list"))
		return args[1] ? wrong_use("list takes no argument") : hfi_soft_list(tool);
	if (!add && strcmp(args[0], "del") != 0)
		return wrong_use("expected add, del or list");
	if (!args[1])
		return wrong_use("expected the name of the device");
	return add ? hfi_soft_add(tool, args[1]) : hfi_soft_del(tool, args[1]);
}

static int set_soft_option(struct hf_tool *tool, int option, const char *value)
{
	if (option == OPT_NETDEV)
		tool->netdev = value;
	else if (option == OPT_ADDRESS)
		tool->address = value;
	else if (option == OPT_PATH)
		tool->path = value;
	return 0;
}

static const struct option options[] = {
	{"netdev", required_argument, NULL, OPT_NETDEV},
	{"address", required_argument, NULL, OPT_ADDRESS},
	{"path", required_argument, NULL, OPT_PATH},
	{0},
};

const struct hf_command hf_command_soft = {
	.name = "soft",
	.args = "add|del NAME, or list",
	.summary = "make, remove and show software devices",
	.about = "Makes RDMA devices of software, without a kernel module and without privileges: "
		 "\"soft add NAME\", \"soft del NAME\", which is an unplug, and \"soft list\". "
		 "Without "
		 "an option a device gets an address of its own in 127.0.0.0/8.",
	.options_help =
		"      --netdev DEV        add: the device has the addresses, state and MTU of\n"
		"                          this network interface\n"
		"      --address ADDR      add: the device has this address of the machine\n"
		"      --path=PATH         add: reach every peer by this path: direct or wire\n",
	.options = options,
	.set = set_soft_option,
	.min_args = 1,
	.max_args = 2,
	.run = run_soft,
};
