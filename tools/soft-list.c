/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast soft list: shows the soft devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/text.h"
#include "soft/address.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/port-reason.h"
#include "tools/soft.h"

bool hfi_soft_is_ours(struct ibv_device *device, char *path, size_t size)
{
	return hf_device_read_attr(device, "uroce_path", path, size) > 0;
}

/* What is shown of a device. */
struct soft_view {
	char path[16];
	char address[INET6_ADDRSTRLEN]; /* of GID 0; empty: none */
	struct hf_port_info port;
	bool down;
	struct hf_port_reason reason;
};

static bool view_device(struct ibv_device *device, const struct hf_device_info *info,
			struct soft_view *view)
{
	struct hf_gid *gids = NULL;
	struct in6_addr address;
	int count;

	memset(view, 0, sizeof(*view));
	if (!hfi_soft_is_ours(device, view->path, sizeof(view->path)))
		return false;
	view->port.size = sizeof(view->port);
	if (hf_device_get_port(device, 1, &view->port))
		return false;
	count = hf_device_get_gids(device, 1, sizeof(*gids), &gids);
	if (count > 0 && gids[0].index == 0) {
		memcpy(&address, gids[0].gid.raw, sizeof(address));
		hfi_soft_format(&address, view->address);
	}
	free(gids);
	view->down = hfi_port_reason(device, info, &view->port, &view->reason);
	return true;
}

static void view_free(struct soft_view *view)
{
	if (view->down)
		hfi_port_reason_free(&view->reason);
}

void hfi_soft_json(struct hf_json *json, const char *key, struct ibv_device *device,
		   const struct hf_device_info *info)
{
	struct soft_view view;
	char guid[HF_GUID_TEXT];

	if (!view_device(device, info, &view))
		return;
	hfi_format_guid(info->node_guid, guid);
	hfi_json_object(json, key);
	hfi_json_string(json, "name", info->name);
	hfi_json_string(json, "state", hfi_state_name(info->state));
	hfi_json_optional(json, "address", view.address);
	hfi_json_optional(json, "netdev", view.port.netdev);
	hfi_json_string(json, "path", view.path);
	hfi_json_string(json, "port_state", hfi_port_state_name(view.port.state));
	hfi_json_optional(json, "why_down", view.down ? view.reason.problem : "");
	hfi_json_string(json, "node_guid", guid);
	hfi_json_string(json, "node", info->node);
	hfi_json_string(json, "root", info->root);
	hfi_json_close(json);
	view_free(&view);
}

static void add_soft_line(struct libscols_table *table, const struct hf_device_info *info,
			  const struct soft_view *view)
{
	struct libscols_line *line = hfi_table_line(table);

	hfi_table_cell(line, 0, info->name, "bold");
	hfi_table_cell(line, 1, view->address, NULL);
	hfi_table_cell(line, 2, view->port.netdev, NULL);
	hfi_table_cell(line, 3, hfi_port_state_name(view->port.state),
		       view->port.state == IBV_PORT_ACTIVE ? "green" : "yellow");
	hfi_table_cell(line, 4, view->path, NULL);
	hfi_table_cell(line, 5, info->node, NULL);
}

/* Adds a line; the reason why its port is down goes to `reasons`. */
static bool show_soft_device(struct libscols_table *table, struct ibv_device *device,
			     const struct hf_device_info *info, char **reasons)
{
	struct soft_view view;
	char *longer;

	if (!view_device(device, info, &view))
		return false;
	add_soft_line(table, info, &view);
	if (view.down) {
		longer = hfi_tool_print("%s  %s: %s.\n", *reasons, info->name, view.reason.problem);
		free(*reasons);
		*reasons = longer;
	}
	view_free(&view);
	return true;
}

static void list_as_table(const struct hf_tool *tool, struct ibv_device **list, size_t count)
{
	static const struct hf_column columns[] = {
		{"NAME", 0}, {"ADDRESS", 0}, {"NETDEV", 0}, {"PORT", 0}, {"PATH", 0}, {"NODE", 0},
	};
	struct libscols_table *table =
		hfi_table_new(tool, columns, sizeof(columns) / sizeof(columns[0]));
	char *reasons = hfi_tool_print("%s", "");
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		struct hf_device_info info;

		if (!hfi_tool_info(list[i], &info))
			shown += show_soft_device(table, list[i], &info, &reasons);
	}
	hfi_table_finish(table);
	if (!shown)
		puts("There is no soft device; \"holdfast soft add NAME\" makes one.");
	if (*reasons) {
		printf("\n%sWhy a port is down:%s\n", hfi_color(tool, "bold"),
		       hfi_color(tool, "reset"));
		fputs(reasons, stdout);
	}
	free(reasons);
}

static void list_as_json(struct ibv_device **list, size_t count)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_array(&json, "devices");
	for (size_t i = 0; i < count; i++) {
		struct hf_device_info info;

		if (!hfi_tool_info(list[i], &info))
			hfi_soft_json(&json, NULL, list[i], &info);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

int hfi_soft_list(const struct hf_tool *tool)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	struct ibv_device **list;
	int count;

	if (!hf)
		return HF_EXIT_FAILED;
	count = hfi_tool_devices(hf, &list);
	if (count >= 0) {
		if (tool->json)
			list_as_json(list, (size_t)count);
		else
			list_as_table(tool, list, (size_t)count);
		hf_device_list_free(list);
	}
	hf_unref(hf);
	return count < 0 ? HF_EXIT_FAILED : HF_EXIT_OK;
}
