/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast list: shows the devices. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/text.h"
#include "tools/common.h"
#include "shared/json.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/port-reason.h"

enum { OPT_NAMES = HF_OPT_OWN };

enum { NAME, STATE, INSTANCE, TRANSPORT, PROVIDER, FILE_NAME, NODE, GUID, PORTS, NUM_COLUMNS };

static const struct hf_column wide_columns[NUM_COLUMNS] = {
	[NAME] = {"NAME", SCOLS_FL_TRUNC},
	[STATE] = {"STATE", 0},
	[INSTANCE] = {"INSTANCE", SCOLS_FL_RIGHT},
	[TRANSPORT] = {"TRANSPORT", 0},
	[PROVIDER] = {"PROVIDER", 0},
	[FILE_NAME] = {"FILE", SCOLS_FL_TRUNC},
	[NODE] = {"NODE", SCOLS_FL_TRUNC},
	[GUID] = {"GUID", 0},
	[PORTS] = {"PORTS", SCOLS_FL_WRAP},
};

/* For ordinary terminals: two values in each cell, one below the other. */
enum { TALL_NAME, TALL_STATE, TALL_PROVIDER, TALL_NODE, TALL_PORTS, NUM_TALL_COLUMNS };

static const struct hf_column tall_columns[NUM_TALL_COLUMNS] = {
	[TALL_NAME] = {"NAME/INSTANCE", SCOLS_FL_WRAP},
	[TALL_STATE] = {"STATE/TRANSPORT", SCOLS_FL_WRAP},
	[TALL_PROVIDER] = {"PROVIDER/FILE", SCOLS_FL_WRAP},
	[TALL_NODE] = {"NODE/GUID", SCOLS_FL_WRAP},
	[TALL_PORTS] = {"PORTS", SCOLS_FL_WRAP},
};

/* The width from which a terminal gets the wide table. */
enum { WIDE = 160 };

static bool is_wide(void)
{
	size_t width = hfi_terminal_width();

	return !width || width >= WIDE;
}

/* The ports, one on a line: "1 active eth0". */
static char *ports_text(struct ibv_device *device, const struct hf_device_info *info, bool wide)
{
	char *text = hfi_tool_print("%s", "");

	for (uint32_t number = 1; number <= info->num_ports; number++) {
		struct hf_port_info port = {.size = sizeof(port)};
		int err = hf_device_get_port(device, number, &port);
		char *longer;

		if (err == -ENOENT) /* the numbers have a gap */
			continue;
		longer = hfi_tool_print("%s%s%" PRIu32 " %s%s%s", text, *text ? "\n" : "", number,
					err < 0 ? strerror(-err) : hfi_port_state_name(port.state),
					!*port.netdev ? ""
					: wide	      ? " "
						      : "\n  ",
					port.netdev);

		free(text);
		text = longer;
	}
	return text;
}

/* Fills a cell with two lines. */
static void add_pair(struct libscols_line *line, size_t column, const char *above,
		     const char *below, const char *color)
{
	char *text = hfi_tool_print("%s\n%s", above, below);

	hfi_table_cell(line, column, text, color);
	free(text);
}

static void add_line(struct libscols_table *table, struct ibv_device *device,
		     const struct hf_device_info *info)
{
	struct libscols_line *line = hfi_table_line(table);
	const char *color = info->state == HF_DEVICE_READY ? "green" : "red";
	const char *transport = hfi_transport_name(device, info);
	char guid[HF_GUID_TEXT], label[HF_LABEL_TEXT], instance[24];
	char *ports = ports_text(device, info, is_wide());

	hfi_device_label(info, label);
	hfi_format_guid(info->node_guid, guid);
	snprintf(instance, sizeof(instance), "#%" PRIu64, info->generation);
	if (is_wide()) {
		hfi_table_cell(line, NAME, label, "bold");
		hfi_table_cell(line, STATE, hfi_state_name(info->state), color);
		hfi_table_cell(line, INSTANCE, instance, NULL);
		hfi_table_cell(line, TRANSPORT, transport, NULL);
		hfi_table_cell(line, PROVIDER, info->provider, NULL);
		hfi_table_cell(line, FILE_NAME, info->provider_file, NULL);
		hfi_table_cell(line, NODE, info->node, NULL);
		hfi_table_cell(line, GUID, guid, NULL);
		hfi_table_cell(line, PORTS, ports, NULL);
	} else {
		add_pair(line, TALL_NAME, label, instance, "bold");
		add_pair(line, TALL_STATE, hfi_state_name(info->state), transport, color);
		add_pair(line, TALL_PROVIDER, info->provider,
			 hfi_last_component(info->provider_file), NULL);
		add_pair(line, TALL_NODE, hfi_last_component(info->node), guid, NULL);
		hfi_table_cell(line, TALL_PORTS, ports, NULL);
	}
	free(ports);
}

static void json_ports(struct hf_json *json, struct ibv_device *device,
		       const struct hf_device_info *info)
{
	hfi_json_array(json, "ports");
	for (uint32_t number = 1; number <= info->num_ports; number++) {
		struct hf_port_info port = {.size = sizeof(port)};
		int err = hf_device_get_port(device, number, &port);

		if (err == -ENOENT)
			continue;
		hfi_json_object(json, NULL);
		hfi_json_uint(json, "port", number);
		if (err < 0) {
			hfi_json_string(json, "error", strerror(-err));
		} else {
			hfi_json_string(json, "state", hfi_port_state_name(port.state));
			hfi_json_string(json, "link_layer", hfi_link_layer_name(port.link_layer));
			hfi_json_optional(json, "netdev", port.netdev);
			hfi_json_why_down(json, device, info, &port);
		}
		hfi_json_close(json);
	}
	hfi_json_close(json);
}

static void print_listed_json(struct hf_json *json, struct ibv_device *device,
			      const struct hf_device_info *info)
{
	char guid[HF_GUID_TEXT];

	hfi_format_guid(info->node_guid, guid);
	hfi_json_object(json, NULL);
	hfi_json_optional(json, "name", info->name);
	hfi_json_string(json, "uverbs", info->uverbs);
	hfi_json_string(json, "state", hfi_state_name(info->state));
	hfi_json_uint(json, "generation", info->generation);
	hfi_json_string(json, "transport", hfi_transport_name(device, info));
	hfi_json_optional(json, "provider", info->provider);
	hfi_json_optional(json, "provider_file", info->provider_file);
	hfi_json_optional(json, "node", info->node);
	hfi_json_string(json, "node_guid", guid);
	json_ports(json, device, info);
	hfi_json_reason(json, "reason", &info->reason);
	hfi_json_close(json);
}

static void print_reasons(const struct hf_tool *tool, const struct hf_device_info *infos,
			  size_t count)
{
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		char text[HF_REASON_TEXT], label[HF_LABEL_TEXT], *line;

		hfi_format_reason(&infos[i].reason, text);
		if (!*text)
			continue;
		if (first)
			printf("\n%sWhy a device cannot be used:%s\n", hfi_color(tool, "bold"),
			       hfi_color(tool, "reset"));
		first = false;
		hfi_device_label(&infos[i], label);
		line = hfi_tool_print("%s: %s", label, text);
		fputs("  ", stdout);
		hfi_put_wrapped(2, 4, line);
		free(line);
	}
}

/* Prints the ports of soft devices that are down, as far as the cause is known. */
static bool print_down_ports(const struct hf_tool *tool, struct ibv_device *device,
			     const struct hf_device_info *info, bool first)
{
	for (uint32_t number = 1; number <= info->num_ports; number++) {
		struct hf_port_info port = {.size = sizeof(port)};
		struct hf_port_reason reason;
		char *line;

		if (hf_device_get_port(device, number, &port) ||
		    !hfi_port_reason(device, info, &port, &reason))
			continue;
		if (first)
			printf("\n%sWhy a port is down:%s\n", hfi_color(tool, "bold"),
			       hfi_color(tool, "reset"));
		first = false;
		line = hfi_tool_print("%s, port %" PRIu32 ": %s.", info->name, number,
				      reason.problem);
		fputs("  ", stdout);
		hfi_put_wrapped(2, 4, line);
		free(line);
		hfi_port_reason_free(&reason);
	}
	return first;
}

static void print_list(const struct hf_tool *tool, struct ibv_device **list, size_t count)
{
	struct hf_device_info *infos = hfi_tool_alloc(NULL, count, sizeof(*infos));
	struct libscols_table *table = NULL;
	struct hf_json json;
	size_t filled = 0;
	bool first = true;

	hfi_json_begin(&json, stdout, false);
	if (tool->json) {
		hfi_json_object(&json, NULL);
		hfi_json_array(&json, "devices");
	} else if (!tool->names_only) {
		table = is_wide() ? hfi_table_new(tool, wide_columns, NUM_COLUMNS)
				  : hfi_table_new(tool, tall_columns, NUM_TALL_COLUMNS);
	}
	for (size_t i = 0; i < count; i++) {
		struct hf_device_info *info = &infos[filled];

		if (hfi_tool_info(list[i], info) < 0)
			continue;
		filled++;
		if (tool->json) {
			print_listed_json(&json, list[i], info);
		} else if (table) {
			add_line(table, list[i], info);
		} else if (*info->name) {
			hfi_put_safe(stdout, info->name);
			putchar('\n');
		}
	}
	if (tool->json) {
		hfi_json_close(&json);
		hfi_json_close(&json);
	} else if (table) {
		hfi_table_finish(table);
		print_reasons(tool, infos, filled);
		for (size_t i = 0; i < count && filled == count; i++)
			first = print_down_ports(tool, list[i], &infos[i], first);
		if (!filled)
			puts("There is no RDMA device; \"holdfast doctor\" may know why.");
	}
	free(infos);
}

static int run_list(struct hf_tool *tool, char **args)
{
	struct ibv_device **list;
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	int count;

	(void)args;
	if (!hf)
		return HF_EXIT_FAILED;
	count = hfi_tool_devices(hf, &list);
	if (count >= 0) {
		print_list(tool, list, (size_t)count);
		hf_device_list_free(list);
	}
	hf_unref(hf);
	return count < 0 ? HF_EXIT_FAILED : HF_EXIT_OK;
}

static int set_list_option(struct hf_tool *tool, int option, const char *value)
{
	(void)option;
	(void)value;
	tool->names_only = true;
	return 0;
}

static const struct option options[] = {
	{"names", no_argument, NULL, OPT_NAMES},
	{0},
};

const struct hf_command hf_command_list = {
	.name = "list",
	.args = "",
	.summary = "show the devices, and why one cannot be used",
	.about = "Shows every device that exists now. For a device that cannot be used, the reason "
		 "follows. INSTANCE is the generation: a number for one life of a device within "
		 "this process. PORTS shows number, link state and network interface. A terminal "
		 "of less than 160 columns shows only the last part of each path.",
	.options_help = "      --names             show only the names, one on a line\n",
	.options = options,
	.set = set_list_option,
	.run = run_list,
};
