/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Compares the events of streams and the lists with the model. */
#include <poll.h>
#include <string.h>

#include "t/tree/churn.h"

/* An instance that a stream has reported. */
struct seen {
	struct instance *instance;
	struct ibv_device *device; /* a reference */
	char name[NAME_SIZE];
	UT_hash_handle hh;
};

void view_init(struct view *view, struct model *model, struct hf *hf)
{
	int err;

	memset(view, 0, sizeof(*view));
	view->model = model;
	err = hf_stream_new(hf, NULL, &view->stream);
	churn_check(!err, "no stream: %s", strerror(-err));
}

void view_destroy(struct view *view)
{
	struct seen *seen, *next;

	HASH_ITER (hh, view->seen, seen, next) {
		HASH_DEL(view->seen, seen);
		hf_device_unref(seen->device);
		free(seen);
	}
	hf_stream_unref(view->stream);
}

static void added(struct view *view, struct instance *instance, struct ibv_device *device,
		  const char *name)
{
	struct seen *seen;

	HASH_FIND_PTR(view->seen, &instance, seen);
	churn_check(!seen, "%s was added twice", name);
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		abort();
	seen->instance = instance;
	seen->device = hf_device_ref(device);
	snprintf(seen->name, sizeof(seen->name), "%s", name);
	HASH_ADD_PTR(view->seen, instance, seen);
	view->added++;
}

static void view_removed(struct view *view, struct seen *seen, struct ibv_device *device)
{
	struct instance *instance = seen->instance;

	churn_check(seen->device == device, "%s: two handles for one life", seen->name);
	churn_check(!instance->live, "%s was told as removed, but it is there", seen->name);
	churn_check(hf_device_is_gone(device), "%s is removed, but not gone", seen->name);
	HASH_DEL(view->seen, seen);
	hf_device_unref(seen->device);
	free(seen);
	view->removed++;
}

static void view_take(struct view *view, struct hf_event *event)
{
	enum hf_event_type type = hf_event_type(event);
	uint32_t changes = hf_event_changes(event);
	const char *name = hf_event_name(event);
	struct ibv_device *device = hf_event_device(event);
	struct instance *instance;
	struct seen *seen;

	churn_check(hf_event_sequence(event) == ++view->sequence, "a gap: %llu at %llu",
		    (unsigned long long)hf_event_sequence(event),
		    (unsigned long long)view->sequence);
	if (type == HF_EVENT_SYNCED) {
		churn_check(!view->synced || view->resyncing, "SYNCED without need");
		churn_check(!device && !*name, "SYNCED is about %s", name);
		view->synced = true;
		view->resyncing = false;
		return;
	}
	if (type == HF_EVENT_RESYNC) {
		churn_check(view->synced && !device && !*name, "RESYNC is about %s", name);
		view->resyncing = true;
		view->resyncs++;
		return;
	}
	churn_check(device, "%s has no device", hf_event_type_name(type));
	instance = model_identify(view->model, device, hf_event_generation(event), name);
	if (type == HF_EVENT_ADDED) {
		churn_check(!changes, "changes %#x", changes);
		added(view, instance, device, name);
		return;
	}
	HASH_FIND_PTR(view->seen, &instance, seen);
	churn_check(seen, "%s: %s was not told before, or removed", hf_event_type_name(type), name);
	churn_check(view->synced, "%s before SYNCED", hf_event_type_name(type));
	if (type == HF_EVENT_REMOVED) {
		view_removed(view, seen, device);
		return;
	}
	churn_check(type == HF_EVENT_CHANGED, "type %d", type);
	/* This plan changes nothing but names. */
	churn_check(changes == HF_CHANGED_NAME, "changes %#x of %s", changes, name);
	/*
	 * Renamed and renamed back before the event was taken: one change, with the reported name.
	 */
	if (strcmp(seen->name, name) == 0) {
		churn_check(instance->had_names & (instance->had_names - 1),
			    "%s was never called anything else", name);
		view->back++;
	}
	snprintf(seen->name, sizeof(seen->name), "%s", name);
	view->changed++;
}

void view_drain(struct view *view)
{
	struct hf_event *event;
	int ret;

	while ((ret = hf_stream_next(view->stream, &event)) > 0) {
		pthread_mutex_lock(&view->model->lock);
		view_take(view, event);
		pthread_mutex_unlock(&view->model->lock);
		hf_event_unref(event);
	}
	churn_check(!ret, "the stream fails: %s", strerror(-ret));
}

static void explain(const struct view *view)
{
	const struct model *model = view->model;
	struct seen *seen, *next;
	char name[NAME_SIZE];

	for (int i = 0; i < SLOTS; i++) {
		const struct instance *instance = model->slot[i];

		if (!instance)
			continue;
		HASH_FIND_PTR(view->seen, &instance, seen);
		if (seen)
			continue;
		model_name(instance->name, name);
		fprintf(stderr, "not told: %s in uverbs%d, generation %llu\n", name, i,
			(unsigned long long)instance->generation);
	}
	HASH_ITER (hh, view->seen, seen, next) {
		if (!seen->instance->live)
			fprintf(stderr, "not told to be gone: %s in uverbs%u, generation %llu\n",
				seen->name, seen->instance->slot,
				(unsigned long long)seen->instance->generation);
	}
}

void view_compare(struct view *view)
{
	struct model *model = view->model;
	struct pollfd pollfd = {.fd = hf_stream_fd(view->stream), .events = POLLIN};
	struct seen *seen, *next;
	char name[NAME_SIZE];

	view_drain(view);
	churn_check(view->synced && !view->resyncing, "nothing more to come, and not SYNCED");
	/* It may be readable without an event, but not for ever. */
	for (int i = 0; i < 3 && poll(&pollfd, 1, 0); i++)
		view_drain(view);
	churn_check(poll(&pollfd, 1, 0) == 0, "readable, but there is nothing to give");
	pthread_mutex_lock(&model->lock);
	if (HASH_COUNT(view->seen) != model->live)
		explain(view);
	churn_check(HASH_COUNT(view->seen) == model->live, "%u told, %u are there",
		    HASH_COUNT(view->seen), model->live);
	HASH_ITER (hh, view->seen, seen, next) {
		churn_check(seen->instance->live, "%s is gone, and not told", seen->name);
		churn_check(!hf_device_is_gone(seen->device), "%s is not gone", seen->name);
		model_name(seen->instance->name, name);
		churn_check(strcmp(seen->name, name) == 0, "%s is called %s now", seen->name, name);
	}
	pthread_mutex_unlock(&model->lock);
	view->checks++;
}

static int list_get(struct hf *hf, struct ibv_device ***list)
{
	int count = hf_device_list(hf, 0, list);

	churn_check(count >= 0, "no list: %s", strerror(-count));
	churn_check(!(*list)[count], "no NULL after the %d devices of a list", count);
	return count;
}

void list_compare(struct model *model, struct hf *hf)
{
	struct ibv_device **list;
	int count = list_get(hf, &list);
	unsigned int counted = 0;
	char name[NAME_SIZE], wanted[NAME_SIZE];

	pthread_mutex_lock(&model->lock);
	for (int i = 0; i < count; i++) {
		struct instance *instance;
		struct ibv_device *found;

		churn_check(hf_device_name(list[i], name, sizeof(name)) > 0, "no name");
		instance = model_identify(model, list[i], hf_device_generation(list[i]), name);
		churn_check(instance->live, "%s is listed and gone", name);
		churn_check(!hf_device_is_gone(list[i]), "%s is called gone", name);
		model_name(instance->name, wanted);
		churn_check(strcmp(name, wanted) == 0, "%s is called %s now", name, wanted);
		for (int k = 0; k < i; k++)
			churn_check(list[k] != list[i], "%s is listed twice", name);
		counted++;
		if (i)
			continue;
		churn_check(hf_device_by_name(hf, name, &found) == 0, "%s is not found", name);
		churn_check(found == list[i], "%s has two handles", name);
		hf_device_unref(found);
	}
	churn_check(counted == model->live, "%u listed, %u are there", counted, model->live);
	pthread_mutex_unlock(&model->lock);
	hf_device_list_free(list);
}

void list_any_time(struct model *model, struct hf *hf)
{
	struct ibv_device **list;
	int count = list_get(hf, &list);
	char name[NAME_SIZE];

	pthread_mutex_lock(&model->lock);
	for (int i = 0; i < count; i++) {
		churn_check(hf_device_name(list[i], name, sizeof(name)) > 0, "no name");
		model_identify(model, list[i], hf_device_generation(list[i]), name);
	}
	pthread_mutex_unlock(&model->lock);
	hf_device_list_free(list);
}
