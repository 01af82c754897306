/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stream of device events: one pollable descriptor, events are pulled, no callbacks and no
 * threads. See holdfast-hotplug(7), which is the contract.
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
	HF_EVENT_SYNCED = 2,  /* every device that existed when the stream began was told */
	HF_EVENT_CHANGED = 3, /* see hf_event_changes() */
	HF_EVENT_REMOVED = 4, /* the last event of an instance */
	HF_EVENT_RESYNC = 5,  /* notifications were lost; the difference follows, then SYNCED */
};

enum hf_event_change {
	HF_CHANGED_NAME = 1 << 0,
	HF_CHANGED_GID = 1 << 1,
	HF_CHANGED_PORT = 1 << 2,   /* link state, rate or MTU of a port */
	HF_CHANGED_NETDEV = 1 << 3, /* another network interface, or its name */
	HF_CHANGED_HANDLE = 1 << 4, /* with HF_STREAM_ALL: the device has got a provider */
};

enum hf_stream_flags {
	/* Also devices that cannot be opened: ADDED comes as soon as all of a device is there. */
	HF_STREAM_ALL = 1 << 0,
	/* Of changes that of the name only: ports, GIDs and network interfaces are not looked at. */
	HF_STREAM_NAMES = 1 << 1,
};

/* Zeroed members mean the default. Set size to sizeof(struct hf_stream_options). */
struct hf_stream_options {
	size_t size;
	uint32_t flags;		 /* enum hf_stream_flags */
	uint32_t receive_buffer; /* bytes for the notification sockets; default 8 MiB */
};

/*
 * Begins a stream. `options` may be NULL. Devices that exist now come first as ADDED, then SYNCED,
 * then changes in order, with no gap and no duplicate between the two parts. The caller owns *ret.
 * Errors: -EINVAL, -EMFILE, -ENFILE, -EIO (no root could be searched). Since 0.1.
 */
int hf_stream_new(struct hf *hf, const struct hf_stream_options *options, struct hf_stream **ret);

/*
 * The descriptor to poll for reading, or to put into an epoll set; owned by the stream. It is
 * readable whenever hf_stream_next() may have something to give. Do not read it. Since 0.1.
 */
int hf_stream_fd(const struct hf_stream *stream);

/*
 * Takes the next event without blocking. Returns 1 and an event that the caller owns, or 0 when
 * there is none now. Threads may share a stream: each event is given out once.
 * Errors: -ECHILD (the stream was made before a fork by the parent: a child may only unref it),
 * -EIO (a root has become unreadable), -EMFILE, -ENFILE; the stream stays usable and the call may be
 * repeated. Since 0.1.
 */
int hf_stream_next(struct hf_stream *stream, struct hf_event **ret);

/*
 * Ends the stream and returns NULL; events already taken stay valid. No other thread may be inside a
 * call on the stream. NULL is allowed. Since 0.1.
 */
struct hf_stream *hf_stream_unref(struct hf_stream *stream);

/* Since 0.1. */
enum hf_event_type hf_event_type(const struct hf_event *event);

/* What changed, as enum hf_event_change bits; 0 unless the type is CHANGED. Since 0.1. */
uint32_t hf_event_changes(const struct hf_event *event);

/*
 * The device the event is about, NULL for SYNCED and RESYNC. Borrowed from the event: take a
 * reference with hf_device_ref() to keep it longer. Since 0.1.
 */
struct ibv_device *hf_event_device(const struct hf_event *event);

/* The device's name when the event was made; empty for SYNCED and RESYNC. Since 0.1. */
const char *hf_event_name(const struct hf_event *event);

/* The instance's generation; 0 for SYNCED and RESYNC. Since 0.1. */
uint64_t hf_event_generation(const struct hf_event *event);

/* Position of the event in its stream, counted from 1 without gaps. Since 0.1. */
uint64_t hf_event_sequence(const struct hf_event *event);

/* The type's name, "added"; static storage, "unknown" if not known. Since 0.1. */
const char *hf_event_type_name(enum hf_event_type type);

/* Gives the event and its reference to the device back, returns NULL. NULL is allowed. Since 0.1. */
struct hf_event *hf_event_unref(struct hf_event *event);

#ifdef __cplusplus
}
#endif

#endif
