/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits until the events of a destroyed object are acknowledged. */
#include <errno.h>
#include <time.h>

#include "shared/clock.h"
#include "core/uverbs/queues.h"

/* How often a wait checks the device, and how often once it is gone: one second in total. */
enum { LOOK_MS = 100, LOOKS_WHEN_GONE = 10 };

void hfi_events_init(struct ibv_context *context, pthread_mutex_t *mutex, pthread_cond_t *cond,
		     uint32_t *completed)
{
	struct hf_delivered *delivered = &hfi_uverbs_of(context)->delivered;

	if (hfi_delivered_any(delivered))
		hfi_delivered_born(delivered, completed);
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

/* False if no event was acknowledged for a while. */
static bool wait_a_while(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	const struct timespec until = hfi_clock_after_ms(LOOK_MS);

	return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

static bool is_gone(struct ibv_context *context)
{
	const struct hf_uverbs *uverbs = hfi_uverbs_of(context);

	return hfi_command_is_dead(uverbs) || (uverbs->removed && uverbs->removed(context));
}

static void unlock_events(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static void wait_for_all(struct ibv_context *context, bool gone, pthread_mutex_t *mutex,
			 pthread_cond_t *cond, const struct hf_events *events, size_t count)
{
	int looks = 0;

	while (!all_completed(events, count) && looks < LOOKS_WHEN_GONE) {
		if (wait_a_while(cond, mutex))
			continue;
		gone = gone || is_gone(context);
		looks += gone;
	}
}

void hfi_events_wait(struct ibv_context *context, bool gone, pthread_mutex_t *mutex,
		     pthread_cond_t *cond, struct hf_events *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t delivered = hfi_delivered_take(&hfi_uverbs_of(context)->delivered,
							      events[i].completed, gone);

		if (gone)
			events[i].reported = delivered;
	}
	pthread_mutex_lock(mutex);
	/* A thread that is cancelled here must release the lock, which acknowledging takes. */
	pthread_cleanup_push(unlock_events, mutex);
	wait_for_all(context, gone, mutex, cond, events, count);
	pthread_cleanup_pop(1);
}
