/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 64 on: memory that a confidential guest shares with its devices. */
#include "compat/private64/heap.h"

HF_SINCE_64(ibv_dmabuf_heap_cc_shared_init_64, ibv_dmabuf_heap_cc_shared_init)
struct ibv_dmabuf_heap *ibv_dmabuf_heap_cc_shared_init_64(void)
{
	return (struct ibv_dmabuf_heap *)hf_compat_later.hf_provider_shared_heap_open();
}

HF_SINCE_64(ibv_dmabuf_heap_alloc_64, ibv_dmabuf_heap_alloc)
void *ibv_dmabuf_heap_alloc_64(struct ibv_dmabuf_heap *heap, size_t size, int *fd)
{
	return hf_compat_later.hf_provider_shared_heap_alloc((struct hf_shared_heap *)heap, size,
							     fd);
}

HF_SINCE_64(ibv_dmabuf_heap_free_64, ibv_dmabuf_heap_free)
void ibv_dmabuf_heap_free_64(void *memory, size_t size, int fd)
{
	hf_compat_later.hf_provider_shared_heap_free(memory, size, fd);
}

HF_SINCE_64(ibv_dmabuf_heap_destroy_64, ibv_dmabuf_heap_destroy)
void ibv_dmabuf_heap_destroy_64(struct ibv_dmabuf_heap *heap)
{
	hf_compat_later.hf_provider_shared_heap_close((struct hf_shared_heap *)heap);
}
