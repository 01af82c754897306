/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates, arms, resizes and destroys completion queues. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "providers/uroce/uroce.h"
#include "providers/uroce/wire.h"

enum {
	KNOWN_WC_FLAGS = IBV_WC_STANDARD_FLAGS | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP |
			 IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK
};

/* The ring of completions, and behind it that of the payloads. */
static size_t cq_bytes(uint32_t size)
{
	return size * (sizeof(struct uroce_cqe) +
		       (size <= UROCE_PAYLOAD_CQE ? sizeof(struct uroce_payload) : 0));
}

static void place_rings(struct uroce_cq *cq, char *arena, uint32_t size, uint64_t offset)
{
	const uint64_t payloads =
		size <= UROCE_PAYLOAD_CQE ? offset + size * sizeof(struct uroce_cqe) : 0;

	cq->offset = offset;
	cq->mask = size - 1;
	cq->ring = (struct uroce_cqe *)(void *)(arena + offset);
	cq->payloads = payloads ? (struct uroce_payload *)(void *)(arena + payloads) : NULL;
	atomic_store(&cq->shared->offset, offset);
	atomic_store(&cq->shared->payloads, payloads);
}

/* Takes a place in the table, with memory. With context->lock. */
static int take_cq_index(struct uroce_context *context, struct uroce_cq *cq)
{
	for (uint32_t i = 0; i < UROCE_CQS; i++) {
		const uint32_t index = (context->next_cq + i) % UROCE_CQS;

		if (context->cqs[index])
			continue;
		cq->shared = &context->arena->cqs[index];
		if (uroce_arena_back(context, cq->shared, sizeof(*cq->shared)))
			return ENOMEM;
		cq->index = index;
		context->next_cq = index + 1;
		return 0;
	}
	return ENOMEM;
}

static int take_cq_place(struct uroce_context *context, struct uroce_cq *cq, uint32_t cqe)
{
	const uint32_t size = ring_size_for(cqe);
	uint64_t offset = 0;
	int err;

	pthread_mutex_lock(&context->lock);
	err = take_cq_index(context, cq);
	if (!err) {
		offset = uroce_heap_take(context, cq_bytes(size));
		err = offset ? 0 : ENOMEM;
	}
	if (!err) {
		memset(cq->shared, 0, sizeof(*cq->shared));
		place_rings(cq, (char *)context->arena, size, offset);
		atomic_store(&cq->shared->limit, cqe);
		atomic_store(&cq->shared->size, size);
		context->cqs[cq->index] = cq;
		if (cq->index >= context->cqs_end)
			context->cqs_end = cq->index + 1;
	}
	pthread_mutex_unlock(&context->lock);
	return err;
}

static struct uroce_cq *new_cq(struct ibv_context *ibv, uint32_t cqe,
			       struct ibv_comp_channel *channel, uint32_t vector)
{
	struct uroce_context *context = uroce_context_of(ibv);
	struct uroce_cq *cq;
	int err = 0;

	if (!cqe || cqe > UROCE_MAX_CQE || vector >= (uint32_t)ibv->num_comp_vectors)
		err = EINVAL;
	else if (atomic_load(&context->gone))
		err = EIO;
	if (err) {
		errno = err;
		return NULL;
	}
	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return NULL;
	cq->verbs.cq.cqe = (int)cqe;
	/* The core sets it once the CQ is made; payloads are looked for in those that are in the table. */
	cq->verbs.cq.context = ibv;
	pthread_mutex_init(&cq->payload_lock, NULL);
	cq->events = hf_provider_cq_events(ibv, &cq->verbs.cq, channel);
	if (!cq->events) {
		err = errno;
		goto free_cq;
	}
	err = take_cq_place(context, cq, cqe);
	if (!err)
		return cq;
	hf_provider_events_end(cq->events);
free_cq:
	pthread_mutex_destroy(&cq->payload_lock);
	free(cq);
	errno = err;
	return NULL;
}

struct ibv_cq *uroce_create_cq(struct ibv_context *context, int cqe,
			       struct ibv_comp_channel *channel, int vector)
{
	struct uroce_cq *cq =
		new_cq(context, cqe < 0 ? 0 : (uint32_t)cqe, channel, (uint32_t)vector);

	return cq ? &cq->verbs.cq : NULL;
}

struct ibv_cq_ex *uroce_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr)
{
	struct uroce_cq *cq;

	if (attr->wc_flags & ~(uint64_t)KNOWN_WC_FLAGS ||
	    attr->comp_mask & ~(uint32_t)IBV_CQ_INIT_ATTR_MASK_FLAGS) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	cq = new_cq(context, attr->cqe, attr->channel, attr->comp_vector);
	if (!cq)
		return NULL;
	cq->single_threaded = attr->comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS &&
			      attr->flags & IBV_CREATE_CQ_ATTR_SINGLE_THREADED;
	if (attr->wc_flags & ~(uint64_t)IBV_WC_STANDARD_FLAGS)
		atomic_store(&cq->shared->stamped, 1);
	uroce_set_cq_calls(&cq->verbs.cq_ex, attr->wc_flags);
	return &cq->verbs.cq_ex;
}

/*
 * Sequentially consistent: a program that polls once more after this sees every completion whose
 * adder did not see the flag yet. An adder may be killed after it added one, so the engine thread
 * looks as well.
 */
int uroce_req_notify_cq(struct ibv_cq *ibv, int solicited_only)
{
	struct uroce_context *context = uroce_context_of(ibv->context);
	struct uroce_cq *cq = uroce_cq_of(ibv);
	const uint64_t flag = solicited_only ? UROCE_ARMED_SOLICITED : UROCE_ARMED_ALL;
	uint64_t armed = atomic_load(&cq->shared->armed), next;
	uint32_t holder;

	do {
		next = armed | flag;
		if (!(armed & UROCE_ARMED))
			next = (uint64_t)atomic_load(&cq->shared->tail) << 32 |
			       (uint32_t)((armed | UROCE_ARMED) + 1) | flag;
	} while (!atomic_compare_exchange_weak(&cq->shared->armed, &armed, next));
	if (unlikely(uroce_shared_lock_held(context, &cq->shared->lock, &holder))) {
		atomic_store(&cq->doubted, next);
		uroce_peer_ring_for(context, &context->own, UROCE_RING_CQ, holder);
	}
	/* One of our own threads that did not see the flag: the program sees its completion by polling. */
	uroce_shared_lock_wait_own(context, &cq->shared->lock, UROCE_LOCK_CQ);
	uroce_wire_armed(context);
	return 0;
}

static bool is_of_arming(uint64_t value, uint64_t armed)
{
	return (value | UROCE_ARMED) == (armed | UROCE_ARMED);
}

/* Whether a completion came since the CQ was armed, of the kind that is waited for; it may be reported too often. */
static bool event_is_due(struct uroce_cq *cq, uint64_t armed)
{
	if (!(armed & UROCE_ARMED) || atomic_load(&cq->shared->tail) == armed >> 32)
		return false;
	return armed & UROCE_ARMED_ALL || is_of_arming(atomic_load(&cq->doubted), armed) ||
	       is_of_arming(atomic_load(&cq->shared->awaited), armed);
}

/*
 * The process that woke us may have been killed before it added the completion, and others then did
 * not wake us again. Clear `awaited` so that they do, unless who has the lock may be about to add
 * it. Whoever has taken the lock since then may have read `awaited` before: any completion is an
 * event then. `tail` was read before the event was looked for.
 */
static bool wait_on(struct uroce_context *context, struct uroce_cq *cq, uint32_t tail)
{
	uint64_t armed;
	bool taken;

	if (uroce_shared_lock_taken(context, &cq->shared->lock))
		return true;
	atomic_exchange(&cq->shared->awaited, 0);
	armed = atomic_load(&cq->shared->armed);
	taken = uroce_shared_lock_taken(context, &cq->shared->lock);
	if (taken || atomic_load(&cq->shared->tail) != tail)
		atomic_store(&cq->doubted, armed);
	return taken || event_is_due(cq, armed);
}

bool uroce_cq_report(struct uroce_cq *cq)
{
	struct uroce_context *context = uroce_context_of(cq->verbs.cq.context);
	const uint32_t tail = atomic_load(&cq->shared->tail);
	uint64_t armed = atomic_load(&cq->shared->armed);
	bool again = false;

	if (event_is_due(cq, armed)) {
		while (!atomic_compare_exchange_weak(&cq->shared->armed, &armed,
						     armed & ~(uint64_t)UROCE_ARMED))
			;
		if (armed & UROCE_ARMED)
			hf_provider_report_completion(cq->events);
	} else if (armed & UROCE_ARMED) {
		again = wait_on(context, cq, tail);
	}
	if (atomic_load(&cq->shared->overflow) == 1 &&
	    atomic_exchange(&cq->shared->overflow, 2) == 1)
		hf_provider_report_event(cq->events, IBV_EVENT_CQ_ERR);
	return again;
}

void uroce_cq_drop(struct uroce_cq *cq, uint32_t qpn)
{
	uint32_t tail;

	lock_take(&cq->lock);
	tail = atomic_load(&cq->shared->tail);
	if (tail - cq->head <= cq->mask + 1)
		for (uint32_t i = cq->head; i != tail; i++)
			if (cq->ring[i & cq->mask].qp_num == qpn)
				cq->ring[i & cq->mask].is_void = 1;
	lock_release(&cq->lock);
}

/*
 * The completions that wait move to the new rings, and keep their positions: the CQ may be armed at one. With
 * cq->lock, cq->payload_lock and the shared lock.
 */
static int move_rings(struct uroce_cq *cq, char *arena, uint32_t size, uint32_t limit,
		      uint64_t offset)
{
	const uint32_t tail = atomic_load(&cq->shared->tail), count = tail - cq->head;
	const uint32_t mask = cq->mask;
	const struct uroce_cqe *ring = cq->ring;

	if (count > cq->mask + 1)
		return EIO;
	if (count > limit)
		return EINVAL;
	atomic_store(&cq->shared->size, 0);
	place_rings(cq, arena, size, offset);
	for (uint32_t i = cq->head; i != tail; i++)
		cq->ring[i & cq->mask] = ring[i & mask];
	atomic_store(&cq->shared->limit, limit);
	atomic_store(&cq->shared->size, size);
	return 0;
}

int uroce_resize_cq(struct ibv_cq *ibv, int cqe)
{
	struct uroce_context *context = uroce_context_of(ibv->context);
	struct uroce_cq *cq = uroce_cq_of(ibv);
	uint64_t offset, old;
	uint32_t size, old_size;
	int err;

	if (cqe <= 0 || cqe > UROCE_MAX_CQE)
		return EINVAL;
	if (atomic_load(&context->gone))
		return EIO;
	size = ring_size_for((uint32_t)cqe);
	pthread_mutex_lock(&context->lock);
	offset = uroce_heap_take(context, cq_bytes(size));
	pthread_mutex_unlock(&context->lock);
	if (!offset)
		return ENOMEM;
	/* Not with context->lock: a program that posts while it polls takes that with cq->lock. */
	lock_take(&cq->lock);
	old = cq->offset;
	old_size = cq->mask + 1;
	pthread_mutex_lock(&cq->payload_lock);
	if (uroce_shared_lock(context, &cq->shared->lock, UROCE_LOCK_CQ)) {
		/* What waits has no place in a greater CQ without payloads. */
		uroce_payloads_settle_cq(cq, NULL);
		err = move_rings(cq, (char *)context->arena, size, (uint32_t)cqe, offset);
		uroce_shared_unlock(context, &cq->shared->lock, UROCE_LOCK_CQ);
	} else {
		err = EBUSY;
	}
	pthread_mutex_unlock(&cq->payload_lock);
	lock_release(&cq->lock);
	pthread_mutex_lock(&context->lock);
	if (err)
		uroce_heap_give(context, offset, cq_bytes(size));
	else
		uroce_heap_give(context, old, cq_bytes(old_size));
	pthread_mutex_unlock(&context->lock);
	if (!err)
		ibv->cqe = cqe;
	return err;
}

int uroce_destroy_cq(struct ibv_cq *ibv)
{
	struct uroce_context *context = uroce_context_of(ibv->context);
	struct uroce_cq *cq = uroce_cq_of(ibv);
	bool ours;

	if (atomic_load(&cq->users))
		return EBUSY;
	ours = uroce_lock_to_end(context);
	context->cqs[cq->index] = NULL;
	if (ours) {
		/*
		 * A peer may be about to add a completion; if it is stopped, it keeps the memory.
		 */
		atomic_store(&cq->shared->size, 0);
		if (uroce_shared_lock(context, &cq->shared->lock, UROCE_LOCK_CQ)) {
			uroce_shared_unlock(context, &cq->shared->lock, UROCE_LOCK_CQ);
			uroce_heap_give(context, cq->offset, cq_bytes(cq->mask + 1));
		}
	}
	uroce_unlock_to_end(context, ours);
	/* This waits for the program, so hold no lock. */
	hf_provider_events_end(cq->events);
	pthread_mutex_destroy(&cq->payload_lock);
	free(cq);
	return 0;
}
