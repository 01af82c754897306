/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The scan lock serializes scans, which change the table; the netlink lock serializes the use of
 * its socket.
 */
#ifndef HF_DEVICE_SCAN_LOCK_H
#define HF_DEVICE_SCAN_LOCK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/base/thread_safety.h"

struct hf;

/*
 * hfi_scan_begin() waits for both locks. False if this thread is in a scan already, which means
 * that a provider calls back: do not scan then. hfi_scan_end() releases both locks.
 */
bool hfi_scan_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind) HF_EXCLUDES(hfi_hf_kind);
void hfi_scan_end(struct hf *hf) HF_NONNULL HF_RELEASE(hfi_scan_kind, hfi_netlink_kind);
/* Like hfi_scan_begin(), but returns false instead of waiting for a provider. */
bool hfi_scan_try_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind) HF_EXCLUDES(hfi_hf_kind);

/*
 * Takes the netlink lock alone, to open devices and read attributes, which does not change the
 * table. Does not wait for a provider.
 */
bool hfi_netlink_lock(struct hf *hf) HF_MUST_CHECK HF_NONNULL HF_TRY_ACQUIRE(hfi_netlink_kind)
	HF_EXCLUDES(hfi_hf_kind);
void hfi_netlink_unlock(struct hf *hf) HF_NONNULL HF_RELEASE(hfi_netlink_kind);

/*
 * Brackets a call to a provider in a scan: other threads may take the netlink lock, but not scan.
 * Outside a scan it has no effect.
 */
bool hfi_scan_release(struct hf *hf) HF_MUST_CHECK HF_NONNULL;
void hfi_scan_reacquire(struct hf *hf, bool released) HF_NONNULL;

/*
 * Takes the netlink lock around fork, even within a scan of the same thread; leaves the sockets
 * alone. Call the last two with hf->lock held.
 */
void hfi_scan_lock_before_fork(struct hf *hf) HF_NONNULL;
void hfi_scan_lock_in_parent(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_hf_kind);
void hfi_scan_lock_in_child(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

#endif
