/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * replug DIRECTORY: on the file system of that directory, removes and adds a device of a tree a
 * thousand times (a hundred times in the short run of all tests), and replaces it a hundred times in
 * each other way. No old handle may stay alive, and no generation may be assigned twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <holdfast/holdfast.h>

#include "shared/attr.h"
#include "soft/files.h"
#include "soft/tree.h"

enum { ROUNDS = 1000, OTHER_ROUNDS = 100 };

static const char uverbs0[] = "class/infiniband_verbs/uverbs0";
static const char fake0[] = "class/infiniband/fake0";

struct bed {
	char path[4096];
	int tree;
	struct hf *hf;
	uint64_t inodes[ROUNDS + 1];
	unsigned int num_inodes;
};

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s (%s)\n", what, strerror(errno));
	exit(1);
}

static const struct hf_soft_device soft = {
	.guid = 0x0002c90300000001,
	.node_type = "1: CA",
	.description = "replugged",
	.firmware = "1",
	.link_layer = "Ethernet",
	.gid_type = "RoCE v2",
	.netdev = "",
	.ports = 1,
	.gids = 2,
	.abi = 2,
	.major = 1,
	.minor = 3,
};

static int fill_replugged_device(int dirfd, void *arg)
{
	(void)arg;
	return hfi_soft_fill_device(dirfd, &soft);
}

static int fill_replugged_uverbs(int dirfd, void *arg)
{
	(void)arg;
	return hfi_soft_fill_uverbs(dirfd, "fake0", &soft);
}

static void plug(struct bed *bed)
{
	check(hfi_soft_plug(bed->tree, 0, "fake0", &soft) == 0, "plug");
}

static void unplug_and_plug(struct bed *bed)
{
	check(hfi_soft_unplug(bed->tree, 0, "fake0") == 0, "unplug");
	plug(bed);
}

/* uverbs0 exists at every moment. */
static void exchange_dirs(struct bed *bed)
{
	check(hfi_soft_place(bed->tree, "next", fill_replugged_uverbs, NULL) == 0,
	      "build the next one");
	check(renameat2(bed->tree, "next", bed->tree, uverbs0, RENAME_EXCHANGE) == 0, "exchange");
	check(hfi_soft_take_away(bed->tree, "next") == 0, "erase the last one");
}

/* Replaces the target of a class entry, not the entry. */
static void exchange_behind_link(struct bed *bed)
{
	check(hfi_soft_place(bed->tree, "next", fill_replugged_uverbs, NULL) == 0,
	      "build the next one");
	check(renameat2(bed->tree, "next", bed->tree, "devices", RENAME_EXCHANGE) == 0, "exchange");
	check(hfi_soft_take_away(bed->tree, "next") == 0, "erase the last one");
}

/* Replaces the entry by a link to another directory. */
static void repoint(struct bed *bed)
{
	static unsigned int n;
	char next[64], last[64], target[80];

	snprintf(last, sizeof(last), n ? "devices-%u" : "devices", n);
	n++;
	snprintf(next, sizeof(next), "devices-%u", n);
	snprintf(target, sizeof(target), "../../%s", next);
	check(hfi_soft_place(bed->tree, next, fill_replugged_uverbs, NULL) == 0,
	      "build the next one");
	check(symlinkat(target, bed->tree, "link") == 0, "make a link");
	check(renameat(bed->tree, "link", bed->tree, uverbs0) == 0, "re-point");
	check(hfi_soft_take_away(bed->tree, last) == 0, "erase the last one");
}

static void start(struct bed *bed, const char *base)
{
	struct hf_root root = {bed->path, NULL};
	static char providers[4096];
	const char *dirs[2] = {providers, NULL};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
	};

	memset(bed, 0, sizeof(*bed));
	snprintf(bed->path, sizeof(bed->path), "%s/replug-XXXXXX", base);
	check(mkdtemp(bed->path), "make a directory");
	bed->tree = open(bed->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(bed->tree >= 0, "open the directory");
	check(hfi_soft_tree_make(bed->tree) == 0, "make the tree");
	check(symlinkat("/dev/null", bed->tree, "dev/infiniband/uverbs0") == 0, "make the node");
	snprintf(providers, sizeof(providers), "%s/t/providers.d", getenv("top_builddir"));
	check(hf_new(&options, &bed->hf) == 0, "make a context");
}

static void end(struct bed *bed)
{
	hf_unref(bed->hf);
	close(bed->tree);
	hfi_soft_erase(AT_FDCWD, bed->path);
}

/* Moves the device behind a link, as in sysfs. */
static void link_device(struct bed *bed)
{
	check(hfi_soft_place(bed->tree, fake0, fill_replugged_device, NULL) == 0,
	      "make the device");
	check(hfi_soft_place(bed->tree, "devices", fill_replugged_uverbs, NULL) == 0,
	      "make uverbs0");
	check(symlinkat("../../devices", bed->tree, uverbs0) == 0, "make the entry");
}

static void note_inode(struct bed *bed, unsigned int *reused)
{
	struct stat st;

	check(fstatat(bed->tree, "class/infiniband_verbs/uverbs0/ibdev", &st, 0) == 0, "stat");
	for (unsigned int i = 0; i < bed->num_inodes; i++)
		if (bed->inodes[i] == st.st_ino) {
			++*reused;
			break;
		}
	bed->inodes[bed->num_inodes++] = st.st_ino;
}

static void expect_gone(struct ibv_device *device)
{
	struct ibv_context *context;
	char text[64];

	check(hf_device_open(device, &context) == -ENODEV, "an old handle was opened");
	check(hf_device_read_attr(device, "node_guid", text, sizeof(text)) == -ENODEV,
	      "an old handle was read");
}

static void list_one(const struct bed *bed)
{
	struct ibv_device **list;

	check(hf_device_list(bed->hf, HF_LIST_ALL, &list) == 1, "list one device");
	hf_device_list_free(list);
}

static void run(const char *base, const char *name, int rounds, void (*make)(struct bed *bed),
		void (*replace)(struct bed *bed))
{
	unsigned int reused = 0;
	uint64_t last = 0;
	struct bed bed;

	start(&bed, base);
	make(&bed);
	for (int i = 0; i < rounds; i++) {
		struct ibv_context *context;
		struct ibv_device *device;

		note_inode(&bed, &reused);
		check(hf_device_by_name(bed.hf, "fake0", &device) == 0, "find the device");
		check(hf_device_generation(device) > last, "a generation was given twice");
		last = hf_device_generation(device);
		check(!hf_device_is_gone(device), "a new handle is gone");
		check(hf_device_open(device, &context) == 0, "open the device");
		hf_device_close(context);
		replace(&bed);
		expect_gone(device);
		list_one(&bed);
		check(hf_device_is_gone(device), "an old handle is alive");
		hf_device_unref(device);
	}
	printf("%s: %d rounds, %u inodes used again\n", name, rounds, reused);
	end(&bed);
}

int main(int argc, char **argv)
{
	const char *full = getenv("long");

	if (argc != 2)
		return 2;
	run(argv[1], "unplug and plug", full && *full == '0' ? OTHER_ROUNDS : ROUNDS, plug,
	    unplug_and_plug);
	run(argv[1], "directories exchanged", OTHER_ROUNDS, plug, exchange_dirs);
	run(argv[1], "directories exchanged behind a link", OTHER_ROUNDS, link_device,
	    exchange_behind_link);
	run(argv[1], "links re-pointed", OTHER_ROUNDS, link_device, repoint);
	return 0;
}
