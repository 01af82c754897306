/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * All that the libibverbs.so.1 shim calls, in one object: it is found by one name. To bind each of
 * these functions by its own was a seventh of what ibv_devices cost. Another list is another node in
 * abi/maps/libholdfast.map: then a shim of another build is refused, and not misled.
 */
#ifndef HF_COMPAT_CALLS_H
#define HF_COMPAT_CALLS_H

#include <holdfast/verbs.h>

#include "core/compat.h"

/* What the header makes of some names is for programs. */
#undef ibv_get_device_list
#undef ibv_query_port
#undef ibv_reg_mr
#undef ibv_reg_mr_iova

/* No installed header declares these; the layouts are the kernel's, <rdma/ib_user_sa.h> and others. */
extern int ibv_dofork_range(void *base, size_t size);
extern int ibv_dontfork_range(void *base, size_t size);
extern const char *ibv_get_sysfs_path(void);
extern int ibv_read_sysfs_file(const char *dir, const char *file, char *buf, size_t size);
extern void ibv_copy_ah_attr_from_kern(void *to, const void *from);
extern void ibv_copy_qp_attr_from_kern(void *to, const void *from);
extern void ibv_copy_path_rec_from_kern(void *to, const void *from);
extern void ibv_copy_path_rec_to_kern(void *to, const void *from);

#define HF_CALLS_VERBS(CALL)              \
	CALL(_ibv_query_gid_ex)           \
	CALL(_ibv_query_gid_table)        \
	CALL(ibv_ack_async_event)         \
	CALL(ibv_ack_cq_events)           \
	CALL(ibv_alloc_pd)                \
	CALL(ibv_attach_mcast)            \
	CALL(ibv_close_device)            \
	CALL(ibv_copy_ah_attr_from_kern)  \
	CALL(ibv_copy_path_rec_from_kern) \
	CALL(ibv_copy_path_rec_to_kern)   \
	CALL(ibv_copy_qp_attr_from_kern)  \
	CALL(ibv_create_ah)               \
	CALL(ibv_create_ah_from_wc)       \
	CALL(ibv_create_comp_channel)     \
	CALL(ibv_create_cq)               \
	CALL(ibv_create_qp)               \
	CALL(ibv_create_srq)              \
	CALL(ibv_dealloc_pd)              \
	CALL(ibv_dereg_mr)                \
	CALL(ibv_destroy_ah)              \
	CALL(ibv_destroy_comp_channel)    \
	CALL(ibv_destroy_cq)              \
	CALL(ibv_destroy_qp)              \
	CALL(ibv_destroy_srq)             \
	CALL(ibv_detach_mcast)            \
	CALL(ibv_dofork_range)            \
	CALL(ibv_dontfork_range)          \
	CALL(ibv_event_type_str)          \
	CALL(ibv_fork_init)               \
	CALL(ibv_free_device_list)        \
	CALL(ibv_get_async_event)         \
	CALL(ibv_get_cq_event)            \
	CALL(ibv_get_device_guid)         \
	CALL(ibv_get_device_index)        \
	CALL(ibv_get_device_list)         \
	CALL(ibv_get_device_name)         \
	CALL(ibv_get_pkey_index)          \
	CALL(ibv_get_sysfs_path)          \
	CALL(ibv_import_device)           \
	CALL(ibv_import_dm)               \
	CALL(ibv_import_mr)               \
	CALL(ibv_import_pd)               \
	CALL(ibv_init_ah_from_wc)         \
	CALL(ibv_is_fork_initialized)     \
	CALL(ibv_modify_qp)               \
	CALL(ibv_modify_srq)              \
	CALL(ibv_node_type_str)           \
	CALL(ibv_open_device)             \
	CALL(ibv_port_state_str)          \
	CALL(ibv_qp_to_qp_ex)             \
	CALL(ibv_query_device)            \
	CALL(ibv_query_ece)               \
	CALL(ibv_query_gid)               \
	CALL(ibv_query_pkey)              \
	CALL(ibv_query_port)              \
	CALL(ibv_query_qp)                \
	CALL(ibv_query_qp_data_in_order)  \
	CALL(ibv_query_srq)               \
	CALL(ibv_rate_to_mbps)            \
	CALL(ibv_rate_to_mult)            \
	CALL(ibv_read_sysfs_file)         \
	CALL(ibv_reg_dmabuf_mr)           \
	CALL(ibv_reg_mr)                  \
	CALL(ibv_reg_mr_iova)             \
	CALL(ibv_reg_mr_iova2)            \
	CALL(ibv_rereg_mr)                \
	CALL(ibv_resize_cq)               \
	CALL(ibv_resolve_eth_l2_from_gid) \
	CALL(ibv_set_ece)                 \
	CALL(ibv_unimport_dm)             \
	CALL(ibv_unimport_mr)             \
	CALL(ibv_unimport_pd)             \
	CALL(ibv_wc_status_str)           \
	CALL(mbps_to_ibv_rate)            \
	CALL(mult_to_ibv_rate)

#define HF_CALLS_PROVIDER(CALL)                  \
	CALL(hf_provider_advise_mr)              \
	CALL(hf_provider_alloc_dm)               \
	CALL(hf_provider_alloc_mw)               \
	CALL(hf_provider_alloc_pd)               \
	CALL(hf_provider_attach_mcast)           \
	CALL(hf_provider_close_xrcd)             \
	CALL(hf_provider_context_alloc)          \
	CALL(hf_provider_context_uninit)         \
	CALL(hf_provider_create_ah)              \
	CALL(hf_provider_create_counters)        \
	CALL(hf_provider_create_cq)              \
	CALL(hf_provider_create_cq_ex)           \
	CALL(hf_provider_create_flow)            \
	CALL(hf_provider_create_flow_action_esp) \
	CALL(hf_provider_create_qp)              \
	CALL(hf_provider_create_qp_ex)           \
	CALL(hf_provider_create_rwq_ind_table)   \
	CALL(hf_provider_create_srq)             \
	CALL(hf_provider_create_srq_ex)          \
	CALL(hf_provider_create_wq)              \
	CALL(hf_provider_dealloc_mw)             \
	CALL(hf_provider_dealloc_pd)             \
	CALL(hf_provider_dereg_mr)               \
	CALL(hf_provider_destroy_ah)             \
	CALL(hf_provider_destroy_counters)       \
	CALL(hf_provider_destroy_cq)             \
	CALL(hf_provider_destroy_flow)           \
	CALL(hf_provider_destroy_flow_action)    \
	CALL(hf_provider_destroy_qp)             \
	CALL(hf_provider_destroy_rwq_ind_table)  \
	CALL(hf_provider_destroy_srq)            \
	CALL(hf_provider_destroy_wq)             \
	CALL(hf_provider_detach_mcast)           \
	CALL(hf_provider_free_dm)                \
	CALL(hf_provider_get_context)            \
	CALL(hf_provider_init_cq)                \
	CALL(hf_provider_ioctl)                  \
	CALL(hf_provider_ioctl_attrs)            \
	CALL(hf_provider_modify_cq)              \
	CALL(hf_provider_modify_flow_action_esp) \
	CALL(hf_provider_modify_qp)              \
	CALL(hf_provider_modify_qp_ex)           \
	CALL(hf_provider_modify_srq)             \
	CALL(hf_provider_modify_wq)              \
	CALL(hf_provider_open_qp)                \
	CALL(hf_provider_open_xrcd)              \
	CALL(hf_provider_poll_cq)                \
	CALL(hf_provider_post_recv)              \
	CALL(hf_provider_post_send)              \
	CALL(hf_provider_post_srq_recv)          \
	CALL(hf_provider_query_context)          \
	CALL(hf_provider_query_gid_type)         \
	CALL(hf_provider_query_mr)               \
	CALL(hf_provider_query_port)             \
	CALL(hf_provider_query_qp)               \
	CALL(hf_provider_query_srq)              \
	CALL(hf_provider_read_counters)          \
	CALL(hf_provider_reg_dm_mr)              \
	CALL(hf_provider_reg_dmabuf_mr)          \
	CALL(hf_provider_reg_mr)                 \
	CALL(hf_provider_req_notify_cq)          \
	CALL(hf_provider_rereg_mr)               \
	CALL(hf_provider_resize_cq)              \
	CALL(hf_provider_set_ops)

#define HF_CALLS_COMPAT(CALL)             \
	CALL(hfi_compat_dmabuf_buffer)    \
	CALL(hfi_compat_shim)             \
	CALL(hfi_compat_open_device)      \
	CALL(hfi_compat_query_device)     \
	CALL(hfi_compat_read_device_file) \
	CALL(hfi_compat_register)

struct hf_compat_calls {
#define HF_CALL(name) __typeof__(name) *(name);
	HF_CALLS_VERBS(HF_CALL)
	HF_CALLS_PROVIDER(HF_CALL)
	HF_CALLS_COMPAT(HF_CALL)
#undef HF_CALL
};

extern const struct hf_compat_calls hf_compat_calls;

/*
 * What libibverbs 1.15 to 1.18 and private ABIs 59 to 65 added: an object and a node of their own, so that an older
 * shim works with this library.
 */
#define HF_CALLS_LATER(CALL)                   \
	CALL(_ibv_query_comp_cntr_caps)        \
	CALL(ibv_alloc_buf)                    \
	CALL(ibv_alloc_dmah)                   \
	CALL(ibv_create_comp_cntr)             \
	CALL(ibv_dealloc_dmah)                 \
	CALL(ibv_destroy_comp_cntr)            \
	CALL(ibv_dm_export_dmabuf_fd)          \
	CALL(ibv_export_buf_dmabuf_fd)         \
	CALL(ibv_free_buf)                     \
	CALL(ibv_inc_comp_cntr)                \
	CALL(ibv_inc_err_comp_cntr)            \
	CALL(ibv_qp_attach_comp_cntr)          \
	CALL(ibv_query_port_speed)             \
	CALL(ibv_read_comp_cntr)               \
	CALL(ibv_read_err_comp_cntr)           \
	CALL(ibv_reg_buf_mr)                   \
	CALL(ibv_reg_mr_ex)                    \
	CALL(ibv_set_comp_cntr)                \
	CALL(ibv_set_err_comp_cntr)            \
	CALL(hf_provider_alloc_dmah)           \
	CALL(hf_provider_attach_comp_cntr)     \
	CALL(hf_provider_create_comp_cntr)     \
	CALL(hf_provider_destroy_comp_cntr)    \
	CALL(hf_provider_export_dmabuf)        \
	CALL(hf_provider_free_dmah)            \
	CALL(hf_provider_inc_comp_cntr)        \
	CALL(hf_provider_query_comp_cntr_caps) \
	CALL(hf_provider_query_port_speed)     \
	CALL(hf_provider_read_comp_cntr)       \
	CALL(hf_provider_reg_mr_ex)            \
	CALL(hf_provider_set_comp_cntr)        \
	CALL(hf_provider_shared_heap_alloc)    \
	CALL(hf_provider_shared_heap_close)    \
	CALL(hf_provider_shared_heap_free)     \
	CALL(hf_provider_shared_heap_open)

struct hf_compat_later {
#define HF_CALL(name) __typeof__(name) *(name);
	HF_CALLS_LATER(HF_CALL)
#undef HF_CALL
};

extern const struct hf_compat_later hf_compat_later;

#endif
