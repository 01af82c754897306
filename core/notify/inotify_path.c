/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Follows and watches the path of a wanted directory. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "shared/text.h"
#include "core/notify/inotify_path.h"

enum {
	DIR_MASK = IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW,
	/*
	 * Replacing a link drops its link count, which IN_ATTRIB reports even if the link is held
	 * open.
	 */
	LINK_MASK = DIR_MASK | IN_ATTRIB,
	AWAIT_MASK = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
	LINKS_MAX = 40, /* like the kernel's MAXSYMLINKS */
};

struct walk {
	struct hf_watched_dirs *dirs;
	struct hf_watched_dir *dir;
	unsigned int steps;
	unsigned int links;
	bool stable;
	char at[PATH_MAX];	 /* directory reached so far, without symbolic links */
	char path[PATH_MAX];	 /* `at` with the current component */
	char target[PATH_MAX];	 /* target of a link */
	char joined[PATH_MAX];	 /* `target` with the rest */
	char rest[PATH_MAX];	 /* still to be followed from `at` */
	char name[NAME_MAX + 1]; /* the current component */
};

struct hf_dir_watch hfi_dir_watch_of(const struct hf_watched_dir *dir)
{
	return (struct hf_dir_watch){
		.wd = dir->watched ? dir->watched->wd : -1,
		.awaited = dir->awaited,
	};
}

bool hfi_dir_watch_same(const struct hf_watched_dir *dir, const struct hf_dir_watch *before)
{
	struct hf_dir_watch now = hfi_dir_watch_of(dir);

	return now.wd == before->wd && now.wd >= 0 && now.awaited == before->awaited;
}

static int watch(struct walk *walk, struct hf_watched_dir *dir, const char *path, uint32_t mask)
{
	int before = dir->watched ? dir->watched->wd : -1;
	int err = hfi_dir_watch(walk->dirs, dir, path, mask);

	walk->stable &= !err && dir->watched->wd == before;
	return err;
}

/* No directory entry can have such a name. */
static void step_name(unsigned int n, char name[HF_NAME_SIZE])
{
	snprintf(name, HF_NAME_SIZE, "/%u", n);
}

static int add_step(struct walk *walk, const char *path, uint32_t mask)
{
	char name[HF_NAME_SIZE];
	struct hf_watched_dir *step;
	bool stable = walk->stable;
	int err;

	step_name(walk->steps++, name);
	step = hfi_dir_find_child(walk->dirs, walk->dir, name);
	if (step && strcmp(step->path, path) != 0) {
		hfi_dir_remove(walk->dirs, step);
		step = NULL;
	}
	if (!step)
		step = hfi_dir_new_child(walk->dirs, walk->dir, HF_DIR_STEP, name, path);
	if (!step)
		return -ENOMEM;
	err = watch(walk, step, path, mask);
	/* A directory with search but no read permission cannot be watched. */
	if (err == -EACCES)
		walk->stable = stable;
	return err == -ENOMEM ? err : 0;
}

static void drop_other_steps(struct walk *walk)
{
	char name[HF_NAME_SIZE];
	struct hf_watched_dir *step;

	for (;; walk->steps++) {
		step_name(walk->steps, name);
		step = hfi_dir_find_child(walk->dirs, walk->dir, name);
		if (!step)
			return;
		hfi_dir_remove(walk->dirs, step);
	}
}

/* Moves the next component from the rest to `name`. False if none is left. */
static bool next_component(struct walk *walk)
{
	const char *from = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(from, "/");

	if (!length)
		return false;
	/* No entry has a name this long: wait for the shortened one, which does not come either. */
	if (length > NAME_MAX)
		length = NAME_MAX;
	memcpy(walk->name, from, length);
	walk->name[length] = '\0';
	memmove(walk->rest, from + length, strlen(from + length) + 1);
	return true;
}

static int follow_link(struct walk *walk, const char *link)
{
	char *target = walk->target, *rest = walk->joined;
	ssize_t length = readlink(link, target, sizeof(walk->target) - 1);
	int err;

	if (length < 0)
		return -errno;
	target[length] = '\0';
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	err = hfi_print(rest, sizeof(walk->joined), "%s/%s", target, walk->rest);
	if (err)
		return err;
	strcpy(walk->rest, rest);
	if (target[0] == '/')
		strcpy(walk->at, "/");
	return 0;
}

static void go_up(struct walk *walk)
{
	char *slash = strrchr(walk->at, '/');

	if (slash)
		slash[slash == walk->at] = '\0';
}

/* Follows one component. -ENOENT: it does not exist now. */
static int follow_component(struct walk *walk)
{
	char *path = walk->path;
	struct stat st;
	int err;

	if (!strcmp(walk->name, "."))
		return 0;
	if (!strcmp(walk->name, "..")) {
		go_up(walk);
		return 0;
	}
	err = hfi_print(path, sizeof(walk->path), "%s/%s", walk->at[1] ? walk->at : "", walk->name);
	if (err)
		return -ENOENT;
	if (lstat(path, &st) < 0)
		return -ENOENT;
	if (S_ISLNK(st.st_mode)) {
		err = add_step(walk, path, LINK_MASK);
		return err ? err : follow_link(walk, path) ? -ENOENT : 0;
	}
	if (!S_ISDIR(st.st_mode))
		return -ENOENT;
	/* The last component gets the full mask later. */
	err = walk->rest[strspn(walk->rest, "/")] ? add_step(walk, path, DIR_MASK) : 0;
	strcpy(walk->at, path);
	return err;
}

/* Watches the last directory that exists for the missing name. */
static int await(struct walk *walk)
{
	struct hf_watched_dir *dir = walk->dir;
	char *awaited = strdup(walk->name);
	int err;

	if (!awaited)
		return -ENOMEM;
	err = watch(walk, dir, walk->at, AWAIT_MASK);
	walk->stable &= dir->awaited && !strcmp(dir->awaited, awaited);
	free(dir->awaited);
	dir->awaited = err ? NULL : awaited;
	if (err)
		free(awaited);
	return err;
}

int hfi_dir_follow(struct hf_watched_dirs *dirs, struct hf_watched_dir *dir, bool *stable)
{
	/* Too large for the stack of a thread. */
	struct walk *walk = calloc(1, sizeof(*walk));
	int err;

	if (!walk)
		return -ENOMEM;
	walk->dirs = dirs;
	walk->dir = dir;
	walk->stable = true;
	err = hfi_copy(walk->rest, sizeof(walk->rest), dir->path);
	if (err)
		goto free_walk;
	strcpy(walk->at, dir->path[0] == '/' ? "/" : ".");
	while (!err && next_component(walk))
		err = follow_component(walk);
	if (err == -ENOENT) {
		err = await(walk);
	} else if (!err) {
		err = watch(walk, dir, walk->at, hfi_dir_mask(dir));
		walk->stable &= !dir->awaited;
		free(dir->awaited);
		dir->awaited = NULL;
	}
	drop_other_steps(walk);
	/* The directory was removed after it was examined: try again. */
	if (err == -ENOENT || err == -ENOTDIR)
		err = 0;
	*stable = walk->stable || err;
free_walk:
	free(walk);
	return err;
}
