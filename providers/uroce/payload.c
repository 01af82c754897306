/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Short messages wait in the CQ of their receiver, which puts them into its memory when it polls, or before it
 * deregisters that memory. It does so by a read of the node, the cheapest system call that copies: memory that is not
 * mapped is an error of the call and not a signal.
 *
 * A later message that goes into memory at once may have the same addresses. So that the end is as if each had been put
 * there when it came, its sender changes the data that waits as well.
 */
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <sys/uio.h>

#include "providers/uroce/qp.h"

void uroce_region_ends(struct uroce_context *context, struct uroce_mr *region)
{
	pthread_mutex_lock(&context->ending_lock);
	region->next_ending = context->ending;
	context->ending = region;
	pthread_mutex_unlock(&context->ending_lock);
}

void uroce_region_ended(struct uroce_context *context, struct uroce_mr *region)
{
	struct uroce_mr **at = &context->ending;

	pthread_mutex_lock(&context->ending_lock);
	while (*at != region)
		at = &(*at)->next_ending;
	*at = region->next_ending;
	pthread_mutex_unlock(&context->ending_lock);
}

/* It stays until the caller gives cq->payload_lock back: whoever ends it takes that lock before. */
static const struct uroce_mr *ending_region(struct uroce_context *context, uint32_t key)
{
	const struct uroce_mr *region;

	pthread_mutex_lock(&context->ending_lock);
	for (region = context->ending; region && region->verbs.ibv_mr.lkey != key;)
		region = region->next_ending;
	pthread_mutex_unlock(&context->ending_lock);
	return region;
}

/* A region that is about to end has no key any more. The message arrived before that. */
static bool may_write(struct uroce_cq *cq, const struct uroce_payload *payload)
{
	struct uroce_context *context = uroce_context_of(cq->verbs.cq.context);
	const struct uroce_key use = {.pd = payload->pd, .access = IBV_ACCESS_LOCAL_WRITE};
	const struct uroce_mr *region;
	uint64_t first;

	if (likely(uroce_key_covers(context->arena, payload->lkey, payload->address,
				    payload->length, &use)))
		return true;
	region = ending_region(context, payload->lkey);
	if (!region)
		return false;
	first = (uintptr_t)region->verbs.ibv_mr.addr;
	return region->verbs.access & IBV_ACCESS_LOCAL_WRITE && payload->address >= first &&
	       payload->address - first <= region->verbs.ibv_mr.length &&
	       payload->length <= region->verbs.ibv_mr.length - (payload->address - first);
}

enum ibv_wc_status uroce_payload_take(struct uroce_cq *cq, uint32_t index)
{
	struct uroce_context *context = uroce_context_of(cq->verbs.cq.context);
	const struct uroce_payload *shared = &cq->payloads[index];
	/* A copy, of which each value is checked. */
	const struct uroce_payload payload = {
		.address = __atomic_load_n(&shared->address, __ATOMIC_RELAXED),
		.lkey = __atomic_load_n(&shared->lkey, __ATOMIC_RELAXED),
		.pd = __atomic_load_n(&shared->pd, __ATOMIC_RELAXED),
		.length = __atomic_load_n(&shared->length, __ATOMIC_RELAXED),
	};

	const uint64_t offset = UROCE_ARENA_FIRST + context->slot_index * UROCE_ARENA_SIZE +
				(uint64_t)(shared->data - (char *)context->arena);
	enum ibv_wc_status status = IBV_WC_SUCCESS;

	if (payload.length > UROCE_MAX_PAYLOAD || !may_write(cq, &payload))
		status = IBV_WC_LOC_PROT_ERR;
	/* An exchange with who changes the data: either that is read here, or its author waits for the end of this. */
	__atomic_exchange_n(&cq->ring[index].has_payload, UROCE_PAYLOAD_MOVES, __ATOMIC_SEQ_CST);
	if (!status && pread(context->verbs.context.cmd_fd, (void *)(uintptr_t)payload.address,
			     payload.length, (off_t)offset) != (ssize_t)payload.length)
		status = IBV_WC_LOC_PROT_ERR;
	__atomic_store_n(&cq->ring[index].has_payload, UROCE_PAYLOAD_NONE, __ATOMIC_RELEASE);
	return status;
}

void uroce_payloads_settle_cq(struct uroce_cq *cq, const struct uroce_mr *region)
{
	const uint32_t tail = atomic_load(&cq->shared->tail);

	for (uint32_t i = atomic_load(&cq->shared->head);
	     cq->payloads && i != tail && tail - i <= cq->mask + 1; i++) {
		struct uroce_cqe *cqe = &cq->ring[i & cq->mask];

		/* That of a QP that was destroyed or reset goes nowhere any more. */
		if (!__atomic_load_n(&cqe->has_payload, __ATOMIC_RELAXED) || cqe->is_void ||
		    (region && cq->payloads[i & cq->mask].lkey != region->verbs.ibv_mr.lkey))
			continue;
		cqe->status = uroce_payload_take(cq, i & cq->mask);
	}
}

void uroce_payloads_settle(struct uroce_context *context, const struct uroce_mr *region)
{
	if (!(region->verbs.access & IBV_ACCESS_LOCAL_WRITE))
		return;
	pthread_mutex_lock(&context->lock);
	for (uint32_t i = 0; i < context->cqs_end; i++)
		if (context->cqs[i]) {
			pthread_mutex_lock(&context->cqs[i]->payload_lock);
			uroce_payloads_settle_cq(context->cqs[i], region);
			pthread_mutex_unlock(&context->cqs[i]->payload_lock);
		}
	pthread_mutex_unlock(&context->lock);
}

/* ---- What the sender of a later message does ---- */

enum { MOVE_TRIES = 200 };

/* Where the message has the same addresses as data that waits, its bytes take the place of that data's. */
static enum uroce_copy overlay_range(struct uroce_context *context, struct uroce_payload *payload,
				     const struct uroce_delivery *message,
				     const struct iovec *range, uint64_t offset)
{
	const uint64_t address = __atomic_load_n(&payload->address, __ATOMIC_RELAXED);
	const uint32_t length = __atomic_load_n(&payload->length, __ATOMIC_RELAXED);
	const uint64_t at = (uintptr_t)range->iov_base;
	const uint64_t first = at > address ? at : address;
	const uint64_t range_end = at + range->iov_len, data_end = address + length;
	const uint64_t end = range_end < data_end ? range_end : data_end;
	struct iovec part[UROCE_MAX_SGE + 1]; /* a datagram has its header as well */
	char bytes[UROCE_MAX_PAYLOAD];
	const struct iovec own = {bytes, end - first};
	enum uroce_copy copied;
	size_t parts;

	if (length > UROCE_MAX_PAYLOAD || data_end < address || first >= end)
		return UROCE_COPY_OK;
	parts = uroce_slice(message->local, message->locals, offset + (first - at), end - first,
			    part);
	copied = uroce_copy_in(&context->own, &own, 1, part, parts);
	if (copied == UROCE_COPY_OK)
		memcpy(payload->data + (first - address), bytes, end - first);
	/* What cannot be read is ours. */
	return copied == UROCE_COPY_OK ? UROCE_COPY_OK : UROCE_COPY_LOCAL;
}

static enum uroce_copy overlay_payload(struct uroce_context *context, struct uroce_payload *payload,
				       const struct uroce_delivery *message)
{
	uint64_t offset = 0;
	enum uroce_copy copied = UROCE_COPY_OK;

	for (size_t i = 0; i < message->remotes && copied == UROCE_COPY_OK; i++) {
		copied = overlay_range(context, payload, message, &message->remote[i], offset);
		offset += message->remote[i].iov_len;
	}
	return copied;
}

/* The owner may have read the data before it was changed. */
static bool wait_for_move(struct uroce_cqe *cqe)
{
	/* An exchange with the owner's: what it reads after that is the changed data. */
	if (__atomic_fetch_or(&cqe->has_payload, 0, __ATOMIC_SEQ_CST) != UROCE_PAYLOAD_MOVES)
		return true;
	for (int i = 0; i < MOVE_TRIES; i++) {
		if (__atomic_load_n(&cqe->has_payload, __ATOMIC_ACQUIRE) != UROCE_PAYLOAD_MOVES)
			return true;
		sched_yield();
	}
	return false;
}

/* With the lock of the CQ. */
static enum uroce_copy overlay_waiting(const struct uroce_target *target,
				       struct uroce_shared_cq *shared,
				       const struct uroce_delivery *message)
{
	const uint32_t size = atomic_load(&shared->size), end = (uint32_t)shared->payload_end;
	struct uroce_payload *payloads = uroce_payloads_of(target->peer, shared, size);
	struct uroce_cqe *ring = uroce_arena_ring(target->peer->arena, atomic_load(&shared->offset),
						  size, sizeof(*ring));
	uint32_t at = atomic_load(&shared->head);
	enum uroce_copy copied = UROCE_COPY_OK;

	if (!payloads || !ring || end - at > size)
		return UROCE_COPY_OK;
	for (; at != end && copied == UROCE_COPY_OK; at++) {
		struct uroce_cqe *cqe = &ring[at & (size - 1)];

		if (!__atomic_load_n(&cqe->has_payload, __ATOMIC_RELAXED))
			continue;
		copied = overlay_payload(target->context, &payloads[at & (size - 1)], message);
		if (copied == UROCE_COPY_OK && !wait_for_move(cqe))
			copied = UROCE_COPY_BUSY;
	}
	return copied;
}

enum uroce_copy uroce_payloads_overlay(const struct uroce_target *target, uint32_t cq,
				       const struct uroce_delivery *message)
{
	struct uroce_shared_cq *shared = &target->peer->arena->cqs[cq];
	enum uroce_copy copied;

	if (!uroce_shared_lock(target->context, &shared->lock, UROCE_LOCK_CQ))
		return UROCE_COPY_BUSY;
	copied = overlay_waiting(target, shared, message);
	uroce_shared_unlock(target->context, &shared->lock, UROCE_LOCK_CQ);
	return copied;
}
