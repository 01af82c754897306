/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of a volume share. */
#ifndef RTRS_BLOCKS_VOLUME_INTERNAL_H
#define RTRS_BLOCKS_VOLUME_INTERNAL_H

#include <pthread.h>

#include "rtrs/blocks/volume.h"
#include "rtrs/control/thread.h"

enum { VOLUME_ADDRESS_SIZE = 256, VOLUME_NAME_SIZE = 256 };

enum volume_path_state {
	VOLUME_PATH_NONE,
	VOLUME_PATH_UP,
	VOLUME_PATH_DOWN,
	VOLUME_PATH_FAILED,
	VOLUME_PATH_OFF,     /* disconnected by hand: it stays so in later sessions, too */
	VOLUME_PATH_REMOVED, /* by hand: later sessions do not have it */
};

struct volume_path {
	enum volume_path_state state;
	int number; /* of the library; -1: it has none */
	int error;
	bool starts_off; /* whatever comes of adding it */
	char address[VOLUME_ADDRESS_SIZE];
};

/*
 * One thread makes sessions and ends them: that of rtrsi_volume_open(), and then the keeper. The lock is never
 * held while a session is ended, nor when a request's done() is called. It is also that of all its volumes.
 */
struct volume_session {
	char name[VOLUME_NAME_SIZE];
	struct rtrs_volume_options options; /* of the first volume; without those of a device */
	pthread_t keeper;
	bool has_keeper;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rtrs_session *rtrs; /* NULL: there is none now */
	struct volume_path paths[RTRS_VOLUME_PATHS_MAX];
	unsigned int path_count;
	struct rtrs_limits limits;
	bool is_up;	  /* requests can be made */
	bool is_lost;	  /* the session is to be made anew */
	bool is_ending;	  /* the keeper is to end */
	bool is_off;	  /* without a path by hand: its session stays, and waits for one */
	bool is_doubtful; /* a request found no path, and no news came of that yet */
	bool needs_open;  /* of the same session, which has a path again */
	bool is_given_up; /* for so long there has been no server */
	uint64_t failovers, reconnects; /* of earlier sessions */
	int64_t off_ms;			/* since when it is off */
	int64_t connected_ms;		/* the keeper's */
	struct rtrs_volume *volumes;	/* utlist */
	struct rtrs_volume *opening;	/* the keeper opens it now: it must stay */
	uint64_t epoch;			/* of the sessions that were made */
	unsigned int references;	/* volumes that are not closed */
};

/* A device on a session. With the session's lock. */
struct rtrs_volume {
	struct rtrs_volume *prev, *next; /* of the same session */
	struct volume_session *session;
	struct rtrs_volume_options options;
	struct rtrs_rnbd_device device;
	uint32_t max_io; /* what the device and the session both allow */
	bool is_open;	 /* at the server, if the session is up */
	uint64_t tried;	 /* the epoch in which the keeper has tried to open it */
	int open_error;
	bool has_given_up;
	bool is_unmapped;  /* a control program has asked for that */
	bool is_asked_for; /* a control program waits for the device to be open */
	struct rtrs_control_thread *control;
	struct rtrs_volume_request *waiting, **last_waiting;
};

/* --- volume_keeper.c */
int rtrsi_volume_start_keeper(struct volume_session *session) HF_MUST_CHECK HF_NONNULL;

/* --- volume_session.c */
/* Connects, and opens the volumes. -ENOLINK: the session is there, and waits for a path that was disconnected by hand. */
int rtrsi_volume_connect(struct volume_session *session) HF_MUST_CHECK HF_NONNULL;
/* A session that was off has a path again. */
int rtrsi_volume_open_again(struct volume_session *session) HF_MUST_CHECK HF_NONNULL;
void rtrsi_volume_disconnect(struct volume_session *session) HF_NONNULL;
/* Paths that could not be connected when they were added are tried again. */
void rtrsi_volume_retry_paths(struct volume_session *session) HF_NONNULL;
void rtrsi_volume_log(const struct volume_session *session, const char *path, const char *what,
		      int error) HF_NONNULL_OF(1, 3);

/* --- volume_device.c */
/* A message of RNBD that is no IO; waits for its answer. Not in the thread of the session. */
int rtrsi_volume_ask(struct volume_session *session, const void *message, size_t length,
		     void *answer, size_t answer_length) HF_NONNULL_OF(1, 2);
int rtrsi_volume_open_device(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;
/* What has to come before any device is opened. */
int rtrsi_volume_say_version(struct volume_session *session) HF_MUST_CHECK HF_NONNULL;
/* Each volume that is not open. An error is that of one, where none could be opened. */
int rtrsi_volume_open_devices(struct volume_session *session) HF_MUST_CHECK HF_NONNULL;
/* On a session that others use; waits for its server. */
int rtrsi_volume_open_beside(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;
void rtrsi_volume_close_device(struct rtrs_volume *volume) HF_NONNULL;
/* With the lock: one was open, and is not now, although the session is up. */
bool rtrsi_volume_has_closed(const struct volume_session *session) HF_MUST_CHECK HF_NONNULL;

/* --- volume_control.c */
void rtrsi_volume_visit(void *user, struct rtrs_visit *visit) HF_NONNULL;
/* With the lock: what comes of an attempt that a control program has asked for. */
void rtrsi_volume_remapped(struct rtrs_volume *volume, int error) HF_NONNULL;

/* --- volume_request.c */
/* With the lock: begins what waits, as far as there are permits, of each volume in turn. Returns requests that failed: to be ended without it. */
struct rtrs_volume_request *
rtrsi_volume_begin_waiting(struct volume_session *session) HF_MUST_CHECK HF_NONNULL;
/* With the lock: the keeper is to make another. */
void rtrsi_volume_lose_session(struct volume_session *session) HF_NONNULL;
/* With the lock: takes out all that wait. */
struct rtrs_volume_request *rtrsi_volume_take_waiting(struct rtrs_volume *volume) HF_NONNULL;
/* The server has no session, or does not have the device open: the same request can be made anew. */
bool rtrsi_volume_says_lost(int error);
void rtrsi_volume_end_all(struct rtrs_volume_request *first, int error);

#endif
