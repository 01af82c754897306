/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sends commands to the kernel. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <rdma/rdma_user_ioctl.h>

#include "shared/file.h"
#include "core/uverbs/command.h"
#include "core/uverbs/link.h"
#include "core/uverbs/uverbs.h"

static_assert(offsetof(struct hf_command, attrs) == sizeof(struct ib_uverbs_ioctl_hdr),
	      "the attributes follow the header");

/* After this many interrupted tries a program that gets signals without end is given EINTR. */
enum { TRIES_MAX = 100 };

void hfi_command_link(struct hf_command *command, struct ibv_command_buffer *link)
{
	const int count = hfi_link_count(link);

	if (count < 0 || command->header.num_attrs + count > HF_COMMAND_ATTRS_MAX) {
		command->err = count < 0 ? count : -EINVAL;
		return;
	}
	command->link = link;
	hfi_link_gather(link, command->attrs + command->header.num_attrs);
	command->header.num_attrs = (uint16_t)(command->header.num_attrs + count);
}

static inline int send_command(struct hf_command *command, int cmd_fd)
{
	struct ib_uverbs_ioctl_hdr *header = &command->header;
	int tries = TRIES_MAX;
	int ret;

	if (command->err)
		return command->err;
	header->length =
		(uint16_t)(sizeof(*header) + header->num_attrs * sizeof(command->attrs[0]));
	/* The kernel undoes a command that a signal interrupts, so it can be sent again. */
	do
		ret = ioctl(cmd_fd, RDMA_VERBS_IOCTL, header);
	while (ret < 0 && errno == EINTR && --tries);
	if (ret < 0)
		return -errno;
	if (command->link)
		hfi_link_scatter(command->link, command->attrs + header->num_attrs -
							hfi_link_count(command->link));
	return 0;
}

int hfi_command_send(struct hf_command *command, int cmd_fd)
{
	return send_command(command, cmd_fd);
}

int hfi_command_run(struct hf_command *command, struct ibv_context *context)
{
	int err = hfi_command_refusal(hfi_uverbs_of(context));

	if (!err)
		err = send_command(command, context->cmd_fd);
	/* Operations that return a pointer report their error in errno. */
	if (err)
		errno = -err;
	return err;
}

bool hfi_command_written(struct ibv_context *context, const void *request, size_t size)
{
	struct hf_uverbs *uverbs = hfi_uverbs_of(context);

	if (atomic_load_explicit(&uverbs->dead, memory_order_relaxed) ||
	    atomic_load_explicit(&uverbs->no_write, memory_order_relaxed))
		return false;
	if (hfi_write_uncancelled(context->cmd_fd, request, size) == (ssize_t)size)
		return true;
	/*
	 * The kernel refuses write() where the credentials differ from the opener's, as they do in a
	 * forked child (Linux, ib_safe_file_access()). They never become equal again.
	 */
	if (errno == EACCES)
		atomic_store_explicit(&uverbs->no_write, true, memory_order_relaxed);
	return false;
}

bool hfi_answer_is_gone(struct ibv_context *context, int err)
{
	/* A context that lost its device answers EIO (Linux, uverbs_main.c); drivers answer ENODEV. */
	return err == -EIO || err == -ENODEV ||
	       (err && hfi_command_is_dead(hfi_uverbs_of(context)));
}

int hfi_destroy_command(struct ibv_context *context, uint16_t object, uint16_t method,
			uint16_t handle_attr, uint32_t handle)
{
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, object, method);
	hfi_command_in_handle(&command, handle_attr, handle);
	err = hfi_command_run(&command, context);
	return err && hfi_answer_is_gone(context, err) ? 0 : err;
}
