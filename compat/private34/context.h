/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: contexts and queries. */
#ifndef HF_COMPAT_PRIVATE34_CONTEXT_H
#define HF_COMPAT_PRIVATE34_CONTEXT_H

#include "compat/private34/private34.h"

/* Command structs, known to providers only. */
struct ibv_get_context;
struct ibv_query_port;

void *_verbs_init_and_alloc_context(struct ibv_device *device, int cmd_fd, size_t size,
				    struct verbs_context *context_offset, uint32_t driver_id);
void verbs_set_ops(struct verbs_context *context, const struct verbs_context_ops *ops);
void verbs_uninit_context(struct verbs_context *context);
struct ibv_context *verbs_open_device(struct ibv_device *device, void *private_data);
int ibv_cmd_get_context(struct verbs_context *context, struct ibv_get_context *cmd, size_t cmd_size,
			struct ib_uverbs_get_context_resp *resp, size_t resp_size);
/* Under all nodes; with attributes that the provider links to the command, or NULL. */
int hfi_get_context(struct verbs_context *context, struct ibv_get_context *cmd, size_t cmd_size,
		    struct ibv_command_buffer *link, struct ib_uverbs_get_context_resp *resp,
		    size_t resp_size);
int ibv_cmd_query_context(struct ibv_context *context, struct ibv_command_buffer *link);
int ibv_cmd_query_device_any(struct ibv_context *context,
			     const struct ibv_query_device_ex_input *input,
			     struct ibv_device_attr_ex *attr, size_t attr_size,
			     struct ib_uverbs_ex_query_device_resp *resp, size_t *resp_size);
int ibv_cmd_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr,
		       struct ibv_query_port *cmd, size_t cmd_size);
int ibv_query_gid_type(struct ibv_context *context, uint8_t port, unsigned int index,
		       enum ibv_gid_type_sysfs *type);
int ibv_read_ibdev_sysfs_file(char *buf, size_t size, struct verbs_sysfs_dev *device,
			      const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
