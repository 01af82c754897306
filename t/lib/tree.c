/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Trees for tests: those of the writer of soft devices, and what a test's netlink answers. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "shared/file.h"
#include "soft/files.h"
#include "soft/tree.h"
#include "t/lib/tree.h"

#define VERBS  "class/infiniband_verbs"
#define DEVICE "class/infiniband"

struct device {
	bool hidden;
	bool has_device, has_uverbs, has_node;
	char name[64];
	uint64_t guid;
	int32_t index;
	struct timespec stamp;
	struct tree_options options; /* its strings are own copies */
	char texts[7][80];
};

struct tree {
	char path[PATH_MAX];
	char dev[PATH_MAX + 8];
	int fd;
	bool keep_inodes; /* the file system reuses freed inode numbers: keep removed files */
	struct device **devices; /* by n, NULL: none */
	unsigned int size;
	uint32_t serial; /* of device instances */
	uint32_t kept;
};

static const struct timespec first_stamp = {.tv_sec = 1700000000};

int tree_new(struct tree **ret, const char *base)
{
	static const char *const dirs[] = {"index", "by_index", "kept", "fake"};
	struct tree *tree = calloc(1, sizeof(*tree));
	struct statfs fs;
	int err = 0;

	if (!tree)
		return -ENOMEM;
	tree->fd = -1;
	if (!base)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	snprintf(tree->path, sizeof(tree->path), "%s/hf-tree-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(tree->path)) {
		err = -errno;
		free(tree);
		return err;
	}
	snprintf(tree->dev, sizeof(tree->dev), "%s/dev", tree->path);
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0 || fstatfs(tree->fd, &fs) < 0)
		err = -errno;
	else
		tree->keep_inodes = fs.f_type != TMPFS_MAGIC;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && !err; i++)
		err = hfi_soft_mkdirs(tree->fd, dirs[i]);
	if (!err)
		err = hfi_soft_tree_make(tree->fd);
	if (err)
		tree_free(tree);
	else
		*ret = tree;
	return err;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	if (tree->fd >= 0)
		close(tree->fd);
	hfi_soft_erase(AT_FDCWD, tree->path);
	for (unsigned int n = 0; n < tree->size; n++)
		free(tree->devices[n]);
	free(tree->devices);
	free(tree);
}

const char *tree_sysfs(const struct tree *tree)
{
	return tree->path;
}

const char *tree_dev(const struct tree *tree)
{
	return tree->dev;
}

static struct device *find_tree_device(const struct tree *tree, unsigned int n)
{
	return n < tree->size ? tree->devices[n] : NULL;
}

static int set_text(const char **text, char *copy, const char *fallback)
{
	const char *value = *text ? *text : fallback;

	if (!value)
		return 0;
	if (strlen(value) >= sizeof(((struct device *)0)->texts[0]))
		return -ENAMETOOLONG;
	strcpy(copy, value);
	*text = copy;
	return 0;
}

/* Copies the options and sets default values. */
static int set_options(struct device *device, const struct tree_options *options)
{
	struct tree_options *own = &device->options;
	int err;

	if (options)
		*own = *options;
	err = set_text(&own->node_type, device->texts[0], "1: CA");
	if (!err)
		err = set_text(&own->link_layer, device->texts[1], "Ethernet");
	if (!err)
		err = set_text(&own->modalias, device->texts[2], NULL);
	if (!err)
		err = set_text(&own->protocol, device->texts[3], "roce");
	if (!err)
		err = set_text(&own->gid_type, device->texts[4], "RoCE v2");
	if (!err)
		err = set_text(&own->netdev, device->texts[5], "eth0");
	if (!err)
		err = set_text(&own->follow, device->texts[6], NULL);
	if (!own->ports)
		own->ports = 1;
	if (!own->gids)
		own->gids = 4;
	if (!own->driver_id)
		own->driver_id = 14;
	if (!own->abi)
		own->abi = 2;
	return err;
}

/* As the writer of soft devices wants it. */
static struct hf_soft_device describe_device(const struct device *device, unsigned int n)
{
	const struct tree_options *options = &device->options;
	bool null = options->node == TREE_NODE_NULL || options->node == TREE_NODE_NONE;

	return (struct hf_soft_device){
		.guid = device->guid,
		.node_type = options->node_type,
		.description = "made up",
		.firmware = "1.0.0",
		.link_layer = options->link_layer,
		.modalias = options->modalias,
		.gid_type = options->gid_type,
		.netdev = options->netdev,
		.follow = options->follow,
		.uroce_path = options->uroce_path,
		.ipv4 = 0x0a000000 | (n & 0xffff),
		.ports = options->ports,
		.gids = options->gids,
		.abi = options->abi,
		.major = null ? 1 : 231,
		.minor = null ? 3 : n,
	};
}

struct filling {
	struct hf_soft_device soft;
	const struct device *device;
};

static int fill_device(int dirfd, void *arg)
{
	const struct filling *filling = arg;

	return hfi_soft_fill_device(dirfd, &filling->soft);
}

static int put_stamp(int fd, const struct device *device)
{
	const struct timespec times[] = {device->stamp, device->stamp};

	return utimensat(fd, "ibdev", times, 0) < 0 ? -errno : 0;
}

static int fill_uverbs(int dirfd, void *arg)
{
	const struct filling *filling = arg;
	int err = hfi_soft_fill_uverbs(dirfd, filling->device->name, &filling->soft);

	return err ? err : put_stamp(dirfd, filling->device);
}

static int add_device(struct tree *tree, unsigned int n, struct device *device)
{
	struct filling filling = {describe_device(device, n), device};
	char path[128];
	int err;

	snprintf(path, sizeof(path), DEVICE "/%s", device->name);
	err = hfi_soft_place(tree->fd, path, fill_device, &filling);
	if (!err)
		device->has_device = true;
	return err;
}

static int add_uverbs(struct tree *tree, unsigned int n, struct device *device)
{
	struct filling filling = {describe_device(device, n), device};
	char path[64];
	int err;

	snprintf(path, sizeof(path), VERBS "/uverbs%u", n);
	err = hfi_soft_place(tree->fd, path, fill_uverbs, &filling);
	if (!err)
		device->has_uverbs = true;
	return err;
}

/* Writes the files that t/lib/fakenl.c reads. After sysfs, as in a kernel. */
static int add_index(struct tree *tree, unsigned int n, const struct device *device)
{
	const struct tree_options *options = &device->options;
	bool real_number = options->node == TREE_NODE_FILE || options->node == TREE_NODE_WRONG;
	char path[64], text[256];
	int err;

	if (options->no_index)
		return 0;
	snprintf(text, sizeof(text), "%d %s %u %d %016llx %u %u %u:%u %d %s", device->index,
		 device->name, options->ports, atoi(options->node_type),
		 (unsigned long long)device->guid, options->driver_id, options->abi,
		 real_number ? 231u : 1u, real_number ? n : 3u, device->hidden, options->protocol);
	snprintf(path, sizeof(path), "index/uverbs%u", n);
	err = hfi_soft_put(tree->fd, path, text);
	snprintf(path, sizeof(path), "by_index/%d", device->index);
	snprintf(text, sizeof(text), "uverbs%u", n);
	return err ? err : hfi_soft_put(tree->fd, path, text);
}

int tree_make_node(struct tree *tree, unsigned int n)
{
	struct device *device = find_tree_device(tree, n);
	char path[64];
	int err = 0;

	if (!device)
		return -ENODEV;
	snprintf(path, sizeof(path), "dev/infiniband/uverbs%u", n);
	if (device->options.node == TREE_NODE_FILE)
		err = hfi_soft_put(tree->fd, path, "");
	else if (symlinkat("/dev/null", tree->fd, path) < 0)
		err = -errno;
	device->has_node = !err;
	return err;
}

/* Adds a new instance with the names in *device. */
static int plug_tree_device(struct tree *tree, unsigned int n, struct device *device)
{
	const struct tree_options *options = &device->options;
	int err = 0;

	device->index = (int32_t)tree->serial;
	device->guid = options->guid ? options->guid : 0x0002c90300000000 + 16ull * tree->serial;
	tree->serial++;
	if (!options->no_device)
		err = add_device(tree, n, device);
	if (!err && options->node != TREE_NODE_NONE && !device->has_node)
		err = tree_make_node(tree, n);
	if (!err && !options->no_uverbs)
		err = add_uverbs(tree, n, device);
	return err ? err : add_index(tree, n, device);
}

/* Out of sight at once, then erased unless its inodes are to stay in use. */
static int discard(struct tree *tree, const char *path)
{
	char kept[64];

	if (!tree->keep_inodes)
		return hfi_soft_take_away(tree->fd, path);
	snprintf(kept, sizeof(kept), "kept/%u", tree->kept++);
	return hfi_soft_move_away(tree->fd, path, kept);
}

static int unplug_tree_device(struct tree *tree, unsigned int n, struct device *device)
{
	char path[128];
	int err = 0;

	if (!device->options.no_index) {
		snprintf(path, sizeof(path), "by_index/%d", device->index);
		err = hfi_soft_erase(tree->fd, path);
		snprintf(path, sizeof(path), "index/uverbs%u", n);
		if (!err)
			err = hfi_soft_erase(tree->fd, path);
	}
	snprintf(path, sizeof(path), VERBS "/uverbs%u", n);
	if (!err && device->has_uverbs)
		err = discard(tree, path);
	snprintf(path, sizeof(path), DEVICE "/%s", device->name);
	if (!err && device->has_device)
		err = discard(tree, path);
	if (!err)
		device->has_device = device->has_uverbs = false;
	return err;
}

static int reserve(struct tree *tree, unsigned int n)
{
	unsigned int size = tree->size ? tree->size : 16;
	struct device **devices;

	while (size <= n)
		size *= 2;
	if (size == tree->size)
		return 0;
	devices = realloc(tree->devices, size * sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	memset(devices + tree->size, 0, (size - tree->size) * sizeof(*devices));
	tree->devices = devices;
	tree->size = size;
	return 0;
}

int tree_add(struct tree *tree, unsigned int n, const char *name,
	     const struct tree_options *options)
{
	struct device *device;
	int err;

	if (strlen(name) >= sizeof(device->name))
		return -ENAMETOOLONG;
	if (n >= 1u << 20)
		return -EINVAL;
	if (find_tree_device(tree, n))
		return -EEXIST;
	err = reserve(tree, n);
	if (err)
		return err;
	device = calloc(1, sizeof(*device));
	if (!device)
		return -ENOMEM;
	strcpy(device->name, name);
	device->stamp = first_stamp;
	device->stamp.tv_sec += tree->serial;
	err = set_options(device, options);
	tree->devices[n] = device;
	if (!err)
		err = plug_tree_device(tree, n, device);
	if (err)
		tree_remove(tree, n);
	return err;
}

int tree_remove(struct tree *tree, unsigned int n)
{
	struct device *device = find_tree_device(tree, n);
	char path[64];
	int err;

	if (!device)
		return -ENODEV;
	err = unplug_tree_device(tree, n, device);
	snprintf(path, sizeof(path), "dev/infiniband/uverbs%u", n);
	if (!err)
		err = hfi_soft_erase(tree->fd, path);
	if (err)
		return err;
	free(device);
	tree->devices[n] = NULL;
	return 0;
}

int tree_swap(struct tree *tree, unsigned int n)
{
	struct device *device = find_tree_device(tree, n);
	int err;

	if (!device)
		return -ENODEV;
	err = unplug_tree_device(tree, n, device);
	device->options.guid = 0;
	return err ? err : plug_tree_device(tree, n, device);
}

int tree_complete(struct tree *tree, unsigned int n)
{
	struct device *device = find_tree_device(tree, n);
	int err = 0;

	if (!device)
		return -ENODEV;
	if (!device->has_device)
		err = add_device(tree, n, device);
	if (!err && !device->has_node)
		err = tree_make_node(tree, n);
	if (!err && !device->has_uverbs)
		err = add_uverbs(tree, n, device);
	return err;
}

int tree_rename(struct tree *tree, unsigned int n, const char *name)
{
	struct device *device = find_tree_device(tree, n);
	char from[128], to[128], ibdev[64];
	int err = 0;

	if (!device)
		return -ENODEV;
	if (strlen(name) >= sizeof(device->name))
		return -ENAMETOOLONG;
	snprintf(from, sizeof(from), DEVICE "/%s", device->name);
	snprintf(to, sizeof(to), DEVICE "/%s", name);
	/* The new name leads to the directory before `ibdev` has it; the old name until then. */
	if (device->has_device && symlinkat(device->name, tree->fd, to) < 0)
		return -errno;
	if (device->has_uverbs) {
		snprintf(ibdev, sizeof(ibdev), VERBS "/uverbs%u/ibdev", n);
		err = hfi_soft_put(tree->fd, ibdev, name);
		snprintf(ibdev, sizeof(ibdev), VERBS "/uverbs%u", n);
		if (!err) {
			int fd = openat(tree->fd, ibdev, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			err = fd < 0 ? -errno : put_stamp(fd, device);
			if (fd >= 0)
				close(fd);
		}
	}
	if (!err && device->has_device &&
	    renameat2(tree->fd, from, tree->fd, to, RENAME_EXCHANGE) < 0)
		err = -errno;
	if (device->has_device && unlinkat(tree->fd, err ? to : from, 0) < 0 && !err)
		err = -errno;
	if (err)
		return err;
	strcpy(device->name, name);
	return add_index(tree, n, device);
}

int tree_drop_caches(struct tree *tree)
{
	char path[64];
	int err = 0;

	for (unsigned int n = 0; n < tree->size && !err; n++) {
		struct device *device = tree->devices[n];
		int fd;

		if (!device || !device->has_uverbs)
			continue;
		device->stamp.tv_nsec = (device->stamp.tv_nsec + 4000000) % 1000000000;
		snprintf(path, sizeof(path), VERBS "/uverbs%u", n);
		fd = openat(tree->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = fd < 0 ? -errno : put_stamp(fd, device);
		if (fd >= 0)
			close(fd);
	}
	return err;
}

static int set_below(struct tree *tree, const char *base, const char *path, const char *value)
{
	char full[512];

	if ((size_t)snprintf(full, sizeof(full), "%s/%s", base, path) >= sizeof(full))
		return -ENAMETOOLONG;
	return value ? hfi_soft_put(tree->fd, full, value) : hfi_soft_erase(tree->fd, full);
}

int tree_set(struct tree *tree, unsigned int n, const char *path, const char *value)
{
	const struct device *device = find_tree_device(tree, n);
	char base[128];

	if (!device)
		return -ENODEV;
	snprintf(base, sizeof(base), DEVICE "/%s", device->name);
	return set_below(tree, base, path, value);
}

int tree_set_uverbs(struct tree *tree, unsigned int n, const char *path, const char *value)
{
	char base[64];

	if (!find_tree_device(tree, n))
		return -ENODEV;
	snprintf(base, sizeof(base), VERBS "/uverbs%u", n);
	return set_below(tree, base, path, value);
}

int tree_hide(struct tree *tree, unsigned int n, bool hidden)
{
	struct device *device = find_tree_device(tree, n);

	if (!device)
		return -ENODEV;
	device->hidden = hidden;
	return add_index(tree, n, device);
}

int tree_fake(struct tree *tree, const char *fault, unsigned int count)
{
	char path[64], text[16];

	if ((size_t)snprintf(path, sizeof(path), "fake/%s", fault) >= sizeof(path))
		return -ENAMETOOLONG;
	snprintf(text, sizeof(text), "%u", count);
	return hfi_soft_put(tree->fd, path, text);
}

uint64_t tree_guid(const struct tree *tree, unsigned int n)
{
	const struct device *device = find_tree_device(tree, n);

	return device ? device->guid : 0;
}

uint64_t tree_inode(const struct tree *tree, unsigned int n)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), VERBS "/uverbs%u/ibdev", n);
	return fstatat(tree->fd, path, &st, 0) < 0 ? 0 : st.st_ino;
}

int32_t tree_index(const struct tree *tree, unsigned int n)
{
	const struct device *device = find_tree_device(tree, n);

	return device && !device->options.no_index ? device->index : -1;
}

const char *tree_name(const struct tree *tree, unsigned int n)
{
	const struct device *device = find_tree_device(tree, n);

	return device ? device->name : NULL;
}
