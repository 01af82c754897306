/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A spin lock that is held for a few dozen instructions. It is inline because a call of
 * pthread_spin_lock() takes a third of the time of polling a completion.
 */
#ifndef PROVIDERS_COMMON_LOCK_H
#define PROVIDERS_COMMON_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

struct lock {
	atomic_uint held; /* zeroed memory is a free lock */
};

static inline void lock_take(struct lock *lock)
{
	while (__builtin_expect(atomic_exchange_explicit(&lock->held, 1, memory_order_acquire), 0))
		while (atomic_load_explicit(&lock->held, memory_order_relaxed)) {
#if defined(__x86_64__) || defined(__i386__)
			__builtin_ia32_pause();
#elif defined(__aarch64__)
			__asm__ volatile("yield");
#endif
		}
}

static inline void lock_release(struct lock *lock)
{
	atomic_store_explicit(&lock->held, 0, memory_order_release);
}

/* For an object that the program may have promised to use from one thread at a time. */
static inline void lock_take_unless(struct lock *lock, bool single_threaded)
{
	if (__builtin_expect(!single_threaded, 1))
		lock_take(lock);
}

static inline void lock_release_unless(struct lock *lock, bool single_threaded)
{
	if (__builtin_expect(!single_threaded, 1))
		lock_release(lock);
}

#endif
