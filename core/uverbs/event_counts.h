/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts the events that programs read about each object, for destroys on a device that is gone:
 * the kernel's own counts are gone with it. An object is identified by its counter of acknowledged
 * events.
 */
#ifndef HF_UVERBS_EVENT_COUNTS_H
#define HF_UVERBS_EVENT_COUNTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct hf_delivered_entry;

/* Of one context. */
struct hf_delivered {
	/*
	 * Held from reading an event until it is counted, so that no destroy comes between the two.
	 */
	pthread_mutex_t lock;
	struct hf_delivered_entry *entries;
	atomic_bool used; /* there was an entry */
};

void hfi_delivered_init(struct hf_delivered *delivered);
void hfi_delivered_fini(struct hf_delivered *delivered);

/*
 * Counts an event, with the lock held. Without memory it is not counted, and a destroy will not
 * wait for it. False if the object does not exist any more: the program must not get the event.
 */
bool hfi_delivered_count(struct hf_delivered *delivered, const uint32_t *completed);

/*
 * The object is being destroyed: returns how many events were counted. With `gone` the kernel did
 * not destroy it and may still report events about it (Linux: a device answers EIO before its
 * objects are cleaned up).
 */
uint32_t hfi_delivered_take(struct hf_delivered *delivered, const uint32_t *completed, bool gone);

/* A new object was made, perhaps at the address of an earlier one. */
void hfi_delivered_born(struct hf_delivered *delivered, const uint32_t *completed);

/* Most programs never get an event about an object. */
static inline bool hfi_delivered_any(const struct hf_delivered *delivered)
{
	return atomic_load_explicit(&delivered->used, memory_order_acquire);
}

#endif
