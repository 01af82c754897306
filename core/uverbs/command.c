/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <rdma/rdma_user_ioctl.h>

#include "core/uverbs/command.h"
#include "core/uverbs/uverbs.h"

static_assert(offsetof(struct hf_command, attrs) == sizeof(struct ib_uverbs_ioctl_hdr),
	      "the attributes follow the header");

/* A program that is flooded with signals gets its EINTR in the end. */
enum { TRIES_MAX = 100 };

void hf_command_begin(struct hf_command *command, uint16_t object, uint16_t method,
		      uint32_t driver_id)
{
	/* The attributes are written when they are added: most commands use few of them. */
	command->header = (struct ib_uverbs_ioctl_hdr){
		.object_id = object,
		.method_id = method,
		.driver_id = driver_id,
	};
	command->link = NULL;
	command->err = 0;
}

void hf_command_start(struct hf_command *command, struct ibv_context *context, uint16_t object,
		      uint16_t method)
{
	hf_command_begin(command, object, method, hf_uverbs_of(context)->driver_id);
}

static struct ib_uverbs_attr *add(struct hf_command *command, uint16_t id, size_t size,
				  uint16_t flags)
{
	struct ib_uverbs_attr *attr;

	assert(command->header.num_attrs < HF_COMMAND_ATTRS_MAX);
	if (size > UINT16_MAX) {
		command->err = -EINVAL;
		size = 0;
	}
	attr = &command->attrs[command->header.num_attrs++];
	*attr = (struct ib_uverbs_attr){.attr_id = id, .len = (uint16_t)size, .flags = flags};
	return attr;
}

static void set_input(struct ib_uverbs_attr *attr, const void *data)
{
	if (!attr->len)
		return;
	if (attr->len <= sizeof(attr->data))
		memcpy(&attr->data, data, attr->len);
	else
		attr->data = (uintptr_t)data;
}

void hf_command_in(struct hf_command *command, uint16_t id, const void *data, size_t size)
{
	set_input(add(command, id, size, UVERBS_ATTR_F_MANDATORY), data);
}

void hf_command_in_const(struct hf_command *command, uint16_t id, uint64_t value)
{
	add(command, id, sizeof(value), UVERBS_ATTR_F_MANDATORY)->data = value;
}

void hf_command_in_handle(struct hf_command *command, uint16_t id, uint32_t handle)
{
	add(command, id, 0, UVERBS_ATTR_F_MANDATORY)->data = handle;
}

void hf_command_in_fd(struct hf_command *command, uint16_t id, int fd)
{
	add(command, id, 0, UVERBS_ATTR_F_MANDATORY)->data_s64 = fd;
}

void hf_command_in_handles(struct hf_command *command, uint16_t id, const uint32_t *handles,
			   size_t count)
{
	struct ib_uverbs_attr *attr;

	/* Never in the attribute itself, however few (Linux 4.20, uverbs_process_idrs_array). */
	attr = add(command, id, count * sizeof(*handles), UVERBS_ATTR_F_MANDATORY);
	attr->data = (uintptr_t)handles;
}

void hf_command_in_enum(struct hf_command *command, uint16_t id, uint8_t elem, const void *data,
			size_t size)
{
	struct ib_uverbs_attr *attr = add(command, id, size, UVERBS_ATTR_F_MANDATORY);

	attr->attr_data.enum_data.elem_id = elem;
	set_input(attr, data);
}

void hf_command_out(struct hf_command *command, uint16_t id, void *data, size_t size)
{
	add(command, id, size, UVERBS_ATTR_F_MANDATORY)->data = (uintptr_t)data;
}

void hf_command_out_optional(struct hf_command *command, uint16_t id, void *data, size_t size)
{
	add(command, id, size, 0)->data = (uintptr_t)data;
}

struct ib_uverbs_attr *hf_command_out_handle(struct hf_command *command, uint16_t id)
{
	return add(command, id, 0, UVERBS_ATTR_F_MANDATORY);
}

struct ib_uverbs_attr *hf_command_out_fd(struct hf_command *command, uint16_t id)
{
	return add(command, id, 0, UVERBS_ATTR_F_MANDATORY);
}

void hf_command_driver_data(struct hf_command *command, const struct hf_driver_data *data)
{
	int count;

	if (!data)
		return;
	if (data->in_size)
		hf_command_in(command, UVERBS_ATTR_UHW_IN, data->in, data->in_size);
	if (data->out_size)
		hf_command_out(command, UVERBS_ATTR_UHW_OUT, data->out, data->out_size);
	if (!data->link)
		return;
	count = hf_link_count(data->link);
	if (count < 0 || command->header.num_attrs + count > HF_COMMAND_ATTRS_MAX) {
		command->err = count < 0 ? count : -EINVAL;
		return;
	}
	command->link = data->link;
	hf_link_gather(data->link, command->attrs + command->header.num_attrs);
	command->header.num_attrs = (uint16_t)(command->header.num_attrs + count);
}

int hf_command_send(struct hf_command *command, int cmd_fd)
{
	struct ib_uverbs_ioctl_hdr *header = &command->header;
	int tries = TRIES_MAX;
	int ret;

	if (command->err)
		return command->err;
	header->length =
		(uint16_t)(sizeof(*header) + header->num_attrs * sizeof(command->attrs[0]));
	/* A command that a signal interrupted was undone: it can be sent again. */
	do
		ret = ioctl(cmd_fd, RDMA_VERBS_IOCTL, header);
	while (ret < 0 && errno == EINTR && --tries);
	if (ret < 0)
		return -errno;
	if (command->link)
		hf_link_scatter(command->link,
				command->attrs + header->num_attrs - hf_link_count(command->link));
	return 0;
}

int hf_command_run(struct hf_command *command, struct ibv_context *context)
{
	int err = -EIO;

	if (!atomic_load_explicit(&hf_uverbs_of(context)->dead, memory_order_relaxed))
		err = hf_command_send(command, context->cmd_fd);
	/* A provider whose operation answers with a pointer leaves errno as it finds it. */
	if (err)
		errno = -err;
	return err;
}

int hf_write_command(struct ibv_context *context, uint32_t cmd, const void *in, size_t in_size,
		     void *out, size_t out_size, const struct hf_driver_data *data)
{
	struct hf_command command;

	hf_command_start(&command, context, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE);
	hf_command_in_const(&command, UVERBS_ATTR_WRITE_CMD, cmd);
	if (in_size)
		hf_command_in(&command, UVERBS_ATTR_CORE_IN, in, in_size);
	if (out_size)
		hf_command_out(&command, UVERBS_ATTR_CORE_OUT, out, out_size);
	hf_command_driver_data(&command, data);
	return hf_command_run(&command, context);
}

bool hf_answer_is_gone(struct ibv_context *context, int err)
{
	/* EIO from a context that lost its device (Linux, uverbs_main.c), ENODEV from drivers. */
	return err == -EIO || err == -ENODEV ||
	       (err && atomic_load_explicit(&hf_uverbs_of(context)->dead, memory_order_relaxed));
}

int hf_destroy_command(struct ibv_context *context, uint16_t object, uint16_t method,
		       uint16_t handle_attr, uint32_t handle)
{
	struct hf_command command;
	int err;

	hf_command_start(&command, context, object, method);
	hf_command_in_handle(&command, handle_attr, handle);
	err = hf_command_run(&command, context);
	return hf_answer_is_gone(context, err) ? 0 : err;
}

int hf_destroy_counted(struct ibv_context *context, uint16_t object, uint16_t method,
		       uint16_t handle_attr, uint32_t handle, uint16_t response_attr,
		       void *response, size_t response_size)
{
	struct hf_command command;
	int err;

	memset(response, 0, response_size);
	hf_command_start(&command, context, object, method);
	hf_command_in_handle(&command, handle_attr, handle);
	hf_command_out(&command, response_attr, response, response_size);
	err = hf_command_run(&command, context);
	if (!hf_answer_is_gone(context, err))
		return err;
	memset(response, 0, response_size);
	return 1;
}
