/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Keeps inotify watches on the directories of a tree while they come and go. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <utlist.h>

#include "shared/text.h"
#include "core/notify/inotify_path.h"
#include "core/notify/inotify_tree.h"

enum {
	COMINGS = IN_CREATE | IN_MOVED_TO,
	GOINGS = IN_DELETE | IN_MOVED_FROM,
	ITSELF = IN_DELETE_SELF | IN_MOVE_SELF,
	ARM_TRIES = 16,
};

static const uint32_t masks[HF_PLACE_KINDS] = {
	[HF_PLACE_VERBS_CLASS] = COMINGS | GOINGS | ITSELF,
	[HF_PLACE_IB_CLASS] = COMINGS | GOINGS | ITSELF,
	[HF_PLACE_NODES] = COMINGS | GOINGS | IN_ATTRIB | ITSELF,
	[HF_PLACE_PROVIDERS] = COMINGS | GOINGS | IN_CLOSE_WRITE | IN_ATTRIB | ITSELF,
	[HF_PLACE_UVERBS] = COMINGS | GOINGS | IN_CLOSE_WRITE | ITSELF,
	[HF_PLACE_IBDEV] = COMINGS | GOINGS | IN_CLOSE_WRITE | ITSELF,
	[HF_PLACE_PORTS] = COMINGS | GOINGS,
	[HF_PLACE_PORT] = COMINGS | GOINGS | IN_CLOSE_WRITE,
	[HF_PLACE_GIDS] = COMINGS | GOINGS | IN_CLOSE_WRITE,
	[HF_PLACE_GID_ATTRS] = COMINGS | GOINGS,
	[HF_PLACE_GID_ATTR] = COMINGS | GOINGS | IN_CLOSE_WRITE,
};

uint32_t hfi_place_mask(const struct hf_place *place)
{
	return masks[place->kind] | IN_ONLYDIR;
}

/* Which of a place's children is a place, and of which kind; -1: none. */
static int kind_of_child(const struct hf_places *places, const struct hf_place *place,
			 const char *name)
{
	switch (place->kind) {
	case HF_PLACE_VERBS_CLASS:
		return hfi_is_uverbs_name(name) ? HF_PLACE_UVERBS : -1;
	case HF_PLACE_IB_CLASS:
		return hfi_is_component(name, HF_NAME_SIZE - 1) ? HF_PLACE_IBDEV : -1;
	case HF_PLACE_IBDEV:
		return places->attributes && !strcmp(name, "ports") ? HF_PLACE_PORTS : -1;
	case HF_PLACE_PORTS:
		if (strlen(name) > 3 || strspn(name, "0123456789") != strlen(name))
			return -1;
		return HF_PLACE_PORT;
	case HF_PLACE_PORT:
		if (!strcmp(name, "gids"))
			return HF_PLACE_GIDS;
		return strcmp(name, "gid_attrs") ? -1 : HF_PLACE_GID_ATTRS;
	case HF_PLACE_GID_ATTRS:
		return strcmp(name, "types") && strcmp(name, "ndevs") ? -1 : HF_PLACE_GID_ATTR;
	default:
		return -1;
	}
}

struct hf_watched *hfi_places_find(struct hf_places *places, int wd)
{
	struct hf_watched *watched;

	HASH_FIND_INT(places->by_wd, &wd, watched);
	return watched;
}

static void forget_watched(struct hf_places *places, struct hf_watched *watched)
{
	HASH_DEL(places->by_wd, watched);
	free(watched);
}

void hfi_place_unwatch(struct hf_places *places, struct hf_place *place)
{
	struct hf_watched *watched = place->watched;

	free(place->awaited);
	place->awaited = NULL;
	place->watched = NULL;
	if (!watched)
		return;
	DL_DELETE2(watched->places, place, prev_here, next_here);
	if (watched->places)
		return;
	/* Fails when the directory is gone; what is still queued meets an unknown number. */
	inotify_rm_watch(places->fd, watched->wd);
	forget_watched(places, watched);
}

void hfi_place_not_seen(struct hf_places *places, const struct hf_place *place)
{
	if (place->kind == HF_PLACE_STEP)
		place = place->key.parent;
	if (place->kind == HF_PLACE_NODES || place->kind == HF_PLACE_PROVIDERS)
		places->readiness_blind = true;
	else
		places->blind = true;
}

int hfi_place_watch(struct hf_places *places, struct hf_place *place, const char *path,
		    uint32_t mask)
{
	/* IN_MASK_ADD, since the directory may be other places as well. */
	int wd = inotify_add_watch(places->fd, path, mask | IN_MASK_ADD);
	struct hf_watched *watched;

	if (wd < 0) {
		int err = -errno;

		if (err != -ENOENT && err != -ENOTDIR &&
		    (err != -EACCES || place->kind != HF_PLACE_STEP))
			hfi_place_not_seen(places, place);
		return err;
	}
	if (place->watched && place->watched->wd == wd)
		return 0;
	watched = hfi_places_find(places, wd);
	if (!watched) {
		watched = calloc(1, sizeof(*watched));
		if (watched) {
			watched->wd = wd;
			HASH_ADD_INT(places->by_wd, wd, watched);
		}
		if (!watched || !hf_hash_added(watched)) {
			free(watched);
			inotify_rm_watch(places->fd, wd);
			hfi_place_not_seen(places, place);
			return -ENOMEM;
		}
	}
	hfi_place_unwatch(places, place);
	place->watched = watched;
	DL_APPEND2(watched->places, place, prev_here, next_here);
	return 0;
}

static void list_children(struct hf_places *places, struct hf_place *place)
{
	struct dirent *entry;
	DIR *dir;

	if (place->kind == HF_PLACE_NODES || place->kind == HF_PLACE_PROVIDERS ||
	    place->kind == HF_PLACE_UVERBS || place->kind == HF_PLACE_GIDS ||
	    place->kind == HF_PLACE_GID_ATTR ||
	    (place->kind == HF_PLACE_IBDEV && !places->attributes))
		return;
	dir = opendir(place->path);
	if (!dir) {
		if (errno != ENOENT)
			places->blind = true;
		return;
	}
	/* What is beyond an error is not seen. */
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		hfi_place_child_came(places, place, entry->d_name);
	if (errno && errno != ENOENT)
		places->blind = true;
	closedir(dir);
}

struct hf_place *hfi_place_find_child(struct hf_places *places, struct hf_place *place,
				      const char *name)
{
	struct hf_place_key key = {.parent = place};
	struct hf_place *child;

	if (strlen(name) >= sizeof(key.name))
		return NULL;
	(void)hfi_copy(key.name, sizeof(key.name), name);
	HASH_FIND(hh, places->by_key, &key, sizeof(key), child);
	return child;
}

struct hf_place *hfi_place_new_child(struct hf_places *places, struct hf_place *place,
				     enum hf_place_kind kind, const char *name, const char *path)
{
	struct hf_place *child = calloc(1, sizeof(*child));
	const char *device = kind == HF_PLACE_UVERBS || kind == HF_PLACE_IBDEV ? name
									       : place->device;

	if (!child)
		return NULL;
	child->path = strdup(path);
	if (!child->path)
		goto free_child;
	child->kind = kind;
	child->root = place->root;
	child->key.parent = place;
	(void)hfi_copy(child->key.name, sizeof(child->key.name), name);
	(void)hfi_copy(child->device, sizeof(child->device), device);
	HASH_ADD(hh, places->by_key, key, sizeof(child->key), child);
	if (!hf_hash_added(child))
		goto free_child;
	DL_APPEND(place->children, child);
	return child;

free_child:
	free(child->path);
	free(child);
	return NULL;
}

static struct hf_place *new_named_child(struct hf_places *places, struct hf_place *place,
					enum hf_place_kind kind, const char *name)
{
	size_t size = strlen(place->path) + strlen(name) + 2;
	struct hf_place *child = NULL;
	char *path = malloc(size);

	if (path && !hfi_print(path, size, "%s/%s", place->path, name))
		child = hfi_place_new_child(places, place, kind, name, path);
	free(path);
	return child;
}

void hfi_place_child_came(struct hf_places *places, struct hf_place *place, const char *name)
{
	int kind = kind_of_child(places, place, name);
	struct hf_place *child;

	if (kind < 0)
		return;
	child = hfi_place_find_child(places, place, name);
	if (!child)
		child = new_named_child(places, place, (enum hf_place_kind)kind, name);
	if (!child) {
		places->blind = true;
		return;
	}
	/* First the watch, then the look at what is there: what comes in between is seen twice. */
	if (hfi_place_watch(places, child, child->path, hfi_place_mask(child)) < 0)
		hfi_place_remove(places, child);
	else
		list_children(places, child);
}

/* All but the steps of its path. */
static void forget_children(struct hf_places *places, struct hf_place *place)
{
	struct hf_place *child, *next;

	DL_FOREACH_SAFE (place->children, child, next)
		if (child->kind != HF_PLACE_STEP)
			hfi_place_remove(places, child);
}

void hfi_place_clear(struct hf_places *places, struct hf_place *place)
{
	while (place->children)
		hfi_place_remove(places, place->children);
}

void hfi_place_remove(struct hf_places *places, struct hf_place *place)
{
	/* Not deeper than the kinds are nested. */
	hfi_place_clear(places, place);
	hfi_place_unwatch(places, place);
	HASH_DEL(places->by_key, place);
	DL_DELETE(place->key.parent->children, place);
	free(place->path);
	free(place);
}

void hfi_place_child_went(struct hf_places *places, struct hf_place *place, const char *name)
{
	struct hf_place *child = hfi_place_find_child(places, place, name);

	if (child)
		hfi_place_remove(places, child);
}

/* Where changes are made behind the back of this kernel, inotify hears nothing. */
static bool made_elsewhere(const char *path)
{
	struct statfs st;

	if (statfs(path, &st) < 0)
		return false;
	switch ((unsigned long)st.f_type & 0xffffffff) {
	case 0x6969:	 /* NFS */
	case 0x01021997: /* 9P */
	case 0xff534d42: /* CIFS */
	case 0xfe534d42: /* SMB2 */
	case 0x65735546: /* FUSE */
		return true;
	default:
		return false;
	}
}

bool hfi_place_arm(struct hf_places *places, struct hf_place *place)
{
	struct hf_place_watch before = hfi_place_watch_of(place);
	bool stable = false;
	int err = 0;

	/* What changed while the path was followed shows when it is followed once more. */
	for (int i = 0; i < ARM_TRIES && !stable; i++)
		err = hfi_place_follow(places, place, &stable);
	if (!stable || err)
		hfi_place_not_seen(places, place);
	if (!err && !place->awaited && made_elsewhere(place->path))
		hfi_place_not_seen(places, place);
	if (hfi_place_watch_same(place, &before))
		return false;
	forget_children(places, place);
	if (!err && !place->awaited)
		list_children(places, place);
	return !before.awaited || !place->awaited;
}

int hfi_place_want(struct hf_places *places, enum hf_place_kind kind, uint32_t root,
		   const char *path)
{
	struct hf_place *place = calloc(1, sizeof(*place));

	if (!place)
		return -ENOMEM;
	place->path = strdup(path);
	if (!place->path) {
		free(place);
		return -ENOMEM;
	}
	place->kind = kind;
	place->root = root;
	DL_APPEND(places->wanted, place);
	(void)hfi_place_arm(places, place);
	return 0;
}

static void free_place(struct hf_place *place)
{
	free(place->awaited);
	free(place->path);
	free(place);
}

void hfi_places_free(struct hf_places *places)
{
	struct hf_place *place, *tmp;
	struct hf_watched *watched, *next;

	HASH_ITER (hh, places->by_wd, watched, next)
		forget_watched(places, watched);
	HASH_ITER (hh, places->by_key, place, tmp) {
		HASH_DEL(places->by_key, place);
		free_place(place);
	}
	DL_FOREACH_SAFE (places->wanted, place, tmp)
		free_place(place);
	places->wanted = NULL;
}
