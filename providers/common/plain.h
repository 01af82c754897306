/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Operations on objects to which a provider adds nothing: the kernel's half, and memory for ours. */
#ifndef PROVIDERS_COMMON_PLAIN_H
#define PROVIDERS_COMMON_PLAIN_H

#include <holdfast-provider/provider.h>

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* A device object that is nothing but the core's part. */
struct verbs_device *plain_alloc_device(struct verbs_sysfs_dev *sysfs_dev);
void plain_uninit_device(struct verbs_device *device);

/* Of a driver whose version is three numbers of 16 bits. */
int plain_query_device(struct ibv_context *context, const struct ibv_query_device_ex_input *input,
		       struct ibv_device_attr_ex *attr, size_t attr_size);

struct ibv_pd *plain_alloc_pd(struct ibv_context *context);
int plain_dealloc_pd(struct ibv_pd *pd);

/* With driver data, for what else there is to say about a region. */
struct ibv_mr *plain_reg_mr_with(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
				 int access, const struct hf_driver_data *data);
struct ibv_mr *plain_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
			    int access);
int plain_rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr, size_t length,
		   int access);
int plain_dereg_mr(struct verbs_mr *mr);

struct ibv_mw *plain_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type);
int plain_dealloc_mw(struct ibv_mw *mw);

int plain_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		   struct ibv_qp_init_attr *init_attr);
int plain_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);
int plain_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr);

#endif
