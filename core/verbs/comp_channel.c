/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <rdma/ib_user_verbs.h>

#include "core/base/attr.h"
#include "core/base/file.h"
#include "core/verbs/context.h"
#include "core/verbs/revoke.h"

struct channel {
	struct hf_comp_channel base;
	struct hf_wait wait;
};

static struct channel *channel_of(struct ibv_comp_channel *channel)
{
	return (struct channel *)(void *)channel;
}

HF_EXPORT struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *context)
{
	const struct ib_uverbs_create_comp_channel request = {0};
	struct ib_uverbs_create_comp_channel_resp response = {0};
	struct channel *channel;
	int err, fd;

	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	err = hf_write_command(context, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &request,
			       sizeof(request), &response, sizeof(response), NULL);
	if (err)
		goto free_channel;
	fd = (int)response.fd;
	err = hf_wait_init(&channel->wait, hf_context_of(context)->priv->device, fd);
	if (err)
		goto close_fd;
	channel->base = (struct hf_comp_channel){
		.channel = {.context = context, .fd = channel->wait.fd},
		.kernel_fd = fd,
	};
	hf_revoke_add_channel(hf_context_of(context), &channel->wait);
	return &channel->base.channel;

close_fd:
	hf_close(&fd);
free_channel:
	free(channel);
	errno = -err;
	return NULL;
}

HF_EXPORT int ibv_destroy_comp_channel(struct ibv_comp_channel *channel)
{
	struct ibv_context *context = channel->context;
	bool used;

	pthread_mutex_lock(&context->mutex);
	used = channel->refcnt != 0;
	pthread_mutex_unlock(&context->mutex);
	if (used)
		return EBUSY;
	hf_revoke_remove_channel(hf_context_of(context), &channel_of(channel)->wait);
	hf_wait_fini(&channel_of(channel)->wait);
	free(channel_of(channel));
	return 0;
}

/* The kernel gives back the pointer that the CQ was created with. */
static struct ibv_cq *cq_of(const struct ib_uverbs_comp_event_desc *event)
{
	return (struct ibv_cq *)(uintptr_t)event->cq_handle;
}

static const uint32_t *counted_by(const void *event)
{
	return &cq_of(event)->comp_events_completed;
}

HF_EXPORT int ibv_get_cq_event(struct ibv_comp_channel *channel, struct ibv_cq **cq,
			       void **cq_context)
{
	struct hf_wait *wait = &channel_of(channel)->wait;
	struct ib_uverbs_comp_event_desc event;
	const struct hf_wait_account account = {
		.delivered = &hf_uverbs_of(channel->context)->delivered,
		.counter = counted_by,
	};
	struct ibv_cq *found;
	int got;

	got = hf_wait_read(wait, &event, sizeof(event), &account);
	if (got == 0) {
		hf_wait_told(wait);
		got = -EIO;
	}
	if (got < 0) {
		errno = -got;
		return -1;
	}
	found = cq_of(&event);
	*cq = found;
	*cq_context = found->cq_context;
	hf_context_of(found->context)->priv->ops.cq_event(found);
	return 0;
}

HF_EXPORT void ibv_ack_cq_events(struct ibv_cq *cq, unsigned int nevents)
{
	pthread_mutex_lock(&cq->mutex);
	cq->comp_events_completed += nevents;
	pthread_cond_signal(&cq->cond);
	pthread_mutex_unlock(&cq->mutex);
}
