/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Locks in shared memory. The holder is known by its slot, so a lock whose holder was killed is
 * taken over. What such a lock guards is consistent after every single store, so there is nothing to
 * repair. A holder that is stopped keeps the lock; it is held for one message at most.
 */
#include <sched.h>
#include <time.h>

#include "providers/uroce/uroce.h"

enum { SPINS = 200, YIELDS = 50, PAUSE_NS = 50000 };

/* A slot that is used again has another generation, so the locks of its former context are stale. */
static uint32_t holder_value(const struct uroce_context *context)
{
	return context->generation << 16 | (context->slot_index + 1);
}

static bool holder_lives(const struct uroce_context *context, uint32_t holder)
{
	const uint32_t slot = (holder & 0xffff) - 1;

	return slot < UROCE_SLOTS && uroce_slot_alive(&context->segment->slots[slot]) &&
	       (atomic_load(&context->segment->slots[slot].generation) & 0xffff) == holder >> 16;
}

bool uroce_shared_trylock(struct uroce_context *context, struct uroce_shared_lock *lock)
{
	uint32_t free = 0;

	return atomic_compare_exchange_strong_explicit(&lock->holder, &free, holder_value(context),
						       memory_order_acquire, memory_order_relaxed);
}

/* Takes the lock from a context that does not live. Values that are no slot's are stale as well. */
static bool take_over(struct uroce_context *context, struct uroce_shared_lock *lock)
{
	uint32_t holder = atomic_load_explicit(&lock->holder, memory_order_relaxed);

	if (!holder || holder_lives(context, holder))
		return false;
	return atomic_compare_exchange_strong_explicit(&lock->holder, &holder,
						       holder_value(context), memory_order_acquire,
						       memory_order_relaxed);
}

void uroce_shared_lock(struct uroce_context *context, struct uroce_shared_lock *lock)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (unsigned int tries = 0; !uroce_shared_trylock(context, lock); tries++) {
		if (tries < SPINS)
			continue;
		if (take_over(context, lock))
			return;
		if (tries < SPINS + YIELDS)
			sched_yield();
		else
			nanosleep(&pause, NULL);
	}
}

void uroce_shared_unlock(struct uroce_shared_lock *lock)
{
	atomic_store_explicit(&lock->holder, 0, memory_order_release);
}
