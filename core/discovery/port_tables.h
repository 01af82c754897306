/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the GID and P_Key tables of a port. */
#ifndef HF_DISCOVERY_PORT_TABLES_H
#define HF_DISCOVERY_PORT_TABLES_H

#include <stdint.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"

/*
 * `device_dir` is a descriptor from hfi_entry_open_dir(). An attribute that cannot be read hides
 * nothing else, so a device that is being removed looks as if its tables were empty: verify the
 * instance after reading.
 */

/*
 * The entries in use, ascending by index, whatever the gaps between them. An entry that cannot be read
 * is left out; its type or interface may be unknown. Returns the number of entries; the caller frees
 * *ret. Errors: -ENOENT (no such port), those of open(); if no entry could be read, the error of the
 * first one.
 */
int hfi_read_gids(int device_dir, const struct hf_entry *entry, uint32_t port,
		  struct hf_gid **ret) HF_MUST_CHECK HF_NONNULL;
/* The same below the directory of the port, whose link layer is known or 0. */
int hfi_read_port_gids(int port_dir, int32_t link_layer,
		       struct hf_gid **ret) HF_MUST_CHECK HF_NONNULL;
/* One GID or P_Key; an unused GID is all zeros. -ENOENT: the table has no such entry. */
int hfi_read_gid(int device_dir, const struct hf_entry *entry, uint32_t port, uint32_t index,
		 union ibv_gid *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_read_pkey(int device_dir, uint32_t port, uint32_t index,
		  uint16_t *ret) HF_MUST_CHECK HF_NONNULL; /* host order */
/*
 * The lowest index that holds this P_Key. -ENOENT: none does; if one of them could not be read, its
 * error.
 */
int hfi_find_pkey(int device_dir, uint32_t port, uint16_t pkey) HF_MUST_CHECK;

/* How many places the tables of GIDs and P_Keys have: the highest index and 1. */
int hfi_read_table_sizes(int device_dir, uint32_t port, uint32_t *gids,
			 uint32_t *pkeys) HF_MUST_CHECK HF_NONNULL;
/* The same of one table, "gids" or "pkeys", below the directory of the port. */
int hfi_read_table_size(int port_dir, const char *table, uint32_t *ret) HF_MUST_CHECK HF_NONNULL;

#endif
