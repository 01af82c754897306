/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices in memory, for trying things out and for measuring. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rtrs/export/backing.h"

struct memory_backing {
	struct rtrs_backing base;
	uint8_t *bytes;
	uint64_t size;
};

static struct memory_backing *memory_of(struct rtrs_backing *backing)
{
	return hf_container_of(backing, struct memory_backing, base);
}

/* Whole pages are given back to the system, and are zero then. */
static void clear_memory(uint8_t *from, uint32_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uint8_t *first = from + (-(uintptr_t)from & (page - 1));
	uint8_t *end = from + size;
	uint8_t *last = end - ((uintptr_t)end & (page - 1));

	if (first >= last || madvise(first, (size_t)(last - first), MADV_DONTNEED)) {
		memset(from, 0, size);
		return;
	}
	memset(from, 0, (size_t)(first - from));
	memset(last, 0, (size_t)(end - last));
}

static int do_memory_now(struct rtrs_block_job *job)
{
	uint8_t *at = memory_of(job->backing)->bytes + job->offset;

	switch (job->op) {
	case RNBD_OP_READ:
		memcpy(job->data, at, job->size);
		return 1;
	case RNBD_OP_WRITE:
		memcpy(at, job->data, job->size);
		return 1;
	case RNBD_OP_DISCARD:
	case RNBD_OP_WRITE_ZEROES:
		clear_memory(at, job->size);
		return 1;
	case RNBD_OP_FLUSH:
		return 1;
	default:
		return -EOPNOTSUPP;
	}
}

/* What is written stays, whoever closes it. */
static const struct rtrs_backing_ops memory_ops = {.try_now = do_memory_now};

int rtrsi_memory_backing_new(uint64_t size, uint32_t max_io, struct rtrs_backing **ret)
{
	struct memory_backing *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->size = size;
	memory->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory->bytes == MAP_FAILED) {
		free(memory);
		return -ENOMEM;
	}
	memory->base.ops = &memory_ops;
	memory->base.about = (struct rtrs_rnbd_device){
		.sectors = size / RNBD_SECTOR_SIZE,
		.max_hw_sectors = max_io / RNBD_SECTOR_SIZE,
		.max_write_zeroes_sectors = 1 << 21,
		.max_discard_sectors = 1 << 21,
		.discard_granularity = RNBD_SECTOR_SIZE,
		.physical_block_size = RNBD_SECTOR_SIZE,
		.logical_block_size = RNBD_SECTOR_SIZE,
		.max_segments = 128,
		.cache_policy = RNBD_CACHE_FUA,
	};
	*ret = &memory->base;
	return 0;
}

void rtrsi_memory_backing_free(struct rtrs_backing *backing)
{
	struct memory_backing *memory = memory_of(backing);

	munmap(memory->bytes, memory->size);
	free(memory);
}
