/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 64 on: memory that a confidential guest shares with its devices. */
#ifndef HF_COMPAT_PRIVATE64_HEAP_H
#define HF_COMPAT_PRIVATE64_HEAP_H

#include "compat/private34/private34.h"

/* Providers know the type by its name only. */
struct ibv_dmabuf_heap;

struct ibv_dmabuf_heap *ibv_dmabuf_heap_cc_shared_init_64(void);
void *ibv_dmabuf_heap_alloc_64(struct ibv_dmabuf_heap *heap, size_t size, int *fd);
void ibv_dmabuf_heap_free_64(void *memory, size_t size, int fd);
void ibv_dmabuf_heap_destroy_64(struct ibv_dmabuf_heap *heap);

#endif
