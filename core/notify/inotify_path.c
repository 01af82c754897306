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
	/* A link that is replaced loses a name, which IN_ATTRIB reports even while it is held open. */
	LINK_MASK = DIR_MASK | IN_ATTRIB,
	AWAIT_MASK = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
	LINKS_MAX = 40, /* as the kernel: MAXSYMLINKS */
};

struct walk {
	struct hf_places *places;
	struct hf_place *place;
	unsigned int steps;
	unsigned int links;
	bool stable;
	char at[PATH_MAX];	 /* a directory; no symbolic link is part of it */
	char path[PATH_MAX];	 /* that with the component's name */
	char target[PATH_MAX];	 /* of a link */
	char joined[PATH_MAX];	 /* that with the rest */
	char rest[PATH_MAX];	 /* what is still to be followed from there */
	char name[NAME_MAX + 1]; /* the component that is looked at */
};

struct hf_place_watch hfi_place_watch_of(const struct hf_place *place)
{
	return (struct hf_place_watch){
		.wd = place->watched ? place->watched->wd : -1,
		.awaited = place->awaited,
	};
}

bool hfi_place_watch_same(const struct hf_place *place, const struct hf_place_watch *before)
{
	struct hf_place_watch now = hfi_place_watch_of(place);

	return now.wd == before->wd && now.wd >= 0 && now.awaited == before->awaited;
}

static int watch(struct walk *walk, struct hf_place *place, const char *path, uint32_t mask)
{
	int before = place->watched ? place->watched->wd : -1;
	int err = hfi_place_watch(walk->places, place, path, mask);

	walk->stable &= !err && place->watched->wd == before;
	return err;
}

/* No entry of a directory has such a name. */
static void step_name(unsigned int n, char name[HF_NAME_SIZE])
{
	snprintf(name, HF_NAME_SIZE, "/%u", n);
}

static int add_step(struct walk *walk, const char *path, uint32_t mask)
{
	char name[HF_NAME_SIZE];
	struct hf_place *step;
	bool stable = walk->stable;
	int err;

	step_name(walk->steps++, name);
	step = hfi_place_find_child(walk->places, walk->place, name);
	if (step && strcmp(step->path, path) != 0) {
		hfi_place_remove(walk->places, step);
		step = NULL;
	}
	if (!step)
		step = hfi_place_new_child(walk->places, walk->place, HF_PLACE_STEP, name, path);
	if (!step)
		return -ENOMEM;
	err = watch(walk, step, path, mask);
	/* One that may be passed but not read cannot be watched. */
	if (err == -EACCES)
		walk->stable = stable;
	return err == -ENOMEM ? err : 0;
}

static void drop_other_steps(struct walk *walk)
{
	char name[HF_NAME_SIZE];
	struct hf_place *step;

	for (;; walk->steps++) {
		step_name(walk->steps, name);
		step = hfi_place_find_child(walk->places, walk->place, name);
		if (!step)
			return;
		hfi_place_remove(walk->places, step);
	}
}

/* Moves the next component from the rest to `name`. False: there is none. */
static bool next_component(struct walk *walk)
{
	const char *from = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(from, "/");

	if (!length)
		return false;
	/* No directory has a longer name: a shorter one is not there either. */
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

/* Follows one component. -ENOENT: it leads nowhere now. */
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
	/* The directory itself is watched for more. */
	err = walk->rest[strspn(walk->rest, "/")] ? add_step(walk, path, DIR_MASK) : 0;
	strcpy(walk->at, path);
	return err;
}

/* Watches the last directory that exists, for the name that is missing there. */
static int await(struct walk *walk)
{
	struct hf_place *place = walk->place;
	char *awaited = strdup(walk->name);
	int err;

	if (!awaited)
		return -ENOMEM;
	err = watch(walk, place, walk->at, AWAIT_MASK);
	walk->stable &= place->awaited && !strcmp(place->awaited, awaited);
	free(place->awaited);
	place->awaited = err ? NULL : awaited;
	if (err)
		free(awaited);
	return err;
}

int hfi_place_follow(struct hf_places *places, struct hf_place *place, bool *stable)
{
	/* Not on the stack, which a thread may have made small. */
	struct walk *walk = calloc(1, sizeof(*walk));
	int err;

	if (!walk)
		return -ENOMEM;
	walk->places = places;
	walk->place = place;
	walk->stable = true;
	err = hfi_copy(walk->rest, sizeof(walk->rest), place->path);
	if (err)
		goto free_walk;
	strcpy(walk->at, place->path[0] == '/' ? "/" : ".");
	while (!err && next_component(walk))
		err = follow_component(walk);
	if (err == -ENOENT) {
		err = await(walk);
	} else if (!err) {
		err = watch(walk, place, walk->at, hfi_place_mask(place));
		walk->stable &= !place->awaited;
		free(place->awaited);
		place->awaited = NULL;
	}
	drop_other_steps(walk);
	/* It is gone since it was looked at: look again. */
	if (err == -ENOENT || err == -ENOTDIR)
		err = 0;
	*stable = walk->stable || err;
free_walk:
	free(walk);
	return err;
}
