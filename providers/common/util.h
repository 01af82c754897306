/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Macros that the providers share. */
#ifndef PROVIDERS_COMMON_UTIL_H
#define PROVIDERS_COMMON_UTIL_H

#include <stddef.h>

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
