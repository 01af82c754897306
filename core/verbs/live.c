/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The set of open contexts' addresses, which is read without a lock. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/verbs/live.h"

/* An address is in any place of its bucket; a bucket fills a cache line. */
enum { PLACES = 8, FIRST_BITS = 3 };

struct live_bucket {
	_Alignas(64) _Atomic(const struct ibv_context *) places[PLACES];
};

/*
 * If a bucket is full, the next table is used. Tables are added and never freed: a reader may be in
 * any of them.
 */
struct live_table {
	_Atomic(struct live_table *) next;
	unsigned int bits;
	struct live_bucket *buckets; /* 1 << bits */
};

/*
 * Static: an object holds only its context's address, and that context may belong to any struct hf.
 */
static struct live_bucket first_buckets[1 << FIRST_BITS];
static struct live_table first_table = {.bits = FIRST_BITS, .buckets = first_buckets};
_Atomic(const struct ibv_context *) hfi_live_latest = (const void *)&first_table;

static struct live_bucket *bucket_of(const struct live_table *table,
				     const struct ibv_context *context)
{
	const uint64_t hash = (uint64_t)(uintptr_t)context * UINT64_C(0x9e3779b97f4a7c15);

	return &table->buckets[hash >> (64 - table->bits)];
}

/* The table after this one; makes it if there is none. NULL without memory. */
static struct live_table *next_table(struct live_table *table)
{
	struct live_table *next = atomic_load(&table->next), *made;
	const unsigned int bits = table->bits + 1;

	if (next)
		return next;
	made = calloc(1, sizeof(*made));
	if (!made)
		return NULL;
	made->bits = bits;
	made->buckets =
		aligned_alloc(_Alignof(struct live_bucket), sizeof(made->buckets[0]) << bits);
	if (!made->buckets) {
		free(made);
		return NULL;
	}
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		for (size_t j = 0; j < PLACES; j++)
			atomic_init(&made->buckets[i].places[j], NULL);
	if (atomic_compare_exchange_strong(&table->next, &next, made))
		return made;
	/* Another thread has added one. */
	free(made->buckets);
	free(made);
	return next;
}

bool hfi_live_add(struct ibv_context *context)
{
	for (struct live_table *table = &first_table; table; table = next_table(table)) {
		struct live_bucket *bucket = bucket_of(table, context);

		for (size_t i = 0; i < PLACES; i++) {
			const struct ibv_context *none = NULL;

			if (atomic_compare_exchange_strong(&bucket->places[i], &none, context)) {
				atomic_store(&hfi_live_latest, context);
				return true;
			}
		}
	}
	return false;
}

static _Atomic(const struct ibv_context *) *find_place(const struct ibv_context *context)
{
	for (struct live_table *table = &first_table; table; table = atomic_load(&table->next)) {
		struct live_bucket *bucket = bucket_of(table, context);

		for (size_t i = 0; i < PLACES; i++)
			if (atomic_load(&bucket->places[i]) == context)
				return &bucket->places[i];
	}
	return NULL;
}

void hfi_live_remove(const struct ibv_context *context)
{
	_Atomic(const struct ibv_context *) *place = find_place(context);
	const struct ibv_context *latest = context;

	atomic_compare_exchange_strong(&hfi_live_latest, &latest, (const void *)&first_table);
	if (place)
		atomic_store(place, NULL);
}

bool hfi_live_has(const struct ibv_context *context)
{
	return context && find_place(context);
}
