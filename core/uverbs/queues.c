/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "core/uverbs/queues.h"
#include "core/uverbs/uverbs.h"

void hf_command_event_fd(struct hf_command *command, uint16_t attr, struct ibv_context *context)
{
	int fd = hf_uverbs_of(context)->event_fd;

	if (context->async_fd < 0)
		return;
	hf_command_in_fd(command, attr, fd ? fd : context->async_fd);
	/* Linux before 5.7 does not know the attribute, and has one such descriptor in a context. */
	command->attrs[command->header.num_attrs - 1].flags = 0;
}

void hf_events_init(struct ibv_context *context, pthread_mutex_t *mutex, pthread_cond_t *cond,
		    uint32_t *completed)
{
	hf_delivered_born(&hf_uverbs_of(context)->delivered, completed);
	*completed = 0;
	pthread_mutex_init(mutex, NULL);
	pthread_cond_init(cond, NULL);
}

static bool all_completed(const struct hf_events *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* The counters wrap around. */
		if ((int32_t)(events[i].reported - *events[i].completed) > 0)
			return false;
	}
	return true;
}

int hf_events_finish(struct ibv_context *context, int err, pthread_mutex_t *mutex,
		     pthread_cond_t *cond, struct hf_events *events, size_t count)
{
	if (err < 0)
		return -err;
	for (size_t i = 0; i < count; i++) {
		const uint32_t delivered = hf_delivered_take(&hf_uverbs_of(context)->delivered,
							     events[i].completed, err > 0);

		if (err > 0)
			events[i].reported = delivered;
	}
	pthread_mutex_lock(mutex);
	while (!all_completed(events, count))
		pthread_cond_wait(cond, mutex);
	pthread_mutex_unlock(mutex);
	return 0;
}
