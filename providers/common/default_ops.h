/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Operations for objects to which a provider adds nothing: allocate, and call the kernel. */
#ifndef PROVIDERS_COMMON_DEFAULT_OPS_H
#define PROVIDERS_COMMON_DEFAULT_OPS_H

#include <holdfast-provider/provider.h>

/* The device object is the core's struct alone. */
struct verbs_device *default_alloc_device(struct verbs_sysfs_dev *sysfs_dev);
void default_uninit_device(struct verbs_device *device);

/*
 * Allocates a context object of `size` bytes that begins with its struct verbs_context, sends
 * GET_CONTEXT with `data`, and installs `ops`. Returns NULL with errno set on failure.
 */
struct verbs_context *default_alloc_context(struct ibv_device *device, int cmd_fd, size_t size,
					    uint32_t driver_id, const struct hf_driver_data *data,
					    const struct verbs_context_ops *ops);
void default_free_context(struct ibv_context *context);

/* For a driver whose firmware version is three numbers of 16 bits. */
int default_query_device(struct ibv_context *context, const struct ibv_query_device_ex_input *input,
			 struct ibv_device_attr_ex *attr, size_t attr_size);

struct ibv_pd *default_alloc_pd(struct ibv_context *context);
int default_dealloc_pd(struct ibv_pd *pd);

/* Like default_reg_mr(), with driver data. */
struct ibv_mr *default_reg_mr_with(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
				   int access, const struct hf_driver_data *data);
struct ibv_mr *default_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
			      int access);
int default_rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr, size_t length,
		     int access);
int default_dereg_mr(struct verbs_mr *mr);

struct ibv_mw *default_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type);
int default_dealloc_mw(struct ibv_mw *mw);

int default_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		     struct ibv_qp_init_attr *init_attr);
int default_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);
int default_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr);

/* Posts an empty list: tells the kernel driver that the mapped send queue has new requests. */
static inline int default_wake_kernel(struct ibv_qp *qp)
{
	struct ibv_send_wr *bad;

	return hf_provider_post_send(qp, NULL, &bad);
}

#endif
