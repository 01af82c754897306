/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads ports, GIDs and P_Keys of a device. */
#ifndef HF_DISCOVERY_ATTRS_H
#define HF_DISCOVERY_ATTRS_H

#include <stdint.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

/* Reads a port or its GIDs below a descriptor from hfi_entry_open_dir(). `nl` may be NULL. */
int hfi_read_port(int device_dir, struct hf_nl *nl, const struct hf_entry *entry, uint32_t port,
		  struct hf_port_info *ret) HF_MUST_CHECK HF_NONNULL_OF(3, 5);
int hfi_read_gids(int device_dir, uint32_t port, struct hf_gid **ret) HF_MUST_CHECK HF_NONNULL;
/* One GID or P_Key; an unused GID is all zeros. -ENOENT: beyond the end of the table. */
int hfi_read_gid(int device_dir, uint32_t port, uint32_t index,
		 union ibv_gid *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_read_pkey(int device_dir, uint32_t port, uint32_t index,
		  uint16_t *ret) HF_MUST_CHECK HF_NONNULL; /* host order */

#endif
