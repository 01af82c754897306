/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: contexts, device and port attributes, files of the device's directory. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compat/private34/context.h"
#include "compat/private34/steering.h"
#include "core/compat_calls.h"

/* The pointer context_offset holds a number: the offset of the context in the provider's object. */
HF_IN_ALL(_verbs_init_and_alloc_context)
void *_verbs_init_and_alloc_context(struct ibv_device *device, int cmd_fd, size_t size,
				    struct verbs_context *context_offset, uint32_t driver_id)
{
	return hf_compat_calls.hf_provider_context_alloc(device, cmd_fd, size,
							 (uintptr_t)context_offset, driver_id);
}

HF_TO_57(verbs_set_ops)
void verbs_set_ops(struct verbs_context *context, const struct verbs_context_ops *ops)
{
	hf_compat_calls.hf_provider_set_ops(context, ops);
}

HF_TO_57(verbs_uninit_context)
void verbs_uninit_context(struct verbs_context *context)
{
	hf_compat_calls.hf_provider_context_uninit(context);
}

HF_IN_ALL(verbs_open_device)
struct ibv_context *verbs_open_device(struct ibv_device *device, void *private_data)
{
	struct ibv_context *context;
	int err = hf_compat_calls.hfi_compat_open_device(device, private_data, &context);

	if (!err)
		return context;
	errno = -err;
	return NULL;
}

int hfi_get_context(struct verbs_context *context, struct ibv_get_context *cmd, size_t cmd_size,
		    struct ibv_command_buffer *link, struct ib_uverbs_get_context_resp *resp,
		    size_t resp_size)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME(struct ib_uverbs_get_context),
				       resp, resp_size, sizeof(*resp)};
	struct hf_driver_data data;
	int err;

	err = hf_frame_split(&frame, &data);
	if (err)
		return hf_answer(err);
	data.link = link;
	err = hf_compat_calls.hf_provider_get_context(context, &data);
	if (!err) {
		resp->async_fd = (__u32)context->context.async_fd;
		resp->num_comp_vectors = (__u32)context->context.num_comp_vectors;
	}
	return hf_answer(err);
}

HF_IN_34(ibv_cmd_get_context)
int ibv_cmd_get_context(struct verbs_context *context, struct ibv_get_context *cmd, size_t cmd_size,
			struct ib_uverbs_get_context_resp *resp, size_t resp_size)
{
	return hfi_get_context(context, cmd, cmd_size, NULL, resp, resp_size);
}

HF_IN_ALL(ibv_cmd_query_context)
int ibv_cmd_query_context(struct ibv_context *context, struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(hf_compat_calls.hf_provider_query_context(context, &data));
}

HF_IN_ALL(ibv_cmd_query_device_any)
int ibv_cmd_query_device_any(struct ibv_context *context,
			     const struct ibv_query_device_ex_input *input,
			     struct ibv_device_attr_ex *attr, size_t attr_size,
			     struct ib_uverbs_ex_query_device_resp *resp, size_t *resp_size)
{
	struct ib_uverbs_ex_query_device_resp response;
	struct hf_driver_data data = {0};
	size_t size = resp ? *resp_size : 0;
	int err;

	if (size > sizeof(*resp)) {
		data.out = resp + 1;
		data.out_size = size - sizeof(*resp);
		size = sizeof(*resp);
	}
	err = hf_compat_calls.hfi_compat_query_device(context, input, attr, attr_size, &response,
						      &data);
	if (!err && size)
		memcpy(resp, &response, size);
	return hf_answer(err);
}

HF_IN_ALL(ibv_cmd_query_port)
int ibv_cmd_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr,
		       struct ibv_query_port *cmd, size_t cmd_size)
{
	(void)cmd;
	(void)cmd_size;
	return hf_answer(hf_compat_calls.hf_provider_query_port(context, port, attr));
}

HF_IN_ALL(ibv_query_gid_type)
int ibv_query_gid_type(struct ibv_context *context, uint8_t port, unsigned int index,
		       enum ibv_gid_type_sysfs *type)
{
	return hf_answer(hf_compat_calls.hf_provider_query_gid_type(context, port, index, type))
		       ? -1
		       : 0;
}

HF_IN_ALL(ibv_read_ibdev_sysfs_file)
int ibv_read_ibdev_sysfs_file(char *buf, size_t size, struct verbs_sysfs_dev *device,
			      const char *format, ...)
{
	char path[IBV_SYSFS_PATH_MAX];
	ssize_t length;
	va_list args;
	int printed;

	va_start(args, format);
	printed = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (!device || printed < 0 || (size_t)printed >= sizeof(path)) {
		errno = EINVAL;
		return -1;
	}
	length = hf_compat_calls.hfi_compat_read_device_file(device, path, buf, size);
	if (length > 0)
		return (int)length;
	/* Report an empty file as missing. */
	errno = length ? (int)-length : ENOENT;
	return -1;
}
