/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The rings that rdma_rxe shares with programs (struct rxe_queue_buf of rdma/rdma_user_rxe.h). The
 * producer writes elements, then its index; the consumer reads the index, then elements. A ring holds
 * one element less than it has slots: with equal indices it is empty.
 *
 * The geometry is checked once and kept here, and every index is masked by it: whatever stands in
 * the shared header later, no access leaves the mapping. Both indices are read from the header each
 * time, so that a mapping which was replaced by zeroed memory is an empty ring.
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
	size_t size;	/* of the mapping */
};

/* Describes the ring at `buf`, `size` bytes long, or -EPROTO where it does not fit in there. */
int rxe_queue_init(struct rxe_queue *queue, struct rxe_queue_buf *buf, size_t size,
		   size_t element_size);

/* Maps the ring that the kernel tells of. `element_size`: what an element must have room for. */
int rxe_queue_map(struct rxe_queue *queue, int cmd_fd, const struct mminfo *info,
		  size_t element_size);
void rxe_queue_unmap(struct rxe_queue *queue);

/* The other side's index orders what follows; one's own needs no order, the lock sees to that. */
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

/* As the producer: the next slot, how many are free, and handing over all slots before `index`. */
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

/* As the consumer: the oldest element, how many there are, and giving back all before `index`. */
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
