/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How many events the program was given about each object. */
#include <stdlib.h>

/* Keys are addresses, looked up for each event; uthash's own function takes a hundred instructions. */
#define HASH_FUNCTION(key, size, hash) ((hash) = hash_address(key))
#define HASH_KEYCMP(a, b, size)	       (address_at(a) != address_at(b))

#include "shared/hash.h"
#include "core/uverbs/event_counts.h"

static inline uintptr_t address_at(const void *key)
{
	return (uintptr_t) * (const uint32_t *const *)key;
}

/* Multiplied by 2^64 / golden ratio, so that the upper half depends on every bit of the address. */
static inline unsigned int hash_address(const void *key)
{
	return (unsigned int)(address_at(key) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

struct hf_delivered_entry {
	const uint32_t *completed;
	uint32_t count;
	bool is_no_more;
	UT_hash_handle hh;
};

void hfi_delivered_init(struct hf_delivered *delivered)
{
	pthread_mutex_init(&delivered->lock, NULL);
	delivered->entries = NULL;
	atomic_init(&delivered->used, false);
}

void hfi_delivered_fini(struct hf_delivered *delivered)
{
	struct hf_delivered_entry *entry, *next;

	HASH_ITER (hh, delivered->entries, entry, next) {
		HASH_DELETE(hh, delivered->entries, entry);
		free(entry);
	}
	pthread_mutex_destroy(&delivered->lock);
}

static struct hf_delivered_entry *find_event_count(struct hf_delivered *delivered,
						   const uint32_t *completed)
{
	struct hf_delivered_entry *entry;

	HASH_FIND(hh, delivered->entries, &completed, sizeof(completed), entry);
	return entry;
}

static struct hf_delivered_entry *add_event_count(struct hf_delivered *delivered,
						  const uint32_t *completed)
{
	struct hf_delivered_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->completed = completed;
	atomic_store_explicit(&delivered->used, true, memory_order_release);
	HASH_ADD(hh, delivered->entries, completed, sizeof(entry->completed), entry);
	if (hf_hash_added(entry))
		return entry;
	free(entry);
	return NULL;
}

bool hfi_delivered_count(struct hf_delivered *delivered, const uint32_t *completed)
{
	struct hf_delivered_entry *entry = find_event_count(delivered, completed);

	if (!entry)
		entry = add_event_count(delivered, completed);
	if (!entry)
		return true;
	entry->count++;
	return !entry->is_no_more;
}

static void forget(struct hf_delivered *delivered, struct hf_delivered_entry *entry)
{
	if (!entry)
		return;
	HASH_DELETE(hh, delivered->entries, entry);
	free(entry);
}

uint32_t hfi_delivered_take(struct hf_delivered *delivered, const uint32_t *completed, bool gone)
{
	struct hf_delivered_entry *entry;
	uint32_t count = 0;

	pthread_mutex_lock(&delivered->lock);
	entry = find_event_count(delivered, completed);
	if (entry)
		count = entry->count;
	if (gone && !entry)
		entry = add_event_count(delivered, completed);
	if (gone && entry) {
		entry->count = 0;
		entry->is_no_more = true;
	} else {
		forget(delivered, entry);
	}
	pthread_mutex_unlock(&delivered->lock);
	return count;
}

void hfi_delivered_born(struct hf_delivered *delivered, const uint32_t *completed)
{
	pthread_mutex_lock(&delivered->lock);
	forget(delivered, find_event_count(delivered, completed));
	pthread_mutex_unlock(&delivered->lock);
}
