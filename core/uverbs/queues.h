/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the commands for completion queues, shared receive queues and queue pairs have in common. */
#ifndef HF_UVERBS_QUEUES_H
#define HF_UVERBS_QUEUES_H

#include <pthread.h>
#include <stdint.h>
#include <infiniband/verbs.h>

#include "core/uverbs/command.h"

static inline void hf_command_in_u32(struct hf_command *command, uint16_t attr, uint32_t value)
{
	hf_command_in(command, attr, &value, sizeof(value));
}

static inline void hf_command_in_u64(struct hf_command *command, uint16_t attr, uint64_t value)
{
	hf_command_in(command, attr, &value, sizeof(value));
}

/* Where the kernel reports the object's asynchronous events. */
void hf_command_event_fd(struct hf_command *command, uint16_t attr, struct ibv_context *context);

/* Prepares what hf_events_finish() waits on, of an object that is new. */
void hf_events_init(struct ibv_context *context, pthread_mutex_t *mutex, pthread_cond_t *cond,
		    uint32_t *completed);

/* An object's counter of acknowledged events, and the kernel's figure of those reported. */
struct hf_events {
	const uint32_t *completed;
	uint32_t reported;
};

/*
 * The end of a destroy: `err` is the answer of hf_destroy_counted(). Unless it failed, returns when
 * each of the `count` counters has reached its figure; on a device that is gone, what the program was
 * given. 0 or a positive errno value.
 */
int hf_events_finish(struct ibv_context *context, int err, pthread_mutex_t *mutex,
		     pthread_cond_t *cond, struct hf_events *events, size_t count);

/* Linux before 5.8 creates and destroys QPs and SRQs by the older commands only. */
static inline bool hf_method_is_missing(int err)
{
	return err == -EPROTONOSUPPORT;
}

#endif
