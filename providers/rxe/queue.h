/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The rings that rdma_rxe shares with programs (struct rxe_queue_buf of rdma/rdma_user_rxe.h). The
 * producer writes elements, then its index; the consumer reads the index, then elements. A ring holds
 * one element less than it has slots: it is empty when both indices are equal.
 *
 * The geometry is checked once and copied, and every index is masked with the copy, so no access
 * leaves the mapping even if the shared header changes later. Both indices are read from the header
 * each time, so a mapping that was replaced by zeroed memory is an empty ring.
 */
#ifndef PROVIDERS_RXE_QUEUE_H
#define PROVIDERS_RXE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <rdma/rdma_user_rxe.h>

struct rxe_queue {
	struct rxe_queue_buf *buf;
	uint32_t mask;
	uint32_t shift; /* log2 of an element's size */
	size_t size;	/* of the mapping, in bytes */
};

/* Describes the ring in the `size` bytes at `buf`. -EPROTO if it does not fit there. */
int rxe_queue_init(struct rxe_queue *queue, struct rxe_queue_buf *buf, size_t size,
		   size_t element_size);

/* Maps the ring that the kernel created. `element_size`: the least size of an element. */
int rxe_queue_map(struct rxe_queue *queue, int cmd_fd, const struct mminfo *info,
		  size_t element_size);
void rxe_queue_unmap(struct rxe_queue *queue);

/* Acquire: elements are accessed after the other side's index. Our own index is under our lock. */
static inline uint32_t rxe_queue_theirs(const __u32 *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline uint32_t rxe_queue_ours(const __u32 *index)
{
	return __atomic_load_n(index, __ATOMIC_RELAXED);
}

static inline void *rxe_queue_at(const struct rxe_queue *queue, uint32_t index)
{
	return queue->buf->data + ((size_t)(index & queue->mask) << queue->shift);
}

/* For the producer: the next slot, the number of free slots, and publishing all slots before `index`. */
static inline uint32_t rxe_queue_producer(const struct rxe_queue *queue)
{
	return rxe_queue_ours(&queue->buf->producer_index);
}

static inline uint32_t rxe_queue_room(const struct rxe_queue *queue, uint32_t producer)
{
	return (rxe_queue_theirs(&queue->buf->consumer_index) - producer - 1) & queue->mask;
}

static inline void rxe_queue_produce(const struct rxe_queue *queue, uint32_t index)
{
	__atomic_store_n(&queue->buf->producer_index, index & queue->mask, __ATOMIC_RELEASE);
}

/* For the consumer: the oldest element, the number of elements, and freeing all slots before `index`. */
static inline uint32_t rxe_queue_consumer(const struct rxe_queue *queue)
{
	return rxe_queue_ours(&queue->buf->consumer_index);
}

static inline uint32_t rxe_queue_count(const struct rxe_queue *queue, uint32_t consumer)
{
	return (rxe_queue_theirs(&queue->buf->producer_index) - consumer) & queue->mask;
}

static inline void rxe_queue_consume(const struct rxe_queue *queue, uint32_t index)
{
	__atomic_store_n(&queue->buf->consumer_index, index & queue->mask, __ATOMIC_RELEASE);
}

#endif
