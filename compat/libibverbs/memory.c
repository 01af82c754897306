/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Forwards the calls for protection domains, memory and multicast groups. */
#include "compat/libibverbs/forward.h"

HF_FORWARD(1.1, struct ibv_pd *, ibv_alloc_pd, (struct ibv_context * context), (context))
HF_FORWARD(1.1, int, ibv_dealloc_pd, (struct ibv_pd * pd), (pd))

HF_FORWARD(1.1, struct ibv_mr *, ibv_reg_mr,
	   (struct ibv_pd * pd, void *addr, size_t length, int access), (pd, addr, length, access))
HF_FORWARD(1.7, struct ibv_mr *, ibv_reg_mr_iova,
	   (struct ibv_pd * pd, void *addr, size_t length, uint64_t iova, int access),
	   (pd, addr, length, iova, access))
HF_FORWARD(1.8, struct ibv_mr *, ibv_reg_mr_iova2,
	   (struct ibv_pd * pd, void *addr, size_t length, uint64_t iova, unsigned int access),
	   (pd, addr, length, iova, access))
HF_FORWARD(1.12, struct ibv_mr *, ibv_reg_dmabuf_mr,
	   (struct ibv_pd * pd, uint64_t offset, size_t length, uint64_t iova, int fd, int access),
	   (pd, offset, length, iova, fd, access))
HF_FORWARD(1.1, int, ibv_rereg_mr,
	   (struct ibv_mr * mr, int flags, struct ibv_pd *pd, void *addr, size_t length,
	    int access),
	   (mr, flags, pd, addr, length, access))
HF_FORWARD(1.1, int, ibv_dereg_mr, (struct ibv_mr * mr), (mr))

HF_FORWARD(1.10, struct ibv_mr *, ibv_import_mr, (struct ibv_pd * pd, uint32_t handle),
	   (pd, handle))
HF_FORWARD(1.10, void, ibv_unimport_mr, (struct ibv_mr * mr), (mr))
HF_FORWARD(1.10, struct ibv_pd *, ibv_import_pd, (struct ibv_context * context, uint32_t handle),
	   (context, handle))
HF_FORWARD(1.10, void, ibv_unimport_pd, (struct ibv_pd * pd), (pd))
HF_FORWARD(1.13, struct ibv_dm *, ibv_import_dm, (struct ibv_context * context, uint32_t handle),
	   (context, handle))
HF_FORWARD(1.13, void, ibv_unimport_dm, (struct ibv_dm * dm), (dm))

HF_FORWARD(1.1, int, ibv_attach_mcast, (struct ibv_qp * qp, const union ibv_gid *gid, uint16_t lid),
	   (qp, gid, lid))
HF_FORWARD(1.1, int, ibv_detach_mcast, (struct ibv_qp * qp, const union ibv_gid *gid, uint16_t lid),
	   (qp, gid, lid))
