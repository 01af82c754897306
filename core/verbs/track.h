/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which work requests are outstanding, so that they can be flushed when the device is taken away from
 * a program. Kept where revocation is switched on, and nowhere else: it costs a lock for each post and
 * poll.
 */
#ifndef HF_VERBS_TRACK_H
#define HF_VERBS_TRACK_H

#include <stdbool.h>
#include <infiniband/verbs.h>

struct verbs_context;
struct hf_track;

/* Puts itself between the program and the provider's operations; -ENOMEM. */
int hfi_track_new(struct verbs_context *context, struct hf_track **ret);
void hfi_track_free(struct hf_track *track);

/* The provider has set operations: gets between again. */
void hfi_track_refresh(struct verbs_context *context);

/*
 * From now on posting fails with EIO, and polling gives first what is complete and then everything
 * that is outstanding, with IBV_WC_WR_FLUSH_ERR. Waits for calls that are on the way.
 */
void hfi_track_end(struct hf_track *track);

/*
 * Around fork: keeps others out, or false where one stays in for long. In the child the lock is a new
 * one, held or not.
 */
bool hfi_track_hold(struct hf_track *track);
void hfi_track_release(struct hf_track *track);
void hfi_track_renew_lock(struct hf_track *track);

#endif
