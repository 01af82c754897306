/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast info: shows everything about one device. A new attribute goes into `attrs`. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "shared/json.h"
#include "tools/common.h"
#include "tools/counters.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/port-reason.h"

enum { ATTR_SIZE = 256, KEY_WIDTH = 17 };

/* Attributes of the device's sysfs directory. A device without one has no line for it. */
static const struct {
	const char *path;
	const char *title;
	const char *key;
} attrs[] = {
	{"fw_ver", "firmware", "firmware"},
	{"hca_type", "hardware type", "hca_type"},
	{"hw_rev", "hardware revision", "hw_rev"},
	{"board_id", "board", "board_id"},
	{"node_desc", "description", "node_desc"},
	{"sys_image_guid", "system image GUID", "sys_image_guid"},
};

enum { NUM_ATTRS = sizeof(attrs) / sizeof(attrs[0]) };

/* Prints a line "key  value"; nothing if the value is empty. */
static void put_field(const char *key, const char *value)
{
	if (!*value)
		return;
	printf("%-*s  ", KEY_WIDTH, key);
	hfi_put_wrapped(KEY_WIDTH + 2, KEY_WIDTH + 2, value);
}

__attribute__((format(printf, 2, 3))) static void putf(const char *key, const char *format, ...)
{
	char *value = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&value, format, args);
	va_end(args);
	if (length < 0)
		return;
	put_field(key, value);
	free(value);
}

static void put_reason(const struct hf_reason *reason)
{
	char text[HF_REASON_TEXT];

	hfi_format_reason(reason, text);
	if (!*text)
		return;
	put_field("why", text);
	put_field("wanted", reason->wanted);
	put_field("found", reason->found);
	if (reason->error)
		putf("opening answers", "%s", strerror(reason->error));
}

static void show_device(const struct hf_tool *tool, struct ibv_device *device,
			const struct hf_device_info *info)
{
	char guid[HF_GUID_TEXT], value[ATTR_SIZE];

	fputs(hfi_color(tool, "bold"), stdout);
	put_field("name", info->name);
	fputs(hfi_color(tool, "reset"), stdout);
	put_field("state", hfi_state_name(info->state));
	put_reason(&info->reason);
	putf("instance", "%" PRIu64, info->generation);
	put_field("transport", hfi_transport_name(device, info));
	put_field("node type", hfi_node_type_name(info->node_type));
	hfi_format_guid(info->node_guid, guid);
	put_field("node GUID", guid);
	put_field("provider", *info->provider ? info->provider : "none");
	put_field("provider file", info->provider_file);
	if (info->driver_id)
		putf("kernel driver", "%s (id %" PRIu32 ")", hfi_driver_name(info->driver_id),
		     info->driver_id);
	putf("kernel ABI", "%" PRIu32, info->kernel_abi);
	put_field("node", info->node);
	if (info->node_number)
		putf("node number", "%u:%u", major(info->node_number), minor(info->node_number));
	put_field("uverbs", info->uverbs);
	put_field("root", info->root);
	if (info->index >= 0)
		putf("index", "%" PRId32, info->index);
	if (info->inode)
		putf("inode", "%" PRIu64, info->inode);
	if (info->stamp.tv_sec || info->stamp.tv_nsec)
		putf("stamp", "%lld.%09ld", (long long)info->stamp.tv_sec, info->stamp.tv_nsec);
	for (size_t i = 0; i < NUM_ATTRS; i++)
		if (hf_device_read_attr(device, attrs[i].path, value, sizeof(value)) > 0)
			put_field(attrs[i].title, value);
}

/* Below the table of the ports, whose columns are too narrow for a sentence. */
static void put_why_down(struct ibv_device *device, const struct hf_device_info *info)
{
	for (uint32_t number = 1; number <= info->num_ports; number++) {
		struct hf_port_info port = {.size = sizeof(port)};
		struct hf_port_reason reason;

		if (hf_device_get_port(device, number, &port) ||
		    !hfi_port_reason(device, info, &port, &reason))
			continue;
		putf("why down", "port %" PRIu32 ": %s.", number, reason.problem);
		hfi_port_reason_free(&reason);
	}
}

static void show_ports(const struct hf_tool *tool, struct ibv_device *device, uint32_t num_ports)
{
	enum { PORT, STATE, PHYSICAL, LAYER, NETDEV, MTU, RATE, GIDS, NUM };
	static const struct hf_column columns[NUM] = {
		[PORT] = {"PORT", SCOLS_FL_RIGHT}, [STATE] = {"STATE", 0},
		[PHYSICAL] = {"PHYSICAL", 0},	   [LAYER] = {"LINK LAYER", 0},
		[NETDEV] = {"NETDEV", 0},	   [MTU] = {"MTU", SCOLS_FL_RIGHT},
		[RATE] = {"RATE", SCOLS_FL_TRUNC}, [GIDS] = {"GIDS", SCOLS_FL_RIGHT},
	};
	struct libscols_table *table = hfi_table_new(tool, columns, NUM);

	for (uint32_t number = 1; number <= num_ports; number++) {
		struct hf_port_info port = {.size = sizeof(port)};
		struct libscols_line *line;
		int err = hf_device_get_port(device, number, &port);
		char text[24];

		if (err == -ENOENT) /* the numbers have a gap */
			continue;
		line = hfi_table_line(table);
		snprintf(text, sizeof(text), "%" PRIu32, number);
		hfi_table_cell(line, PORT, text, NULL);
		if (err < 0) {
			hfi_table_cell(line, STATE, strerror(-err), "red");
			continue;
		}
		hfi_table_cell(line, STATE, hfi_port_state_name(port.state),
			       port.state == IBV_PORT_ACTIVE ? "green" : "yellow");
		hfi_table_cell(line, PHYSICAL, hfi_phys_state_name(port.phys_state), NULL);
		hfi_table_cell(line, LAYER, hfi_link_layer_name(port.link_layer), NULL);
		hfi_table_cell(line, NETDEV, port.netdev, NULL);
		if (port.netdev_mtu) {
			snprintf(text, sizeof(text), "%" PRIu32, port.netdev_mtu);
			hfi_table_cell(line, MTU, text, NULL);
		}
		hfi_table_cell(line, RATE, *port.rate ? port.rate : "unknown", NULL);
		snprintf(text, sizeof(text), "%" PRIu32, port.num_gids);
		hfi_table_cell(line, GIDS, text, NULL);
	}
	if (!scols_table_is_empty(table))
		putchar('\n');
	hfi_table_finish(table);
}

static void show_gids(const struct hf_tool *tool, struct ibv_device *device, uint32_t num_ports)
{
	enum { PORT, INDEX, GID, TYPE, NETDEV, NUM };
	static const struct hf_column columns[NUM] = {
		[PORT] = {"PORT", SCOLS_FL_RIGHT},
		[INDEX] = {"INDEX", SCOLS_FL_RIGHT},
		[GID] = {"GID", 0},
		[TYPE] = {"TYPE", 0},
		[NETDEV] = {"NETDEV", 0},
	};
	struct libscols_table *table = hfi_table_new(tool, columns, NUM);

	for (uint32_t number = 1; number <= num_ports; number++) {
		struct hf_gid *gids;
		int count = hf_device_get_gids(device, number, sizeof(*gids), &gids);

		for (int i = 0; i < count; i++) {
			struct libscols_line *line = hfi_table_line(table);
			char text[HF_GID_TEXT];

			snprintf(text, sizeof(text), "%" PRIu32, number);
			hfi_table_cell(line, PORT, text, NULL);
			snprintf(text, sizeof(text), "%" PRIu32, gids[i].index);
			hfi_table_cell(line, INDEX, text, NULL);
			hfi_format_gid(&gids[i].gid, text);
			hfi_table_cell(line, GID, text, NULL);
			hfi_table_cell(line, TYPE, hfi_gid_type_name(gids[i].type), NULL);
			hfi_table_cell(line, NETDEV, gids[i].netdev, NULL);
		}
		if (count >= 0) {
			free(gids);
		} else {
			struct libscols_line *line = hfi_table_line(table);
			char text[24];

			snprintf(text, sizeof(text), "%" PRIu32, number);
			hfi_table_cell(line, PORT, text, NULL);
			hfi_table_cell(line, GID, strerror(-count), "red");
		}
	}
	if (!scols_table_is_empty(table))
		putchar('\n');
	hfi_table_finish(table);
}

static void json_gids(struct hf_json *json, struct ibv_device *device, uint32_t number)
{
	struct hf_gid *gids = NULL;
	int count = hf_device_get_gids(device, number, sizeof(*gids), &gids);

	hfi_json_array(json, "gids");
	for (int i = 0; i < count; i++) {
		char text[HF_GID_TEXT];

		hfi_format_gid(&gids[i].gid, text);
		hfi_json_object(json, NULL);
		hfi_json_uint(json, "index", gids[i].index);
		hfi_json_string(json, "gid", text);
		hfi_json_string(json, "type", hfi_gid_type_name(gids[i].type));
		hfi_json_optional(json, "netdev", gids[i].netdev);
		hfi_json_close(json);
	}
	hfi_json_close(json);
	if (count >= 0)
		free(gids);
	else
		hfi_json_string(json, "gids_error", strerror(-count));
}

static void print_info_port_json(struct hf_json *json, struct ibv_device *device,
				 const struct hf_device_info *info, uint32_t number)
{
	struct hf_port_info port = {.size = sizeof(port)};
	int err = hf_device_get_port(device, number, &port);

	if (err == -ENOENT)
		return;
	hfi_json_object(json, NULL);
	hfi_json_uint(json, "port", number);
	if (err < 0) {
		hfi_json_string(json, "error", strerror(-err));
	} else {
		hfi_json_string(json, "state", hfi_port_state_name(port.state));
		hfi_json_string(json, "phys_state", hfi_phys_state_name(port.phys_state));
		hfi_json_string(json, "link_layer", hfi_link_layer_name(port.link_layer));
		hfi_json_optional(json, "netdev", port.netdev);
		hfi_json_uint(json, "netdev_index", port.netdev_index);
		hfi_json_uint(json, "netdev_mtu", port.netdev_mtu);
		hfi_json_optional(json, "rate", port.rate);
		hfi_json_why_down(json, device, info, &port);
		json_gids(json, device, number);
		hfi_counters_json(json, device, info, number);
	}
	hfi_json_close(json);
}

static void print_info_json(struct ibv_device *device, const struct hf_device_info *info)
{
	char guid[HF_GUID_TEXT], value[ATTR_SIZE];
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_optional(&json, "name", info->name);
	hfi_json_string(&json, "state", hfi_state_name(info->state));
	hfi_json_reason(&json, "reason", &info->reason);
	hfi_json_uint(&json, "generation", info->generation);
	hfi_json_string(&json, "transport", hfi_transport_name(device, info));
	hfi_json_string(&json, "node_type", hfi_node_type_name(info->node_type));
	hfi_format_guid(info->node_guid, guid);
	hfi_json_string(&json, "node_guid", guid);
	hfi_json_optional(&json, "provider", info->provider);
	hfi_json_optional(&json, "provider_file", info->provider_file);
	hfi_json_string(&json, "driver", hfi_driver_name(info->driver_id));
	hfi_json_uint(&json, "driver_id", info->driver_id);
	hfi_json_uint(&json, "kernel_abi", info->kernel_abi);
	hfi_json_optional(&json, "node", info->node);
	snprintf(value, sizeof(value), "%u:%u", major(info->node_number), minor(info->node_number));
	hfi_json_optional(&json, "node_number", info->node_number ? value : "");
	hfi_json_optional(&json, "uverbs", info->uverbs);
	hfi_json_optional(&json, "root", info->root);
	if (info->index >= 0)
		hfi_json_int(&json, "index", info->index);
	else
		hfi_json_null(&json, "index");
	hfi_json_uint(&json, "inode", info->inode);
	snprintf(value, sizeof(value), "%lld.%09ld", (long long)info->stamp.tv_sec,
		 info->stamp.tv_nsec);
	hfi_json_string(&json, "stamp", value);
	for (size_t i = 0; i < NUM_ATTRS; i++) {
		if (hf_device_read_attr(device, attrs[i].path, value, sizeof(value)) < 0)
			*value = '\0';
		hfi_json_optional(&json, attrs[i].key, value);
	}
	hfi_json_array(&json, "ports");
	for (uint32_t number = 1; number <= info->num_ports; number++)
		print_info_port_json(&json, device, info, number);
	hfi_json_close(&json);
	hfi_json_close(&json);
}

static int print_info(const struct hf_tool *tool, struct ibv_device *device)
{
	struct hf_device_info info;
	int err = hfi_tool_info(device, &info);

	if (err < 0) {
		hfi_complain("cannot read the device: %s", strerror(-err));
		return HF_EXIT_FAILED;
	}
	if (tool->json) {
		print_info_json(device, &info);
	} else {
		show_device(tool, device, &info);
		show_ports(tool, device, info.num_ports);
		put_why_down(device, &info);
		show_gids(tool, device, info.num_ports);
		hfi_counters_show(tool, device, &info);
	}
	return HF_EXIT_OK;
}

static int run_info(struct hf_tool *tool, char **args)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	struct ibv_device *device;
	int status;

	if (!hf)
		return HF_EXIT_FAILED;
	status = hfi_tool_find(tool, hf, args[0], &device);
	if (status == HF_EXIT_OK) {
		status = print_info(tool, device);
		hf_device_unref(device);
	}
	hf_unref(hf);
	return status;
}

const struct hf_command hf_command_info = {
	.name = "info",
	.args = "DEV",
	.summary = "show everything that is known about a device",
	.about = "Shows what is known about the device: state and reason, identity (instance, "
		 "index, inode, stamp), provider, kernel driver, node, firmware, its ports, "
		 "their GIDs and hardware counters.",
	.min_args = 1,
	.max_args = 1,
	.run = run_info,
};
