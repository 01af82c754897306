/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tells when a device comes, from Holdfast's stream of device events. Like the link of verbs this
 * is a library of its own; it only reports that something came, so that no object of it meets one
 * of the link's.
 */
#ifndef RTRS_LIB_DEVICES_H
#define RTRS_LIB_DEVICES_H

#include <stdbool.h>

#include "rtrs/lib/wait.h"
#include "shared/attr.h"

struct rtrs_device_watch;

/* What the library has. */
struct rtrs_device_watch_ops {
	/* -errno of hf_stream_new(). */
	int (*open)(struct rtrs_device_watch **ret);
	int (*fd)(const struct rtrs_device_watch *watch);
	/* Takes all events. 1: a device came, or has something that it did not have; 0; -errno. */
	int (*next)(struct rtrs_device_watch *watch);
	void (*close)(struct rtrs_device_watch *watch);
};

/* All zero: nothing is watched. */
struct rtrs_devices {
	const struct rtrs_device_watch_ops *ops; /* NULL: the library is not loaded */
	struct rtrs_device_watch *watch;	 /* NULL: none is needed */
};

/* Loads the library. -EOPNOTSUPP: it is not installed. */
int rtrsi_devices_load(struct rtrs_devices *devices) HF_MUST_CHECK HF_NONNULL;
/* Makes the descriptor readable for devices that are there and for those that come; or not any more. */
int rtrsi_devices_watch(struct rtrs_devices *devices, struct rtrs_wait *wait,
			bool is_needed) HF_MUST_CHECK HF_NONNULL;
/* As of the library; 0 where nothing is watched. */
int rtrsi_devices_next(const struct rtrs_devices *devices) HF_MUST_CHECK HF_NONNULL;
void rtrsi_devices_close(struct rtrs_devices *devices) HF_NONNULL;

#endif
