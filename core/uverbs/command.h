/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One command to the kernel: attributes put together, sent with RDMA_VERBS_IOCTL. */
#ifndef HF_UVERBS_COMMAND_H
#define HF_UVERBS_COMMAND_H

#include <stddef.h>
#include <stdint.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <holdfast-provider/objects.h>

/* The longest of the core's own, creating a QP, has 17; the rest is for what providers link. */
enum { HF_COMMAND_ATTRS_MAX = 48 };

struct hf_command {
	struct ib_uverbs_ioctl_hdr header; /* its attrs[] are the next member */
	struct ib_uverbs_attr attrs[HF_COMMAND_ATTRS_MAX];
	struct ibv_command_buffer *link;
	int err; /* of putting it together; hf_command_send() answers it */
};

void hf_command_begin(struct hf_command *command, uint16_t object, uint16_t method,
		      uint32_t driver_id);

/*
 * What goes in: up to 8 bytes travel in the attribute itself, as the kernel demands; more are
 * pointed to, and must stay until the command was sent.
 */
void hf_command_in(struct hf_command *command, uint16_t attr, const void *data, size_t size);
/* A number, enumerator or flags: 64 bits whatever its own type. */
void hf_command_in_const(struct hf_command *command, uint16_t attr, uint64_t value);
/* An object by its handle, or a descriptor that the caller has. */
void hf_command_in_handle(struct hf_command *command, uint16_t attr, uint32_t handle);
void hf_command_in_fd(struct hf_command *command, uint16_t attr, int fd);
/* `count` objects; the handles must stay until the command was sent. */
void hf_command_in_handles(struct hf_command *command, uint16_t attr, const uint32_t *handles,
			   size_t count);
/* One of several forms of an attribute, `elem`, with what that form holds. */
void hf_command_in_enum(struct hf_command *command, uint16_t attr, uint8_t elem, const void *data,
			size_t size);

/* What comes out, into `data`. Optional ones are passed over by kernels that do not know them. */
void hf_command_out(struct hf_command *command, uint16_t attr, void *data, size_t size);
void hf_command_out_optional(struct hf_command *command, uint16_t attr, void *data, size_t size);

/* An object the kernel makes; returns the attribute whose data will be the handle. */
struct ib_uverbs_attr *hf_command_out_handle(struct hf_command *command, uint16_t attr);
/* A descriptor the kernel makes; returns the attribute that will hold it in data_s64. */
struct ib_uverbs_attr *hf_command_out_fd(struct hf_command *command, uint16_t attr);

/* The provider's part; NULL for none. Comes last. */
void hf_command_driver_data(struct hf_command *command, const struct hf_driver_data *data);

/* 0 or -errno. */
int hf_command_send(struct hf_command *command, int cmd_fd);

/* The same on an open context: -EIO without asking where it is known to be dead. */
int hf_command_run(struct hf_command *command, struct ibv_context *context);

/* hf_command_begin() with the context's driver. */
void hf_command_start(struct hf_command *command, struct ibv_context *context, uint16_t object,
		      uint16_t method);

/*
 * One of the older commands, IB_USER_VERBS_CMD_*, or IB_USER_VERBS_EX_CMD_* together with
 * IB_USER_VERBS_CMD_FLAG_EXTENDED. `in` and `out` are the kernel's structs without header and
 * without driver data; `out` should be zeroed: an older kernel may write less. 0 or -errno.
 */
int hf_write_command(struct ibv_context *context, uint32_t cmd, const void *in, size_t in_size,
		     void *out, size_t out_size, const struct hf_driver_data *data);

/*
 * Takes an object away. When the device is gone so is the kernel's object: that is success.
 * 0 or -errno.
 */
int hf_destroy_command(struct ibv_context *context, uint16_t object, uint16_t method,
		       uint16_t handle_attr, uint32_t handle);

/*
 * The same for an object that counts events: `response` gets the kernel's figures. 0, or -errno, or
 * 1 when the device is gone, `response` is all zero, and there is nothing to wait for.
 */
int hf_destroy_counted(struct ibv_context *context, uint16_t object, uint16_t method,
		       uint16_t handle_attr, uint32_t handle, uint16_t response_attr,
		       void *response, size_t response_size);

/* For what is destroyed by an older command: whether its answer means that the device is gone. */
bool hf_answer_is_gone(struct ibv_context *context, int err);

/* The attributes of one buffer, behind its header. */
struct ib_uverbs_attr *hf_link_attrs(const struct ibv_command_buffer *buffer);
/* How many attributes the linked buffers hold, or -EINVAL when one of them did not fit. */
int hf_link_count(const struct ibv_command_buffer *link);
/* Copies them to `attrs`, which has room for all; and their answers back. */
void hf_link_gather(const struct ibv_command_buffer *link, struct ib_uverbs_attr *attrs);
void hf_link_scatter(struct ibv_command_buffer *link, const struct ib_uverbs_attr *attrs);

#endif
