/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An allocator that counts allocations and makes a chosen one fail. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "t/fault/alloc.h"

size_t alloc_excess(const struct alloc_left *left, const struct alloc_left *base,
		    struct alloc_site *culprit)
{
	size_t excess = 0;

	for (size_t i = 0; i < left->num_sites; i++) {
		const struct alloc_site *site = &left->sites[i];
		size_t before = 0;

		for (size_t j = 0; j < base->num_sites; j++)
			if (base->sites[j].caller == site->caller)
				before = base->sites[j].blocks;
		if (site->blocks <= before)
			continue;
		excess += site->blocks - before;
		*culprit = *site;
	}
	return excess;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HF_FOREIGN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define HF_FOREIGN_ALLOCATOR 1
#endif
#endif
#ifndef __GLIBC__
#define HF_FOREIGN_ALLOCATOR 1
#endif

#ifdef HF_FOREIGN_ALLOCATOR

bool alloc_available(void)
{
	return false;
}

void alloc_begin(size_t fail_at, bool onward)
{
	(void)fail_at, (void)onward;
}

size_t alloc_end(void)
{
	return 0;
}

const void *alloc_failed_site(void)
{
	return NULL;
}

void alloc_mark(void)
{
}

void alloc_look(struct alloc_left *left)
{
	memset(left, 0, sizeof(*left));
}

#else

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *raw);

/* Exported: the libraries must use these. */
#pragma GCC visibility push(default)
/* The prototypes of <stdlib.h> have attributes that definitions here would have to repeat. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
void free(void *block);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **ret, size_t alignment, size_t size);
size_t malloc_usable_size(void *block);
#pragma GCC visibility pop

enum { LIVE = 0x48464c56 };

/* Precedes each block. */
struct head {
	struct head *prev, *next;
	const void *caller;
	void *raw;
	size_t size;
	uint32_t mark;
	uint32_t magic;
} __attribute__((aligned(16)));

static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct head all = {.prev = &all, .next = &all};
static uint32_t mark;
static bool counting;
static bool fail_onward;
static size_t fail_number;
static size_t made;
static const void *failed_site;

static void lock_blocks(void)
{
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		;
}

static void unlock_blocks(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

static bool must_fail(const void *caller)
{
	bool fail = false;

	lock_blocks();
	if (counting) {
		made++;
		fail = fail_number && (made == fail_number || (fail_onward && made > fail_number));
		if (fail && !failed_site)
			failed_site = caller;
	}
	unlock_blocks();
	if (fail)
		errno = ENOMEM;
	return fail;
}

static void *alloc_block(size_t alignment, size_t size, const void *caller)
{
	size_t room = sizeof(struct head);
	struct head *head;
	char *raw;

	if (alignment < 16)
		alignment = 16;
	while (room % alignment)
		room += sizeof(struct head) % alignment;
	if (must_fail(caller))
		return NULL;
	if (size > PTRDIFF_MAX - room) {
		errno = ENOMEM;
		return NULL;
	}
	raw = alignment == 16 ? __libc_malloc(room + size)
			      : __libc_memalign(alignment, room + size);
	if (!raw)
		return NULL;
	head = (struct head *)(void *)(raw + room) - 1;
	head->caller = caller;
	head->raw = raw;
	head->size = size;
	head->mark = mark;
	head->magic = LIVE;
	lock_blocks();
	head->next = &all;
	head->prev = all.prev;
	all.prev->next = head;
	all.prev = head;
	unlock_blocks();
	return head + 1;
}

static void free_block(void *block)
{
	struct head *head = (struct head *)block - 1;

	if (!block)
		return;
	if (head->magic != LIVE)
		__builtin_trap();
	head->magic = 0;
	lock_blocks();
	head->prev->next = head->next;
	head->next->prev = head->prev;
	unlock_blocks();
	/* Overwrite it, so that use after free is detected. */
	memset(block, 0xa5, head->size);
	__libc_free(head->raw);
}

void *malloc(size_t size)
{
	return alloc_block(16, size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
	void *block;

	if (size && count > PTRDIFF_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	block = alloc_block(16, count * size, __builtin_return_address(0));
	return block ? memset(block, 0, count * size) : NULL;
}

static void *resize(void *block, size_t size, const void *caller)
{
	const struct head *head = (struct head *)block - 1;
	void *other;

	if (block && !size) {
		free_block(block);
		return NULL;
	}
	other = alloc_block(16, size, caller);
	if (other && block) {
		memcpy(other, block, head->size < size ? head->size : size);
		free_block(block);
	}
	return other;
}

void *realloc(void *block, size_t size)
{
	return resize(block, size, __builtin_return_address(0));
}

void *reallocarray(void *block, size_t count, size_t size)
{
	if (size && count > PTRDIFF_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return resize(block, count * size, __builtin_return_address(0));
}

void free(void *block)
{
	int saved = errno;

	free_block(block);
	errno = saved;
}

void *memalign(size_t alignment, size_t size)
{
	return alloc_block(alignment, size, __builtin_return_address(0));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return alloc_block(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *block = alloc_block(alignment, size, __builtin_return_address(0));

	if (!block)
		return ENOMEM;
	*ret = block;
	return 0;
}

size_t malloc_usable_size(void *block)
{
	return block ? ((struct head *)block - 1)->size : 0;
}

bool alloc_available(void)
{
	return true;
}

/* All memory comes from the heap and is never returned: brk is the only system call. */
__attribute__((constructor)) static void settle(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

void alloc_begin(size_t fail_at, bool onward)
{
	lock_blocks();
	made = 0;
	fail_number = fail_at;
	fail_onward = onward;
	failed_site = NULL;
	counting = true;
	unlock_blocks();
}

size_t alloc_end(void)
{
	size_t n;

	lock_blocks();
	counting = false;
	n = made;
	unlock_blocks();
	return n;
}

const void *alloc_failed_site(void)
{
	return failed_site;
}

void alloc_mark(void)
{
	mark++;
}

void alloc_look(struct alloc_left *left)
{
	memset(left, 0, sizeof(*left));
	lock_blocks();
	for (const struct head *head = all.next; head != &all; head = head->next) {
		size_t i = 0;

		if (head->mark != mark)
			continue;
		while (i < left->num_sites && left->sites[i].caller != head->caller)
			i++;
		if (i == ALLOC_SITES)
			i--;
		else if (i == left->num_sites)
			left->sites[left->num_sites++].caller = head->caller;
		left->sites[i].blocks++;
		left->sites[i].bytes += head->size;
		left->blocks++;
	}
	unlock_blocks();
}

#endif
