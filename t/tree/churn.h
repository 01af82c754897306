/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The churn test: a random plan of plugging, and the invariants that must hold. */
#ifndef HF_TEST_CHURN_H
#define HF_TEST_CHURN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

#define churn_fail(...)                                         \
	do {                                                    \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
		fprintf(stderr, __VA_ARGS__);                   \
		fputc('\n', stderr);                            \
		abort();                                        \
	} while (0)

#define churn_check(condition, ...)                                  \
	do {                                                         \
		if (!(condition))                                    \
			churn_fail("(" #condition ") " __VA_ARGS__); \
	} while (0)

enum { SLOTS = 48, NAMES = 64, NAME_SIZE = 64 };

/* One instance of a device, identified by its GUID, which a tree assigns only once. */
struct instance {
	uint64_t inode;
	uint64_t guid;
	uint64_t generation; /* as the library first reported it, 0 before */
	unsigned int slot;
	int name;	    /* the current or last one; index into the pool */
	uint64_t had_names; /* one bit for each name of the pool it ever had */
	bool live;
	UT_hash_handle hh;
	UT_hash_handle by_generation;
};

/* What should exist. The lock is held during each step, so a step is complete or not begun. */
struct model {
	pthread_mutex_t lock;
	struct tree *tree;
	struct instance *by_inode;
	struct instance *by_generation;
	struct instance *slot[SLOTS];
	bool name_used[NAMES];
	unsigned int live;
	uint64_t random;
	unsigned long adds, removes, renames, replaces, exchanges, stamps;
};

void model_init(struct model *model, struct tree *tree, uint64_t seed);
void model_destroy(struct model *model);
void model_step(struct model *model);
uint64_t model_random(struct model *model, uint64_t below);
void model_name(int name, char text[NAME_SIZE]);

/*
 * With the lock held: the instance that this handle refers to. It must exist or have existed, and
 * must have had `name`.
 */
struct instance *model_identify(struct model *model, struct ibv_device *device, uint64_t generation,
				const char *name);

/* A stream, and what it has reported so far. */
struct view {
	struct model *model;
	struct hf_stream *stream;
	struct seen *seen; /* instances reported and not removed */
	uint64_t sequence;
	bool synced;	/* SYNCED was reported once */
	bool resyncing; /* between RESYNC and its SYNCED */
	unsigned long added, changed, back, removed, resyncs, checks;
};

void view_init(struct view *view, struct model *model, struct hf *hf);
void view_destroy(struct view *view);
/* Takes and checks all available events. */
void view_drain(struct view *view);
/* While nothing changes: the stream has reported exactly the model's devices. */
void view_compare(struct view *view);

/* While nothing changes: the list is exactly the model's devices. */
void list_compare(struct model *model, struct hf *hf);
/* At any time: each listed device existed. Takes a list and frees it. */
void list_any_time(struct model *model, struct hf *hf);

#endif
