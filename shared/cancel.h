/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Keeps a thread from being cancelled while it holds a lock, which would stay locked. */
#ifndef HF_SHARED_CANCEL_H
#define HF_SHARED_CANCEL_H

/*
 * The calling thread cannot be cancelled until it has called hfi_cancel_unblock() as often. Counted for each thread,
 * so that locks may be released in any order, and by the forked child of the thread that took them.
 */
void hfi_cancel_block(void);
void hfi_cancel_unblock(void);

#endif
