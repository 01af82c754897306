/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The operations of a provider in every private ABI: each ABI has them in alphabetical order, and later ones have
 * more. So one list, with the release of rdma-core that each is new in, gives the table of every release.
 */
#ifndef HF_FOREIGN_OPERATIONS_H
#define HF_FOREIGN_OPERATIONS_H

#include <holdfast-provider/provider.h>

#include "shared/attr.h"

struct hf_profile;

/* OLD(name): in struct verbs_context_ops, and in all releases; NEW(name, release): in struct hf_later_ops. */
#define HF_OPERATIONS(OLD, NEW)         \
	OLD(advise_mr)                  \
	NEW(alloc_buf, 64)              \
	OLD(alloc_dm)                   \
	NEW(alloc_dmah, 59)             \
	OLD(alloc_mw)                   \
	OLD(alloc_null_mr)              \
	OLD(alloc_parent_domain)        \
	OLD(alloc_pd)                   \
	OLD(alloc_td)                   \
	OLD(async_event)                \
	OLD(attach_counters_point_flow) \
	OLD(attach_mcast)               \
	OLD(bind_mw)                    \
	OLD(close_xrcd)                 \
	OLD(cq_event)                   \
	OLD(create_ah)                  \
	NEW(create_comp_cntr, 65)       \
	OLD(create_counters)            \
	OLD(create_cq)                  \
	OLD(create_cq_ex)               \
	OLD(create_flow)                \
	OLD(create_flow_action_esp)     \
	OLD(create_qp)                  \
	OLD(create_qp_ex)               \
	OLD(create_rwq_ind_table)       \
	OLD(create_srq)                 \
	OLD(create_srq_ex)              \
	OLD(create_wq)                  \
	NEW(dealloc_dmah, 59)           \
	OLD(dealloc_mw)                 \
	OLD(dealloc_pd)                 \
	OLD(dealloc_td)                 \
	OLD(dereg_mr)                   \
	OLD(destroy_ah)                 \
	NEW(destroy_comp_cntr, 65)      \
	OLD(destroy_counters)           \
	OLD(destroy_cq)                 \
	OLD(destroy_flow)               \
	OLD(destroy_flow_action)        \
	OLD(destroy_qp)                 \
	OLD(destroy_rwq_ind_table)      \
	OLD(destroy_srq)                \
	OLD(destroy_wq)                 \
	OLD(detach_mcast)               \
	NEW(dm_export_dmabuf_fd, 62)    \
	NEW(free_buf, 64)               \
	OLD(free_context)               \
	OLD(free_dm)                    \
	OLD(get_srq_num)                \
	OLD(import_dm)                  \
	OLD(import_mr)                  \
	OLD(import_pd)                  \
	NEW(inc_comp_cntr, 65)          \
	NEW(inc_err_comp_cntr, 65)      \
	OLD(modify_cq)                  \
	OLD(modify_flow_action_esp)     \
	OLD(modify_qp)                  \
	OLD(modify_qp_rate_limit)       \
	OLD(modify_srq)                 \
	OLD(modify_wq)                  \
	OLD(open_qp)                    \
	OLD(open_xrcd)                  \
	OLD(poll_cq)                    \
	OLD(post_recv)                  \
	OLD(post_send)                  \
	OLD(post_srq_ops)               \
	OLD(post_srq_recv)              \
	NEW(qp_attach_comp_cntr, 65)    \
	NEW(query_comp_cntr_caps, 65)   \
	OLD(query_device_ex)            \
	OLD(query_ece)                  \
	OLD(query_port)                 \
	NEW(query_port_speed, 62)       \
	OLD(query_qp)                   \
	OLD(query_qp_data_in_order)     \
	OLD(query_rt_values)            \
	OLD(query_srq)                  \
	NEW(read_comp_cntr, 65)         \
	OLD(read_counters)              \
	NEW(read_err_comp_cntr, 65)     \
	OLD(reg_dm_mr)                  \
	OLD(reg_dmabuf_mr)              \
	OLD(reg_mr)                     \
	NEW(reg_mr_ex, 59)              \
	OLD(req_notify_cq)              \
	OLD(rereg_mr)                   \
	OLD(resize_cq)                  \
	NEW(set_comp_cntr, 65)          \
	OLD(set_ece)                    \
	NEW(set_err_comp_cntr, 65)      \
	OLD(unimport_dm)                \
	OLD(unimport_mr)                \
	OLD(unimport_pd)

/* How many operations a provider of that profile has, and so the size of its table. */
size_t hfi_foreign_ops_count(const struct hf_profile *profile) HF_MUST_CHECK HF_NONNULL;

/* Brings the table of such a provider into our order; what it does not have is NULL. */
void hfi_foreign_ops_take(const struct hf_profile *profile, const void *theirs,
			  struct verbs_context_ops *ret, struct hf_later_ops *later) HF_NONNULL;

#endif
