/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All sources of notifications behind one descriptor. Not locked: its owner sees to that. */
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
 * A source that is not there is no error: the watch works on without it, and looks at everything
 * once per second where it would miss something. Errors: -EMFILE, -ENFILE, -ENOMEM.
 */
int hfi_watch_new(const struct hf_watch_options *options,
		  struct hf_watch **ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Closes its descriptors and frees memory, and does nothing else: after a fork they are shared with
 * the parent, whose watch must not notice. Returns NULL.
 */
struct hf_watch *hfi_watch_free(struct hf_watch *watch);
/* The same in a child, where another thread may have been inside the watch when the process was
 * forked: only closes, and leaves the memory alone. */
void hfi_watch_abandon(struct hf_watch *watch) HF_NONNULL;

/* An epoll descriptor, readable when there may be hints. */
int hfi_watch_fd(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;
/* False once the program closed it under the library; then hints must not be asked for. */
bool hfi_watch_is_open(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;

/*
 * The next hint: 1 and *ret, 0 when there is none, -errno. What is pending is given out first, each
 * different hint once; where there is nothing new it makes one system call.
 */
int hfi_watch_next(struct hf_watch *watch, struct hf_hint *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Reads what there is and keeps it, so that the descriptor is not readable any more, for a caller
 * that cannot do anything about hints now. Errors as above.
 */
int hfi_watch_gather(struct hf_watch *watch) HF_NONNULL;

/* Does it hold hints that were read already? The descriptor does not tell of them. */
bool hfi_watch_pending(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;

/* Is there something that it does not see happen? */
bool hfi_watch_blind(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;
/* The same for device nodes and provider directories, which it does not look at now and then. */
bool hfi_watch_readiness_blind(const struct hf_watch *watch) HF_MUST_CHECK HF_NONNULL;

/* Another descriptor of its owner, which only makes the watch's own readable. */
int hfi_watch_add_fd(struct hf_watch *watch, int fd) HF_MUST_CHECK HF_NONNULL;

/* HF_HINT_TIMER at that time of CLOCK_MONOTONIC, in nanoseconds; 0: no more. */
void hfi_watch_set_timer(struct hf_watch *watch, uint64_t at) HF_NONNULL;

/* What time it is, as above. */
uint64_t hfi_now(void) HF_MUST_CHECK;

#endif
