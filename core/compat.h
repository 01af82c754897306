/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the libibverbs.so.1 face needs of the core and nobody else: node HOLDFAST_COMPAT_1. */
#ifndef HF_COMPAT_H
#define HF_COMPAT_H

#include <sys/types.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

/* hf_device_open() with something for the provider's alloc_context. 0 or -errno. */
int hf_compat_open_device(struct ibv_device *device, void *private_data, struct ibv_context **ret);

/* hf_provider_query_device() with the kernel's whole answer. */
int hf_compat_query_device(struct ibv_context *context,
			   const struct ibv_query_device_ex_input *input,
			   struct ibv_device_attr_ex *attr, size_t attr_size,
			   struct ib_uverbs_ex_query_device_resp *ret,
			   const struct hf_driver_data *data);

/* Reads a file of the device's directory; the length without the newline at the end, or -errno. */
ssize_t hf_compat_read_device_file(struct verbs_sysfs_dev *device, const char *path, char *value,
				   size_t size);

#endif
