/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small things that the providers share. */
#ifndef PROVIDERS_COMMON_UTIL_H
#define PROVIDERS_COMMON_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* The size of a ring for `count` elements: the lowest power of two that is not less, 1 for none. */
static inline uint32_t ring_size_for(uint32_t count)
{
	uint32_t size = 1;

	while (size < count)
		size *= 2;
	return size;
}

#endif
