/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* inotify: the devices of trees, the device nodes of every root, and the provider directories. */
#ifndef HF_NOTIFY_INOTIFY_H
#define HF_NOTIFY_INOTIFY_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/notify/hint.h"
#include "core/notify/watch_options.h"

struct hf_inotify;

/* The sink must outlive it. -EUSERS if the user has too many instances, or -errno. */
int hfi_inotify_open(const struct hf_watch_options *options, const struct hf_hint_sink *sink,
		     struct hf_inotify **ret) HF_MUST_CHECK HF_NONNULL;
/* Closes its descriptor and frees its memory; no other effect. */
void hfi_inotify_close(struct hf_inotify *inotify) HF_NONNULL;
/* The same after the program closed the descriptor: does not touch that number. */
void hfi_inotify_lost(struct hf_inotify *inotify) HF_NONNULL;
int hfi_inotify_fd(const struct hf_inotify *inotify) HF_NONNULL;

/* Reads what is available and passes the hints to the sink. */
void hfi_inotify_drain(struct hf_inotify *inotify) HF_NONNULL;

/* Call when a file system was mounted or unmounted: any path may lead to another directory now. */
void hfi_inotify_mounts_changed(struct hf_inotify *inotify) HF_NONNULL;

/* True if a directory could not be watched: the caller must poll. */
bool hfi_inotify_blind(const struct hf_inotify *inotify) HF_NONNULL;
/* The same for device nodes and provider directories. */
bool hfi_inotify_readiness_blind(const struct hf_inotify *inotify) HF_NONNULL;

#endif
