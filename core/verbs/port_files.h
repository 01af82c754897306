/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attributes of a port of a device that has no kernel. */
#ifndef HF_VERBS_PORT_FILES_H
#define HF_VERBS_PORT_FILES_H

#include "core/verbs/context.h"

/* From the device's tree, and the network interface that the port follows. 0 or -errno. */
int hfi_query_port_files(struct verbs_context *context, uint8_t port,
			 struct ibv_port_attr *attr) HF_MUST_CHECK HF_NONNULL;

#endif
