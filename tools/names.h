/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text for the values of a device, the same in tables and in JSON. */
#ifndef HF_TOOLS_NAMES_H
#define HF_TOOLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/holdfast.h>

#include "shared/json.h"

enum { HF_GUID_TEXT = 20, HF_GID_TEXT = 40, HF_REASON_TEXT = 260, HF_LABEL_TEXT = 68 };

/* The device's name, or "(uverbs0)" when the name cannot be read. */
void hfi_device_label(const struct hf_device_info *info, char label[HF_LABEL_TEXT]);

const char *hfi_state_name(uint32_t state);
/* The device's transport. Taken from the first port's link layer if the kernel reports no protocol. */
const char *hfi_transport_name(struct ibv_device *device, const struct hf_device_info *info);
const char *hfi_node_type_name(int node_type);
const char *hfi_port_state_name(uint32_t state);
const char *hfi_phys_state_name(uint32_t state);
const char *hfi_link_layer_name(int link_layer);
const char *hfi_gid_type_name(uint32_t type);
const char *hfi_driver_name(uint32_t driver_id);

void hfi_format_guid(uint64_t guid, char text[HF_GUID_TEXT]); /* host byte order */
void hfi_format_gid(const union ibv_gid *gid, char text[HF_GID_TEXT]);

/* The reason as a sentence with a full stop; empty for HF_REASON_NONE. */
void hfi_format_reason(const struct hf_reason *reason, char text[HF_REASON_TEXT]);

/* Whether something of the device could not be read: not that it is being made, or unplugged. */
bool hfi_tool_is_unreadable(const struct hf_reason *reason);

/* Whether there is a device whose name could not be read; `text` says why. */
bool hfi_tool_has_unreadable_name(struct hf *hf, char text[HF_REASON_TEXT]);
/* Writes null for HF_REASON_NONE. */
void hfi_json_reason(struct hf_json *json, const char *key, const struct hf_reason *reason);

#endif
