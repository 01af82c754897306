/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The core's part of an open context: made, filled by the provider, and freed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "shared/file.h"
#include "core/compat.h"
#include "core/device/hf.h"
#include "core/device/instance.h"
#include "core/verbs/comp_channel.h"
#include "core/verbs/context.h"
#include "core/verbs/no_kernel.h"
#include "core/verbs/release_file.h"
#include "core/verbs/operations.h"
#include "core/verbs/revoke.h"
#include "core/verbs/track.h"

/*
 * struct ibv_qp_ex has grown: the offset of the mask depends on the headers that the provider was
 * built with.
 */
static size_t qp_mask_offset(const struct hf_device *device)
{
	const struct hf_provider *provider = device->provider;

	return provider ? provider->qp_mask_offset : offsetof(struct verbs_qp, comp_mask);
}

/* A foreign provider can have members in front of what we take for the context. */
static size_t context_front(const struct hf_device *device)
{
	return device->provider ? device->provider->context_front : 0;
}

bool hfi_compat_dmabuf_buffer(struct ibv_context *context)
{
	const struct hf_provider *provider = hfi_context_of(context)->priv->device->provider;

	return provider && provider->dmabuf_buffer;
}

/* Static because an object outlives its context, and that may be in any struct hf. */
static atomic_uint_fast64_t contexts_made;

HF_EXPORT void *hf_provider_context_alloc(struct ibv_device *device, int cmd_fd, size_t size,
					  size_t offset, uint32_t driver_id)
{
	struct verbs_ex_private *private = NULL;
	struct verbs_context *context;
	const size_t front = context_front(hfi_device_of(device));
	char *object = NULL;

	if (offset > size || size - offset < front + sizeof(*context)) {
		errno = EINVAL;
		goto close_fd;
	}
	object = calloc(1, size);
	private = calloc(1, sizeof(*private));
	if (!object || !private) {
		errno = ENOMEM;
		goto free_object;
	}
	context = (struct verbs_context *)(void *)(object + offset + front);
	/*
	 * The distance from their pointer to ours cannot be told from the pointer: compat reads
	 * ours from the first member.
	 */
	if (front)
		memcpy(object + offset, &context, sizeof(context));
	private->device = hfi_device_of(device);
	private->calls = &hfi_default_calls;
	private->object = object;
	private->serial = atomic_fetch_add_explicit(&contexts_made, 1, memory_order_relaxed) + 1;
	private->uverbs.driver_id = driver_id;
	private->uverbs.qp_mask_offset = qp_mask_offset(private->device);
	private->uverbs.event_fd = -1;
	if (!hfi_live_add(&context->context)) {
		errno = ENOMEM;
		goto free_object;
	}
	hfi_delivered_init(&private->uverbs.delivered);
	hfi_device_hold(private->device);
	context->priv = private;
	context->sz = sizeof(*context);
	context->context.device = device;
	context->context.cmd_fd = cmd_fd;
	hfi_fd_mark(&private->node, cmd_fd);
	context->context.async_fd = -1;
	context->context.abi_compat = __VERBS_ABI_IS_EXTENDED;
	pthread_mutex_init(&context->context.mutex, NULL);
	hfi_operations_default(context);
	return object;

free_object:
	free(private);
	free(object);
close_fd:
	hfi_close(&cmd_fd);
	return NULL;
}

/* Frees the core's part of a context, which contains its descriptors. */
static void free_private(struct verbs_ex_private *private, int *async_fd, int *cmd_fd)
{
	hfi_no_kernel_free(private->none);
	if (private->async.used)
		hfi_wait_fini(&private->async);
	else
		hfi_close(async_fd);
	if (*cmd_fd == private->node.fd)
		*cmd_fd = -1;
	hfi_fd_close(&private->node);
	hfi_close(cmd_fd); /* another one, of the provider's */
	hfi_delivered_fini(&private->uverbs.delivered);
	hfi_revoke_free(private->revocable);
	if (private->uninited)
		*private->uninited = true;
	free(private);
}

HF_EXPORT void hf_provider_context_uninit(struct verbs_context *context)
{
	struct hf_device *device = context->priv->device;

	hfi_live_remove(&context->context);
	free_private(context->priv, &context->context.async_fd, &context->context.cmd_fd);
	pthread_mutex_destroy(&context->context.mutex);
	/*
	 * Calls that the program makes too late fail with EBADF, as long as this memory is not used
	 * again.
	 */
	context->priv = hfi_closed_private();
	hfi_operations_closed(context);
	hfi_device_drop(device);
}

HF_NOINLINE
static void set_in_our_order(struct verbs_context *context, const void *theirs)
{
	const struct hf_provider *provider = context->priv->device->provider;
	struct verbs_context_ops ours;
	struct hf_later_ops later;

	provider->take_operations(provider->profile, theirs, &ours, &later);
	hfi_operations_set(context, &ours);
	hfi_later_set(context, &later, sizeof(later));
}

HF_EXPORT void hf_provider_set_ops(struct verbs_context *context,
				   const struct verbs_context_ops *ops)
{
	const struct hf_provider *provider = context->priv->device->provider;

	if (provider && provider->take_operations)
		set_in_our_order(context, ops);
	else
		hfi_operations_set(context, ops);
	if (context->priv->revocable)
		hfi_track_refresh(context);
}

HF_EXPORT void hf_provider_set_later_ops(struct verbs_context *context,
					 const struct hf_later_ops *ops, size_t size)
{
	hfi_later_set(context, ops, size);
}

HF_EXPORT void hf_provider_log(const struct ibv_device *device, int level, const char *format, ...)
{
	const struct hf_log *log = &hfi_device_of(device)->hf->log;
	char text[512];
	va_list args;

	if ((int)log->level < level || level <= HF_LOG_NONE || level > HF_LOG_DEBUG)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	hfi_log_message(log, (enum hf_log_level)level, "%s", text);
}

static bool was_removed(struct ibv_context *context)
{
	return hfi_wait_is_over(&hfi_context_of(context)->priv->async);
}

int hfi_context_take_async(struct verbs_context *context, int fd)
{
	struct verbs_ex_private *private = context->priv;
	int err = hfi_wait_init(&private->async, private->device, fd);

	if (err)
		return err;
	private->uverbs.event_fd = fd;
	private->uverbs.removed = was_removed;
	context->context.async_fd = private->async.fd;
	return 0;
}

static int add_async_fd(struct verbs_context *context)
{
	struct verbs_ex_private *private = context->priv;
	int fd = context->context.async_fd;

	if (private->async.used)
		return 0;
	if (fd < 0 && !private->calls->open_async)
		return 0;
	if (fd < 0)
		fd = private->calls->open_async(&context->context);
	if (fd < 0)
		return fd;
	context->context.async_fd = fd;
	return hfi_context_take_async(context, fd);
}

int hfi_context_prepare(struct verbs_context *context)
{
	int err;

	context->priv->opened = true;
	err = add_async_fd(context);

	if (!err && context->priv->calls->revocable)
		err = hfi_revoke_watch(context);
	return err;
}

/*
 * A context was closed whose queues may still be mapped: without such a context no search is
 * needed. Static because mappings belong to the process, and the last context of a device may be
 * another struct hf's.
 */
static atomic_bool may_be_leftovers;

/* Is the descriptor still that of the device's node? The program may have closed it. */
static bool is_node(int fd, struct hf_device *device, struct stat *node)
{
	return !fstat(fd, node) && S_ISCHR(node->st_mode) &&
	       node->st_rdev == hfi_instance_entry(device).node_number;
}

/* The provider's free_context did not call hf_provider_context_uninit(): the object may be freed by now. */
static void free_forgotten(const struct ibv_context *was, struct verbs_ex_private *private)
{
	struct hf_device *device = private->device;
	int async_fd = -1, cmd_fd = -1;

	hf_error(&device->hf->log, "provider %s: free_context did not call %s",
		 device->provider->name, "hf_provider_context_uninit()");
	hfi_live_remove(was);
	free_private(private, &async_fd, &cmd_fd);
	hfi_device_drop(device);
}

/* The provider's free_context frees it; the core does if the provider has none. */
static void free_object(struct verbs_context *context)
{
	struct verbs_ex_private *private = context->priv;
	bool uninited = false;

	if (!hfi_operations_have_free(context)) {
		void *object = private->object;

		hf_provider_context_uninit(context);
		free(object);
		return;
	}
	private->uninited = &uninited;
	private->ops.free_context(&context->context);
	if (!uninited)
		free_forgotten(&context->context, private);
}

const char *hfi_context_fault(struct verbs_context *context, const struct hf_device *device)
{
	/* In the first three cases this open must not free it. */
	if (!hfi_is_live(&context->context))
		return "was not made by hf_provider_context_alloc()";
	if (context->priv->device != device)
		return "is another device's";
	if (context->priv->opened)
		return "was opened before";
	if (hfi_operations_have_free(context))
		return NULL;
	free_object(context);
	return "has no free_context operation";
}

void hfi_context_free(struct verbs_context *context)
{
	struct verbs_ex_private *private = context->priv;
	struct hf_device *device = private->device;
	struct stat node;
	bool left;

	hfi_channels_end(context);
	hfi_revoke_forget(context);
	if (atomic_load(&private->uverbs.mapped))
		atomic_store(&may_be_leftovers, true);
	/* Send no command to a file that the program has opened under the same number. */
	if (!hfi_fd_is_still(&private->node))
		atomic_store(&private->uverbs.dead, true);
	left = atomic_load(&may_be_leftovers) && hfi_fd_is_still(&private->node) &&
	       device->hf->roots[device->key.root].kind->kernel_nodes &&
	       is_node(context->context.cmd_fd, device, &node);
	free_object(context);
	/* A queue that is mapped keeps the kernel's file open, and with it the device. */
	if (left)
		(void)hfi_release_leftovers(&node);
}
