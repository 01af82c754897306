/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The network interfaces below one. */
#ifndef HF_STREAM_LOWER_NETDEVS_H
#define HF_STREAM_LOWER_NETDEVS_H

#include <stdint.h>

#include "shared/attr.h"

enum { HF_LOWER_MAX = 64, HF_LOWER_LEVELS = 8 };

/*
 * Fills in the interface itself, `lower` unless 0, and the interfaces below them (VLAN, bond, bridge,
 * macvlan), at most HF_LOWER_LEVELS deep. An address on any of them may become a GID of a device at
 * the bottom. Returns the number of interfaces.
 */
unsigned int hfi_lower_interfaces(const char *sysfs, uint32_t ifindex, uint32_t lower,
				  uint32_t ret[HF_LOWER_MAX]) HF_MUST_CHECK HF_NONNULL;

#endif
