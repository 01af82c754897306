/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads ports of a device. */
#ifndef HF_DISCOVERY_ATTRS_H
#define HF_DISCOVERY_ATTRS_H

#include <stdint.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

/* A port number has 8 bits, and 0 is the switch itself (IBTA vol. 1, 11.2.1.2). */
enum { HF_PORTS_MAX = 255 };

/* The directory of a port; the caller closes it. -ENOENT: no such port. */
int hfi_open_port(int device_dir, uint32_t port) HF_MUST_CHECK;

/*
 * Reads a port below a descriptor from hfi_entry_open_dir(). `nl` may be NULL. Each attribute is read
 * by itself: one that cannot be read is 0 or empty. So a device that is being removed looks as if
 * nothing could be read: verify the instance after this. Unless `gids` is NULL the caller frees what
 * it gets there, info->num_gids entries. -ENOENT: no such port.
 */
int hfi_read_port(int device_dir, struct hf_nl *nl, const struct hf_entry *entry, uint32_t port,
		  struct hf_port_info *info, struct hf_gid **gids) HF_MUST_CHECK
	HF_NONNULL_OF(3, 5);

/* IBV_LINK_LAYER_UNSPECIFIED where it is unknown. -EMFILE, -ENFILE, -ENOMEM. */
int hfi_read_link_layer(int port_dir, int32_t *ret) HF_MUST_CHECK HF_NONNULL;

/* The highest port number that sysfs has; 0: none. There may be gaps below it. */
uint32_t hfi_count_ports(int device_dir) HF_MUST_CHECK;

#endif
