/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The scan lock, for scans that change the table, and the netlink lock, for its socket alone. */
#ifndef HF_DEVICE_SCAN_LOCK_H
#define HF_DEVICE_SCAN_LOCK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/base/thread_safety.h"

struct hf;

/*
 * hfi_scan_begin() waits for both locks. False if this thread is in a scan already, that is when a
 * provider calls back: then do not scan. hfi_scan_end() gives both locks back.
 */
bool hfi_scan_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind) HF_EXCLUDES(hfi_hf_kind);
void hfi_scan_end(struct hf *hf) HF_NONNULL HF_RELEASE(hfi_scan_kind, hfi_netlink_kind);
/* As hfi_scan_begin(), but returns false instead of waiting for a provider's code. */
bool hfi_scan_try_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind) HF_EXCLUDES(hfi_hf_kind);

/*
 * The netlink lock alone, for opening and for reading attributes, which do not change the table. Does
 * not wait for a provider's code.
 */
bool hfi_netlink_lock(struct hf *hf) HF_MUST_CHECK HF_NONNULL HF_TRY_ACQUIRE(hfi_netlink_kind)
	HF_EXCLUDES(hfi_hf_kind);
void hfi_netlink_unlock(struct hf *hf) HF_NONNULL HF_RELEASE(hfi_netlink_kind);

/*
 * For what failed with `err` and has left everything as it was: if descriptors are short, closes those that
 * are kept to make later lists fast. True if that is a reason to try again.
 */
bool hfi_give_up_spare(struct hf *hf, int err) HF_MUST_CHECK;

/* Around a provider's code in a scan: other threads may lock netlink, but not scan. Else no effect. */
bool hfi_scan_release(struct hf *hf) HF_MUST_CHECK HF_NONNULL;
void hfi_scan_reacquire(struct hf *hf, bool released) HF_NONNULL;

/* With the netlink lock, or in a context's destruction: forgets sockets that the program closed. */
void hfi_forget_closed(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_netlink_kind);

/*
 * The netlink lock around fork, also within a scan of the same thread; the sockets are left alone. Call
 * the last two with hf->lock held.
 */
void hfi_scan_lock_before_fork(struct hf *hf) HF_NONNULL;
void hfi_scan_lock_in_parent(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_hf_kind);
void hfi_scan_lock_in_child(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

#endif
