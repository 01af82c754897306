/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Short messages wait in the CQ of their receiver, which puts them into its memory when it polls, or before it
 * deregisters that memory. It does so by a read of the node, the cheapest system call that copies: memory that is not
 * mapped is an error of the call and not a signal.
 */
#include <unistd.h>

#include "providers/uroce/qp.h"

/* The region that is about to end has no key any more, and is known to the caller. */
static bool may_write(struct uroce_cq *cq, const struct uroce_payload *payload,
		      const struct uroce_mr *region)
{
	struct uroce_context *context = uroce_context_of(cq->verbs.cq.context);
	const struct uroce_key use = {.pd = payload->pd, .access = IBV_ACCESS_LOCAL_WRITE};
	uint64_t first;

	if (!region || region->verbs.ibv_mr.lkey != payload->lkey)
		return uroce_key_covers(context->arena, payload->lkey, payload->address,
					payload->length, &use);
	first = (uintptr_t)region->verbs.ibv_mr.addr;
	return region->verbs.access & IBV_ACCESS_LOCAL_WRITE && payload->address >= first &&
	       payload->address - first <= region->verbs.ibv_mr.length &&
	       payload->length <= region->verbs.ibv_mr.length - (payload->address - first);
}

enum ibv_wc_status uroce_payload_take(struct uroce_cq *cq, uint32_t index,
				      const struct uroce_mr *region)
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

	if (payload.length > UROCE_MAX_PAYLOAD || !may_write(cq, &payload, region))
		return IBV_WC_LOC_PROT_ERR;
	if (pread(context->verbs.context.cmd_fd, (void *)(uintptr_t)payload.address, payload.length,
		  (off_t)offset) != (ssize_t)payload.length)
		return IBV_WC_LOC_PROT_ERR;
	return IBV_WC_SUCCESS;
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
		cqe->status = uroce_payload_take(cq, i & cq->mask, region);
		__atomic_store_n(&cqe->has_payload, 0, __ATOMIC_RELAXED);
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
