/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * inotify: the devices of roots that are no kernel's sysfs (there it says nothing), the device nodes
 * of every root, and the provider directories.
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
	struct hf_places places;
	const struct hf_hint_sink *sink;
	char buffer[BUFFER_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
};

static int want(struct hf_inotify *inotify, enum hf_place_kind kind, uint32_t root, const char *dir,
		const char *below)
{
	char path[HF_PATH_SIZE + 64];

	if (hfi_print(path, sizeof(path), "%s%s%s", dir, *below ? "/" : "", below) < 0)
		return 0;
	return hfi_place_want(&inotify->places, kind, root, path);
}

static int want_root(struct hf_inotify *inotify, const struct hf_watch_options *options,
		     uint32_t root)
{
	const struct hf_search_root *r = &options->roots[root];
	int err = 0;

	if (r->kind->reports & HF_REPORTS_INOTIFY)
		err = want(inotify, HF_PLACE_VERBS_CLASS, root, r->sysfs, "class/infiniband_verbs");
	if (!err && (r->kind->reports & HF_REPORTS_INOTIFY))
		err = want(inotify, HF_PLACE_IB_CLASS, root, r->sysfs, "class/infiniband");
	if (!err && (options->flags & HF_WATCH_READINESS))
		err = want(inotify, HF_PLACE_NODES, root, r->dev, "infiniband");
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
	inotify->places.attributes = options->flags & HF_WATCH_ATTRIBUTES;
	inotify->places.fd = hfi_inotify_fd_new();
	if (inotify->places.fd < 0)
		err = inotify->places.fd;
	for (unsigned int i = 0; !err && i < options->num_roots; i++)
		err = want_root(inotify, options, i);
	if (!err && (options->flags & HF_WATCH_READINESS) && options->provider_dirs)
		for (const char *const *dir = options->provider_dirs; !err && *dir; dir++)
			err = want(inotify, HF_PLACE_PROVIDERS, HF_ROOT_KERNEL, *dir, "");
	if (err)
		hfi_inotify_close(inotify);
	else
		*ret = inotify;
	return err;
}

int hfi_inotify_fd(const struct hf_inotify *inotify)
{
	return inotify->places.fd;
}

bool hfi_inotify_blind(const struct hf_inotify *inotify)
{
	return inotify->places.blind;
}

bool hfi_inotify_readiness_blind(const struct hf_inotify *inotify)
{
	return inotify->places.readiness_blind;
}

static void push(struct hf_inotify *inotify, enum hf_hint_kind kind, uint32_t root,
		 const char *name)
{
	if (kind != HF_HINT_ATTRIBUTES || inotify->places.attributes)
		hfi_hint_send(inotify->sink, kind, root, name);
}

/* What a change in or of a place means; `child` is NULL when it is about the place as a whole. */
static void push_child_hint(struct hf_inotify *inotify, const struct hf_place *place,
			    const char *child)
{
	switch (place->kind) {
	case HF_PLACE_VERBS_CLASS:
		if (!child)
			push(inotify, HF_HINT_ALL, place->root, NULL);
		else if (hfi_is_uverbs_name(child))
			push(inotify, HF_HINT_DEVICE, place->root, child);
		break;
	case HF_PLACE_IB_CLASS:
		if (!child) {
			push(inotify, HF_HINT_ALL, place->root, NULL);
			push(inotify, HF_HINT_ATTRIBUTES, place->root, NULL);
		} else if (hfi_is_component(child, HF_NAME_SIZE - 1)) {
			push(inotify, HF_HINT_IBDEV, place->root, child);
			/* Its directories are watched only now: what changed before was not seen. */
			push(inotify, HF_HINT_ATTRIBUTES, place->root, child);
		}
		break;
	case HF_PLACE_NODES:
		if (!child || hfi_is_uverbs_name(child))
			push(inotify, HF_HINT_NODE, place->root, child);
		break;
	case HF_PLACE_PROVIDERS:
		push(inotify, HF_HINT_PROVIDERS, place->root, NULL);
		break;
	case HF_PLACE_UVERBS:
		push(inotify, HF_HINT_DEVICE, place->root, place->device);
		break;
	case HF_PLACE_IBDEV:
		/* What people call it is no part of what is known of a device. */
		if (child && !strcmp(child, "node_desc"))
			break;
		push(inotify, HF_HINT_IBDEV, place->root, place->device);
		if (!child || !strcmp(child, "ports"))
			push(inotify, HF_HINT_ATTRIBUTES, place->root, place->device);
		break;
	default:
		push(inotify, HF_HINT_ATTRIBUTES, place->root, place->device);
		break;
	}
}

/* The path of a wanted place may lead to another directory now. */
static void look_again(struct hf_inotify *inotify, struct hf_place *place)
{
	if (hfi_place_arm(&inotify->places, place))
		push_child_hint(inotify, place, NULL);
}

/* The directory itself has gone, or is another place now. */
static void left(struct hf_inotify *inotify, struct hf_place *place)
{
	if (place->kind == HF_PLACE_STEP) {
		hfi_place_unwatch(&inotify->places, place);
		look_again(inotify, place->key.parent);
		return;
	}
	push_child_hint(inotify, place, NULL);
	if (hfi_place_wanted(place)) {
		hfi_place_clear(&inotify->places, place);
		hfi_place_unwatch(&inotify->places, place);
		(void)hfi_place_arm(&inotify->places, place);
	} else {
		hfi_place_remove(&inotify->places, place);
	}
}

static void child_event(struct hf_inotify *inotify, struct hf_place *place, uint32_t mask,
			const char *name)
{
	struct hf_places *places = &inotify->places;

	if (place->awaited) {
		if (!strcmp(place->awaited, name))
			look_again(inotify, place);
		return;
	}
	if (place->kind == HF_PLACE_STEP)
		return;
	if (mask & (IN_DELETE | IN_MOVED_FROM))
		hfi_place_child_went(places, place, name);
	else if (mask & (IN_CREATE | IN_MOVED_TO))
		hfi_place_child_came(places, place, name);
	push_child_hint(inotify, place, name);
}

/* Is a place that was seen there still on that directory? It may be freed by now. */
static bool is_watched(struct hf_inotify *inotify, int wd, const struct hf_place *place)
{
	struct hf_watched *watched = hfi_places_find(&inotify->places, wd);
	const struct hf_place *p;

	for (p = watched ? watched->places : NULL; p; p = p->next_here)
		if (p == place)
			return true;
	return false;
}

/* What came and went unheard is found by building everything below the wanted places anew. */
static void overflow(struct hf_inotify *inotify)
{
	struct hf_place *place;

	DL_FOREACH (inotify->places.wanted, place) {
		hfi_place_clear(&inotify->places, place);
		hfi_place_unwatch(&inotify->places, place);
		(void)hfi_place_arm(&inotify->places, place);
	}
	push(inotify, HF_HINT_LOST, HF_ROOT_KERNEL, NULL);
}

/*
 * Every place on a directory hears of an event. Handling it may move places elsewhere or end them,
 * in a tree with symbolic links even others than the one that heard.
 */
static void handle_inotify_event(struct hf_inotify *inotify, const struct inotify_event *e)
{
	bool whole = e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT);
	struct hf_watched *watched = hfi_places_find(&inotify->places, e->wd);
	struct hf_place *heard[16];
	size_t count = 0;
	struct hf_place *place;

	for (place = watched ? watched->places : NULL; place; place = place->next_here) {
		/* A step hears of itself only: others may write to the directories on the way. */
		if (place->kind == HF_PLACE_STEP && !whole && e->len)
			continue;
		if (count == HF_ARRAY_SIZE(heard)) {
			overflow(inotify);
			return;
		}
		heard[count++] = place;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_watched(inotify, e->wd, heard[i]))
			continue;
		if (whole || (!e->len && heard[i]->kind == HF_PLACE_STEP))
			left(inotify, heard[i]);
		else if (e->len > 0)
			child_event(inotify, heard[i], e->mask, e->name);
	}
}

void hfi_inotify_mounts_changed(struct hf_inotify *inotify)
{
	struct hf_place *place;

	DL_FOREACH (inotify->places.wanted, place)
		look_again(inotify, place);
}

void hfi_inotify_drain(struct hf_inotify *inotify)
{
	for (int i = 0; i < HF_DRAIN_MAX / 16; i++) {
		ssize_t length = read(inotify->places.fd, inotify->buffer, BUFFER_SIZE);
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
	inotify->places.fd = -1;
	hfi_inotify_close(inotify);
}

void hfi_inotify_close(struct hf_inotify *inotify)
{
	hfi_places_free(&inotify->places);
	hfi_close(&inotify->places.fd);
	free(inotify);
}
