/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What depends on whether a context has a kernel: one table of functions per kind of context. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <rdma/ib_user_verbs.h>

#include "shared/attr.h"
#include "core/uverbs/device_commands.h"
#include "core/uverbs/gid_commands.h"
#include "core/verbs/context.h"
#include "core/verbs/context_calls.h"

static_assert(sizeof(struct ibv_gid_entry) == sizeof(struct ib_uverbs_gid_entry) &&
		      offsetof(struct ibv_gid_entry, ndev_ifindex) ==
			      offsetof(struct ib_uverbs_gid_entry, netdev_ifindex),
	      "the kernel writes into the program's array");

bool hfi_must_read_files(ssize_t answer)
{
	return answer == -EPROTONOSUPPORT || answer == -EOPNOTSUPP || answer == -ENOTTY;
}

static int kernel_open_async(struct ibv_context *context)
{
	return hfi_cmd_async_fd(context->cmd_fd, hfi_uverbs_of(context)->driver_id);
}

static int kernel_open_channel(struct ibv_context *context, struct hfi_event_queue **queue)
{
	const struct ib_uverbs_create_comp_channel request = {0};
	struct ib_uverbs_create_comp_channel_resp response = {0};
	int err;

	(void)queue;
	err = hfi_write_command(context, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &request,
				sizeof(request), &response, sizeof(response), NULL);
	return err ? err : (int)response.fd;
}

static int kernel_gid_entry(struct ibv_context *context, uint32_t port, uint32_t index,
			    uint32_t flags, struct ibv_gid_entry *ret)
{
	return hfi_command_gid_entry(context, port, index, flags,
				     (struct ib_uverbs_gid_entry *)(void *)ret);
}

static ssize_t kernel_gid_table(struct ibv_context *context, struct ibv_gid_entry *ret,
				size_t count, size_t size, uint32_t flags)
{
	return hfi_command_gid_table(context, ret, count, size, flags);
}

const struct hfi_context_calls hfi_kernel_calls = {
	.open_async = kernel_open_async,
	.open_channel = kernel_open_channel,
	.gid_entry = kernel_gid_entry,
	.gid_table = kernel_gid_table,
	.revocable = true,
};

static int no_gid_entry(struct ibv_context *context, uint32_t port, uint32_t index, uint32_t flags,
			struct ibv_gid_entry *ret)
{
	(void)context;
	(void)port;
	(void)index;
	(void)flags;
	(void)ret;
	return -EOPNOTSUPP;
}

static ssize_t no_gid_table(struct ibv_context *context, struct ibv_gid_entry *ret, size_t count,
			    size_t size, uint32_t flags)
{
	(void)context;
	(void)ret;
	(void)count;
	(void)size;
	(void)flags;
	return -EOPNOTSUPP;
}

const struct hfi_context_calls hfi_default_calls = {
	.open_channel = kernel_open_channel,
	.gid_entry = no_gid_entry,
	.gid_table = no_gid_table,
	.revocable = true,
};

static int queue_open_channel(struct ibv_context *context, struct hfi_event_queue **queue)
{
	struct hfi_event_queue *made = malloc(sizeof(*made));
	int err;

	(void)context;
	if (!made)
		return -ENOMEM;
	err = hfi_event_queue_init(made);
	if (err) {
		free(made);
		return err;
	}
	*queue = made;
	return made->fd.fd;
}

const struct hfi_context_calls hfi_no_kernel_calls = {
	.open_channel = queue_open_channel,
	.gid_entry = no_gid_entry,
	.gid_table = no_gid_table,
};

static int closed_open_channel(struct ibv_context *context, struct hfi_event_queue **queue)
{
	(void)context;
	(void)queue;
	return -EBADF;
}

static int closed_gid_entry(struct ibv_context *context, uint32_t port, uint32_t index,
			    uint32_t flags, struct ibv_gid_entry *ret)
{
	(void)no_gid_entry(context, port, index, flags, ret);
	return -EBADF;
}

static ssize_t closed_gid_table(struct ibv_context *context, struct ibv_gid_entry *ret,
				size_t count, size_t size, uint32_t flags)
{
	(void)no_gid_table(context, ret, count, size, flags);
	return -EBADF;
}

const struct hfi_context_calls hfi_closed_calls = {
	.open_channel = closed_open_channel,
	.gid_entry = closed_gid_entry,
	.gid_table = closed_gid_table,
};
