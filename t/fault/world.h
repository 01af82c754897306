/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The generated tree that the operations work on, in a process of its own: both the tracer (at a
 * stop) and the traced program (between operations) may request a change. The attributes of each
 * instance are in shared memory, for comparison.
 */
#ifndef HF_FAULT_WORLD_H
#define HF_FAULT_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum world_change {
	WORLD_RESET,  /* two new instances, nothing else */
	WORLD_REPLUG, /* the target is removed and added again: the same GUID, another instance */
	WORLD_SWAP,   /* the target is replaced by another one with the same attributes */
	WORLD_REMOVE, /* the target and its node are removed */
	WORLD_RENAME, /* the target is renamed */
	WORLD_ADD,    /* a third device is added */
	WORLD_REMOVE_ADDED,
	WORLD_DROP_CACHES, /* all time stamps change */
	WORLD_NO_NODE,	   /* the target's node is removed */
	WORLD_NODE,	   /* and created again */
	WORLD_OTHER_NODE,  /* it is replaced by a node with another device number */
	WORLD_CLOSED_NODE, /* a node that only root may open */
	WORLD_STOP,
};

enum { WORLD_BYSTANDER, WORLD_TARGET, WORLD_ADDED, WORLD_DEVICES };

struct world_instance {
	int device;
	uint64_t guid;	     /* host byte order */
	uint64_t inode;	     /* of uverbsN/ibdev */
	uint64_t node_inode; /* 0: its node cannot be distinguished from another's */
	int32_t index;
	char fw_ver[32];
	char rate[32];
};

enum { WORLD_INSTANCES = 64 };

struct world {
	char sysfs[256];
	char dev[256];
	char roots[520]; /* both paths, for the environment variable */
	char name[WORLD_DEVICES][64];
	int now[WORLD_DEVICES]; /* the instance that exists, -1 for none */
	int num;
	bool dirty; /* changed since the last reset */
	struct world_instance instances[WORLD_INSTANCES];
	/* Used by the server. */
	int request;
	pid_t server;
	pid_t owner;
};

/* 0 or -errno. */
int world_new(struct world **ret);
void world_free(struct world *world);

/* Ends the program if the tree cannot be changed: further results would be meaningless. */
void world_change(struct world *world, enum world_change change);

/* The instance with this inode or GUID; -1 if there never was one. */
int world_by_inode(const struct world *world, uint64_t inode);
/* The same with this netlink index, if it is gone. */
int world_by_index_gone(const struct world *world, int32_t index);
int world_by_guid(const struct world *world, uint64_t guid);

#endif
