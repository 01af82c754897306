/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion channels: ibv_create_comp_channel() and ibv_destroy_comp_channel(). */
#include <errno.h>
#include <stdlib.h>
#include <rdma/ib_user_verbs.h>
#include <utlist.h>

#include "shared/attr.h"
#include "shared/file.h"
#include "core/device/spare_descriptors.h"
#include "core/verbs/comp_channel.h"
#include "core/verbs/context.h"
#include "core/verbs/revoke.h"

struct hf_channel {
	struct hf_comp_channel base;
	struct hf_wait wait;
	struct hfi_event_queue *queue; /* NULL: the kernel has it */
	bool ended;		       /* its context is freed, and must not be read */
	struct hf_channel *prev, *next;
};

static struct hf_channel *channel_of(struct ibv_comp_channel *channel)
{
	return (struct hf_channel *)(void *)channel;
}

struct hfi_event_queue *hfi_channel_queue(struct ibv_comp_channel *channel)
{
	return channel_of(channel)->queue;
}

static void free_queue(struct hf_channel *channel)
{
	if (!channel->queue)
		return;
	hfi_event_queue_close(channel->queue);
	hfi_event_queue_fini(channel->queue);
	free(channel->queue);
	channel->queue = NULL;
}

/* The descriptor that reports events, or -errno; `wait` becomes its owner. */
static int open_channel_fd(struct ibv_context *context, struct hf_channel *channel)
{
	struct verbs_ex_private *private = hfi_private_of(context);
	int fd = private->calls->open_channel(context, &channel->queue);
	int err;

	if (fd < 0)
		return fd;
	err = hfi_wait_init(&channel->wait, private->device, fd);
	if (!err)
		return fd;
	free_queue(channel);
	hfi_close(&fd);
	return err;
}

HF_EXPORT struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *context)
{
	struct verbs_ex_private *private = hfi_private_of(context);
	struct hf_channel *channel;
	int fd;

	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	fd = open_channel_fd(context, channel);
	if (fd < 0 && private->device && hfi_give_up_spare(private->device->hf, fd))
		fd = open_channel_fd(context, channel);
	if (fd < 0) {
		free(channel);
		errno = -fd;
		return NULL;
	}
	if (channel->queue)
		hfi_wait_use_queue(&channel->wait, channel->queue);
	channel->base = (struct hf_comp_channel){
		.channel = {.context = context, .fd = channel->wait.fd},
		.kernel_fd = fd,
	};
	hfi_revoke_add_channel(hfi_context_of(context), &channel->wait);
	pthread_mutex_lock(&context->mutex);
	DL_APPEND(private->channels, channel);
	pthread_mutex_unlock(&context->mutex);
	return &channel->base.channel;
}

HF_EXPORT int ibv_destroy_comp_channel(struct ibv_comp_channel *channel)
{
	struct hf_channel *this = channel_of(channel);
	struct ibv_context *context = channel->context;
	bool used;

	if (!this->ended) {
		pthread_mutex_lock(&context->mutex);
		used = channel->refcnt != 0;
		if (!used)
			DL_DELETE(hfi_context_of(context)->priv->channels, this);
		pthread_mutex_unlock(&context->mutex);
		if (used)
			return EBUSY;
		hfi_revoke_remove_channel(hfi_context_of(context), &this->wait);
		if (this->queue)
			hfi_event_queue_close(this->queue);
		hfi_wait_fini(&this->wait);
	}
	free_queue(this);
	free(this);
	return 0;
}

void hfi_channels_end(struct verbs_context *context)
{
	struct hf_channel *channel, *next;

	DL_FOREACH_SAFE (context->priv->channels, channel, next) {
		DL_DELETE(context->priv->channels, channel);
		hfi_revoke_remove_channel(context, &channel->wait);
		/* The provider may have a thread that reports until free_context stops it. */
		if (channel->queue)
			hfi_event_queue_close(channel->queue);
		hfi_wait_fini(&channel->wait);
		channel->base.channel.fd = -1;
		channel->base.kernel_fd = -1;
		channel->ended = true;
	}
}

/* The kernel returns the pointer that the CQ was created with. */
static struct ibv_cq *cq_of_event(const struct ib_uverbs_comp_event_desc *event)
{
	return (struct ibv_cq *)(uintptr_t)event->cq_handle;
}

static const uint32_t *comp_event_counter(const void *event)
{
	return &cq_of_event(event)->comp_events_completed;
}

HF_EXPORT int ibv_get_cq_event(struct ibv_comp_channel *channel, struct ibv_cq **cq,
			       void **cq_context)
{
	struct hf_wait *wait = &channel_of(channel)->wait;
	struct ib_uverbs_comp_event_desc event;
	struct hf_wait_account account = {.counter = comp_event_counter};
	struct ibv_cq *found;
	int got;

	if (channel_of(channel)->ended) {
		errno = EIO;
		return -1;
	}
	account.delivered = &hfi_uverbs_of(channel->context)->delivered;
	got = hfi_wait_read(wait, &event, sizeof(event), &account);
	if (got == 0) {
		hfi_wait_reported(wait);
		got = -EIO;
	}
	if (got < 0) {
		errno = -got;
		return -1;
	}
	found = cq_of_event(&event);
	*cq = found;
	*cq_context = found->cq_context;
	hfi_context_of(found->context)->priv->ops.cq_event(found);
	return 0;
}

HF_EXPORT void ibv_ack_cq_events(struct ibv_cq *cq, unsigned int nevents)
{
	pthread_mutex_lock(&cq->mutex);
	cq->comp_events_completed += nevents;
	pthread_cond_signal(&cq->cond);
	pthread_mutex_unlock(&cq->mutex);
}
