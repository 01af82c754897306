/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps the rings that are shared with rdma_rxe, and checks their geometry. */
#include <errno.h>
#include <sys/mman.h>

#include "providers/rxe/queue.h"

int rxe_queue_init(struct rxe_queue *queue, struct rxe_queue_buf *buf, size_t size,
		   size_t element_size)
{
	uint32_t mask, shift;
	uint64_t slots;

	if (size < sizeof(*buf))
		return -EPROTO;
	mask = __atomic_load_n(&buf->index_mask, __ATOMIC_RELAXED);
	shift = __atomic_load_n(&buf->log2_elem_size, __ATOMIC_RELAXED);
	slots = (uint64_t)mask + 1;
	if (shift >= 32 || (UINT64_C(1) << shift) < element_size || (slots & mask) != 0)
		return -EPROTO;
	if (slots << shift > size - sizeof(*buf))
		return -EPROTO;
	*queue = (struct rxe_queue){.buf = buf, .mask = mask, .shift = shift, .size = size};
	return 0;
}

int rxe_queue_map(struct rxe_queue *queue, int cmd_fd, const struct mminfo *info,
		  size_t element_size)
{
	struct rxe_queue_buf *buf;
	int err;

	if (info->size < sizeof(*buf))
		return -EPROTO;
	buf = mmap(NULL, info->size, PROT_READ | PROT_WRITE, MAP_SHARED, cmd_fd,
		   (off_t)info->offset);
	if (buf == MAP_FAILED)
		return -errno;
	err = rxe_queue_init(queue, buf, info->size, element_size);
	if (err)
		munmap(buf, info->size);
	return err;
}

void rxe_queue_unmap(struct rxe_queue *queue)
{
	if (queue->buf)
		munmap(queue->buf, queue->size);
	queue->buf = NULL;
}
