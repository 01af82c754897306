/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast monitor: prints an event as a line of text or JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/json.h"
#include "tools/monitor.h"
#include "tools/names.h"
#include "tools/output.h"

static const struct {
	uint32_t bit;
	const char *name;
} change_names[] = {
	{HF_CHANGED_NAME, "name"},
	{HF_CHANGED_GID, "gid"},
	{HF_CHANGED_PORT, "port"},
	{HF_CHANGED_NETDEV, "netdev"},
};

/* Width of the event's type and the space after it. */
enum { NAME_COLUMN = 9 };

enum { NUM_CHANGES = sizeof(change_names) / sizeof(change_names[0]) };

void hfi_event_changes_text(uint32_t changes, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < NUM_CHANGES && at < size; i++)
		if (changes & change_names[i].bit)
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "," : "",
					       change_names[i].name);
}

static struct hf_past_name *past_find(struct hf_past_names *past, uint64_t generation)
{
	for (size_t i = 0; i < past->count; i++)
		if (past->v[i].generation == generation)
			return &past->v[i];
	return NULL;
}

/* Stores the device's name at the event. `old` gets its previous name; empty if it is the same. */
static void past_update(struct hf_past_names *past, struct hf_event *event, char old[64])
{
	uint64_t generation = hf_event_generation(event);
	struct hf_past_name *entry = past_find(past, generation);

	old[0] = '\0';
	if (!hf_event_device(event))
		return;
	if (!entry) {
		if (past->count == past->size) {
			past->size = past->size ? past->size * 2 : 16;
			past->v = hfi_tool_alloc(past->v, past->size, sizeof(*past->v));
		}
		entry = &past->v[past->count++];
		entry->generation = generation;
	} else if (strcmp(entry->name, hf_event_name(event)) != 0) {
		memcpy(old, entry->name, sizeof(entry->name));
	}
	snprintf(entry->name, sizeof(entry->name), "%s", hf_event_name(event));
	if (hf_event_type(event) == HF_EVENT_REMOVED)
		*entry = past->v[--past->count];
}

static void put_event_port(struct ibv_device *device, uint32_t number, uint32_t num_ports)
{
	struct hf_port_info port = {.size = sizeof(port)};

	/* The device may have been removed since the event. */
	if (hf_device_get_port(device, number, &port) < 0)
		return;
	fputs("  port", stdout);
	if (num_ports > 1)
		printf(" %" PRIu32, number);
	printf(" %s", hfi_port_state_name(port.state));
	if (*port.netdev) {
		fputs(" netdev ", stdout);
		hfi_put_safe(stdout, port.netdev);
	}
	printf(" gids %" PRIu32, port.num_gids);
}

static void put_facts(struct hf_event *event)
{
	struct hf_device_info info;
	struct ibv_device *device = hf_event_device(event);
	enum hf_event_type type = hf_event_type(event);
	const uint32_t of_ports = HF_CHANGED_GID | HF_CHANGED_PORT | HF_CHANGED_NETDEV;

	if (hfi_tool_info(device, &info) < 0)
		return;
	if (type == HF_EVENT_ADDED) {
		char guid[HF_GUID_TEXT];

		hfi_format_guid(info.node_guid, guid);
		fputs("  ", stdout);
		hfi_put_safe(stdout, info.node);
		printf("  guid %s", guid);
	}
	if (type == HF_EVENT_ADDED || (hf_event_changes(event) & of_ports))
		for (uint32_t number = 1; number <= info.num_ports; number++)
			put_event_port(device, number, info.num_ports);
}

static void print_line(const struct hf_tool *tool, struct hf_event *event,
		       const struct timespec *now, const char *old_name)
{
	static const char *const colors[] = {
		[HF_EVENT_ADDED] = "green", [HF_EVENT_SYNCED] = "bold",	  [HF_EVENT_CHANGED] = NULL,
		[HF_EVENT_REMOVED] = "red", [HF_EVENT_RESYNC] = "yellow",
	};
	enum hf_event_type type = hf_event_type(event);
	char clock[16], changes[64];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now->tv_sec, &tm));
	printf("%s.%06ld  %s%s%s", clock, now->tv_nsec / 1000,
	       hfi_color(tool, type <= HF_EVENT_RESYNC ? colors[type] : NULL),
	       hf_event_type_name(type), hfi_color(tool, "reset"));
	if (hf_event_device(event)) {
		printf("%*s", NAME_COLUMN - (int)strlen(hf_event_type_name(type)), "");
		hfi_put_safe(stdout, hf_event_name(event));
		printf(" #%" PRIu64, hf_event_generation(event));
		hfi_event_changes_text(hf_event_changes(event), changes, sizeof(changes));
		if (*changes)
			printf("  %s", changes);
		if (*old_name) {
			fputs("  was ", stdout);
			hfi_put_safe(stdout, old_name);
		}
		put_facts(event);
	}
	putchar('\n');
}

static void print_event_port_json(struct hf_json *json, struct ibv_device *device, uint32_t number)
{
	struct hf_port_info port = {.size = sizeof(port)};

	if (hf_device_get_port(device, number, &port) < 0)
		return;
	hfi_json_object(json, NULL);
	hfi_json_uint(json, "port", number);
	hfi_json_string(json, "state", hfi_port_state_name(port.state));
	hfi_json_optional(json, "netdev", port.netdev);
	hfi_json_uint(json, "num_gids", port.num_gids);
	hfi_json_close(json);
}

static void print_event_device_json(struct hf_json *json, struct hf_event *event)
{
	struct hf_device_info info;
	struct ibv_device *device = hf_event_device(event);
	char guid[HF_GUID_TEXT];

	if (hf_event_type(event) == HF_EVENT_REMOVED || hfi_tool_info(device, &info) < 0)
		return;
	hfi_format_guid(info.node_guid, guid);
	hfi_json_optional(json, "node", info.node);
	hfi_json_string(json, "node_guid", guid);
	hfi_json_optional(json, "provider", info.provider);
	hfi_json_array(json, "ports");
	for (uint32_t number = 1; number <= info.num_ports; number++)
		print_event_port_json(json, device, number);
	hfi_json_close(json);
}

static void json_line(struct hf_event *event, const struct timespec *now, const char *old_name)
{
	struct hf_json json;
	char date[32], stamp[64];
	struct tm tm;

	hfi_json_begin(&json, stdout, true);
	hfi_json_object(&json, NULL);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now->tv_sec, &tm));
	snprintf(stamp, sizeof(stamp), "%s.%06ldZ", date, now->tv_nsec / 1000);
	hfi_json_string(&json, "time", stamp);
	hfi_json_uint(&json, "sequence", hf_event_sequence(event));
	hfi_json_string(&json, "event", hf_event_type_name(hf_event_type(event)));
	if (hf_event_device(event)) {
		hfi_json_string(&json, "name", hf_event_name(event));
		hfi_json_uint(&json, "generation", hf_event_generation(event));
		if (hf_event_type(event) == HF_EVENT_CHANGED) {
			hfi_json_array(&json, "changes");
			for (size_t i = 0; i < NUM_CHANGES; i++)
				if (hf_event_changes(event) & change_names[i].bit)
					hfi_json_string(&json, NULL, change_names[i].name);
			hfi_json_close(&json);
		}
		if (*old_name)
			hfi_json_string(&json, "old_name", old_name);
		print_event_device_json(&json, event);
	}
	hfi_json_close(&json);
}

void hfi_event_print(const struct hf_tool *tool, struct hf_past_names *past, struct hf_event *event)
{
	struct timespec now;
	char old_name[64];

	clock_gettime(CLOCK_REALTIME, &now); /* wall clock: what is printed */
	past_update(past, event, old_name);
	if (tool->json)
		json_line(event, &now, old_name);
	else
		print_line(tool, event, &now, old_name);
}
