/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Forwards the calls for port tables, strings, rates, fork, sysfs files and attribute conversion. */
#include "compat/libibverbs/forward.h"

HF_FORWARD(1.11, int, _ibv_query_gid_ex,
	   (struct ibv_context * context, uint32_t port, uint32_t index,
	    struct ibv_gid_entry *entry, uint32_t flags, size_t entry_size),
	   (context, port, index, entry, flags, entry_size))
HF_FORWARD(1.11, ssize_t, _ibv_query_gid_table,
	   (struct ibv_context * context, struct ibv_gid_entry *entries, size_t max_entries,
	    uint32_t flags, size_t entry_size),
	   (context, entries, max_entries, flags, entry_size))
HF_FORWARD(1.5, int, ibv_get_pkey_index, (struct ibv_context * context, uint8_t port, __be16 pkey),
	   (context, port, pkey))

HF_FORWARD(1.1, const char *, ibv_event_type_str, (enum ibv_event_type event), (event))
HF_FORWARD(1.1, const char *, ibv_node_type_str, (enum ibv_node_type type), (type))
HF_FORWARD(1.1, const char *, ibv_port_state_str, (enum ibv_port_state state), (state))
HF_FORWARD(1.1, const char *, ibv_wc_status_str, (enum ibv_wc_status status), (status))

HF_FORWARD(1.0, int, ibv_rate_to_mult, (enum ibv_rate rate), (rate))
HF_FORWARD(1.0, enum ibv_rate, mult_to_ibv_rate, (int mult), (mult))
HF_FORWARD(1.1, int, ibv_rate_to_mbps, (enum ibv_rate rate), (rate))
HF_FORWARD(1.1, enum ibv_rate, mbps_to_ibv_rate, (int mbps), (mbps))

HF_FORWARD(1.1, int, ibv_fork_init, (void), ())
HF_FORWARD(1.13, enum ibv_fork_status, ibv_is_fork_initialized, (void), ())

HF_FORWARD(1.1, int, ibv_dofork_range, (void *base, size_t size), (base, size))
HF_FORWARD(1.1, int, ibv_dontfork_range, (void *base, size_t size), (base, size))
HF_FORWARD(1.0, const char *, ibv_get_sysfs_path, (void), ())
HF_FORWARD(1.0, int, ibv_read_sysfs_file,
	   (const char *dir, const char *file, char *buf, size_t size), (dir, file, buf, size))
HF_FORWARD(1.1, void, ibv_copy_ah_attr_from_kern, (void *to, const void *from), (to, from))
HF_FORWARD(1.0, void, ibv_copy_qp_attr_from_kern, (void *to, const void *from), (to, from))
HF_FORWARD(1.0, void, ibv_copy_path_rec_from_kern, (void *to, const void *from), (to, from))
HF_FORWARD(1.0, void, ibv_copy_path_rec_to_kern, (void *to, const void *from), (to, from))
