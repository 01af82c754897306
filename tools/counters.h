/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hardware counters of a device's ports: the files ports/P/hw_counters/NAME. */
#ifndef HF_TOOLS_COUNTERS_H
#define HF_TOOLS_COUNTERS_H

#include "shared/json.h"
#include "tools/common.h"

void hfi_counters_show(const struct hf_tool *tool, struct ibv_device *device,
		       const struct hf_device_info *info);
/* Writes "counters": an array with the name and value of each counter of the port. */
void hfi_counters_json(struct hf_json *json, struct ibv_device *device,
		       const struct hf_device_info *info, uint32_t port);

#endif
