/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tracks outstanding work requests, so that revocation can flush them. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/cancel.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"
#include "core/verbs/revoke.h"
#include "core/verbs/track.h"
#include "core/verbs/track_internal.h"
#include "core/verbs/track_ring.h"

enum { CALL_MS = 100, PAUSE_US = 500 };

struct hf_tracked_qp {
	uint32_t number; /* qp_num of completions */
	struct ibv_qp *qp;
	struct hf_ring sends, receives;
	UT_hash_handle hh;
};

struct hf_tracked_srq {
	struct ibv_srq *srq;
	struct hf_ring receives;
	UT_hash_handle hh;
};

void hfi_track_lock(struct hf_track *track)
{
	hfi_cancel_block();
	pthread_mutex_lock(&track->lock);
}

void hfi_track_unlock(struct hf_track *track)
{
	pthread_mutex_unlock(&track->lock);
	hfi_cancel_unblock();
}

struct hf_track *hfi_track_of(const struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)(uintptr_t)context -
						 offsetof(struct verbs_context, context));

	return verbs->priv->revocable->track;
}

static void drop_qp(struct hf_track *track, uint32_t number)
{
	struct hf_tracked_qp *pair;

	HASH_FIND(hh, track->qps, &number, sizeof(number), pair);
	if (!pair)
		return;
	HASH_DEL(track->qps, pair);
	hfi_ring_clear(&pair->sends);
	hfi_ring_clear(&pair->receives);
	free(pair);
}

static struct hf_tracked_qp *pair_of(struct hf_track *track, struct ibv_qp *qp)
{
	struct hf_tracked_qp *pair;

	HASH_FIND(hh, track->qps, &qp->qp_num, sizeof(qp->qp_num), pair);
	if (pair && pair->qp == qp)
		return pair;
	drop_qp(track, qp->qp_num);
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->number = qp->qp_num;
	pair->qp = qp;
	HASH_ADD(hh, track->qps, number, sizeof(pair->number), pair);
	if (hf_hash_added(pair))
		return pair;
	free(pair);
	return NULL;
}

static struct hf_tracked_srq *shared_of(struct hf_track *track, struct ibv_srq *srq, bool make)
{
	struct hf_tracked_srq *queue;

	HASH_FIND_PTR(track->srqs, &srq, queue);
	if (queue || !make)
		return queue;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return NULL;
	queue->srq = srq;
	HASH_ADD_PTR(track->srqs, srq, queue);
	if (hf_hash_added(queue))
		return queue;
	free(queue);
	return NULL;
}

/* After an error only wr_id, status, qp_num and vendor_err are valid, see ibv_poll_cq(3). */
void hfi_track_retire(struct hf_track *track, const struct ibv_wc *wc)
{
	bool receive = wc->status == IBV_WC_SUCCESS && (wc->opcode & IBV_WC_RECV);
	struct hf_tracked_srq *shared = NULL;
	struct hf_tracked_qp *pair;

	HASH_FIND(hh, track->qps, &wc->qp_num, sizeof(wc->qp_num), pair);
	if (pair && !receive && hfi_ring_retire_up_to(&pair->sends, wc->wr_id))
		return;
	if (pair && hfi_ring_retire_up_to(&pair->receives, wc->wr_id))
		return;
	if (pair && pair->qp->srq)
		shared = shared_of(track, pair->qp->srq, false);
	if (shared) {
		hfi_ring_retire_one(&shared->receives, wc->wr_id);
		return;
	}
	/* Nothing was posted to this QP itself, but it may use a shared receive queue. */
	for (shared = track->srqs; shared && receive && !pair; shared = shared->hh.next)
		if (hfi_ring_retire_one(&shared->receives, wc->wr_id))
			return;
}

static void flush_ring(struct hf_ring *ring, uint32_t number, enum ibv_wc_opcode opcode,
		       struct ibv_wc *wc, int *got, int want)
{
	for (; ring->count && *got < want; ++*got)
		wc[*got] = (struct ibv_wc){
			.wr_id = hfi_ring_pop(ring),
			.status = IBV_WC_WR_FLUSH_ERR,
			.opcode = opcode,
			.qp_num = number,
		};
}

int hfi_track_flush(struct hf_track *track, const struct ibv_cq *cq, int want, struct ibv_wc *wc)
{
	struct hf_tracked_qp *pair;
	int got = 0;

	for (pair = track->qps; pair && got < want; pair = pair->hh.next) {
		struct hf_tracked_srq *shared = NULL;

		if (pair->qp->send_cq == cq)
			flush_ring(&pair->sends, pair->number, IBV_WC_SEND, wc, &got, want);
		if (pair->qp->recv_cq != cq)
			continue;
		flush_ring(&pair->receives, pair->number, IBV_WC_RECV, wc, &got, want);
		if (pair->qp->srq)
			shared = shared_of(track, pair->qp->srq, false);
		if (shared)
			flush_ring(&shared->receives, pair->number, IBV_WC_RECV, wc, &got, want);
	}
	return got;
}

void hfi_track_sent(struct hf_track *track, struct ibv_qp *qp, uint64_t id)
{
	struct hf_tracked_qp *pair = pair_of(track, qp);

	if (pair)
		hfi_ring_push(&pair->sends, id);
}

static int tracked_poll_cq(struct ibv_cq *cq, int want, struct ibv_wc *wc)
{
	struct hf_track *track = hfi_track_of(cq->context);
	int got;

	hfi_track_lock(track);
	got = track->real.poll_cq(cq, want, wc);
	for (int i = 0; i < got; i++)
		hfi_track_retire(track, &wc[i]);
	/* The provider's queue still holds what completed before the removal: report that first. */
	if (got <= 0 && atomic_load(&track->ended))
		got = hfi_track_flush(track, cq, want, wc);
	hfi_track_unlock(track);
	return got;
}

static int tracked_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct hf_track *track = hfi_track_of(qp->context);
	struct hf_tracked_qp *pair;
	int err = EIO;

	hfi_track_lock(track);
	if (atomic_load(&track->ended)) {
		*bad = wr;
	} else {
		pair = pair_of(track, qp);
		err = track->real.post_send(qp, wr, bad);
		for (; pair && wr && !(err && wr == *bad); wr = wr->next)
			hfi_ring_push(&pair->sends, wr->wr_id);
	}
	hfi_track_unlock(track);
	return err;
}

static int tracked_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct hf_track *track = hfi_track_of(qp->context);
	struct hf_tracked_qp *pair;
	int err = EIO;

	hfi_track_lock(track);
	if (atomic_load(&track->ended)) {
		*bad = wr;
	} else {
		pair = pair_of(track, qp);
		err = track->real.post_recv(qp, wr, bad);
		for (; pair && wr && !(err && wr == *bad); wr = wr->next)
			hfi_ring_push(&pair->receives, wr->wr_id);
	}
	hfi_track_unlock(track);
	return err;
}

static int tracked_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr,
				 struct ibv_recv_wr **bad)
{
	struct hf_track *track = hfi_track_of(srq->context);
	struct hf_tracked_srq *shared;
	int err = EIO;

	hfi_track_lock(track);
	if (atomic_load(&track->ended)) {
		*bad = wr;
	} else {
		shared = shared_of(track, srq, true);
		err = track->real.post_srq_recv(srq, wr, bad);
		for (; shared && wr && !(err && wr == *bad); wr = wr->next)
			hfi_ring_push(&shared->receives, wr->wr_id);
	}
	hfi_track_unlock(track);
	return err;
}

static int tracked_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind)
{
	struct hf_track *track = hfi_track_of(qp->context);
	struct hf_tracked_qp *pair;
	int err = EIO;

	hfi_track_lock(track);
	if (!atomic_load(&track->ended)) {
		pair = pair_of(track, qp);
		err = track->real.bind_mw(qp, mw, bind);
		if (!err && pair)
			hfi_ring_push(&pair->sends, bind->wr_id);
	}
	hfi_track_unlock(track);
	return err;
}

static int tracked_req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	struct hf_track *track = hfi_track_of(cq->context);

	if (atomic_load(&track->ended))
		return EIO;
	return track->real.req_notify_cq(cq, solicited_only);
}

/* A reset or destroyed QP's requests get no completions. */
static void forget_qp(struct hf_track *track, uint32_t number)
{
	hfi_track_lock(track);
	drop_qp(track, number);
	hfi_track_unlock(track);
}

static int tracked_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	struct hf_track *track = hfi_track_of(qp->context);
	int err = track->real.modify_qp(qp, attr, mask);

	if (!err && (mask & IBV_QP_STATE) && attr->qp_state == IBV_QPS_RESET)
		forget_qp(track, qp->qp_num);
	return err;
}

static int tracked_destroy_qp(struct ibv_qp *qp)
{
	struct hf_track *track = hfi_track_of(qp->context);

	/* Forget it before the provider destroys it: number and address may be reused at once. */
	hfi_track_lock(track);
	drop_qp(track, qp->qp_num);
	hfi_track_release_post(track, qp);
	hfi_track_unlock(track);
	return track->real.destroy_qp(qp);
}

static int tracked_destroy_cq(struct ibv_cq *cq)
{
	struct hf_track *track = hfi_track_of(cq->context);

	hfi_track_lock(track);
	hfi_track_release_poll(track, cq);
	hfi_track_unlock(track);
	return track->real.destroy_cq(cq);
}

static int tracked_destroy_srq(struct ibv_srq *srq)
{
	struct hf_track *track = hfi_track_of(srq->context);
	struct hf_tracked_srq *shared;

	hfi_track_lock(track);
	shared = shared_of(track, srq, false);
	if (shared) {
		HASH_DEL(track->srqs, shared);
		hfi_ring_clear(&shared->receives);
		free(shared);
	}
	hfi_track_unlock(track);
	return track->real.destroy_srq(srq);
}

static const struct verbs_context_ops tracked = {
	.bind_mw = tracked_bind_mw,
	.create_cq_ex = hfi_tracked_create_cq_ex,
	.create_qp_ex = hfi_tracked_create_qp_ex,
	.destroy_cq = tracked_destroy_cq,
	.destroy_qp = tracked_destroy_qp,
	.destroy_srq = tracked_destroy_srq,
	.modify_qp = tracked_modify_qp,
	.poll_cq = tracked_poll_cq,
	.post_recv = tracked_post_recv,
	.post_send = tracked_post_send,
	.post_srq_recv = tracked_post_srq_recv,
	.req_notify_cq = tracked_req_notify_cq,
};

/* Stores the operations that are not our own as the provider's. */
static void keep_real_operations(struct hf_track *track, const struct verbs_context_ops *ops)
{
#define TAKE(op)                                  \
	do {                                      \
		if (ops->op != tracked.op)        \
			track->real.op = ops->op; \
	} while (0)
	TAKE(bind_mw);
	TAKE(create_cq_ex);
	TAKE(create_qp_ex);
	TAKE(destroy_cq);
	TAKE(destroy_qp);
	TAKE(destroy_srq);
	TAKE(modify_qp);
	TAKE(poll_cq);
	TAKE(post_recv);
	TAKE(post_send);
	TAKE(post_srq_recv);
	TAKE(req_notify_cq);
#undef TAKE
}

const struct verbs_context_ops *hfi_track_real(const struct hf_track *track)
{
	return &track->real;
}

void hfi_track_refresh(struct verbs_context *context)
{
	struct hf_track *track = context->priv->revocable->track;

	keep_real_operations(track, &context->priv->ops);
	hfi_operations_set(context, &tracked);
}

static void new_lock(struct hf_track *track)
{
	pthread_mutexattr_t recursive;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&track->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
}

int hfi_track_new(struct verbs_context *context, struct hf_track **ret)
{
	struct hf_track *track = calloc(1, sizeof(*track));

	if (!track)
		return -ENOMEM;
	new_lock(track);
	keep_real_operations(track, &context->priv->ops);
	*ret = track;
	return 0;
}

void hfi_track_free(struct hf_track *track)
{
	struct hf_tracked_qp *pair, *next_pair;
	struct hf_tracked_srq *shared, *next_shared;

	HASH_ITER (hh, track->qps, pair, next_pair)
		drop_qp(track, pair->number);
	HASH_ITER (hh, track->srqs, shared, next_shared) {
		HASH_DEL(track->srqs, shared);
		hfi_ring_clear(&shared->receives);
		free(shared);
	}
	hfi_track_drop_all_ex(track);
	pthread_mutex_destroy(&track->lock);
	free(track);
}

/*
 * Only a program between two calls holds the lock for long, and then the data is consistent.
 * Of the two calls that end in time one goes by the wall clock, and ThreadSanitizer does not know the other.
 */
bool hfi_track_hold(struct hf_track *track)
{
	const struct timespec pause = {.tv_nsec = PAUSE_US * 1000l};
	const int64_t end = hfi_now_ms() + CALL_MS;
	bool held = pthread_mutex_trylock(&track->lock) == 0;

	/* The thread that forks has other locks. */
	hfi_cancel_block();
	while (!held && hfi_now_ms() < end) {
		nanosleep(&pause, NULL);
		held = pthread_mutex_trylock(&track->lock) == 0;
	}
	hfi_cancel_unblock();
	return held;
}

void hfi_track_release(struct hf_track *track)
{
	pthread_mutex_unlock(&track->lock);
}

void hfi_track_renew_lock(struct hf_track *track)
{
	/* The lock's owner is a thread of the parent. */
	memset(&track->lock, 0, sizeof(track->lock));
	new_lock(track);
}

void hfi_track_end(struct hf_track *track)
{
	atomic_store(&track->ended, true);
	/* Wait for provider calls in progress: they must not see the queue replaced. They cannot block. */
	if (hfi_track_hold(track))
		hfi_track_release(track);
}
