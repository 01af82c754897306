/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A block device of a server, by RNBD, over a session that it has for itself or shares. A volume that has lost its
 * server connects again, and carries on with the requests that had no answer.
 *
 * For that it makes a new session of the same name: a server takes the name only when it is done with the old
 * session, so that none of its requests can be carried out late.
 */
#ifndef RTRS_BLOCKS_VOLUME_H
#define RTRS_BLOCKS_VOLUME_H

#include <rtrs/rtrs.h>
#include <stdbool.h>
#include <stdint.h>

#include "rtrs/rnbd/message.h"
#include "shared/attr.h"

struct rtrs_volume;

/* What happens to the session and its paths; `path` is NULL where it is about all of them. */
typedef void (*rtrs_volume_log_fn)(void *user, const char *path, const char *what, int error);

struct rtrs_volume_options {
	const char *session; /* its name */
	const char *path;    /* of the device, as the server knows it */
	enum rtrs_rnbd_access access;
	const char *const *addresses;	       /* of paths to the server */
	unsigned int address_count;	       /* 1 to RTRS_VOLUME_PATHS_MAX */
	uint32_t connections, permits, max_io; /* as in struct rtrs_session_options */
	uint32_t reconnect_delay_ms;	       /* not 0 */
	/* Without a server for so long requests fail with -ETIMEDOUT; 0: they wait as long as it takes. */
	uint32_t give_up_ms;
	/* May be NULL. It is called for all volumes of a session: with the user of the one that has made it. */
	rtrs_volume_log_fn log;
	/*
	 * One whose session this one uses: what is above is then not used, but `path` and `access`. It is not closed
	 * before rtrsi_volume_open() returns. NULL: the volume makes a session.
	 */
	struct rtrs_volume *beside;
	/*
	 * A control program wants the device unmapped. 0: whoever opened the volume closes it soon; -EBUSY: it is in
	 * use. It must not call this room. NULL: it is always in use.
	 */
	int (*unmap)(void *user, bool is_forced);
	int poll_queues; /* shown, and no more */
	void *user;
};

enum { RTRS_VOLUME_PATHS_MAX = 16 };

/* Waits until a path is connected and the device is open. The options' strings stay as long as the volume. */
int rtrsi_volume_open(const struct rtrs_volume_options *options,
		      struct rtrs_volume **ret) HF_MUST_CHECK HF_NONNULL;
/* No request is under way. */
void rtrsi_volume_close(struct rtrs_volume *volume);
/* All requests fail from now on, also those that wait for a server. */
void rtrsi_volume_give_up(struct rtrs_volume *volume) HF_NONNULL;
/* Of the control socket that shows its files; empty: it has none. */
const char *rtrsi_volume_control_name(const struct rtrs_volume *volume) HF_NONNULL;

struct rtrs_volume_info {
	struct rtrs_rnbd_device device;
	uint64_t size;	 /* in bytes */
	uint32_t max_io; /* of one request that has data */
	uint32_t permits;
	unsigned int paths, paths_up;
	uint64_t failovers, reconnects;
};

void rtrsi_volume_info(struct rtrs_volume *volume, struct rtrs_volume_info *ret) HF_NONNULL;
/* Of one path, as the library has it. -ENOENT. */
int rtrsi_volume_path_info(struct rtrs_volume *volume, unsigned int path,
			   struct rtrs_path_info *ret) HF_MUST_CHECK HF_NONNULL;
/* Asks for its size again: it may have been resized. */
int rtrsi_volume_measure(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;

struct rtrs_volume_request {
	enum rtrs_rnbd_op op;
	uint32_t flags; /* RNBD_FUA and others */
	uint64_t offset;
	uint32_t length;
	void *data; /* of reads and writes; it stays until the end */
	/* Called once; also by rtrsi_volume_submit(). It may submit others. */
	void (*done)(struct rtrs_volume_request *request, int error);
	/* The volume's. */
	struct rtrs_volume_request *next;
	struct rtrs_volume *volume;
	struct iovec part;
};

/*
 * Begins a request, which is the caller's and stays until request->done(). Offset and length are multiples of
 * the logical block size, and the length is within the limits of the volume.
 */
void rtrsi_volume_submit(struct rtrs_volume *volume,
			 struct rtrs_volume_request *request) HF_NONNULL;

/* A range of any length, in as many requests as it takes; waits for its end. `data` as above, or NULL. */
int rtrsi_volume_do(struct rtrs_volume *volume,
		    const struct rtrs_volume_request *range) HF_MUST_CHECK HF_NONNULL;

#endif
