/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One event of a stream: made, freed, and what a program may ask it. */
#include <stdlib.h>

#include "shared/attr.h"
#include "shared/text.h"
#include "core/stream/event.h"

struct hf_event *hfi_event_new(enum hf_event_type type, struct hf_device *device, uint32_t changes)
{
	struct hf_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->type = type;
	event->changes = changes;
	if (device) {
		hfi_device_hold(device);
		event->device = device;
		event->generation = device->generation;
		(void)hfi_copy(event->name, sizeof(event->name), device->name);
	}
	return event;
}

void hfi_events_free(struct hf_event *first)
{
	while (first) {
		struct hf_event *next = first->next;

		hf_event_unref(first);
		first = next;
	}
}

HF_EXPORT enum hf_event_type hf_event_type(const struct hf_event *event)
{
	return event->type;
}

HF_EXPORT uint32_t hf_event_changes(const struct hf_event *event)
{
	return event->changes;
}

HF_EXPORT struct ibv_device *hf_event_device(const struct hf_event *event)
{
	return event->device ? &event->device->handle->device : NULL;
}

HF_EXPORT const char *hf_event_name(const struct hf_event *event)
{
	return event->name;
}

HF_EXPORT uint64_t hf_event_generation(const struct hf_event *event)
{
	return event->generation;
}

HF_EXPORT uint64_t hf_event_sequence(const struct hf_event *event)
{
	return event->sequence;
}

HF_EXPORT const char *hf_event_type_name(enum hf_event_type type)
{
	static const char *const names[] = {
		[HF_EVENT_ADDED] = "added",	[HF_EVENT_SYNCED] = "synced",
		[HF_EVENT_CHANGED] = "changed", [HF_EVENT_REMOVED] = "removed",
		[HF_EVENT_RESYNC] = "resync",
	};

	if ((size_t)type >= HF_ARRAY_SIZE(names) || !names[type])
		return "unknown";
	return names[type];
}

HF_EXPORT struct hf_event *hf_event_unref(struct hf_event *event)
{
	if (event && event->device)
		hfi_device_drop(event->device);
	free(event);
	return NULL;
}
