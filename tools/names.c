/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text for the values of a device: states, transports, drivers, GUIDs, GIDs, reasons. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/names.h"

#define NAME_OF(table, value)                                                                    \
	((size_t)(value) < sizeof(table) / sizeof((table)[0]) && (table)[value] ? (table)[value] \
										: "unknown")

void hfi_device_label(const struct hf_device_info *info, char label[HF_LABEL_TEXT])
{
	if (*info->name)
		snprintf(label, HF_LABEL_TEXT, "%s", info->name);
	else
		snprintf(label, HF_LABEL_TEXT, "(%s)", info->uverbs);
}

const char *hfi_state_name(uint32_t state)
{
	static const char *const names[] = {
		[HF_DEVICE_READY] = "ready",
		[HF_DEVICE_UNUSABLE] = "unusable",
		[HF_DEVICE_GONE] = "gone",
	};

	return NAME_OF(names, state);
}

const char *hfi_transport_name(struct ibv_device *device, const struct hf_device_info *info)
{
	static const char *const names[] = {
		[HF_PROTOCOL_IB] = "infiniband", [HF_PROTOCOL_ROCE] = "roce",
		[HF_PROTOCOL_IWARP] = "iwarp",	 [HF_PROTOCOL_OPA] = "opa",
		[HF_PROTOCOL_USNIC] = "usnic",
	};
	struct hf_port_info port = {.size = sizeof(port)};

	if (info->protocol != HF_PROTOCOL_UNKNOWN)
		return NAME_OF(names, info->protocol);
	if (info->transport == IBV_TRANSPORT_IWARP)
		return "iwarp";
	if (info->transport == IBV_TRANSPORT_USNIC || info->transport == IBV_TRANSPORT_USNIC_UDP)
		return "usnic";
	if (info->transport != IBV_TRANSPORT_IB || hf_device_get_port(device, 1, &port) < 0)
		return "unknown";
	if (port.link_layer == IBV_LINK_LAYER_ETHERNET)
		return "roce";
	return port.link_layer == IBV_LINK_LAYER_INFINIBAND ? "infiniband" : "unknown";
}

const char *hfi_node_type_name(int node_type)
{
	static const char *const names[] = {
		[IBV_NODE_CA] = "channel adapter",
		[IBV_NODE_SWITCH] = "switch",
		[IBV_NODE_ROUTER] = "router",
		[IBV_NODE_RNIC] = "RNIC",
		[IBV_NODE_USNIC] = "usNIC",
		[IBV_NODE_USNIC_UDP] = "usNIC UDP",
		[IBV_NODE_UNSPECIFIED] = "unspecified",
	};

	return NAME_OF(names, node_type);
}

const char *hfi_port_state_name(uint32_t state)
{
	static const char *const names[] = {
		[IBV_PORT_DOWN] = "down",
		[IBV_PORT_INIT] = "init",
		[IBV_PORT_ARMED] = "armed",
		[IBV_PORT_ACTIVE] = "active",
		[IBV_PORT_ACTIVE_DEFER] = "active-defer",
	};

	return NAME_OF(names, state);
}

/* IBA, volume 1, PortInfo: PortPhysicalState. */
const char *hfi_phys_state_name(uint32_t state)
{
	static const char *const names[] = {
		[1] = "sleep",	 [2] = "polling",	 [3] = "disabled", [4] = "training",
		[5] = "link-up", [6] = "error-recovery", [7] = "phy-test",
	};

	return NAME_OF(names, state);
}

const char *hfi_link_layer_name(int link_layer)
{
	static const char *const names[] = {
		[IBV_LINK_LAYER_INFINIBAND] = "infiniband",
		[IBV_LINK_LAYER_ETHERNET] = "ethernet",
	};

	return NAME_OF(names, link_layer);
}

const char *hfi_gid_type_name(uint32_t type)
{
	static const char *const names[] = {
		[HF_GID_IB] = "ib",
		[HF_GID_ROCE_V1] = "roce-v1",
		[HF_GID_ROCE_V2] = "roce-v2",
	};

	return NAME_OF(names, type);
}

const char *hfi_driver_name(uint32_t driver_id)
{
	static const char *const names[] = {
		[RDMA_DRIVER_MLX5] = "mlx5",	 [RDMA_DRIVER_MLX4] = "mlx4",
		[RDMA_DRIVER_CXGB3] = "cxgb3",	 [RDMA_DRIVER_CXGB4] = "cxgb4",
		[RDMA_DRIVER_MTHCA] = "mthca",	 [RDMA_DRIVER_BNXT_RE] = "bnxt_re",
		[RDMA_DRIVER_OCRDMA] = "ocrdma", [RDMA_DRIVER_NES] = "nes",
		[RDMA_DRIVER_IRDMA] = "irdma",	 [RDMA_DRIVER_VMW_PVRDMA] = "vmw_pvrdma",
		[RDMA_DRIVER_QEDR] = "qedr",	 [RDMA_DRIVER_HNS] = "hns",
		[RDMA_DRIVER_USNIC] = "usnic",	 [RDMA_DRIVER_RXE] = "rxe",
		[RDMA_DRIVER_HFI1] = "hfi1",	 [RDMA_DRIVER_QIB] = "qib",
		[RDMA_DRIVER_EFA] = "efa",	 [RDMA_DRIVER_SIW] = "siw",
		[RDMA_DRIVER_ERDMA] = "erdma",
	};

	return NAME_OF(names, driver_id);
}

void hfi_format_guid(uint64_t guid, char text[HF_GUID_TEXT])
{
	snprintf(text, HF_GUID_TEXT, "%04x:%04x:%04x:%04x", (unsigned int)(guid >> 48) & 0xffff,
		 (unsigned int)(guid >> 32) & 0xffff, (unsigned int)(guid >> 16) & 0xffff,
		 (unsigned int)guid & 0xffff);
}

void hfi_format_gid(const union ibv_gid *gid, char text[HF_GID_TEXT])
{
	const uint8_t *raw = gid->raw;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(gid->raw); i += 2)
		at += (size_t)snprintf(text + at, HF_GID_TEXT - at, "%s%02x%02x", i ? ":" : "",
				       raw[i], raw[i + 1]);
}

void hfi_format_reason(const struct hf_reason *reason, char text[HF_REASON_TEXT])
{
	if (reason->code == HF_REASON_NONE)
		text[0] = '\0';
	else
		snprintf(text, HF_REASON_TEXT, "%s.",
			 *reason->text ? reason->text : hf_reason_name(reason->code));
}

void hfi_json_reason(struct hf_json *json, const char *key, const struct hf_reason *reason)
{
	char text[HF_REASON_TEXT];

	if (reason->code == HF_REASON_NONE) {
		hfi_json_null(json, key);
		return;
	}
	hfi_format_reason(reason, text);
	hfi_json_object(json, key);
	hfi_json_string(json, "code", hf_reason_name(reason->code));
	hfi_json_string(json, "text", text);
	hfi_json_optional(json, "wanted", reason->wanted);
	hfi_json_optional(json, "found", reason->found);
	hfi_json_int(json, "errno", reason->error);
	hfi_json_close(json);
}

bool hfi_tool_is_unreadable(const struct hf_reason *reason)
{
	return reason->code == HF_REASON_HALF_MADE && *reason->found &&
	       strcmp(reason->found, strerrordesc_np(ENOENT)) != 0 &&
	       strcmp(reason->found, strerrordesc_np(ENODEV)) != 0;
}

bool hfi_tool_has_unreadable_name(struct hf *hf, char text[HF_REASON_TEXT])
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device **list;
	bool found = false;
	int count = hf_device_list(hf, HF_LIST_ALL, &list);

	for (int i = 0; i < count && !found; i++) {
		found = !hf_device_get_info(list[i], &info) && !*info.name &&
			hfi_tool_is_unreadable(&info.reason);
		if (found)
			hfi_format_reason(&info.reason, text);
	}
	if (count >= 0)
		hf_device_list_free(list);
	return found;
}
