/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The generated tree of the fault tier, which a separate process changes on request. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "t/fault/world.h"
#include "t/lib/tree.h"

/* The owner's copy of the server's state: unused, but reachable for a leak checker. */
static struct tree *copy;

static const char *const names[] = {"hfa0", "hfb0", "hfc0"};

int world_by_inode(const struct world *world, uint64_t inode)
{
	for (int i = 0; i < world->num; i++)
		if (world->instances[i].inode == inode)
			return i;
	return -1;
}

int world_by_index_gone(const struct world *world, int32_t index)
{
	for (int i = 0; i < world->num; i++)
		if (world->instances[i].index == index &&
		    world->now[world->instances[i].device] != i)
			return i;
	return -1;
}

int world_by_guid(const struct world *world, uint64_t guid)
{
	for (int i = 0; i < world->num; i++)
		if (world->instances[i].guid == guid)
			return i;
	return -1;
}

static void node_path(const struct world *world, int device, const char *suffix, char path[320])
{
	snprintf(path, 320, "%s/infiniband/uverbs%d%s", world->dev, device, suffix);
}

/* Creates or replaces a node. Only a node of its own has its own inode, which needs root. */
static int put_node(struct world *world, int device, int minor, mode_t mode, uint64_t *inode)
{
	char aside[320], path[320];
	struct stat st;

	node_path(world, device, ".new", aside);
	node_path(world, device, "", path);
	*inode = 0;
	if (mknod(aside, S_IFCHR | mode, makedev(1, (unsigned int)minor)) < 0) {
		if (symlink(minor == 3 ? "/dev/null" : "/dev/zero", aside) < 0)
			return -errno;
	} else if (stat(aside, &st) == 0) {
		int fd = open(aside, O_RDWR | O_CLOEXEC);

		/* On a file system mounted with nodev use a symbolic link. */
		if (fd < 0) {
			unlink(aside);
			if (symlink(minor == 3 ? "/dev/null" : "/dev/zero", aside) < 0)
				return -errno;
		} else {
			close(fd);
			*inode = st.st_ino;
		}
	}
	return rename(aside, path) < 0 ? -errno : 0;
}

/* Records the device that was just added. */
static int note_instance(struct world *world, struct tree *tree, int device)
{
	struct world_instance *instance = &world->instances[world->num];
	unsigned int n = (unsigned int)device;
	int ret;

	if (world->num == WORLD_INSTANCES)
		return -ENOSPC;
	memset(instance, 0, sizeof(*instance));
	instance->device = device;
	instance->guid = tree_guid(tree, n);
	instance->inode = tree_inode(tree, n);
	instance->index = tree_index(tree, n);
	if (world_by_inode(world, instance->inode) >= 0)
		return -EEXIST;
	/* Never repeated, unlike a GUID. */
	snprintf(instance->fw_ver, sizeof(instance->fw_ver), "fw-%" PRIx64, instance->inode);
	snprintf(instance->rate, sizeof(instance->rate), "%" PRIu64 " Gb/sec (4X)",
		 instance->inode & 0xffffff);
	ret = tree_set(tree, n, "fw_ver", instance->fw_ver);
	if (!ret)
		ret = tree_set(tree, n, "ports/1/rate", instance->rate);
	if (!ret)
		ret = put_node(world, device, 3, 0666, &instance->node_inode);
	snprintf(world->name[device], sizeof(world->name[device]), "%s", tree_name(tree, n));
	world->now[device] = world->num++;
	return ret;
}

static int add_world_device(struct world *world, struct tree *tree, int device, uint64_t guid)
{
	const struct tree_options options = {.gids = 3, .guid = guid};
	int ret = tree_add(tree, (unsigned int)device, names[device], &options);

	return ret ? ret : note_instance(world, tree, device);
}

static int take_away(struct world *world, struct tree *tree, int device)
{
	if (world->now[device] < 0)
		return 0;
	world->now[device] = -1;
	return tree_remove(tree, (unsigned int)device);
}

static int reset_world(struct world *world, struct tree *tree)
{
	int ret = 0;

	for (int i = 0; i < WORLD_DEVICES && !ret; i++)
		ret = take_away(world, tree, i);
	world->num = 0;
	world->dirty = false;
	if (!ret)
		ret = add_world_device(world, tree, WORLD_BYSTANDER, 0);
	return ret ? ret : add_world_device(world, tree, WORLD_TARGET, 0);
}

static int change_node(struct world *world, enum world_change change)
{
	struct world_instance *instance;
	char path[320];

	if (world->now[WORLD_TARGET] < 0)
		return 0;
	instance = &world->instances[world->now[WORLD_TARGET]];
	node_path(world, WORLD_TARGET, "", path);
	switch (change) {
	case WORLD_NO_NODE:
		return unlink(path) < 0 ? -errno : 0;
	case WORLD_OTHER_NODE:
		return put_node(world, WORLD_TARGET, 5, 0666, &instance->node_inode);
	case WORLD_CLOSED_NODE:
		return put_node(world, WORLD_TARGET, 3, 0600, &instance->node_inode);
	default:
		return put_node(world, WORLD_TARGET, 3, 0666, &instance->node_inode);
	}
}

static int carry_out(struct world *world, struct tree *tree, enum world_change change)
{
	uint64_t guid;
	int ret;

	world->dirty = true;
	switch (change) {
	case WORLD_RESET:
		return reset_world(world, tree);
	case WORLD_SWAP:
		ret = tree_swap(tree, WORLD_TARGET);
		return ret ? ret : note_instance(world, tree, WORLD_TARGET);
	case WORLD_REPLUG:
		guid = tree_guid(tree, WORLD_TARGET);
		ret = take_away(world, tree, WORLD_TARGET);
		return ret ? ret : add_world_device(world, tree, WORLD_TARGET, guid);
	case WORLD_REMOVE:
		return take_away(world, tree, WORLD_TARGET);
	case WORLD_RENAME:
		snprintf(world->name[WORLD_TARGET], sizeof(world->name[0]), "renamed0");
		return tree_rename(tree, WORLD_TARGET, "renamed0");
	case WORLD_ADD:
		return add_world_device(world, tree, WORLD_ADDED, 0);
	case WORLD_REMOVE_ADDED:
		return take_away(world, tree, WORLD_ADDED);
	case WORLD_DROP_CACHES:
		return tree_drop_caches(tree);
	default:
		return change_node(world, change);
	}
}

static void serve(struct world *world, struct tree *tree, int fd)
{
	enum world_change change;

	while (recv(fd, &change, sizeof(change), 0) == (ssize_t)sizeof(change) &&
	       change != WORLD_STOP) {
		int ret = carry_out(world, tree, change);

		if (send(fd, &ret, sizeof(ret), 0) < 0)
			break;
	}
	tree_free(tree);
}

void world_change(struct world *world, enum world_change change)
{
	int ret = -EIO;

	if (send(world->request, &change, sizeof(change), 0) == (ssize_t)sizeof(change) &&
	    recv(world->request, &ret, sizeof(ret), 0) == (ssize_t)sizeof(ret) && ret == 0)
		return;
	fprintf(stderr, "cannot change the tree (%d): %s\n", (int)change, strerror(-ret));
	/* The owner must not go on either. */
	if (getpid() != world->owner)
		kill(world->owner, SIGTERM);
	_exit(99);
}

int world_new(struct world **ret)
{
	struct world *world;
	struct tree *tree;
	int pair[2];
	int err;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (world == MAP_FAILED)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	err = tree_new(&tree, NULL);
	if (err)
		return err;
	/* Also for a test that has changed its user. */
	if (chmod(tree_sysfs(tree), 0755) < 0)
		return -errno;
	snprintf(world->sysfs, sizeof(world->sysfs), "%s", tree_sysfs(tree));
	snprintf(world->dev, sizeof(world->dev), "%s", tree_dev(tree));
	snprintf(world->roots, sizeof(world->roots), "%s:%s", world->sysfs, world->dev);
	for (int i = 0; i < WORLD_DEVICES; i++)
		world->now[i] = -1;
	world->dirty = true;
	world->owner = getpid();
	world->request = pair[0];
	world->server = fork();
	if (world->server == 0) {
		close(pair[0]);
		/* When the owner is killed its socket closes, and the tree is removed. */
		signal(SIGINT, SIG_IGN);
		umask(0);
		serve(world, tree, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	copy = tree;
	if (world->server < 0)
		return -errno;
	*ret = world;
	return 0;
}

void world_free(struct world *world)
{
	const enum world_change stop = WORLD_STOP;

	send(world->request, &stop, sizeof(stop), 0);
	close(world->request);
	waitpid(world->server, NULL, 0);
	tree_free(copy);
	munmap(world, sizeof(*world));
}
