/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <rdma/rdma_user_ioctl.h>

#include "core/uverbs/command.h"

static_assert(offsetof(struct hf_command, attrs) == sizeof(struct ib_uverbs_ioctl_hdr),
	      "the attributes follow the header");

void hf_command_begin(struct hf_command *command, uint16_t object, uint16_t method,
		      uint32_t driver_id)
{
	memset(command, 0, sizeof(*command));
	command->header.object_id = object;
	command->header.method_id = method;
	command->header.driver_id = driver_id;
}

static struct ib_uverbs_attr *add(struct hf_command *command, uint16_t id, size_t size,
				  uint16_t flags)
{
	struct ib_uverbs_attr *attr;

	assert(command->header.num_attrs < HF_COMMAND_ATTRS_MAX && size <= UINT16_MAX);
	attr = &command->attrs[command->header.num_attrs++];
	attr->attr_id = id;
	attr->len = (uint16_t)size;
	attr->flags = flags;
	return attr;
}

void hf_command_in(struct hf_command *command, uint16_t id, const void *data, size_t size)
{
	struct ib_uverbs_attr *attr = add(command, id, size, UVERBS_ATTR_F_MANDATORY);

	if (size <= sizeof(attr->data))
		memcpy(&attr->data, data, size);
	else
		attr->data = (uintptr_t)data;
}

void hf_command_in_const(struct hf_command *command, uint16_t id, uint64_t value)
{
	add(command, id, sizeof(value), UVERBS_ATTR_F_MANDATORY)->data = value;
}

void hf_command_out(struct hf_command *command, uint16_t id, void *data, size_t size)
{
	add(command, id, size, UVERBS_ATTR_F_MANDATORY)->data = (uintptr_t)data;
}

void hf_command_out_optional(struct hf_command *command, uint16_t id, void *data, size_t size)
{
	add(command, id, size, 0)->data = (uintptr_t)data;
}

struct ib_uverbs_attr *hf_command_out_fd(struct hf_command *command, uint16_t id)
{
	return add(command, id, 0, UVERBS_ATTR_F_MANDATORY);
}

int hf_command_send(struct hf_command *command, int cmd_fd)
{
	command->header.length = (uint16_t)(sizeof(command->header) +
					    command->header.num_attrs * sizeof(command->attrs[0]));
	if (ioctl(cmd_fd, RDMA_VERBS_IOCTL, &command->header) < 0)
		return -errno;
	return 0;
}
