/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory of our arena: a heap of whole pages for the rings, and the pages of the tables. A page of a
 * sparse file that cannot be allocated when it is written is SIGBUS, so pages are allocated before
 * they are used. What is free is known in private memory only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "providers/uroce/uroce.h"

#define HEAP_PAGE  ((uint64_t)4096)
#define HEAP_FIRST ((sizeof(struct uroce_arena) + HEAP_PAGE - 1) & ~(HEAP_PAGE - 1))

static uint64_t file_offset(const struct uroce_context *context, uint64_t offset)
{
	return UROCE_ARENA_FIRST + context->slot_index * UROCE_ARENA_SIZE + offset;
}

static int back(struct uroce_context *context, uint64_t offset, uint64_t size)
{
	const off_t at = (off_t)file_offset(context, offset);

	/* An old file system without fallocate: the C library writes to each page. */
	return posix_fallocate(context->verbs.context.cmd_fd, at, (off_t)size) ? ENOMEM : 0;
}

int uroce_arena_back(struct uroce_context *context, const void *address, size_t size)
{
	const uint64_t first =
		(uint64_t)((const char *)address - (char *)context->arena) / HEAP_PAGE;
	const uint64_t last =
		((uint64_t)((const char *)address - (char *)context->arena) + size - 1) / HEAP_PAGE;

	if (!context->backed)
		context->backed = calloc(HEAP_FIRST / HEAP_PAGE / 8 + 1, 1);
	if (!context->backed)
		return ENOMEM;
	for (uint64_t page = first; page <= last; page++) {
		if (context->backed[page / 8] & 1 << page % 8)
			continue;
		if (back(context, page * HEAP_PAGE, HEAP_PAGE))
			return ENOMEM;
		context->backed[page / 8] |= (unsigned char)(1 << page % 8);
	}
	return 0;
}

static struct uroce_range *range_new(struct uroce_range *next, uint64_t offset, uint64_t size)
{
	struct uroce_range *range = malloc(sizeof(*range));

	if (range)
		*range = (struct uroce_range){next, offset, size};
	return range;
}

static uint64_t in_pages(size_t size)
{
	return ((uint64_t)size + HEAP_PAGE - 1) & ~(HEAP_PAGE - 1);
}

uint64_t uroce_heap_take(struct uroce_context *context, size_t size)
{
	const uint64_t need = in_pages(size);
	struct uroce_range **at = &context->heap, *range;
	uint64_t offset;

	if (size > UROCE_ARENA_SIZE)
		return 0;
	if (!context->heap)
		context->heap = range_new(NULL, HEAP_FIRST, UROCE_ARENA_SIZE - HEAP_FIRST);
	while (*at && (*at)->size < need)
		at = &(*at)->next;
	if (!*at || back(context, (*at)->offset, need))
		return 0;
	range = *at;
	offset = range->offset;
	range->offset += need;
	range->size -= need;
	/* Keep the last range, however small: a heap without ranges would start over. */
	if (!range->size && (range->next || range != context->heap)) {
		*at = range->next;
		free(range);
	}
	memset((char *)context->arena + offset, 0, need);
	return offset;
}

/* If there is no memory to record a free range, it stays unused until the context is closed. */
void uroce_heap_give(struct uroce_context *context, uint64_t offset, size_t size)
{
	const uint64_t given = in_pages(size);
	struct uroce_range **at = &context->heap, *before = NULL, *range;

	fallocate(context->verbs.context.cmd_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)file_offset(context, offset), (off_t)given);
	while (*at && (*at)->offset < offset) {
		before = *at;
		at = &(*at)->next;
	}
	range = *at;
	if (before && before->offset + before->size == offset) {
		before->size += given;
		if (range && before->offset + before->size == range->offset) {
			before->size += range->size;
			before->next = range->next;
			free(range);
		}
	} else if (range && offset + given == range->offset) {
		range->offset = offset;
		range->size += given;
	} else {
		range = range_new(*at, offset, given);
		if (range)
			*at = range;
	}
}
