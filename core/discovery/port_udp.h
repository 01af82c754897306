/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports of a tree that need a UDP port of their address. */
#ifndef HF_DISCOVERY_PORT_UDP_H
#define HF_DISCOVERY_PORT_UDP_H

#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

/*
 * Whether somebody else has the UDP port that udp_port in the port's directory names, of the address that is
 * GID 0. Only ports of trees need one. Returns 1, 0 if it is free or none is needed, or -errno for a shortage.
 */
int hfi_port_udp_is_taken(int port_dir, const struct hf_entry *entry, const struct hf_gid *gids,
			  uint32_t count) HF_MUST_CHECK HF_NONNULL_OF(2);

#endif
