/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Locks in shared memory. The holder is known by its slot, so a lock whose holder was killed is
 * taken over. What such a lock guards is consistent after every single store, so there is nothing to
 * repair. A holder may be stopped, so nobody waits for long.
 *
 * Threads of one context exclude each other by mutexes in private memory. So whoever has the mutex and finds
 * the context itself as the holder knows that the lock was damaged.
 */
#include <sched.h>
#include <time.h>

#include "providers/uroce/uroce.h"

enum { SPINS = 200, YIELDS = 250, TRIES = 270, PAUSE_NS = 50000 };

/* A slot that is used again has another generation, so the locks of its former context are stale. */
static uint32_t holder_value(const struct uroce_context *context)
{
	return context->generation << 16 | (context->slot_index + 1);
}

static bool holder_lives(const struct uroce_context *context, uint32_t holder)
{
	const uint32_t slot = (holder & 0xffff) - 1;

	return slot != context->slot_index && slot < UROCE_SLOTS &&
	       uroce_slot_alive(&context->segment->slots[slot]) &&
	       (atomic_load(&context->segment->slots[slot].generation) & 0xffff) == holder >> 16;
}

/* By another context that lives; *slot is its. */
bool uroce_shared_lock_held(const struct uroce_context *context,
			    const struct uroce_shared_lock *lock, uint32_t *slot)
{
	const uint32_t holder = atomic_load(&lock->holder);

	*slot = (holder & 0xffff) - 1;
	return holder && holder_lives(context, holder);
}

/* By anyone who lives, of our own threads as well. */
bool uroce_shared_lock_taken(const struct uroce_context *context,
			     const struct uroce_shared_lock *lock)
{
	const uint32_t holder = atomic_load(&lock->holder);

	return holder == holder_value(context) || (holder && holder_lives(context, holder));
}

static pthread_mutex_t *guard_of(struct uroce_context *context,
				 const struct uroce_shared_lock *lock, enum uroce_lock_kind kind)
{
	return &context->guards[kind][(uintptr_t)lock / 64 % UROCE_LOCK_GUARDS];
}

void uroce_shared_lock_wait_own(struct uroce_context *context, struct uroce_shared_lock *lock,
				enum uroce_lock_kind kind)
{
	if (likely(atomic_load(&lock->holder) != holder_value(context)))
		return;
	pthread_mutex_lock(guard_of(context, lock, kind));
	pthread_mutex_unlock(guard_of(context, lock, kind));
}

/* `tries` were made before. */
static bool try_lock(struct uroce_context *context, struct uroce_shared_lock *lock,
		     unsigned int tries)
{
	uint32_t holder = atomic_load_explicit(&lock->holder, memory_order_relaxed);

	if (holder && (tries < SPINS || holder_lives(context, holder)))
		return false;
	/* Sequentially consistent, for uroce_req_notify_cq(): it sees the holder, or who adds sees the flag. */
	return atomic_compare_exchange_strong_explicit(&lock->holder, &holder,
						       holder_value(context), memory_order_seq_cst,
						       memory_order_relaxed);
}

bool uroce_shared_lock(struct uroce_context *context, struct uroce_shared_lock *lock,
		       enum uroce_lock_kind kind)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_NS};

	pthread_mutex_lock(guard_of(context, lock, kind));
	for (unsigned int tries = 0; tries < TRIES; tries++) {
		if (likely(try_lock(context, lock, tries)))
			return true;
		if (tries >= YIELDS)
			nanosleep(&pause, NULL);
		else if (tries >= SPINS)
			sched_yield();
	}
	pthread_mutex_unlock(guard_of(context, lock, kind));
	return false;
}

void uroce_shared_unlock(struct uroce_context *context, struct uroce_shared_lock *lock,
			 enum uroce_lock_kind kind)
{
	atomic_store_explicit(&lock->holder, 0, memory_order_release);
	pthread_mutex_unlock(guard_of(context, lock, kind));
}
