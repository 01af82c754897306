/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All sources of notifications behind one descriptor. Has no lock: the owner serializes calls. */
#ifndef HF_NOTIFY_WATCH_H
#define HF_NOTIFY_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/notify/hint.h"
#include "core/notify/watch_options.h"

struct hf_watch;

/*
 * A missing source is no error: the watch works without it, and polls once per second if it would
 * miss changes. Errors: -EMFILE, -ENFILE, -ENOMEM.
 */
int hfi_watch_new(const struct hf_watch_options *options,
		  struct hf_watch **ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Closes its descriptors and frees memory; no other effect, since a forked child shares them with
 * the parent, whose watch must not notice. Returns NULL.
 */
struct hf_watch *hfi_watch_free(struct hf_watch *watch);
/*
 * The same in a child, when another thread may have been inside the watch at the fork: closes the
 * descriptors, but does not free the memory.
 */
void hfi_watch_abandon(struct hf_watch *watch) HF_NONNULL;

/* An epoll descriptor, readable when there may be hints. */
int hfi_watch_fd(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;
/* False once the program closed it behind the library's back; then do not ask for hints. */
bool hfi_watch_is_open(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;

/*
 * The next hint: 1 and *ret, 0 if there is none, -errno. Pending hints come first, each different
 * hint once; if there is nothing new it makes one system call.
 */
int hfi_watch_next(struct hf_watch *watch, struct hf_hint *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Reads and keeps the hints, so that the descriptor is no longer readable, for a caller that cannot
 * handle hints now. Errors as above.
 */
int hfi_watch_gather(struct hf_watch *watch) HF_NONNULL;

/* True if it holds hints that were already read: the descriptor is not readable for these. */
bool hfi_watch_pending(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;

/* True if some changes cause no notification. */
bool hfi_watch_blind(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;
/* The same for device nodes and provider directories, which the watch does not poll. */
bool hfi_watch_readiness_blind(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;

/* Adds a descriptor of the owner, which only makes the watch's own readable. */
int hfi_watch_add_fd(struct hf_watch *watch, int fd) HF_MUST_CHECK HF_NONNULL;

/* Sends HF_HINT_TIMER at that time of CLOCK_MONOTONIC, in nanoseconds; 0: cancels it. */
void hfi_watch_set_timer(struct hf_watch *watch, uint64_t at) HF_NONNULL;

/* The current time of that clock. */
uint64_t hfi_now(void) HF_MUST_CHECK;

#endif
