/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From a GID to the MAC address and VLAN that lead to it. */
#ifndef HF_NEIGHBOUR_NEIGHBOUR_H
#define HF_NEIGHBOUR_NEIGHBOUR_H

#include <stdint.h>

#include <infiniband/verbs.h>

#include "core/neighbour/neighbour_parse.h"

/*
 * Finds the MAC address (HF_MAC_SIZE bytes) and VLAN (HF_NO_VLAN for none) through which `own`, a
 * GID of this machine, reaches `gid`. Asks the kernel, and may wait some seconds for the
 * neighbour's answer. 0; -EHOSTUNREACH, -ENETUNREACH; -EMFILE, -ENFILE, -ENOMEM; other errors of
 * route netlink.
 */
int hfi_resolve_gid(const struct ibv_gid_entry *own, const union ibv_gid *gid, uint8_t *mac,
		    uint16_t *vlan);

#endif
