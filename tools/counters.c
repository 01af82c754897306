/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads and shows the hardware counters of a device's ports. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/text.h"
#include "tools/counters.h"
#include "tools/output.h"

struct port_counter {
	char *name;
	uint64_t value;
};

struct port_counters {
	struct port_counter *v;
	size_t count;
};

/* More than any driver has. */
enum { COUNTERS_MAX = 1024, NAME_MAX_LENGTH = 63 };

static void add_port_counter(struct port_counters *counters, struct ibv_device *device,
			     uint32_t port, const char *name)
{
	char path[128], text[32];
	uint64_t value;

	if (!hfi_is_name(name, NAME_MAX_LENGTH) || counters->count == COUNTERS_MAX ||
	    hfi_print(path, sizeof(path), "ports/%" PRIu32 "/hw_counters/%s", port, name) ||
	    hf_device_read_attr(device, path, text, sizeof(text)) < 0 ||
	    hfi_parse_number(text, 10, UINT64_MAX, &value))
		return;
	/* How often the kernel reads them, which is no counter. */
	if (!strcmp(name, "lifespan"))
		return;
	counters->v = hfi_tool_alloc(counters->v, counters->count + 1, sizeof(*counters->v));
	counters->v[counters->count++] =
		(struct port_counter){.name = hfi_tool_print("%s", name), .value = value};
}

static int compare_counters(const void *a, const void *b)
{
	const struct port_counter *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void read_port_counters(struct port_counters *counters, struct ibv_device *device,
			       const struct hf_device_info *info, uint32_t port)
{
	char *path = hfi_tool_print("%s/class/infiniband/%s/ports/%" PRIu32 "/hw_counters",
				    info->root, info->name, port);
	DIR *dir = hfi_is_component(info->name, sizeof(info->name)) ? opendir(path) : NULL;
	struct dirent *entry;

	memset(counters, 0, sizeof(*counters));
	free(path);
	while (dir && (entry = readdir(dir)))
		add_port_counter(counters, device, port, entry->d_name);
	if (dir)
		closedir(dir);
	if (counters->count)
		qsort(counters->v, counters->count, sizeof(*counters->v), compare_counters);
}

static void free_port_counters(struct port_counters *counters)
{
	for (size_t i = 0; i < counters->count; i++)
		free(counters->v[i].name);
	free(counters->v);
}

void hfi_counters_show(const struct hf_tool *tool, struct ibv_device *device,
		       const struct hf_device_info *info)
{
	static const struct hf_column columns[] = {
		{"PORT", SCOLS_FL_RIGHT}, {"COUNTER", 0}, {"VALUE", SCOLS_FL_RIGHT}};
	struct libscols_table *table =
		hfi_table_new(tool, columns, sizeof(columns) / sizeof(columns[0]));

	for (uint32_t port = 1; port <= info->num_ports; port++) {
		struct port_counters counters;

		read_port_counters(&counters, device, info, port);
		for (size_t i = 0; i < counters.count; i++) {
			struct libscols_line *line = hfi_table_line(table);
			char text[24];

			snprintf(text, sizeof(text), "%" PRIu32, port);
			hfi_table_cell(line, 0, text, NULL);
			hfi_table_cell(line, 1, counters.v[i].name, NULL);
			snprintf(text, sizeof(text), "%" PRIu64, counters.v[i].value);
			hfi_table_cell(line, 2, text, NULL);
		}
		free_port_counters(&counters);
	}
	if (!scols_table_is_empty(table))
		putchar('\n');
	hfi_table_finish(table);
}

void hfi_counters_json(struct hf_json *json, struct ibv_device *device,
		       const struct hf_device_info *info, uint32_t port)
{
	struct port_counters counters;

	read_port_counters(&counters, device, info, port);
	hfi_json_array(json, "counters");
	for (size_t i = 0; i < counters.count; i++) {
		hfi_json_object(json, NULL);
		hfi_json_string(json, "name", counters.v[i].name);
		hfi_json_uint(json, "value", counters.v[i].value);
		hfi_json_close(json);
	}
	hfi_json_close(json);
	free_port_counters(&counters);
}
