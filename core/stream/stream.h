/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The state of a stream. */
#ifndef HF_STREAM_STREAM_H
#define HF_STREAM_STREAM_H

#include <pthread.h>
#include <stdbool.h>

#include <holdfast/stream.h>

#include "shared/cancel.h"
#include "shared/hash.h"
#include "core/device/hf.h"
#include "core/stream/queue.h"
#include "core/stream/retry.h"
#include "core/stream/port_snapshot.h"
#include "core/notify/watch.h"

/* A device of which the program took ADDED and did not take REMOVED yet. */
struct hf_reported {
	uint64_t generation;
	struct hf_device *device; /* held */
	char name[HF_NAME_SIZE];  /* as reported */
	uint32_t unreported;	  /* changes whose event was dropped */
	struct hf_snapshot *snapshot;
	uint64_t due;	   /* when to compare its ports again; 0: never */
	unsigned int step; /* comparisons since the last hint */
	UT_hash_handle hh;
};

struct hf_stream {
	struct hf *hf; /* held */
	unsigned int fork_count;
	struct hf_observer observer; /* its `all` is HF_STREAM_ALL */
	bool names;		     /* HF_STREAM_NAMES */
	struct hf_queue queue;	     /* guarded by hf->lock */

	/* Taken before hf->lock and before a scan; error-checking, see hf_stream_next(). */
	pthread_mutex_t mutex;
	struct hf_watch *watch;
	struct hf_reported *
		reported HF_GUARDED_BY(hfi_stream_kind); /* uthash, in the order of the reports */
	unsigned int num_due HF_GUARDED_BY(hfi_stream_kind); /* how many of them have a `due` */
	uint64_t sequence HF_GUARDED_BY(hfi_stream_kind);    /* of the last event taken */
	bool scan_wanted
		HF_GUARDED_BY(hfi_stream_kind); /* a scan has failed and must be repeated */
	bool resync_wanted HF_GUARDED_BY(hfi_stream_kind);	/* notifications were lost */
	struct hf_retry unready HF_GUARDED_BY(hfi_stream_kind); /* devices that are not ready yet */
	struct hf_retry failed HF_GUARDED_BY(hfi_stream_kind);	/* after an error */
};

/* False: this thread has it already. */
HF_TRY_ACQUIRE(hfi_stream_kind)
HF_UNCHECKED_LOCKS static inline bool hfi_stream_lock(struct hf_stream *stream)
{
	hfi_cancel_block();
	if (pthread_mutex_lock(&stream->mutex)) {
		hfi_cancel_unblock();
		return false;
	}
	return true;
}

/* False: somebody has it. */
HF_TRY_ACQUIRE(hfi_stream_kind)
HF_UNCHECKED_LOCKS static inline bool hfi_stream_try_lock(struct hf_stream *stream)
{
	hfi_cancel_block();
	if (pthread_mutex_trylock(&stream->mutex)) {
		hfi_cancel_unblock();
		return false;
	}
	return true;
}

HF_RELEASE(hfi_stream_kind)
HF_UNCHECKED_LOCKS static inline void hfi_stream_unlock(struct hf_stream *stream)
{
	pthread_mutex_unlock(&stream->mutex);
	hfi_cancel_unblock();
}

/* True when streams of this kind were given ADDED for the device. With hf->lock held. */
static inline bool hfi_stream_was_announced(const struct hf_stream *stream,
					    const struct hf_device *device)
{
	return stream->observer.all ? device->announced_to_all : device->announced;
}

#endif
