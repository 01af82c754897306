/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stream of device events. The program polls one descriptor and takes the events; there are no
 * callbacks and no threads. See holdfast-stream(3), and holdfast-hotplug(7) for the rules.
 */
#ifndef HOLDFAST_STREAM_H
#define HOLDFAST_STREAM_H

#include <stdint.h>
#include <infiniband/verbs.h>

#include <holdfast/context.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_stream;
struct hf_event;

enum hf_event_type {
	HF_EVENT_ADDED = 1,   /* a device exists and can be opened */
	HF_EVENT_SYNCED = 2,  /* all devices that existed when the stream began are reported */
	HF_EVENT_CHANGED = 3, /* hf_event_changes() returns what changed */
	HF_EVENT_REMOVED = 4, /* the last event of an instance */
	HF_EVENT_RESYNC = 5,  /* notifications were lost; the difference follows, then SYNCED */
};

enum hf_event_change {
	HF_CHANGED_NAME = 1 << 0,   /* hf_event_name() returns the new name */
	HF_CHANGED_GID = 1 << 1,    /* a GID table */
	HF_CHANGED_PORT = 1 << 2,   /* link state, rate or MTU of a port */
	HF_CHANGED_NETDEV = 1 << 3, /* network interface of a port, or its name */
	HF_CHANGED_HANDLE = 1 << 4, /* HF_STREAM_ALL only: it has a provider now */
};

enum hf_stream_flags {
	/* Report devices that cannot be opened as well, as soon as all of their attributes exist. */
	HF_STREAM_ALL = 1 << 0,
	/* Report no changes but those of names and handles; read no ports, GIDs, network interfaces. */
	HF_STREAM_NAMES = 1 << 1,
};

/* A member that is 0 has its default value. Set size to sizeof(struct hf_stream_options). */
struct hf_stream_options {
	size_t size;
	uint32_t flags;		 /* enum hf_stream_flags */
	uint32_t receive_buffer; /* of each notification socket, in bytes; default 8 MiB */
};

/*
 * Makes a stream. `options` may be NULL. The stream reports the devices that exist now as ADDED, then
 * SYNCED, then changes in order; no device is missing or reported twice between the two parts. The
 * caller owns *ret and gives it back with hf_stream_unref().
 * Errors: -EINVAL (options), -EMFILE, -ENFILE, -EIO (no root could be searched). Since 0.1.
 */
int hf_stream_new(struct hf *hf, const struct hf_stream_options *options, struct hf_stream **ret);

/*
 * The descriptor to poll for reading or to add to an epoll set. It is readable when hf_stream_next()
 * may return an event. It belongs to the stream: do not read or close it. It cannot fail. Since 0.1.
 */
int hf_stream_fd(const struct hf_stream *stream);

/*
 * Takes the next event without blocking. Returns 1 and an event, which the caller owns and gives back
 * with hf_event_unref(), or 0 if there is none now. Threads may share a stream; each event is returned
 * once. Errors: -EBADF (the program closed the descriptor behind the stream), -ECHILD (the parent made the stream before a fork; the child may only give it back),
 * -EIO (a root has become unreadable), -EMFILE, -ENFILE. Except after the first two the stream stays usable
 * and the call may be repeated. Since 0.1.
 */
int hf_stream_next(struct hf_stream *stream, struct hf_event **ret);

/*
 * Ends the stream and returns NULL. NULL is allowed. Events that were taken stay valid. No other thread
 * may be inside a call on the stream. Since 0.1.
 */
struct hf_stream *hf_stream_unref(struct hf_stream *stream);

/* The type of the event. A later version may add types: ignore unknown ones. Since 0.1. */
enum hf_event_type hf_event_type(const struct hf_event *event);

/* What changed, bits of enum hf_event_change; 0 unless the type is CHANGED. Since 0.1. */
uint32_t hf_event_changes(const struct hf_event *event);

/*
 * The device of the event, NULL for SYNCED and RESYNC. It is borrowed from the event: take a reference
 * with hf_device_ref() to keep it longer. Since 0.1.
 */
struct ibv_device *hf_event_device(const struct hf_event *event);

/*
 * The device's name when the event was made, empty for SYNCED and RESYNC. It is borrowed from the
 * event. Since 0.1.
 */
const char *hf_event_name(const struct hf_event *event);

/* The generation of the instance, 0 for SYNCED and RESYNC. Since 0.1. */
uint64_t hf_event_generation(const struct hf_event *event);

/* The number of the event in its stream, counted from 1 without gaps. Since 0.1. */
uint64_t hf_event_sequence(const struct hf_event *event);

/* The name of a type, for example "added", or "unknown"; never freed. Since 0.1. */
const char *hf_event_type_name(enum hf_event_type type);

/* Gives back the event and its reference to the device; returns NULL. NULL is allowed. Since 0.1. */
struct hf_event *hf_event_unref(struct hf_event *event);

#ifdef __cplusplus
}
#endif

#endif
