/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Forwards the calls that libibverbs 1.15 to 1.18 added. */
#include "compat/libibverbs/forward.h"

/* HF_FORWARD() of the table of these calls. */
#define HF_FORWARD_LATER(node, ret, name, parameters, arguments) \
	extern __typeof__(name) shim_##name;                     \
	HF_SYMVER(shim_##name, #name "@@IBVERBS_" #node)         \
	HF_EXPORT ret shim_##name parameters                     \
	{                                                        \
		return hf_compat_later.name arguments;           \
	}

HF_FORWARD_LATER(1.15, struct ibv_dmah *, ibv_alloc_dmah,
		 (struct ibv_context * context, struct ibv_dmah_init_attr *attr), (context, attr))
HF_FORWARD_LATER(1.15, int, ibv_dealloc_dmah, (struct ibv_dmah * dmah), (dmah))
HF_FORWARD_LATER(1.15, struct ibv_mr *, ibv_reg_mr_ex,
		 (struct ibv_pd * pd, struct ibv_mr_init_attr *attr), (pd, attr))

HF_FORWARD_LATER(1.16, int, ibv_dm_export_dmabuf_fd, (struct ibv_dm * dm), (dm))
HF_FORWARD_LATER(1.16, int, ibv_query_port_speed,
		 (struct ibv_context * context, uint32_t port, uint64_t *speed),
		 (context, port, speed))

HF_FORWARD_LATER(1.17, void *, ibv_alloc_buf,
		 (struct ibv_pd * pd, size_t size, struct ibv_buf **buf), (pd, size, buf))
HF_FORWARD_LATER(1.17, void, ibv_free_buf, (struct ibv_buf * buf), (buf))
HF_FORWARD_LATER(1.17, struct ibv_mr *, ibv_reg_buf_mr,
		 (struct ibv_pd * pd, struct ibv_buf *buf, void *addr, size_t length, int access),
		 (pd, buf, addr, length, access))

HF_FORWARD_LATER(1.18, int, ibv_export_buf_dmabuf_fd, (struct ibv_buf * buf), (buf))
HF_FORWARD_LATER(1.18, int, _ibv_query_comp_cntr_caps,
		 (struct ibv_context * context, struct ibv_comp_cntr_caps *caps, size_t size),
		 (context, caps, size))
HF_FORWARD_LATER(1.18, struct ibv_comp_cntr *, ibv_create_comp_cntr,
		 (struct ibv_context * context, struct ibv_comp_cntr_init_attr *attr),
		 (context, attr))
HF_FORWARD_LATER(1.18, int, ibv_destroy_comp_cntr, (struct ibv_comp_cntr * counter), (counter))
HF_FORWARD_LATER(1.18, int, ibv_set_comp_cntr, (struct ibv_comp_cntr * counter, uint64_t value),
		 (counter, value))
HF_FORWARD_LATER(1.18, int, ibv_set_err_comp_cntr, (struct ibv_comp_cntr * counter, uint64_t value),
		 (counter, value))
HF_FORWARD_LATER(1.18, int, ibv_inc_comp_cntr, (struct ibv_comp_cntr * counter, uint64_t amount),
		 (counter, amount))
HF_FORWARD_LATER(1.18, int, ibv_inc_err_comp_cntr,
		 (struct ibv_comp_cntr * counter, uint64_t amount), (counter, amount))
HF_FORWARD_LATER(1.18, int, ibv_read_comp_cntr, (struct ibv_comp_cntr * counter, uint64_t *value),
		 (counter, value))
HF_FORWARD_LATER(1.18, int, ibv_read_err_comp_cntr,
		 (struct ibv_comp_cntr * counter, uint64_t *value), (counter, value))
HF_FORWARD_LATER(1.18, int, ibv_qp_attach_comp_cntr,
		 (struct ibv_qp * qp, struct ibv_comp_cntr *counter,
		  struct ibv_qp_attach_comp_cntr_attr *attr),
		 (qp, counter, attr))
