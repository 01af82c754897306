/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A lock that is held for a few dozen instructions. pthread_spin_lock() does the same, but calling
 * it costs a third of polling a completion.
 */
#ifndef PROVIDERS_COMMON_LOCK_H
#define PROVIDERS_COMMON_LOCK_H

#include <stdatomic.h>

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

#endif
