/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A stream from the inside. */
#ifndef HF_STREAM_STREAM_H
#define HF_STREAM_STREAM_H

#include <pthread.h>
#include <stdbool.h>

#include <holdfast/stream.h>

#include "shared/hash.h"
#include "core/device/hf.h"
#include "core/stream/queue.h"
#include "core/stream/port_snapshot.h"
#include "core/notify/watch.h"

/* A device whose ADDED was taken and whose REMOVED was not. */
struct hf_told {
	uint64_t generation;
	struct hf_device *device; /* held */
	char name[HF_NAME_SIZE];  /* as told */
	uint32_t untold;	  /* changes whose event was dropped */
	struct hf_snapshot *snapshot;
	uint64_t due;	   /* when to compare it again, 0: no need */
	unsigned int step; /* how often it was since the last hint */
	UT_hash_handle hh;
};

/* A wait that grows: 100 ms doubling to 1 s. */
struct hf_retry {
	uint64_t at; /* 0: not waiting */
	unsigned int step;
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
	struct hf_told *told;	 /* uthash, in order of telling */
	unsigned int num_due;	 /* of them, waiting to be compared */
	uint64_t sequence;	 /* of the last event taken */
	bool scan_wanted;	 /* a scan has failed and must be repeated */
	bool resync_wanted;	 /* notifications were lost */
	struct hf_retry unready; /* devices that are not ready yet */
	struct hf_retry failed;	 /* after an error */
};

/* Was a device announced to streams of this kind? With hf->lock held. */
static inline bool hf_stream_knows(const struct hf_stream *stream, const struct hf_device *device)
{
	return stream->observer.all ? device->shown : device->told;
}

void hfi_retry_start(struct hf_retry *retry, uint64_t now);
void hfi_retry_again(struct hf_retry *retry, uint64_t now);
void hfi_retry_stop(struct hf_retry *retry);

/* What was told, told.c; with the stream's mutex held. */

/* Before ADDED is taken: notes what the device looks like. May fail as reading. */
int hfi_told_prepare(struct hf_stream *stream, struct hf_device *device);
/* Writes down that an event was taken. */
void hfi_told_apply(struct hf_stream *stream, const struct hf_event *event);
struct hf_told *hfi_told_find(struct hf_stream *stream, uint64_t generation);
void hfi_told_clear(struct hf_stream *stream);
/* Reads a device's ports again; *changes is what is different, and is not told again. In a scan. */
int hfi_told_compare(struct hf_stream *stream, struct hf_told *told, uint32_t *changes);
void hfi_told_set_due(struct hf_stream *stream, struct hf_told *told, uint64_t due);
/*
 * Drops what is queued and queues RESYNC, the difference between what was told and the table, and
 * SYNCED. *dropped is to be given back. With hf->lock held too. -ENOMEM: and then the queue is in
 * overflow still.
 */
int hfi_told_difference(struct hf_stream *stream, struct hf_event **dropped);

/* Hints, attend.c; with the stream's mutex held. */

/* Does what a hint asks for. Errors as hf_stream_next(), and then it is remembered. */
int hfi_stream_attend(struct hf_stream *stream, const struct hf_hint *hint);
/* Starts over after a loss. */
int hfi_stream_resync(struct hf_stream *stream);
int hfi_stream_rescan(struct hf_stream *stream);
/* Does what has become due. True when there may be an event now, or when *err is an error. */
bool hfi_stream_run_due(struct hf_stream *stream, int *err);
/* When something will become due next; 0: never. */
uint64_t hfi_stream_next_due(const struct hf_stream *stream);
/* Devices that are not ready are looked at again after a while. */
void hfi_stream_watch_unready(struct hf_stream *stream, bool anew);

#endif
