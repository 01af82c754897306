/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the libibverbs.so.1 shim needs of the core and nobody else: node HOLDFAST_COMPAT_1. */
#ifndef HF_COMPAT_H
#define HF_COMPAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

/* hf_device_open() with something for the provider's alloc_context. 0 or -errno. */
int hfi_compat_open_device(struct ibv_device *device, void *private_data, struct ibv_context **ret);

/* hf_provider_query_device() with the kernel's whole answer. */
int hfi_compat_query_device(struct ibv_context *context,
			    const struct ibv_query_device_ex_input *input,
			    struct ibv_device_attr_ex *attr, size_t attr_size,
			    struct ib_uverbs_ex_query_device_resp *ret,
			    const struct hf_driver_data *data);

/* Reads a file of the device's directory; the length without the newline at the end, or -errno. */
ssize_t hfi_compat_read_device_file(struct verbs_sysfs_dev *device, const char *path, char *value,
				    size_t size);

/*
 * A library's constructor makes its table known, by the call of private ABI `abi`. The table must
 * stay as long as it is mapped.
 */
void hfi_compat_register(uint32_t abi, const struct verbs_device_ops *ops);

/*
 * The shim was mapped (an address within it), or is about to be unmapped (NULL). Where the program
 * brought it, ibv_get_device_list() says on standard error what libibverbs says there.
 */
void hfi_compat_shim(const void *address);

/*
 * Does the rdma-core that the context's provider was built from pass ibv_cmd_reg_dmabuf_mr() a command
 * buffer as the last of its arguments?
 */
bool hfi_compat_dmabuf_buffer(struct ibv_context *context);

/*
 * For the process that looks into foreign libraries: takes each of `files` (NULL at the end), writes
 * what it matches to fd, and answers the process's exit status.
 */
int hf_compat_scan(int fd, const char *shim, char **files);

#endif
