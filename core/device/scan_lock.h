/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whose turn it is: to look and change the table, or only to ask. */
#ifndef HF_DEVICE_SCAN_LOCK_H
#define HF_DEVICE_SCAN_LOCK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/base/thread_safety.h"

struct hf;

/*
 * hfi_scan_begin() waits for its turn; it returns false when this thread is in a scan already, that
 * is when a provider calls back, and then nothing must be looked at. hfi_scan_end() gives the turn on.
 */
bool hfi_scan_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind) HF_EXCLUDES(hfi_hf_kind);
void hfi_scan_end(struct hf *hf) HF_NONNULL HF_RELEASE(hfi_scan_kind, hfi_netlink_kind);
/* As hfi_scan_begin(), but false also where a provider's code would have to be waited for. */
bool hfi_scan_try_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind) HF_EXCLUDES(hfi_hf_kind);

/*
 * The same for who changes nothing and only needs the netlink socket: opening, reading attributes. It
 * does not wait for a provider's code.
 */
bool hfi_asking_begin(struct hf *hf) HF_MUST_CHECK HF_NONNULL HF_TRY_ACQUIRE(hfi_netlink_kind)
	HF_EXCLUDES(hfi_hf_kind);
void hfi_asking_end(struct hf *hf) HF_NONNULL HF_RELEASE(hfi_netlink_kind);

/* Around a provider's code in a scan; elsewhere nothing happens. Nobody else changes the table. */
bool hfi_scan_lend(struct hf *hf) HF_MUST_CHECK HF_NONNULL;
void hfi_scan_take_back(struct hf *hf, bool lent) HF_NONNULL;

/* In a turn, or where nobody else is left: lets go of sockets that the program closed. */
void hfi_forget_closed(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_netlink_kind);

/*
 * Around fork, as asking is; also within a scan of the same thread, and without the sockets. The last
 * two are called with hf->lock held.
 */
void hfi_turn_before_fork(struct hf *hf) HF_NONNULL;
void hfi_turn_in_parent(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_hf_kind);
void hfi_turn_in_child(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_hf_kind);

#endif
