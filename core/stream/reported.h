/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a stream has reported, so that it can report the difference later. */
#ifndef HF_STREAM_REPORTED_H
#define HF_STREAM_REPORTED_H

#include "shared/attr.h"
#include "core/stream/stream.h"

/* All of this with the stream's mutex held. */

/* Reads the ports of a device before its ADDED is returned. Errors as hfi_snapshot_read(). */
int hfi_reported_prepare(struct hf_stream *stream,
			 struct hf_device *device) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
/* Records that the program took an event. */
void hfi_reported_apply(struct hf_stream *stream, const struct hf_event *event) HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
/* NULL: the program knows nothing of this instance. */
struct hf_reported *hfi_reported_find(struct hf_stream *stream,
				      uint64_t generation) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_stream_kind);
void hfi_reported_clear(struct hf_stream *stream) HF_NONNULL HF_REQUIRES(hfi_stream_kind);
/* Reads a device's ports again. *changes is what is different, and counts as reported now. In a scan. */
int hfi_reported_compare(struct hf_stream *stream, struct hf_reported *reported,
			 uint32_t *changes) HF_MUST_CHECK HF_NONNULL HF_REQUIRES(hfi_stream_kind);
/* When to compare the device's ports again; 0: never. */
void hfi_reported_set_due(struct hf_stream *stream, struct hf_reported *reported,
			  uint64_t due) HF_NONNULL HF_REQUIRES(hfi_stream_kind);
/*
 * Drops the queued events and queues RESYNC, the difference between what was reported and the table,
 * and SYNCED. The caller frees *dropped. Call with hf->lock held as well. -ENOMEM: the queue stays in
 * overflow.
 */
int hfi_reported_difference(struct hf_stream *stream,
			    struct hf_event **dropped) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_hf_kind) HF_REQUIRES(hfi_stream_kind);

#endif
