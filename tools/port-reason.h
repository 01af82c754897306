/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Why a port of a soft device is down, as far as its files tell. */
#ifndef HF_TOOLS_PORT_REASON_H
#define HF_TOOLS_PORT_REASON_H

#include "shared/json.h"
#include "tools/common.h"

/* A port's reason. The caller frees the texts. */
struct hf_port_reason {
	const char *code; /* of a finding of doctor */
	char *problem;	  /* a sentence without a full stop, that begins in lower case */
	char *remedy;
};

/* Returns false if the port is not down, or nothing is known about why. */
bool hfi_port_reason(struct ibv_device *device, const struct hf_device_info *info,
		     const struct hf_port_info *port, struct hf_port_reason *ret);
void hfi_port_reason_free(struct hf_port_reason *reason);

/* Writes "why_down": the problem, or null. */
void hfi_json_why_down(struct hf_json *json, struct ibv_device *device,
		       const struct hf_device_info *info, const struct hf_port_info *port);

#endif
