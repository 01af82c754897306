/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Builds one command to the kernel and sends it with RDMA_VERBS_IOCTL. */
#ifndef HF_UVERBS_COMMAND_H
#define HF_UVERBS_COMMAND_H

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <holdfast-provider/objects.h>

/* The core's longest command, creating a QP, has 17 attributes; providers may link the rest. */
enum { HF_COMMAND_ATTRS_MAX = 48 };

struct hf_command {
	struct ib_uverbs_ioctl_hdr header; /* its attrs[] are the next member */
	struct ib_uverbs_attr attrs[HF_COMMAND_ATTRS_MAX];
	struct ibv_command_buffer *link;
	int err; /* of building it; hfi_command_send() returns it */
};

/* The functions that build a command are inline: the compiler turns most of them into a few stores. */
static inline void hfi_command_begin(struct hf_command *command, uint16_t object, uint16_t method,
				     uint32_t driver_id)
{
	/* Attributes are not cleared here but written when they are added: most commands have few. */
	command->header = (struct ib_uverbs_ioctl_hdr){
		.object_id = object,
		.method_id = method,
		.driver_id = driver_id,
	};
	command->link = NULL;
	command->err = 0;
}

static inline struct ib_uverbs_attr *hfi_command_add(struct hf_command *command, uint16_t id,
						     size_t size, uint16_t flags, uint64_t data)
{
	struct ib_uverbs_attr *attr;

	assert(command->header.num_attrs < HF_COMMAND_ATTRS_MAX);
	if (size > UINT16_MAX) {
		command->err = -EINVAL;
		size = 0;
	}
	attr = &command->attrs[command->header.num_attrs++];
	*attr = (struct ib_uverbs_attr){
		.attr_id = id, .len = (uint16_t)size, .flags = flags, .data = data};
	return attr;
}

/*
 * Input. Up to 8 bytes are stored in the attribute itself, as the kernel demands; more are pointed
 * to and must stay valid until the command is sent.
 */
static inline struct ib_uverbs_attr *hfi_command_in(struct hf_command *command, uint16_t id,
						    const void *data, size_t size)
{
	uint64_t value = 0;

	if (size > sizeof(value))
		value = (uintptr_t)data;
	else if (size)
		memcpy(&value, data, size);
	return hfi_command_add(command, id, size, UVERBS_ATTR_F_MANDATORY, value);
}

/* A number, an enumerator or flags: always sent as 64 bits. */
static inline void hfi_command_in_const(struct hf_command *command, uint16_t id, uint64_t value)
{
	hfi_command_add(command, id, sizeof(value), UVERBS_ATTR_F_MANDATORY, value);
}

/* An object by its handle, or a descriptor that the caller has. */
static inline void hfi_command_in_handle(struct hf_command *command, uint16_t id, uint32_t handle)
{
	hfi_command_add(command, id, 0, UVERBS_ATTR_F_MANDATORY, handle);
}

static inline void hfi_command_in_fd(struct hf_command *command, uint16_t id, int fd)
{
	hfi_command_add(command, id, 0, UVERBS_ATTR_F_MANDATORY, (uint64_t)(int64_t)fd);
}

/*
 * `count` objects. The handles must stay valid until the command is sent. They are never stored in
 * the attribute itself, not even one (Linux 4.20, uverbs_process_idrs_array()).
 */
static inline void hfi_command_in_handles(struct hf_command *command, uint16_t id,
					  const uint32_t *handles, size_t count)
{
	hfi_command_add(command, id, count * sizeof(*handles), UVERBS_ATTR_F_MANDATORY,
			(uintptr_t)handles);
}

/* One of several forms of an attribute, `elem`, with what that form holds. */
static inline void hfi_command_in_enum(struct hf_command *command, uint16_t id, uint8_t elem,
				       const void *data, size_t size)
{
	hfi_command_in(command, id, data, size)->attr_data.enum_data.elem_id = elem;
}

/* Output, written to `data`. A kernel that does not know an optional attribute ignores it. */
static inline void hfi_command_out(struct hf_command *command, uint16_t id, void *data, size_t size)
{
	hfi_command_add(command, id, size, UVERBS_ATTR_F_MANDATORY, (uintptr_t)data);
}

static inline void hfi_command_out_optional(struct hf_command *command, uint16_t id, void *data,
					    size_t size)
{
	hfi_command_add(command, id, size, 0, (uintptr_t)data);
}

/* An object the kernel makes; returns the attribute whose data will be the handle. */
static inline struct ib_uverbs_attr *hfi_command_out_handle(struct hf_command *command, uint16_t id)
{
	return hfi_command_add(command, id, 0, UVERBS_ATTR_F_MANDATORY, 0);
}

/* A descriptor the kernel makes; returns the attribute that will hold it in data_s64. */
static inline struct ib_uverbs_attr *hfi_command_out_fd(struct hf_command *command, uint16_t id)
{
	return hfi_command_add(command, id, 0, UVERBS_ATTR_F_MANDATORY, 0);
}

/* Adds the attributes that a provider linked. */
void hfi_command_link(struct hf_command *command, struct ibv_command_buffer *link);

/* The provider's own data; NULL for none. Call it last. */
static inline void hfi_command_driver_data(struct hf_command *command,
					   const struct hf_driver_data *data)
{
	if (!data)
		return;
	if (data->in_size)
		hfi_command_in(command, UVERBS_ATTR_UHW_IN, data->in, data->in_size);
	if (data->out_size)
		hfi_command_out(command, UVERBS_ATTR_UHW_OUT, data->out, data->out_size);
	if (data->link)
		hfi_command_link(command, data->link);
}

/* 0 or -errno. */
int hfi_command_send(struct hf_command *command, int cmd_fd);

/* The same on an open context. -EIO, without sending, if the context is known to be dead. */
int hfi_command_run(struct hf_command *command, struct ibv_context *context);

/*
 * Sends such a command as hfi_write_command() sends, with write() on the node: `request` is the
 * command with its struct ib_uverbs_cmd_hdr. The kernel needs 800 instructions less for it than for
 * the ioctl, so it is for calls that programs make for each message. False if it was not sent; the
 * caller then uses hfi_write_command(), so the command must be one that may be sent twice. Like the
 * other commands it is no cancellation point, since providers and the core hold locks here.
 */
bool hfi_command_written(struct ibv_context *context, const void *request, size_t size);

/*
 * Destroys an object. If the device is gone, the kernel's object is gone with it, which counts as
 * success. 0 or -errno.
 */
int hfi_destroy_command(struct ibv_context *context, uint16_t object, uint16_t method,
			uint16_t handle_attr, uint32_t handle);

/* True when the error means that the device is gone. */
bool hfi_answer_is_gone(struct ibv_context *context, int err);

#endif
