/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "core/uverbs/queues.h"

void hf_events_init(struct ibv_context *context, pthread_mutex_t *mutex, pthread_cond_t *cond,
		    uint32_t *completed)
{
	struct hf_delivered *delivered = &hf_uverbs_of(context)->delivered;

	if (hf_delivered_any(delivered))
		hf_delivered_born(delivered, completed);
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

void hf_events_wait(struct ibv_context *context, bool gone, pthread_mutex_t *mutex,
		    pthread_cond_t *cond, struct hf_events *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t delivered = hf_delivered_take(&hf_uverbs_of(context)->delivered,
							     events[i].completed, gone);

		if (gone)
			events[i].reported = delivered;
	}
	pthread_mutex_lock(mutex);
	while (!all_completed(events, count))
		pthread_cond_wait(cond, mutex);
	pthread_mutex_unlock(mutex);
}
