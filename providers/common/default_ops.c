/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Operations for objects to which a provider adds nothing: allocate, and call the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "providers/common/default_ops.h"
#include "providers/common/util.h"

struct verbs_device *default_alloc_device(struct verbs_sysfs_dev *sysfs_dev)
{
	(void)sysfs_dev;
	return calloc(1, sizeof(struct verbs_device));
}

void default_uninit_device(struct verbs_device *device)
{
	free(device);
}

struct verbs_context *default_alloc_context(struct ibv_device *device, int cmd_fd, size_t size,
					    uint32_t driver_id, const struct hf_driver_data *data,
					    const struct verbs_context_ops *ops)
{
	struct verbs_context *context;
	int err;

	context = hf_provider_context_alloc(device, cmd_fd, size, 0, driver_id);
	if (!context)
		return NULL;
	err = hf_provider_get_context(context, data);
	if (err)
		goto free_context;
	hf_provider_set_ops(context, ops);
	return context;

free_context:
	hf_provider_context_uninit(context);
	free(context);
	errno = err;
	return NULL;
}

void default_free_context(struct ibv_context *ibv)
{
	struct verbs_context *context = container_of(ibv, struct verbs_context, context);

	hf_provider_context_uninit(context);
	free(context);
}

int default_query_device(struct ibv_context *context, const struct ibv_query_device_ex_input *input,
			 struct ibv_device_attr_ex *attr, size_t attr_size)
{
	uint64_t version;
	int err;

	err = hf_provider_query_device(context, input, attr, attr_size, &version, NULL);
	if (err)
		return err;
	snprintf(attr->orig_attr.fw_ver, sizeof(attr->orig_attr.fw_ver), "%u.%u.%u",
		 (unsigned)(version >> 32) & 0xffff, (unsigned)(version >> 16) & 0xffff,
		 (unsigned)version & 0xffff);
	return 0;
}

struct ibv_pd *default_alloc_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));
	int err;

	if (!pd)
		return NULL;
	err = hf_provider_alloc_pd(context, pd, NULL);
	if (err)
		goto free_pd;
	return pd;

free_pd:
	free(pd);
	errno = err;
	return NULL;
}

int default_dealloc_pd(struct ibv_pd *pd)
{
	int err = hf_provider_dealloc_pd(pd);

	if (!err)
		free(pd);
	return err;
}

struct ibv_mr *default_reg_mr_with(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
				   int access, const struct hf_driver_data *data)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));
	int err;

	if (!mr)
		return NULL;
	err = hf_provider_reg_mr(pd, addr, length, hca_va, access, mr, data);
	if (err)
		goto free_mr;
	return &mr->ibv_mr;

free_mr:
	free(mr);
	errno = err;
	return NULL;
}

struct ibv_mr *default_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
			      int access)
{
	return default_reg_mr_with(pd, addr, length, hca_va, access, NULL);
}

int default_rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr, size_t length,
		     int access)
{
	return hf_provider_rereg_mr(mr, (uint32_t)flags, addr, length, (uintptr_t)addr, access, pd,
				    NULL);
}

int default_dereg_mr(struct verbs_mr *mr)
{
	int err = hf_provider_dereg_mr(mr);

	if (!err)
		free(mr);
	return err;
}

struct ibv_mw *default_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type)
{
	struct ibv_mw *mw = calloc(1, sizeof(*mw));
	int err;

	if (!mw)
		return NULL;
	err = hf_provider_alloc_mw(pd, type, mw, NULL);
	if (err)
		goto free_mw;
	return mw;

free_mw:
	free(mw);
	errno = err;
	return NULL;
}

int default_dealloc_mw(struct ibv_mw *mw)
{
	int err = hf_provider_dealloc_mw(mw);

	if (!err)
		free(mw);
	return err;
}

int default_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		     struct ibv_qp_init_attr *init_attr)
{
	return hf_provider_query_qp(qp, attr, mask, init_attr, NULL);
}

int default_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	return hf_provider_modify_qp(qp, attr, mask, NULL);
}

int default_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	return hf_provider_query_srq(srq, attr, NULL);
}
