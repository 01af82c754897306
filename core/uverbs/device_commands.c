/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Kernel commands about a device as a whole. */
#include <string.h>
#include <rdma/ib_user_ioctl_cmds.h>

#include "core/uverbs/command.h"
#include "core/uverbs/device_commands.h"

static void add_uhw(struct hf_command *command, const struct hf_uhw *uhw)
{
	if (uhw->in_size)
		hfi_command_in(command, UVERBS_ATTR_UHW_IN, uhw->in, uhw->in_size);
	if (uhw->out_size)
		hfi_command_out(command, UVERBS_ATTR_UHW_OUT, uhw->out, uhw->out_size);
}

int hfi_cmd_get_context(int cmd_fd, uint32_t driver_id, const struct hf_uhw *uhw,
			uint32_t *num_comp_vectors, uint64_t *core_support)
{
	struct hf_command command;

	hfi_command_begin(&command, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT, driver_id);
	hfi_command_out(&command, UVERBS_ATTR_GET_CONTEXT_NUM_COMP_VECTORS, num_comp_vectors,
			sizeof(*num_comp_vectors));
	hfi_command_out_optional(&command, UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT, core_support,
				 sizeof(*core_support));
	add_uhw(&command, uhw);
	if (uhw->link)
		hfi_command_link(&command, uhw->link);
	return hfi_command_send(&command, cmd_fd);
}

int hfi_cmd_query_device(int cmd_fd, uint32_t driver_id, const struct hf_uhw *uhw,
			 struct ib_uverbs_ex_query_device_resp *ret)
{
	const struct ib_uverbs_ex_query_device request = {0};
	struct ib_uverbs_ex_query_device_resp response = {0};
	struct hf_command command;
	int err;

	hfi_command_begin(&command, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE, driver_id);
	/* No native method: the older command, wrapped (Linux 4.20, uverbs_std_types_device.c). */
	hfi_command_in_const(&command, UVERBS_ATTR_WRITE_CMD,
			     IB_USER_VERBS_EX_CMD_QUERY_DEVICE | IB_USER_VERBS_CMD_FLAG_EXTENDED);
	hfi_command_in(&command, UVERBS_ATTR_CORE_IN, &request, sizeof(request));
	hfi_command_out(&command, UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	add_uhw(&command, uhw);
	err = hfi_command_send(&command, cmd_fd);
	if (!err)
		*ret = response;
	return err;
}

int hfi_cmd_query_port(int cmd_fd, uint32_t driver_id, uint8_t port,
		       struct ib_uverbs_query_port_resp_ex *ret)
{
	struct ib_uverbs_query_port_resp_ex response = {0};
	struct hf_command command;
	int err;

	/* The kernel takes constants as 64 bits, whatever the type of the number. */
	hfi_command_begin(&command, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_PORT, driver_id);
	hfi_command_in_const(&command, UVERBS_ATTR_QUERY_PORT_PORT_NUM, port);
	hfi_command_out(&command, UVERBS_ATTR_QUERY_PORT_RESP, &response, sizeof(response));
	err = hfi_command_send(&command, cmd_fd);
	if (!err)
		*ret = response;
	return err;
}

int hfi_cmd_async_fd(int cmd_fd, uint32_t driver_id)
{
	struct ib_uverbs_attr *fd;
	struct hf_command command;
	int err;

	hfi_command_begin(&command, UVERBS_OBJECT_ASYNC_EVENT, UVERBS_METHOD_ASYNC_EVENT_ALLOC,
			  driver_id);
	fd = hfi_command_out_fd(&command, UVERBS_ATTR_ASYNC_EVENT_ALLOC_FD_HANDLE);
	err = hfi_command_send(&command, cmd_fd);
	return err ? err : (int)fd->data_s64;
}
