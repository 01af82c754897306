/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a stream does about a hint, and what it does later. */
#ifndef HF_STREAM_HANDLE_HINT_H
#define HF_STREAM_HANDLE_HINT_H

#include "shared/attr.h"
#include "core/stream/stream.h"

/* All of this with the stream's mutex held. */

/* Scans what the hint is about. Errors as hf_stream_next(); after one, a full scan is due. */
int hfi_stream_handle_hint(struct hf_stream *stream,
			   const struct hf_hint *hint) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
/* Reports the difference after lost hints or a full queue. */
int hfi_stream_resync(struct hf_stream *stream) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
int hfi_stream_rescan(struct hf_stream *stream) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
/* Does what is due. True when there may be an event now, or *err is an error. */
bool hfi_stream_run_due(struct hf_stream *stream, int *err) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
/* The time at which something is due next; 0: nothing is. */
uint64_t hfi_stream_next_due(const struct hf_stream *stream) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
/* Looks again after a while at devices that are not ready. `restart`: wait the shortest time again. */
void hfi_stream_watch_unready(struct hf_stream *stream, bool restart) HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);

#endif
