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

static const uint32_t masks[HF_DIR_KINDS] = {
	[HF_DIR_VERBS_CLASS] = COMINGS | GOINGS | ITSELF,
	[HF_DIR_IB_CLASS] = COMINGS | GOINGS | ITSELF,
	[HF_DIR_NODES] = COMINGS | GOINGS | IN_ATTRIB | ITSELF,
	[HF_DIR_PROVIDERS] = COMINGS | GOINGS | IN_CLOSE_WRITE | IN_ATTRIB | ITSELF,
	[HF_DIR_UVERBS] = COMINGS | GOINGS | IN_CLOSE_WRITE | ITSELF,
	[HF_DIR_IBDEV] = COMINGS | GOINGS | IN_CLOSE_WRITE | ITSELF,
	[HF_DIR_PORTS] = COMINGS | GOINGS,
	[HF_DIR_PORT] = COMINGS | GOINGS | IN_CLOSE_WRITE,
	[HF_DIR_GIDS] = COMINGS | GOINGS | IN_CLOSE_WRITE,
	[HF_DIR_GID_ATTRS] = COMINGS | GOINGS,
	[HF_DIR_GID_ATTR] = COMINGS | GOINGS | IN_CLOSE_WRITE,
};

uint32_t hfi_dir_mask(const struct hf_watched_dir *dir)
{
	return masks[dir->kind] | IN_ONLYDIR;
}

/* The kind of a child if it is to be watched as well; -1 if not. */
static int kind_of_child(const struct hf_watched_dirs *dirs, const struct hf_watched_dir *dir,
			 const char *name)
{
	switch (dir->kind) {
	case HF_DIR_VERBS_CLASS:
		return hfi_is_uverbs_name(name) ? HF_DIR_UVERBS : -1;
	case HF_DIR_IB_CLASS:
		return hfi_is_component(name, HF_NAME_SIZE - 1) ? HF_DIR_IBDEV : -1;
	case HF_DIR_IBDEV:
		return dirs->attributes && !strcmp(name, "ports") ? HF_DIR_PORTS : -1;
	case HF_DIR_PORTS:
		if (strlen(name) > 3 || strspn(name, "0123456789") != strlen(name))
			return -1;
		return HF_DIR_PORT;
	case HF_DIR_PORT:
		if (!strcmp(name, "gids"))
			return HF_DIR_GIDS;
		return strcmp(name, "gid_attrs") ? -1 : HF_DIR_GID_ATTRS;
	case HF_DIR_GID_ATTRS:
		return strcmp(name, "types") && strcmp(name, "ndevs") ? -1 : HF_DIR_GID_ATTR;
	default:
		return -1;
	}
}

struct hf_inotify_watch *hfi_dirs_find(struct hf_watched_dirs *dirs, int wd)
{
	struct hf_inotify_watch *watched;

	HASH_FIND_INT(dirs->by_wd, &wd, watched);
	return watched;
}

static void forget_watched(struct hf_watched_dirs *dirs, struct hf_inotify_watch *watched)
{
	HASH_DEL(dirs->by_wd, watched);
	free(watched);
}

void hfi_dir_unwatch(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir)
{
	struct hf_inotify_watch *watched = dir->watched;

	free(dir->awaited);
	dir->awaited = NULL;
	dir->watched = NULL;
	if (!watched)
		return;
	DL_DELETE2(watched->dirs, dir, prev_here, next_here);
	if (watched->dirs)
		return;
	/*
	 * Fails if the directory is gone. Events that are still queued then have an unknown
	 * descriptor.
	 */
	inotify_rm_watch(dirs->fd, watched->wd);
	forget_watched(dirs, watched);
}

void hfi_dir_not_seen(struct hf_watched_dirs *dirs, const struct hf_watched_dir *dir)
{
	if (dir->kind == HF_DIR_STEP)
		dir = dir->key.parent;
	if (dir->kind == HF_DIR_NODES || dir->kind == HF_DIR_PROVIDERS)
		dirs->readiness_blind = true;
	else
		dirs->blind = true;
}

int hfi_dir_watch(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir, const char *path,
		  uint32_t mask)
{
	/* IN_MASK_ADD, since another entry may watch the same directory. */
	int wd = inotify_add_watch(dirs->fd, path, mask | IN_MASK_ADD);
	struct hf_inotify_watch *watched;

	if (wd < 0) {
		int err = -errno;

		if (err != -ENOENT && err != -ENOTDIR &&
		    (err != -EACCES || dir->kind != HF_DIR_STEP))
			hfi_dir_not_seen(dirs, dir);
		return err;
	}
	if (dir->watched && dir->watched->wd == wd)
		return 0;
	watched = hfi_dirs_find(dirs, wd);
	if (!watched) {
		watched = calloc(1, sizeof(*watched));
		if (watched) {
			watched->wd = wd;
			HASH_ADD_INT(dirs->by_wd, wd, watched);
		}
		if (!watched || !hf_hash_added(watched)) {
			free(watched);
			inotify_rm_watch(dirs->fd, wd);
			hfi_dir_not_seen(dirs, dir);
			return -ENOMEM;
		}
	}
	hfi_dir_unwatch(dirs, dir);
	dir->watched = watched;
	DL_APPEND2(watched->dirs, dir, prev_here, next_here);
	return 0;
}

static void list_children(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir)
{
	struct dirent *entry;
	DIR *stream;

	if (dir->kind == HF_DIR_NODES || dir->kind == HF_DIR_PROVIDERS ||
	    dir->kind == HF_DIR_UVERBS || dir->kind == HF_DIR_GIDS ||
	    dir->kind == HF_DIR_GID_ATTR || (dir->kind == HF_DIR_IBDEV && !dirs->attributes))
		return;
	stream = opendir(dir->path);
	if (!stream) {
		if (errno != ENOENT)
			dirs->blind = true;
		return;
	}
	/* Entries after a read error are missed. */
	for (errno = 0; (entry = readdir(stream)); errno = 0)
		hfi_dir_child_came(dirs, dir, entry->d_name);
	if (errno && errno != ENOENT)
		dirs->blind = true;
	closedir(stream);
}

struct hf_watched_dir *hfi_dir_find_child(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
					  const char *name)
{
	struct hf_dir_key key = {.parent = dir};
	struct hf_watched_dir *child;

	if (strlen(name) >= sizeof(key.name))
		return NULL;
	(void)hfi_copy(key.name, sizeof(key.name), name);
	HASH_FIND(hh, dirs->by_key, &key, sizeof(key), child);
	return child;
}

struct hf_watched_dir *hfi_dir_new_child(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir,
					 enum hf_dir_kind kind, const char *name, const char *path)
{
	struct hf_watched_dir *child = calloc(1, sizeof(*child));
	const char *device = kind == HF_DIR_UVERBS || kind == HF_DIR_IBDEV ? name : dir->device;

	if (!child)
		return NULL;
	child->path = strdup(path);
	if (!child->path)
		goto free_child;
	child->kind = kind;
	child->root = dir->root;
	child->key.parent = dir;
	(void)hfi_copy(child->key.name, sizeof(child->key.name), name);
	(void)hfi_copy(child->device, sizeof(child->device), device);
	HASH_ADD(hh, dirs->by_key, key, sizeof(child->key), child);
	if (!hf_hash_added(child))
		goto free_child;
	DL_APPEND(dir->children, child);
	return child;

free_child:
	free(child->path);
	free(child);
	return NULL;
}

static struct hf_watched_dir *new_named_child(struct hf_watched_dirs *dirs,
					      struct hf_watched_dir *dir, enum hf_dir_kind kind,
					      const char *name)
{
	size_t size = strlen(dir->path) + strlen(name) + 2;
	struct hf_watched_dir *child = NULL;
	char *path = malloc(size);

	if (path && !hfi_print(path, size, "%s/%s", dir->path, name))
		child = hfi_dir_new_child(dirs, dir, kind, name, path);
	free(path);
	return child;
}

void hfi_dir_child_came(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir, const char *name)
{
	int kind = kind_of_child(dirs, dir, name);
	struct hf_watched_dir *child;

	if (kind < 0)
		return;
	child = hfi_dir_find_child(dirs, dir, name);
	if (!child)
		child = new_named_child(dirs, dir, (enum hf_dir_kind)kind, name);
	if (!child) {
		dirs->blind = true;
		return;
	}
	/*
	 * Watch before reading the entries: an entry made in between is reported twice, but never
	 * missed.
	 */
	if (hfi_dir_watch(dirs, child, child->path, hfi_dir_mask(child)) < 0)
		hfi_dir_remove(dirs, child);
	else
		list_children(dirs, child);
}

/* Keeps the steps of the path. */
static void forget_children(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir)
{
	struct hf_watched_dir *child, *next;

	DL_FOREACH_SAFE (dir->children, child, next)
		if (child->kind != HF_DIR_STEP)
			hfi_dir_remove(dirs, child);
}

void hfi_dir_clear(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir)
{
	while (dir->children)
		hfi_dir_remove(dirs, dir->children);
}

void hfi_dir_remove(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir)
{
	/* The recursion is as deep as the kinds are nested. */
	hfi_dir_clear(dirs, dir);
	hfi_dir_unwatch(dirs, dir);
	HASH_DEL(dirs->by_key, dir);
	DL_DELETE(dir->key.parent->children, dir);
	free(dir->path);
	free(dir);
}

void hfi_dir_child_went(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir, const char *name)
{
	struct hf_watched_dir *child = hfi_dir_find_child(dirs, dir, name);

	if (child)
		hfi_dir_remove(dirs, child);
}

/* On these file systems other machines make changes, and inotify does not report those. */
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

bool hfi_dir_arm(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir)
{
	struct hf_dir_watch before = hfi_dir_watch_of(dir);
	bool stable = false;
	int err = 0;

	/*
	 * Follow the path again until nothing changes: it may have changed while it was followed.
	 */
	for (int i = 0; i < ARM_TRIES && !stable; i++)
		err = hfi_dir_follow(dirs, dir, &stable);
	if (!stable || err)
		hfi_dir_not_seen(dirs, dir);
	if (!err && !dir->awaited && made_elsewhere(dir->path))
		hfi_dir_not_seen(dirs, dir);
	if (hfi_dir_watch_same(dir, &before))
		return false;
	forget_children(dirs, dir);
	if (!err && !dir->awaited)
		list_children(dirs, dir);
	return !before.awaited || !dir->awaited;
}

int hfi_dir_want(struct hf_watched_dirs *dirs, enum hf_dir_kind kind, uint32_t root,
		 const char *path)
{
	struct hf_watched_dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return -ENOMEM;
	dir->path = strdup(path);
	if (!dir->path) {
		free(dir);
		return -ENOMEM;
	}
	dir->kind = kind;
	dir->root = root;
	DL_APPEND(dirs->wanted, dir);
	(void)hfi_dir_arm(dirs, dir);
	return 0;
}

static void free_dir(struct hf_watched_dir *dir)
{
	free(dir->awaited);
	free(dir->path);
	free(dir);
}

void hfi_dirs_free(struct hf_watched_dirs *dirs)
{
	struct hf_watched_dir *dir, *tmp;
	struct hf_inotify_watch *watched, *next;

	HASH_ITER (hh, dirs->by_wd, watched, next)
		forget_watched(dirs, watched);
	HASH_ITER (hh, dirs->by_key, dir, tmp) {
		HASH_DEL(dirs->by_key, dir);
		free_dir(dir);
	}
	DL_FOREACH_SAFE (dirs->wanted, dir, tmp)
		free_dir(dir);
	dirs->wanted = NULL;
}
