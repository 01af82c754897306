/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Kernel commands for protection domains, memory, address handles, XRC domains and multicast.
 *
 * All return 0 or a positive errno value, and leave the object unchanged on failure. `data` is the
 * provider's own part of the command and may be NULL; the kernel driver's response is written to
 * its `out` even if the object is then refused. Objects belong to the provider, which allocates
 * them zeroed and frees them.
 *
 * Each call that destroys an object succeeds if the device is gone: the kernel's part went with it,
 * and the provider frees its own. Other commands then return EIO once the core knows that the
 * device is gone, without asking the kernel. Calls exist since ABI 1 unless their comment says
 * otherwise.
 */
#ifndef HOLDFAST_PROVIDER_MEMORY_H
#define HOLDFAST_PROVIDER_MEMORY_H

#include <holdfast-provider/objects.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills pd->context and pd->handle. Since ABI 1. */
int hf_provider_alloc_pd(struct ibv_context *context, struct ibv_pd *pd,
			 const struct hf_driver_data *data);

/* EBUSY while an object uses the domain. Since ABI 1. */
int hf_provider_dealloc_pd(struct ibv_pd *pd);

/*
 * Registers `length` bytes at `addr`, which the device sees at hca_va. Fills context, handle and
 * both keys of mr->ibv_mr, and mr's type and access; the core fills the other public members after
 * the provider's operation. Since ABI 1.
 */
int hf_provider_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va, int access,
		       struct verbs_mr *mr, const struct hf_driver_data *data);

/*
 * The same for a dma-buf: `length` bytes at `offset` of the buffer `fd`, which the caller keeps.
 * Unless the device supports page faults, the buffer is pinned (Linux 5.12). Since ABI 1.
 */
int hf_provider_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length, uint64_t iova,
			      int fd, int access, struct verbs_mr *mr,
			      const struct hf_driver_data *data);

/*
 * Changes what `flags` (IBV_REREG_MR_*) select. Fills both keys, and mr's access and pd if they
 * were changed. Since ABI 1.
 */
int hf_provider_rereg_mr(struct verbs_mr *mr, uint32_t flags, void *addr, size_t length,
			 uint64_t hca_va, int access, struct ibv_pd *pd,
			 const struct hf_driver_data *data);

/* EBUSY while a memory window is bound to it. Since ABI 1. */
int hf_provider_dereg_mr(struct verbs_mr *mr);

/*
 * Gives an advice; changes no object. EINVAL for more than 4095 entries, or the kernel's error:
 * EOPNOTSUPP if the driver does not support the advice. Since ABI 1.
 */
int hf_provider_advise_mr(struct ibv_pd *pd, enum ib_uverbs_advise_mr_advice advice, uint32_t flags,
			  const struct ibv_sge *sg_list, uint32_t num_sge);

/*
 * Queries the region `handle` that another process created on the same command descriptor. Fills
 * all public members of mr->ibv_mr and its type (imported), but not its access. Since ABI 1.
 */
int hf_provider_query_mr(struct ibv_pd *pd, struct verbs_mr *mr, uint32_t handle);

/* Fills context, pd, handle, rkey and type. Since ABI 1. */
int hf_provider_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type, struct ibv_mw *mw,
			 const struct hf_driver_data *data);
int hf_provider_dealloc_mw(struct ibv_mw *mw);

/* Fills context and handle, and sets their bits in comp_mask. Since ABI 1. */
int hf_provider_open_xrcd(struct ibv_context *context, struct verbs_xrcd *xrcd,
			  const struct ibv_xrcd_init_attr *attr, const struct hf_driver_data *data);
int hf_provider_close_xrcd(struct verbs_xrcd *xrcd);

/* Fills context, pd and handle. Since ABI 1. */
int hf_provider_create_ah(struct ibv_pd *pd, struct ibv_ah *ah, const struct ibv_ah_attr *attr,
			  const struct hf_driver_data *data);
int hf_provider_destroy_ah(struct ibv_ah *ah);

/* Since ABI 1. */
int hf_provider_attach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid);
int hf_provider_detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid);

/* Memory on the device. Fills context and handle. Since ABI 1. */
int hf_provider_alloc_dm(struct ibv_context *context, const struct ibv_alloc_dm_attr *attr,
			 struct verbs_dm *dm, const struct hf_driver_data *data);
int hf_provider_free_dm(struct verbs_dm *dm);

/* Fills the same members as hf_provider_reg_mr(). Since ABI 1. */
int hf_provider_reg_dm_mr(struct ibv_pd *pd, struct verbs_dm *dm, uint64_t offset, size_t length,
			  unsigned int access, struct verbs_mr *mr,
			  const struct hf_driver_data *data);

#ifdef __cplusplus
}
#endif

#endif
