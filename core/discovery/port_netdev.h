/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports of a tree that follow a network interface. */
#ifndef HF_DISCOVERY_PORT_NETDEV_H
#define HF_DISCOVERY_PORT_NETDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <net/if.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

struct hf_port_netdev {
	char name[IFNAMSIZ];
	uint32_t index; /* 0: there is no such interface */
	uint32_t mtu;
	bool running; /* up, and the link is there */
	bool has_only;
	union ibv_gid only; /* with has_only: the one GID, while the interface has its address */
};

/*
 * Reads which interface the port follows, from follow_netdev in the port's directory, and the state of
 * that interface. Only ports of trees follow one. Returns 1, 0 if the port follows none, or -errno; -EIO:
 * the file does not hold a name.
 */
int hfi_port_netdev_read(int port_dir, const struct hf_entry *entry,
			 struct hf_port_netdev *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Makes a RoCE v2 GID of the one address, or of each address of the interface: IPv4 as ::ffff:A.B.C.D, then
 * IPv6, each in the order in which the kernel lists them; no more than the port's GID table has places. The caller frees
 * *ret. Returns their number, or -errno.
 */
int hfi_port_netdev_gids(int port_dir, const struct hf_port_netdev *netdev,
			 struct hf_gid **ret) HF_MUST_CHECK HF_NONNULL;

#endif
