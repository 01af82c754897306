/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How many events programs were given about each object: what a destroy has to go by when the device,
 * and the kernel's own figures with it, are gone. An object's counter of acknowledged events stands
 * for it.
 */
#ifndef HF_UVERBS_DELIVERED_H
#define HF_UVERBS_DELIVERED_H

#include <pthread.h>
#include <stdint.h>

struct hf_delivered_entry;

/* Of one context. */
struct hf_delivered {
	pthread_mutex_t lock;
	struct hf_delivered_entry *entries;
};

void hf_delivered_init(struct hf_delivered *delivered);
void hf_delivered_fini(struct hf_delivered *delivered);

/* One more. Without memory it is not counted, and then not waited for. */
void hf_delivered_count(struct hf_delivered *delivered, const uint32_t *completed);

/* How many there were; and the object is forgotten. */
uint32_t hf_delivered_take(struct hf_delivered *delivered, const uint32_t *completed);

#endif
