/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <rdma/ib_user_verbs.h>

#include "core/base/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *context)
{
	const struct ib_uverbs_create_comp_channel request = {0};
	struct ib_uverbs_create_comp_channel_resp response = {0};
	struct ibv_comp_channel *channel;
	int err;

	channel = malloc(sizeof(*channel));
	if (!channel)
		return NULL;
	err = hf_write_command(context, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &request,
			       sizeof(request), &response, sizeof(response), NULL);
	if (err)
		goto free_channel;
	*channel = (struct ibv_comp_channel){.context = context, .fd = (int)response.fd};
	return channel;

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
	close(channel->fd);
	free(channel);
	return 0;
}

HF_EXPORT int ibv_get_cq_event(struct ibv_comp_channel *channel, struct ibv_cq **cq,
			       void **cq_context)
{
	struct ib_uverbs_comp_event_desc event;
	struct ibv_cq *found;
	ssize_t got;

	got = read(channel->fd, &event, sizeof(event));
	if (got != (ssize_t)sizeof(event)) {
		if (got >= 0)
			errno = EIO;
		return -1;
	}
	/* The kernel gives back the pointer that the CQ was created with. */
	found = (struct ibv_cq *)(uintptr_t)event.cq_handle;
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
