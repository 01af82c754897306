/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The churn test: a random plan of plugging, and what must be true of it. */
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

/* One life of a device, named by its GUID, which a tree gives out once. */
struct instance {
	uint64_t inode;
	uint64_t guid;
	uint64_t generation; /* as the library first said, 0 before */
	unsigned int slot;
	int name;	    /* now, or last; index of the pool */
	uint64_t had_names; /* bit per name of the pool it ever had */
	bool live;
	UT_hash_handle hh;
	UT_hash_handle by_generation;
};

/* What should be there; the lock is held over each step, so a step is done or not begun. */
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
 * With the lock held: the instance that the library means by this handle, which must be one that
 * exists or did, and must have carried `name`.
 */
struct instance *model_identify(struct model *model, struct ibv_device *device, uint64_t generation,
				const char *name);

/* A stream, and what it has told so far. */
struct view {
	struct model *model;
	struct hf_stream *stream;
	struct seen *seen; /* instances told and not removed */
	uint64_t sequence;
	bool synced;	/* SYNCED was told once */
	bool resyncing; /* between RESYNC and its SYNCED */
	unsigned long added, changed, back, removed, resyncs, checks;
};

void view_init(struct view *view, struct model *model, struct hf *hf);
void view_destroy(struct view *view);
/* Takes every event there is, checking each. */
void view_drain(struct view *view);
/* While nothing moves: the stream has told exactly what the model holds. */
void view_compare(struct view *view);

/* While nothing moves: the list is exactly what the model holds. */
void list_compare(struct model *model, struct hf *hf);
/* At any moment: what is listed existed. Takes and gives back a list. */
void list_any_time(struct model *model, struct hf *hf);

#endif
