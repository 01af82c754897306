/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts the allocated malloc() blocks of all libraries in the process. mallinfo() is not exact: it counts
 * freed blocks in the threads' caches as used.
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "t/vm/vm.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS 0
#endif
#endif

#ifndef COUNTS
#define COUNTS 1
#endif

#if COUNTS

/* glibc's own functions, for programs that define malloc(). */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static atomic_long live;

/* Exported, so that the libraries use these. */
#pragma GCC visibility push(default)

static void *count_live(void *block)
{
	if (block)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return block;
}

void *malloc(size_t size)
{
	return count_live(__libc_malloc(size));
}

void *calloc(size_t num, size_t size)
{
	return count_live(__libc_calloc(num, size));
}

void *realloc(void *block, size_t size)
{
	void *ret = __libc_realloc(block, size);

	if (!block)
		return count_live(ret);
	if (!size)
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	return ret;
}

void *memalign(size_t alignment, size_t size)
{
	return count_live(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *block = memalign(alignment, size);

	if (!block)
		return ENOMEM;
	*ret = block;
	return 0;
}

void free(void *block)
{
	if (!block)
		return;
	atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	__libc_free(block);
}

#pragma GCC visibility pop

long vm_live_blocks(void)
{
	return atomic_load(&live);
}

#else

long vm_live_blocks(void)
{
	return -1;
}

#endif
