/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tree of directories that inotify watches: which they are, which of their children are watched
 * as well, and what happens while one does not exist yet.
 */
#ifndef HF_NOTIFY_INOTIFY_TREE_H
#define HF_NOTIFY_INOTIFY_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/hash.h"
#include "core/base/root.h"

enum hf_dir_kind {
	HF_DIR_VERBS_CLASS, /* class/infiniband_verbs */
	HF_DIR_IB_CLASS,    /* class/infiniband */
	HF_DIR_NODES,	    /* dev/infiniband */
	HF_DIR_PROVIDERS,
	/* The kinds above are wanted whether or not they exist; those below come and go. */
	HF_DIR_UVERBS,	  /* class/infiniband_verbs/uverbsN */
	HF_DIR_IBDEV,	  /* class/infiniband/NAME */
	HF_DIR_PORTS,	  /* .../ports */
	HF_DIR_PORT,	  /* .../ports/P */
	HF_DIR_GIDS,	  /* .../ports/P/gids */
	HF_DIR_GID_ATTRS, /* .../ports/P/gid_attrs */
	HF_DIR_GID_ATTR,  /* .../ports/P/gid_attrs/types, ndevs */
	HF_DIR_STEP,	  /* a directory or link on the path to a wanted directory */
	HF_DIR_KINDS,
};

/* One inotify watch. Several entries may share it: two roots can have the same device nodes. */
struct hf_inotify_watch {
	int wd;
	struct hf_watched_dir *dirs; /* by next_here */
	UT_hash_handle hh;
};

struct hf_watched_dir {
	struct hf_dir_key {
		struct hf_watched_dir *parent;
		char name[HF_NAME_SIZE]; /* relative to the parent */
	} key;
	enum hf_dir_kind kind;
	uint32_t root;
	char device[HF_NAME_SIZE]; /* uverbs or RDMA name of the device it belongs to */
	char *path;
	struct hf_inotify_watch *watched; /* NULL: not watched */
	char *awaited; /* not NULL: only an ancestor is watched, until this name appears */
	struct hf_watched_dir *children, *prev, *next;
	struct hf_watched_dir *prev_here, *next_here;
	UT_hash_handle hh;
};

struct hf_watched_dirs {
	int fd; /* inotify */
	bool attributes;
	bool blind;			/* a class could not be watched */
	bool readiness_blind;		/* a node or provider directory could not be watched */
	struct hf_watched_dir *wanted;	/* the fixed ones */
	struct hf_watched_dir *by_key;	/* the others */
	struct hf_inotify_watch *by_wd; /* all watches */
};

/* Adds a wanted directory; the path is absolute or as the root was given. -ENOMEM. */
int hfi_dir_want(struct hf_watched_dirs *dirs, enum hf_dir_kind kind, uint32_t root,
		 const char *path) HF_MUST_CHECK HF_NONNULL;

/*
 * Watches a wanted directory or its nearest existing ancestor, and the directories below. True if
 * the path leads to another directory than before, or the directory appeared or disappeared.
 */
bool hfi_dir_arm(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir) HF_NONNULL;

/*
 * For inotify_path.c. hfi_dir_watch() watches `path` on behalf of `dir`; errors are those of
 * inotify_add_watch().
 */
int hfi_dir_watch(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir, const char *path,
		  uint32_t mask) HF_MUST_CHECK HF_NONNULL;
uint32_t hfi_dir_mask(const struct hf_watched_dir *dir) HF_MUST_CHECK HF_NONNULL;
void hfi_dir_not_seen(struct hf_watched_dirs *dirs, const struct hf_watched_dir *dir) HF_NONNULL;
struct hf_watched_dir *hfi_dir_find_child(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
					  const char *name) HF_MUST_CHECK HF_NONNULL;
struct hf_watched_dir *hfi_dir_new_child(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
					 enum hf_dir_kind kind, const char *name,
					 const char *path) HF_MUST_CHECK HF_NONNULL;

/* Call when a child appeared (it is watched if its kind requires it) or disappeared. */
void hfi_dir_child_came(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
			const char *name) HF_NONNULL;
void hfi_dir_child_went(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
			const char *name) HF_NONNULL;

/* Removes all entries below a directory. */
void hfi_dir_clear(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir) HF_NONNULL;
/* Removes an entry that is not a wanted directory. */
void hfi_dir_remove(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir) HF_NONNULL;
/* Drops the watch: the kernel removed it, or it now belongs to another directory. */
void hfi_dir_unwatch(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir) HF_NONNULL;

struct hf_inotify_watch *hfi_dirs_find(struct hf_watched_dirs *dirs,
				       int wd) HF_MUST_CHECK HF_NONNULL;
/* Frees memory and closes nothing. */
void hfi_dirs_free(struct hf_watched_dirs *dirs) HF_NONNULL;

static inline bool hfi_dir_wanted(const struct hf_watched_dir *dir)
{
	return dir->kind < HF_DIR_UVERBS;
}

#endif
