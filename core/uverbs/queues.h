/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the commands for completion queues, shared receive queues and queue pairs have in common. */
#ifndef HF_UVERBS_QUEUES_H
#define HF_UVERBS_QUEUES_H

#include <pthread.h>
#include <stdint.h>
#include <infiniband/verbs.h>

#include "core/uverbs/uverbs.h"

static inline void hfi_command_in_u32(struct hf_command *command, uint16_t attr, uint32_t value)
{
	hfi_command_in(command, attr, &value, sizeof(value));
}

static inline void hfi_command_in_u64(struct hf_command *command, uint16_t attr, uint64_t value)
{
	hfi_command_in(command, attr, &value, sizeof(value));
}

/* Where the kernel reports the object's asynchronous events. */
static inline void hfi_command_event_fd(struct hf_command *command, uint16_t attr,
					struct ibv_context *context)
{
	const int fd = hfi_uverbs_of(context)->event_fd;

	if (context->async_fd < 0)
		return;
	/* Linux before 5.7 does not know the attribute, and has one such descriptor in a context. */
	hfi_command_add(command, attr, 0, 0, (uint64_t)(int64_t)(fd >= 0 ? fd : context->async_fd));
}

static inline struct verbs_xrcd *hfi_verbs_xrcd(struct ibv_xrcd *xrcd)
{
	return (struct verbs_xrcd *)(void *)xrcd;
}

/* Initialises what hfi_events_finish() waits on, for a new object. */
void hfi_events_init(struct ibv_context *context, pthread_mutex_t *mutex, pthread_cond_t *cond,
		     uint32_t *completed);

/* An object's counter of acknowledged events, and the kernel's figure of those reported. */
struct hf_events {
	const uint32_t *completed;
	uint32_t reported;
};

/*
 * Destroys an object that counts events: `response`, zeroed, gets the kernel's counts. 0, or
 * -errno, or 1 when the device and with it the counts are gone.
 */
static inline int hfi_destroy_counted(struct ibv_context *context, uint16_t object, uint16_t method,
				      uint16_t handle_attr, uint32_t handle, uint16_t response_attr,
				      void *response, size_t response_size)
{
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, object, method);
	hfi_command_in_handle(&command, handle_attr, handle);
	hfi_command_out(&command, response_attr, response, response_size);
	err = hfi_command_run(&command, context);
	return err && hfi_answer_is_gone(context, err) ? 1 : err;
}

/*
 * The part of hfi_events_finish() that waits. `gone`: for the events that the program read. A
 * thread that is handling such an event gets a second for it once the device is gone; the wait
 * always ends.
 */
void hfi_events_wait(struct ibv_context *context, bool gone, pthread_mutex_t *mutex,
		     pthread_cond_t *cond, struct hf_events *events, size_t count);

/*
 * The end of a destroy: `err` is the answer of hfi_destroy_counted(). Unless it failed, returns when
 * each of the `count` counters has reached its figure; on a device that is gone, what the program was
 * given. 0 or a positive errno value.
 */
static inline int hfi_events_finish(struct ibv_context *context, int err, pthread_mutex_t *mutex,
				    pthread_cond_t *cond, struct hf_events *events, size_t count)
{
	uint32_t reported = 0;

	if (err < 0)
		return -err;
	for (size_t i = 0; i < count; i++)
		reported |= events[i].reported;
	/* Without an unacknowledged event the lock is not needed. */
	if (err || reported || hfi_delivered_any(&hfi_uverbs_of(context)->delivered))
		hfi_events_wait(context, err > 0, mutex, cond, events, count);
	return 0;
}

/* Linux before 5.8 creates and destroys QPs and SRQs by the older commands only. */
static inline bool hfi_method_is_missing(int err)
{
	return err == -EPROTONOSUPPORT;
}

#endif
