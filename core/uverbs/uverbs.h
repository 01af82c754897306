/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What kernel commands need to know of an open context. */
#ifndef HF_UVERBS_UVERBS_H
#define HF_UVERBS_UVERBS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <infiniband/verbs.h>

#include "core/uverbs/command.h"
#include "core/uverbs/event_counts.h"

/* First member of struct verbs_ex_private, so that this room need not know the rest. */
struct hf_uverbs {
	uint32_t driver_id;
	size_t qp_mask_offset; /* of verbs_qp.comp_mask in the provider's objects; xrcd is 8 further */
	int event_fd; /* the kernel's, where the program's async_fd is another one; else -1 */
	bool (*removed)(struct ibv_context *context); /* was the device removed? may be NULL */
	atomic_bool
		dead; /* revoked, known to be gone or no_kernel: commands fail without being sent */
	bool no_kernel;	      /* commands cannot be sent */
	atomic_uint mapped;   /* CQs and SRQs that exist; a QP's queues do not outlive its CQ */
	atomic_bool no_write; /* the node's write() is refused to this process */
	struct hf_delivered delivered;
};

/* A completion channel: programs know its first member, whose fd is one of the core's. */
struct hf_comp_channel {
	struct ibv_comp_channel channel;
	int kernel_fd;
};

static inline int hfi_kernel_fd_of(const struct ibv_comp_channel *channel)
{
	return ((const struct hf_comp_channel *)(const void *)channel)->kernel_fd;
}

/* The first member of the core's data of a context. */
static inline struct hf_uverbs *hfi_uverbs_of(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)context -
						 offsetof(struct verbs_context, context));

	return (struct hf_uverbs *)(void *)verbs->priv;
}

/*
 * The error with which commands fail without being sent, -EOPNOTSUPP or -EIO; 0 if they are sent.
 */
static inline int hfi_command_refusal(const struct hf_uverbs *uverbs)
{
	if (!atomic_load_explicit(&uverbs->dead, memory_order_relaxed))
		return 0;
	return uverbs->no_kernel ? -EOPNOTSUPP : -EIO;
}

/* Is the device gone, as far as commands are concerned? */
static inline bool hfi_command_is_dead(const struct hf_uverbs *uverbs)
{
	return hfi_command_refusal(uverbs) == -EIO;
}

/* hfi_command_begin() with the context's driver. */
static inline void hfi_command_start(struct hf_command *command, struct ibv_context *context,
				     uint16_t object, uint16_t method)
{
	hfi_command_begin(command, object, method, hfi_uverbs_of(context)->driver_id);
}

/*
 * One of the older commands, IB_USER_VERBS_CMD_*, or IB_USER_VERBS_EX_CMD_* together with
 * IB_USER_VERBS_CMD_FLAG_EXTENDED. `in` and `out` are the kernel's structs without header and
 * without driver data; `out` should be zeroed: an older kernel may write less. 0 or -errno.
 */
static inline int hfi_write_command(struct ibv_context *context, uint32_t cmd, const void *in,
				    size_t in_size, void *out, size_t out_size,
				    const struct hf_driver_data *data)
{
	struct hf_command command;

	hfi_command_start(&command, context, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE);
	hfi_command_in_const(&command, UVERBS_ATTR_WRITE_CMD, cmd);
	if (in_size)
		hfi_command_in(&command, UVERBS_ATTR_CORE_IN, in, in_size);
	if (out_size)
		hfi_command_out(&command, UVERBS_ATTR_CORE_OUT, out, out_size);
	hfi_command_driver_data(&command, data);
	return hfi_command_run(&command, context);
}

#endif
