/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests of other contexts that the engine thread was woken for, and that have not ended yet. */
#include "providers/uroce/uroce.h"

static const _Atomic uint32_t *word_of(const struct uroce_context *context,
				       const struct uroce_watch *watch)
{
	return &context->segment->accesses[watch->slot][watch->access];
}

/* Where the list is full all are looked for once more, later. */
void uroce_watch_slot(struct uroce_context *context, uint32_t slot)
{
	if (slot >= UROCE_SLOTS || slot == context->slot_index)
		return;
	for (uint32_t i = 0; i < UROCE_ACCESSES; i++) {
		const struct uroce_watch watch = {
			slot, i, atomic_load(&context->segment->accesses[slot][i])};

		if ((watch.word & 0xffff) != context->slot_index + 1)
			continue;
		if (context->watch_count < UROCE_WATCHES)
			context->watches[context->watch_count++] = watch;
		else
			atomic_fetch_or(&context->slot->rung, UROCE_RING_MANY);
	}
}

void uroce_watch_all(struct uroce_context *context)
{
	for (uint32_t i = 0; i < UROCE_SLOTS; i++)
		uroce_watch_slot(context, i);
}

bool uroce_watch_ended(struct uroce_context *context)
{
	uint32_t left = 0;
	bool ended;

	for (uint32_t i = 0; i < context->watch_count; i++) {
		const struct uroce_watch watch = context->watches[i];

		if (atomic_load(word_of(context, &watch)) == watch.word &&
		    uroce_slot_alive(&context->segment->slots[watch.slot]))
			context->watches[left++] = watch;
	}
	ended = left != context->watch_count;
	context->watch_count = left;
	return ended;
}

bool uroce_watches(const struct uroce_context *context)
{
	return context->watch_count;
}
