/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The directories that inotify watches, as a tree: which ones there are, which of their children
 * are to be watched as well, and what happens when one of them is not there yet.
 */
#ifndef HF_NOTIFY_INOTIFY_TREE_H
#define HF_NOTIFY_INOTIFY_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/hash.h"
#include "core/base/root.h"

enum hf_place_kind {
	HF_PLACE_VERBS_CLASS, /* class/infiniband_verbs */
	HF_PLACE_IB_CLASS,    /* class/infiniband */
	HF_PLACE_NODES,	      /* dev/infiniband */
	HF_PLACE_PROVIDERS,
	/* Those above are wanted whether they exist or not, those below come and go. */
	HF_PLACE_UVERBS,    /* class/infiniband_verbs/uverbsN */
	HF_PLACE_IBDEV,	    /* class/infiniband/NAME */
	HF_PLACE_PORTS,	    /* .../ports */
	HF_PLACE_PORT,	    /* .../ports/P */
	HF_PLACE_GIDS,	    /* .../ports/P/gids */
	HF_PLACE_GID_ATTRS, /* .../ports/P/gid_attrs */
	HF_PLACE_GID_ATTR,  /* .../ports/P/gid_attrs/types, ndevs */
	HF_PLACE_STEP,	    /* a directory or link on the path to one of the first kinds */
	HF_PLACE_KINDS,
};

/* One directory may be several places: two roots can share their nodes. */
struct hf_watched {
	int wd;
	struct hf_place *places; /* by next_here */
	UT_hash_handle hh;
};

struct hf_place {
	struct hf_place_key {
		struct hf_place *parent;
		char name[HF_NAME_SIZE]; /* within the parent */
	} key;
	enum hf_place_kind kind;
	uint32_t root;
	char device[HF_NAME_SIZE]; /* uverbs or RDMA name that it belongs to */
	char *path;
	struct hf_watched *watched; /* NULL: not watched */
	char *awaited;		    /* not NULL: only an ancestor is watched, for this name */
	struct hf_place *children, *prev, *next;
	struct hf_place *prev_here, *next_here;
	UT_hash_handle hh;
};

struct hf_places {
	int fd; /* inotify */
	bool attributes;
	bool blind;		  /* a class could not be watched */
	bool readiness_blind;	  /* nodes or provider directories could not */
	struct hf_place *wanted;  /* the fixed ones */
	struct hf_place *by_key;  /* the others */
	struct hf_watched *by_wd; /* all */
};

/* Wants a directory; the path is absolute or as the root was given. -ENOMEM. */
int hfi_place_want(struct hf_places *places, enum hf_place_kind kind, uint32_t root,
		   const char *path) HF_MUST_CHECK HF_NONNULL;

/*
 * Watches a wanted place, or its nearest ancestor that exists, and what lies below. True if its
 * directory is another one than before, or was or is now missing.
 */
bool hfi_place_arm(struct hf_places *places, struct hf_place *place) HF_NONNULL;

/*
 * For inotify_path.c. hfi_place_watch() watches `path` for a place; errors are those of
 * inotify_add_watch().
 */
int hfi_place_watch(struct hf_places *places, struct hf_place *place, const char *path,
		    uint32_t mask) HF_MUST_CHECK HF_NONNULL;
uint32_t hfi_place_mask(const struct hf_place *place) HF_MUST_CHECK HF_NONNULL;
void hfi_place_not_seen(struct hf_places *places, const struct hf_place *place) HF_NONNULL;
struct hf_place *hfi_place_find_child(struct hf_places *places, struct hf_place *place,
				      const char *name) HF_MUST_CHECK HF_NONNULL;
struct hf_place *hfi_place_new_child(struct hf_places *places, struct hf_place *place,
				     enum hf_place_kind kind, const char *name,
				     const char *path) HF_MUST_CHECK HF_NONNULL;

/* A child came (watch it, if it is of interest), or went. */
void hfi_place_child_came(struct hf_places *places, struct hf_place *place,
			  const char *name) HF_NONNULL;
void hfi_place_child_went(struct hf_places *places, struct hf_place *place,
			  const char *name) HF_NONNULL;

/* Forgets what lies below a place. */
void hfi_place_clear(struct hf_places *places, struct hf_place *place) HF_NONNULL;
/* Forgets a place that is not a wanted one. */
void hfi_place_remove(struct hf_places *places, struct hf_place *place) HF_NONNULL;
/* The kernel has let go of the descriptor, or it stands for another directory now. */
void hfi_place_unwatch(struct hf_places *places, struct hf_place *place) HF_NONNULL;

struct hf_watched *hfi_places_find(struct hf_places *places, int wd) HF_MUST_CHECK HF_NONNULL;
/* Memory only. */
void hfi_places_free(struct hf_places *places) HF_NONNULL;

static inline bool hfi_place_wanted(const struct hf_place *place)
{
	return place->kind < HF_PLACE_UVERBS;
}

#endif
