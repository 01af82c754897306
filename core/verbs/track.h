/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracks outstanding work requests, so that they can be flushed when a device is revoked. Only
 * while revocation is switched on, since it costs a lock for each post and poll.
 */
#ifndef HF_VERBS_TRACK_H
#define HF_VERBS_TRACK_H

#include <stdbool.h>
#include <infiniband/verbs.h>

struct verbs_context;
struct hf_track;

/* Wraps the provider's operations; -ENOMEM. */
int hfi_track_new(struct verbs_context *context, struct hf_track **ret);
void hfi_track_free(struct hf_track *track);

/* The provider's own operations, of those that are wrapped. */
const struct verbs_context_ops *hfi_track_real(const struct hf_track *track);

/* Wraps them again after the provider has set operations. */
void hfi_track_refresh(struct verbs_context *context);

/*
 * From now on posting fails with EIO. Polling returns what is complete, and then every outstanding
 * request with IBV_WC_WR_FLUSH_ERR. Waits for calls in progress.
 */
void hfi_track_end(struct hf_track *track);

/*
 * Around fork: takes the lock; false where a program holds it for long. The child gets a new lock,
 * whether or not it was held.
 */
bool hfi_track_hold(struct hf_track *track);
void hfi_track_release(struct hf_track *track);
void hfi_track_renew_lock(struct hf_track *track);

#endif
