/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What track.c and track_ex.c share. */
#ifndef HF_VERBS_TRACK_INTERNAL_H
#define HF_VERBS_TRACK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <holdfast-provider/provider.h>

#include "shared/cancel.h"
#include "shared/hash.h"
#include "core/verbs/track_ring.h"

struct hf_tracked_poll;
struct hf_tracked_post;

struct hf_track {
	/*
	 * Recursive, and held from ibv_wr_start() to ibv_wr_complete() and from ibv_start_poll() to
	 * ibv_end_poll(): a provider holds its own locks there, which come after this one.
	 */
	pthread_mutex_t lock;
	atomic_bool ended;
	struct verbs_context_ops real; /* the provider's */
	struct hf_tracked_qp *qps;
	struct hf_tracked_srq *srqs;
	struct hf_tracked_poll *polls;
	struct hf_tracked_post *posts;
};

/*
 * A thread that holds a track's lock cannot be cancelled. The locks of several tracks may be
 * released in any order: programs call ibv_wr_complete() in any.
 */
void hfi_track_lock(struct hf_track *track);
/*
 * In a forked child, the lock that the thread took before the fork has been replaced by one that is
 * not locked.
 */
void hfi_track_unlock(struct hf_track *track);

struct hf_track *hfi_track_of(const struct ibv_context *context);

/* Call all of these with the lock held. */
void hfi_track_sent(struct hf_track *track, struct ibv_qp *qp, uint64_t id);
void hfi_track_retire(struct hf_track *track, const struct ibv_wc *wc);
int hfi_track_flush(struct hf_track *track, const struct ibv_cq *cq, int want, struct ibv_wc *wc);

struct ibv_qp *hfi_tracked_create_qp_ex(struct ibv_context *context,
					struct ibv_qp_init_attr_ex *attr);
struct ibv_cq_ex *hfi_tracked_create_cq_ex(struct ibv_context *context,
					   struct ibv_cq_init_attr_ex *attr);
/* Before a QP is destroyed: gives its calls back to the provider. */
void hfi_track_release_post(struct hf_track *track, struct ibv_qp *qp);
void hfi_track_release_poll(struct hf_track *track, struct ibv_cq *cq);
void hfi_track_drop_all_ex(struct hf_track *track);

#endif
