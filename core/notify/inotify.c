/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * inotify: the devices of roots other than the kernel's sysfs (which inotify does not report), the
 * device nodes of every root, and the provider directories.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <utlist.h>

#include "shared/attr.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/notify/inotify.h"
#include "core/notify/inotify_fd.h"
#include "core/notify/inotify_tree.h"

enum { BUFFER_SIZE = 16384 };

struct hf_inotify {
	struct hf_watched_dirs dirs;
	const struct hf_hint_sink *sink;
	char buffer[BUFFER_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
};

static int want(struct hf_inotify *inotify, enum hf_dir_kind kind, uint32_t root, const char *above,
		const char *below)
{
	char path[HF_PATH_SIZE + 64];

	if (hfi_print(path, sizeof(path), "%s%s%s", above, *below ? "/" : "", below) < 0)
		return 0;
	return hfi_dir_want(&inotify->dirs, kind, root, path);
}

static int want_root(struct hf_inotify *inotify, const struct hf_watch_options *options,
		     uint32_t root)
{
	const struct hf_search_root *r = &options->roots[root];
	int err = 0;

	if (r->kind->reports & HF_REPORTS_INOTIFY)
		err = want(inotify, HF_DIR_VERBS_CLASS, root, r->sysfs, "class/infiniband_verbs");
	if (!err && (r->kind->reports & HF_REPORTS_INOTIFY))
		err = want(inotify, HF_DIR_IB_CLASS, root, r->sysfs, "class/infiniband");
	if (!err && (options->flags & HF_WATCH_READINESS))
		err = want(inotify, HF_DIR_NODES, root, r->dev, "infiniband");
	return err;
}

int hfi_inotify_open(const struct hf_watch_options *options, const struct hf_hint_sink *sink,
		     struct hf_inotify **ret)
{
	struct hf_inotify *inotify = calloc(1, sizeof(*inotify));
	int err = 0;

	if (!inotify)
		return -ENOMEM;
	inotify->sink = sink;
	inotify->dirs.attributes = options->flags & HF_WATCH_ATTRIBUTES;
	inotify->dirs.fd = hfi_inotify_fd_new();
	if (inotify->dirs.fd < 0)
		err = inotify->dirs.fd;
	for (unsigned int i = 0; !err && i < options->num_roots; i++)
		err = want_root(inotify, options, i);
	if (!err && (options->flags & HF_WATCH_READINESS) && options->provider_dirs)
		for (const char *const *dir = options->provider_dirs; !err && *dir; dir++)
			err = want(inotify, HF_DIR_PROVIDERS, HF_ROOT_KERNEL, *dir, "");
	if (err)
		hfi_inotify_close(inotify);
	else
		*ret = inotify;
	return err;
}

int hfi_inotify_fd(const struct hf_inotify *inotify)
{
	return inotify->dirs.fd;
}

bool hfi_inotify_blind(const struct hf_inotify *inotify)
{
	return inotify->dirs.blind;
}

bool hfi_inotify_readiness_blind(const struct hf_inotify *inotify)
{
	return inotify->dirs.readiness_blind;
}

static void push(struct hf_inotify *inotify, enum hf_hint_kind kind, uint32_t root,
		 const char *name)
{
	if (kind != HF_HINT_ATTRIBUTES || inotify->dirs.attributes)
		hfi_hint_send(inotify->sink, kind, root, name);
}

/*
 * Sends the hints for a change of a watched directory; `child` is NULL if the whole directory
 * changed.
 */
static void push_child_hint(struct hf_inotify *inotify, const struct hf_watched_dir *dir,
			    const char *child)
{
	switch (dir->kind) {
	case HF_DIR_VERBS_CLASS:
		if (!child)
			push(inotify, HF_HINT_ALL, dir->root, NULL);
		else if (hfi_is_uverbs_name(child))
			push(inotify, HF_HINT_DEVICE, dir->root, child);
		break;
	case HF_DIR_IB_CLASS:
		if (!child) {
			push(inotify, HF_HINT_ALL, dir->root, NULL);
			push(inotify, HF_HINT_ATTRIBUTES, dir->root, NULL);
		} else if (hfi_is_component(child, HF_NAME_SIZE - 1)) {
			push(inotify, HF_HINT_IBDEV, dir->root, child);
			/*
			 * Its directories are watched only from now on: earlier changes were
			 * missed.
			 */
			push(inotify, HF_HINT_ATTRIBUTES, dir->root, child);
		}
		break;
	case HF_DIR_NODES:
		if (!child || hfi_is_uverbs_name(child))
			push(inotify, HF_HINT_NODE, dir->root, child);
		break;
	case HF_DIR_PROVIDERS:
		push(inotify, HF_HINT_PROVIDERS, dir->root, NULL);
		break;
	case HF_DIR_UVERBS:
		push(inotify, HF_HINT_DEVICE, dir->root, dir->device);
		break;
	case HF_DIR_IBDEV:
		/* The library does not use the description. */
		if (child && !strcmp(child, "node_desc"))
			break;
		push(inotify, HF_HINT_IBDEV, dir->root, dir->device);
		if (!child || !strcmp(child, "ports"))
			push(inotify, HF_HINT_ATTRIBUTES, dir->root, dir->device);
		break;
	default:
		push(inotify, HF_HINT_ATTRIBUTES, dir->root, dir->device);
		break;
	}
}

/* Call when the path of a wanted directory may lead to another directory. */
static void look_again(struct hf_inotify *inotify, struct hf_watched_dir *dir)
{
	if (hfi_dir_arm(&inotify->dirs, dir))
		push_child_hint(inotify, dir, NULL);
}

/* The directory itself was removed or replaced. */
static void left(struct hf_inotify *inotify, struct hf_watched_dir *dir)
{
	if (dir->kind == HF_DIR_STEP) {
		hfi_dir_unwatch(&inotify->dirs, dir);
		look_again(inotify, dir->key.parent);
		return;
	}
	push_child_hint(inotify, dir, NULL);
	if (hfi_dir_wanted(dir)) {
		hfi_dir_clear(&inotify->dirs, dir);
		hfi_dir_unwatch(&inotify->dirs, dir);
		(void)hfi_dir_arm(&inotify->dirs, dir);
	} else {
		hfi_dir_remove(&inotify->dirs, dir);
	}
}

static void child_event(struct hf_inotify *inotify, struct hf_watched_dir *dir, uint32_t mask,
			const char *name)
{
	struct hf_watched_dirs *dirs = &inotify->dirs;

	if (dir->awaited) {
		if (!strcmp(dir->awaited, name))
			look_again(inotify, dir);
		return;
	}
	if (dir->kind == HF_DIR_STEP)
		return;
	if (mask & (IN_DELETE | IN_MOVED_FROM))
		hfi_dir_child_went(dirs, dir, name);
	else if (mask & (IN_CREATE | IN_MOVED_TO))
		hfi_dir_child_came(dirs, dir, name);
	push_child_hint(inotify, dir, name);
}

/*
 * True if this directory still has that watch descriptor. It may be freed by now, so only compare.
 */
static bool is_watched(struct hf_inotify *inotify, int wd, const struct hf_watched_dir *dir)
{
	struct hf_inotify_watch *watched = hfi_dirs_find(&inotify->dirs, wd);
	const struct hf_watched_dir *p;

	for (p = watched ? watched->dirs : NULL; p; p = p->next_here)
		if (p == dir)
			return true;
	return false;
}

/* Events were lost: rebuild everything below the wanted directories. */
static void overflow(struct hf_inotify *inotify)
{
	struct hf_watched_dir *dir;

	DL_FOREACH (inotify->dirs.wanted, dir) {
		hfi_dir_clear(&inotify->dirs, dir);
		hfi_dir_unwatch(&inotify->dirs, dir);
		(void)hfi_dir_arm(&inotify->dirs, dir);
	}
	push(inotify, HF_HINT_LOST, HF_ROOT_KERNEL, NULL);
}

/*
 * One inotify event concerns each entry with that watch descriptor. Handling it may move or free
 * entries: with symbolic links in the tree, also others than the one that is being handled.
 */
static void handle_inotify_event(struct hf_inotify *inotify, const struct inotify_event *e)
{
	bool whole = e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT);
	struct hf_inotify_watch *watched = hfi_dirs_find(&inotify->dirs, e->wd);
	struct hf_watched_dir *heard[16];
	size_t count = 0;
	struct hf_watched_dir *dir;

	for (dir = watched ? watched->dirs : NULL; dir; dir = dir->next_here) {
		/*
		 * A step matters only if it is itself removed or moved: others may write to the
		 * directories on the way.
		 */
		if (dir->kind == HF_DIR_STEP && !whole && e->len)
			continue;
		if (count == HF_ARRAY_SIZE(heard)) {
			overflow(inotify);
			return;
		}
		heard[count++] = dir;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_watched(inotify, e->wd, heard[i]))
			continue;
		if (whole || (!e->len && heard[i]->kind == HF_DIR_STEP))
			left(inotify, heard[i]);
		else if (e->len > 0)
			child_event(inotify, heard[i], e->mask, e->name);
	}
}

void hfi_inotify_mounts_changed(struct hf_inotify *inotify)
{
	struct hf_watched_dir *dir;

	DL_FOREACH (inotify->dirs.wanted, dir)
		look_again(inotify, dir);
}

void hfi_inotify_drain(struct hf_inotify *inotify)
{
	for (int i = 0; i < HF_DRAIN_MAX / 16; i++) {
		ssize_t length = read(inotify->dirs.fd, inotify->buffer, BUFFER_SIZE);
		ssize_t at = 0;

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return;
		while (length - at >= (ssize_t)sizeof(struct inotify_event)) {
			const struct inotify_event *e = (void *)(inotify->buffer + at);

			at += (ssize_t)(sizeof(*e) + e->len);
			if (e->mask & IN_Q_OVERFLOW)
				overflow(inotify);
			else
				handle_inotify_event(inotify, e);
		}
	}
}

void hfi_inotify_lost(struct hf_inotify *inotify)
{
	inotify->dirs.fd = -1;
	hfi_inotify_close(inotify);
}

void hfi_inotify_close(struct hf_inotify *inotify)
{
	hfi_dirs_free(&inotify->dirs);
	hfi_close(&inotify->dirs.fd);
	free(inotify);
}
