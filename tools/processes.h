/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the processes that have given device nodes open or mapped, from /proc. */
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
	char path[256];	   /* empty: the node does not exist */
	dev_t number;	   /* 0: unknown, or a plain file in a test tree */
	dev_t file_device; /* file system of the node; 0: unknown */
	ino_t file_inode;
	bool unlinked; /* match any deleted node whose name begins with `name`; ignore the rest */
};

struct hf_held_fd {
	int fd;
	unsigned int node; /* index */
};

struct hf_holder {
	pid_t pid;
	uid_t uid;
	char command[HF_COMMAND_SIZE]; /* its arguments; its name in brackets if it has none */
	struct hf_held_fd *fds;
	size_t num_fds;
	unsigned int mappings; /* memory mapped from one of the nodes */
	unsigned int events;   /* RDMA event descriptors, of any device */
};

struct hf_holders {
	struct hf_holder *v; /* by pid */
	size_t count;
	size_t examined;   /* processes that were examined */
	size_t unreadable; /* processes that could not be examined, or only in part */
	int error;	   /* errno of the first of them */
	int list_error;	   /* errno: the list of processes could not be read to its end */
	bool hidden;	   /* /proc may not list the processes of other users */
	bool foreign;	   /* this is a PID namespace: processes outside it cannot be seen */
};

/*
 * Finds the holders of the nodes. A process that ends meanwhile is left out. A process that only has
 * event descriptors open is included: the kernel does not show their device. What could not be examined
 * is counted: a process without a holder in the result may then still be one.
 */
void hfi_find_holders(const struct hf_node *nodes, size_t num_nodes, struct hf_holders *ret);
void hfi_free_holders(struct hf_holders *holders);

#endif
