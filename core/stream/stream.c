/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* hf_stream_new(), hf_stream_next() and hf_stream_unref(). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <utlist.h>

#include "shared/attr.h"
#include "shared/error.h"
#include "core/base/process.h"
#include "core/device/scan.h"
#include "core/device/scan_lock.h"
#include "core/stream/handle_hint.h"
#include "core/stream/reported.h"

/* hf_stream_next() returns after this many hints that led to no event. */
enum { HINTS_MAX = 16384 };

HF_REQUIRES(hfi_hf_kind)
static void table_changed(struct hf_observer *observer, struct hf_device *device,
			  enum hf_change_kind kind, uint32_t what)
{
	struct hf_stream *stream = hf_container_of(observer, struct hf_stream, observer);
	static const enum hf_event_type types[] = {
		[HF_TABLE_ADDED] = HF_EVENT_ADDED,
		[HF_TABLE_CHANGED] = HF_EVENT_CHANGED,
		[HF_TABLE_REMOVED] = HF_EVENT_REMOVED,
	};

	/* In a forked child the eventfd is shared with the parent, which must not see it become readable. */
	if (stream->fork_count != hfi_fork_count())
		return;
	hfi_queue_note(&stream->queue, device, types[kind], what);
}

/* A caller built with older headers passes fewer members; members unknown here must be zero. */
static int read_stream_options(const struct hf_stream_options *given, struct hf_stream_options *ret)
{
	const unsigned char *bytes = (const unsigned char *)given;

	memset(ret, 0, sizeof(*ret));
	if (!given)
		return 0;
	if (given->size < sizeof(given->size) || given->size > 65536)
		return -EINVAL;
	for (size_t i = sizeof(*ret); i < given->size; i++)
		if (bytes[i])
			return -EINVAL;
	memcpy(ret, given, given->size < sizeof(*ret) ? given->size : sizeof(*ret));
	return ret->flags & ~(uint32_t)(HF_STREAM_ALL | HF_STREAM_NAMES) ? -EINVAL : 0;
}

static int open_watch(struct hf_stream *stream, size_t receive_buffer)
{
	struct hf *hf = stream->hf;
	struct hf_watch_options options = {
		.roots = hf->roots,
		.num_roots = hf->num_roots,
		.provider_dirs = (const char *const *)hf->registry.dirs,
		.receive_buffer = receive_buffer,
		.log = &hf->log,
	};
	int err;

	if (!stream->names)
		options.flags |= HF_WATCH_ATTRIBUTES;
	/* A stream of all devices reports them whether or not they can be opened. */
	if (!stream->observer.all)
		options.flags |= HF_WATCH_READINESS;
	if (hf->flags & HF_NO_NOTIFY)
		options.flags |= HF_WATCH_NO_SOCKETS;
	if (hf->flags & HF_NO_NETLINK)
		options.flags |= HF_WATCH_NO_RDMA;
	err = hfi_watch_new(&options, &stream->watch);
	return err ? err : hfi_watch_add_fd(stream->watch, stream->queue.fd.fd);
}

HF_REQUIRES(hfi_hf_kind)
static int queue_present(struct hf_stream *stream, struct hf_device *first)
{
	struct hf_device *device;
	int err = 0;

	DL_FOREACH (first, device)
		if (!err && hfi_stream_was_announced(stream, device))
			err = hfi_queue_push(&stream->queue, HF_EVENT_ADDED, device, 0);
	return err;
}

/* Subscribes, and queues the devices that exist, under one lock: no gap and no duplicate. */
static int subscribe(struct hf_stream *stream)
{
	struct hf *hf = stream->hf;
	int err;

	hfi_hf_lock(hf);
	hfi_observe(hf, &stream->observer);
	err = queue_present(stream, hf->table.listed);
	if (!err)
		err = queue_present(stream, hf->table.unlisted);
	if (!err)
		err = hfi_queue_push(&stream->queue, HF_EVENT_SYNCED, NULL, 0);
	hfi_queue_signal(&stream->queue);
	if (err)
		hfi_unobserve(hf, &stream->observer);
	hfi_hf_unlock(hf);
	return err;
}

static int first_scan(struct hf_stream *stream)
{
	int err;

	if (!hfi_scan_begin(stream->hf))
		return subscribe(stream);
	err = hfi_table_scan(stream->hf);
	if (err >= 0)
		err = subscribe(stream);
	hfi_scan_end(stream->hf);
	return err;
}

/* Nobody else knows the stream any more. */
HF_UNCHECKED_LOCKS
static void free_stream(struct hf_stream *stream)
{
	struct hf *hf = stream->hf;

	hfi_events_free(hfi_queue_empty(&stream->queue));
	hfi_reported_clear(stream);
	hfi_watch_free(stream->watch);
	hfi_fd_close(&stream->queue.fd);
	pthread_mutex_destroy(&stream->mutex);
	free(stream);
	hf_unref(hf);
}

static void init_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
}

/*
 * An error such as EMFILE may last. Keep the descriptor unreadable for a while, so that the caller's
 * poll loop does not spin. The caller may call again sooner.
 */
HF_REQUIRES(hfi_stream_kind)
static void pause_after_error(struct hf_stream *stream, bool failed)
{
	if (!failed && !stream->scan_wanted)
		hfi_retry_stop(&stream->failed);
	else if (stream->failed.at)
		hfi_retry_again(&stream->failed, hfi_now());
	else
		hfi_retry_start(&stream->failed, hfi_now());
	if (failed)
		(void)hfi_watch_gather(stream->watch);
}

/* Sets the timer for work that is due later and the eventfd for what can be returned now. */
HF_REQUIRES(hfi_stream_kind)
static void arm_descriptor(struct hf_stream *stream, bool failed)
{
	struct hf *hf = stream->hf;

	pause_after_error(stream, failed);
	hfi_watch_set_timer(stream->watch, hfi_stream_next_due(stream));
	hfi_hf_lock(hf);
	stream->queue.resting = failed;
	stream->queue.more = (stream->resync_wanted && !stream->scan_wanted) ||
			     hfi_watch_pending(stream->watch);
	hfi_queue_signal(&stream->queue);
	hfi_hf_unlock(hf);
}

/* Nobody else knows the stream yet. */
HF_UNCHECKED_LOCKS
HF_EXPORT int hf_stream_new(struct hf *hf, const struct hf_stream_options *options,
			    struct hf_stream **ret)
{
	struct hf_stream_options taken;
	struct hf_stream *stream;
	int err = read_stream_options(options, &taken);

	if (err)
		return err;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->hf = hf_ref(hf);
	stream->fork_count = hfi_fork_count();
	stream->observer.changed = table_changed;
	stream->observer.all = taken.flags & HF_STREAM_ALL;
	stream->names = taken.flags & HF_STREAM_NAMES;
	stream->queue.limit = HF_QUEUE_MAX;
	init_mutex(&stream->mutex);
	hfi_fd_mark(&stream->queue.fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	err = stream->queue.fd.fd < 0 ? -errno : 0;
	/* Open the watch before the first scan: a change during the scan then leads to another scan. */
	if (!err)
		err = open_watch(stream, taken.receive_buffer);
	if (!err)
		err = first_scan(stream);
	if (err) {
		free_stream(stream);
		return hfi_error_is_shortage(err) ? err : -EIO;
	}
	hfi_stream_watch_unready(stream, true);
	arm_descriptor(stream, false);
	*ret = stream;
	return 0;
}

HF_EXPORT int hf_stream_fd(const struct hf_stream *stream)
{
	return hfi_watch_fd(stream->watch);
}

/* Returns the first event without removing it from the queue. The event keeps its device held. */
static struct hf_event *peek(struct hf_stream *stream, bool *overflow)
{
	struct hf_event *event;

	hfi_hf_lock(stream->hf);
	*overflow = stream->queue.overflow;
	event = *overflow ? NULL : stream->queue.events;
	hfi_hf_unlock(stream->hf);
	return event;
}

/* Removes the first event. Only the holder of the mutex removes events, so it still is `first`. */
HF_REQUIRES(hfi_stream_kind)
static int deliver(struct hf_stream *stream, const struct hf_event *first, struct hf_event **ret)
{
	struct hf_event *event;
	int err = 0;

	/*
	 * Read the ports before the program gets the event: whatever the program reads later is this
	 * state, or a newer one that a CHANGED will report.
	 */
	if (first->type == HF_EVENT_ADDED)
		err = hfi_reported_prepare(stream, first->device);
	if (err)
		return err;
	hfi_hf_lock(stream->hf);
	event = hfi_queue_take(&stream->queue);
	hfi_hf_unlock(stream->hf);
	event->sequence = ++stream->sequence;
	hfi_reported_apply(stream, event);
	*ret = event;
	return 1;
}

/* Handles one hint or one due task. -EAGAIN when it did something, 0 when there is nothing to do. */
HF_REQUIRES(hfi_stream_kind)
static int handle_next_hint(struct hf_stream *stream)
{
	struct hf_hint hint;
	int err = hfi_watch_next(stream->watch, &hint);

	if (err > 0)
		err = hfi_stream_handle_hint(stream, &hint);
	else if (!err && stream->scan_wanted)
		err = hfi_stream_rescan(stream);
	else if (!err && !hfi_stream_run_due(stream, &err))
		return err;
	return err < 0 ? err : -EAGAIN;
}

/* One step towards an event. 1: *ret is set; 0: nothing to do; -EAGAIN: call again. */
HF_REQUIRES(hfi_stream_kind)
static int step(struct hf_stream *stream, struct hf_event **ret)
{
	bool overflow;
	struct hf_event *first = peek(stream, &overflow);
	int err;

	if (overflow || (stream->resync_wanted && !stream->scan_wanted)) {
		err = hfi_stream_resync(stream);
		return err < 0 ? err : -EAGAIN;
	}
	return first ? deliver(stream, first, ret) : handle_next_hint(stream);
}

HF_EXPORT int hf_stream_next(struct hf_stream *stream, struct hf_event **ret)
{
	int result = -EAGAIN;

	if (stream->fork_count != hfi_fork_count())
		return -ECHILD;
	/* EDEADLK: a provider calls from within a scan that this stream itself makes. */
	if (!hfi_stream_lock(stream))
		return 0;
	if (!hfi_watch_is_open(stream->watch)) {
		hfi_stream_unlock(stream);
		return -EBADF;
	}
	hfi_log_hold();
	for (int i = 0; i < HINTS_MAX && result == -EAGAIN; i++)
		result = step(stream, ret);
	if (result == -EAGAIN)
		result = 0;
	arm_descriptor(stream, result < 0);
	hfi_stream_unlock(stream);
	hfi_log_release();
	return result;
}

/*
 * In a forked child the descriptors are shared with the parent, so they are only closed. If another
 * thread of the parent was inside the stream at the fork, its memory is in an unknown state and is
 * not freed.
 */
static bool is_whole(struct hf_stream *stream)
{
	if (stream->fork_count == hfi_fork_count())
		return true;
	if (!hfi_stream_try_lock(stream))
		return false;
	hfi_stream_unlock(stream);
	return true;
}

HF_EXPORT struct hf_stream *hf_stream_unref(struct hf_stream *stream)
{
	if (!stream)
		return NULL;
	hfi_hf_lock(stream->hf);
	hfi_unobserve(stream->hf, &stream->observer);
	hfi_hf_unlock(stream->hf);
	if (is_whole(stream)) {
		free_stream(stream);
	} else {
		hfi_watch_abandon(stream->watch);
		hfi_fd_close(&stream->queue.fd);
	}
	return NULL;
}
