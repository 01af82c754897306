/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Allocates memory that a confidential guest shares with its devices: dma-bufs from the kernel's
 * heap for that purpose.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/dma-heap.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "shared/file.h"

static const char heap_node[] = "/dev/dma_heap/system_cc_shared";

struct hf_shared_heap {
	int fd;
};

HF_EXPORT struct hf_shared_heap *hf_provider_shared_heap_open(void)
{
	struct hf_shared_heap *heap = malloc(sizeof(*heap));

	if (!heap)
		return NULL;
	heap->fd = open(heap_node, O_RDWR | O_CLOEXEC);
	if (heap->fd >= 0)
		return heap;
	free(heap);
	return NULL;
}

HF_EXPORT void *hf_provider_shared_heap_alloc(struct hf_shared_heap *heap, size_t size, int *fd)
{
	struct dma_heap_allocation_data data = {.len = size, .fd_flags = O_RDWR | O_CLOEXEC};
	void *memory;
	int made;

	if (ioctl(heap->fd, DMA_HEAP_IOCTL_ALLOC, &data) < 0)
		return NULL;
	made = (int)data.fd;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
	if (memory == MAP_FAILED) {
		hfi_close(&made);
		return NULL;
	}
	*fd = made;
	return memory;
}

HF_EXPORT void hf_provider_shared_heap_free(void *memory, size_t size, int fd)
{
	munmap(memory, size);
	hfi_close(&fd);
}

HF_EXPORT void hf_provider_shared_heap_close(struct hf_shared_heap *heap)
{
	hfi_close(&heap->fd);
	free(heap);
}
