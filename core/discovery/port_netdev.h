/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The port of a tree that follows a network interface. */
#ifndef HF_DISCOVERY_PORT_NETDEV_H
#define HF_DISCOVERY_PORT_NETDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <net/if.h>

#include <holdfast/device.h>

#include "shared/attr.h"

struct hf_port_netdev {
	char name[IFNAMSIZ];
	uint32_t index; /* 0: there is no such interface */
	uint32_t mtu;
	bool running; /* up, and the link is there */
};

/*
 * What ports/P/follow_netdev names, below the open directory of the port, and its state: 1, 0 where the
 * port follows none, or -errno. A name that is none is -EIO.
 */
int hfi_port_netdev_read(int port_dir, struct hf_port_netdev *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * The GIDs of its addresses, RoCE v2: IPv4 as ::ffff:A.B.C.D before IPv6, each in the order in which the
 * kernel lists them, at most `size`. The caller frees *ret. How many, or -errno.
 */
int hfi_port_netdev_gids(const struct hf_port_netdev *netdev, uint32_t size,
			 struct hf_gid **ret) HF_MUST_CHECK HF_NONNULL;

#endif
