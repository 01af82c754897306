/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Processes and what they hold open, from /proc. */
#ifndef HF_TOOLS_PROCESSES_H
#define HF_TOOLS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HF_MAX_NODES = 64, HF_COMMAND_SIZE = 256 };

/* A device node to look for. */
struct hf_node {
	char name[64];	   /* "uverbs0" */
	char path[256];	   /* where it is, empty where it is not */
	dev_t number;	   /* 0: not known, or a plain file of a test tree */
	dev_t file_device; /* where the file is, 0: not known */
	ino_t file_inode;
	bool unlinked; /* instead of all that: any node whose name begins so and was taken away */
};

struct hf_held_fd {
	int fd;
	unsigned int node; /* index */
};

struct hf_holder {
	pid_t pid;
	uid_t uid;
	char command[HF_COMMAND_SIZE]; /* its arguments, or its name in brackets */
	struct hf_held_fd *fds;
	size_t num_fds;
	unsigned int mappings; /* memory mapped from one of the nodes */
	unsigned int events;   /* RDMA event descriptors, of whatever device */
};

struct hf_holders {
	struct hf_holder *v; /* by pid */
	size_t count;
	size_t examined;   /* processes that were looked into */
	size_t unreadable; /* processes that must not be looked into */
	bool foreign;	   /* processes outside of this pid namespace cannot be seen */
};

/*
 * Looks for holders of the nodes. A process that ends meanwhile is none. Holders of event
 * descriptors only are included: the kernel does not tell their device. 0 or -errno.
 */
int hfi_find_holders(const struct hf_node *nodes, size_t num_nodes, struct hf_holders *ret);
void hfi_free_holders(struct hf_holders *holders);

#endif
