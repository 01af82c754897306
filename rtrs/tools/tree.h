/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One tree of the files that all processes show. */
#ifndef RTRS_TOOLS_TREE_H
#define RTRS_TOOLS_TREE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "rtrs/control/wire.h"
#include "rtrs/control/place.h"
#include "rtrs/tools/device_files.h"
#include "shared/attr.h"

struct tree_process;

/* What a file is that no process shows. */
enum tree_kind {
	TREE_SHOWN,	  /* a process does */
	TREE_DEVICE_FILE, /* see device_files.h */
	TREE_MAP_DEVICE,
	TREE_DEVICE, /* the blocks of a device that this process has mapped */
};

struct tree_node {
	char *path; /* from the root on, without a slash before it */
	mode_t mode;
	bool is_hidden;
	enum tree_kind kind;
	char *own_path;		      /* as the process knows it; NULL: the directory is ours */
	char *target;		      /* of a link */
	struct tree_process *process; /* NULL: it is ours */
};

/* One that was asked. */
struct tree_process {
	struct tree_process *next;
	char socket[RTRS_CONTROL_NAME_SIZE];
	struct timespec since; /* the names of older ones stay as they are */
	bool is_there;
	int64_t silent_until_ms; /* it did not answer */
	int number;		 /* of the block device that it shows; -1: none */
	size_t count;
	struct tree_node *nodes;
	struct device_power *power;
};

struct tree {
	const char *directory; /* NULL: the default */
	pthread_mutex_t lock;  /* of what follows */
	int64_t fresh_until_ms;
	struct tree_process *processes;
	size_t count;
	const struct tree_node **nodes; /* sorted by path */
	size_t own_count;
	struct tree_node *own;
	struct device_power *power; /* of our own devices */
};

void rtrsi_tree_init(struct tree *tree, const char *directory) HF_NONNULL_OF(1);

/* What the caller may keep of a node. */
struct tree_file {
	mode_t mode;
	enum tree_kind kind;
	char socket[RTRS_CONTROL_NAME_SIZE]; /* empty: ours */
	char own_path[RTRS_CONTROL_PATH_MAX];
	char target[RTRS_CONTROL_PATH_MAX];
	struct timespec since;
};

/* `path` begins with a slash. -ENOENT. */
int rtrsi_tree_find(struct tree *tree, const char *path,
		    struct tree_file *ret) HF_MUST_CHECK HF_NONNULL;
/* Each name in the directory. */
void rtrsi_tree_each(struct tree *tree, const char *path,
		     void (*each)(void *arg, const char *name, mode_t mode), void *arg)
	HF_NONNULL_OF(1, 2, 3);
/* The length of the text at `to`, which holds RTRS_CONTROL_PAGE bytes. -ENODEV: it is no longer there. */
int rtrsi_tree_read(struct tree *tree, const struct tree_file *file,
		    char *to) HF_MUST_CHECK HF_NONNULL;
/* `is_known`: see rtrsi_map(). */
int rtrsi_tree_write(struct tree *tree, const struct tree_file *file, const char *value,
		     size_t length, bool (*is_known)(const char *name)) HF_MUST_CHECK HF_NONNULL;

#endif
