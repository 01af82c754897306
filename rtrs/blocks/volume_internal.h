/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of a volume share. */
#ifndef RTRS_BLOCKS_VOLUME_INTERNAL_H
#define RTRS_BLOCKS_VOLUME_INTERNAL_H

#include <pthread.h>

#include "rtrs/blocks/volume.h"
#include "rtrs/control/thread.h"

enum { VOLUME_ADDRESS_SIZE = 256 };

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
	const char *address;
	char added[VOLUME_ADDRESS_SIZE]; /* where it was added by a control program */
};

/*
 * One thread makes sessions and ends them: that of rtrsi_volume_open(), and then the keeper. The lock is never
 * held while a session is ended, nor when a request's done() is called.
 */
struct rtrs_volume {
	struct rtrs_volume_options options;
	pthread_t keeper;
	bool has_keeper;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rtrs_session *session; /* NULL: there is none now */
	struct volume_path paths[RTRS_VOLUME_PATHS_MAX];
	unsigned int path_count;
	struct rtrs_rnbd_device device;
	struct rtrs_limits limits;
	bool is_up;	  /* requests can be made */
	bool is_lost;	  /* the session is to be made anew */
	bool is_ending;	  /* the keeper is to end */
	bool is_off;	  /* without a path by hand: its session stays, and waits for one */
	bool is_doubtful; /* a request found no path, and no news came of that yet */
	bool needs_open;  /* of the same session, which has a path again */
	bool has_given_up;
	bool is_unmapped;  /* a control program has asked for that */
	bool is_asked_for; /* a control program waits for the next session */
	struct rtrs_control_thread *control;
	struct rtrs_volume_request *waiting, **last_waiting;
	uint64_t failovers, reconnects; /* of earlier sessions */
	int64_t off_ms;			/* since when it is off */
	int64_t connected_ms;		/* the keeper's */
};

/* --- volume_session.c */
/* -ENOLINK: the session is there, and waits for a path that was disconnected by hand. */
int rtrsi_volume_connect(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;
/* A session that was off has a path again. */
int rtrsi_volume_open_again(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;
void rtrsi_volume_disconnect(struct rtrs_volume *volume) HF_NONNULL;
/* Paths that could not be connected when they were added are tried again. */
void rtrsi_volume_retry_paths(struct rtrs_volume *volume) HF_NONNULL;
void rtrsi_volume_log(const struct rtrs_volume *volume, const char *path, const char *what,
		      int error) HF_NONNULL_OF(1, 3);
/* A message of RNBD that is no IO; waits for its answer. Not in the thread of the session. */
int rtrsi_volume_ask(struct rtrs_volume *volume, const void *message, size_t length, void *answer,
		     size_t answer_length) HF_NONNULL_OF(1, 2);
int rtrsi_volume_open_device(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;

/* --- volume_control.c */
void rtrsi_volume_visit(void *user, struct rtrs_visit *visit) HF_NONNULL;
/* With the lock: what comes of an attempt that a control program has asked for. */
void rtrsi_volume_remapped(struct rtrs_volume *volume, int error) HF_NONNULL;

/* --- volume_request.c */
/* With the lock: begins what waits, as far as there are permits. Returns requests that failed: to be ended without it. */
struct rtrs_volume_request *
rtrsi_volume_begin_waiting(struct rtrs_volume *volume) HF_MUST_CHECK HF_NONNULL;
/* With the lock: the keeper is to make another. */
void rtrsi_volume_lose_session(struct rtrs_volume *volume) HF_NONNULL;
void rtrsi_volume_end_all(struct rtrs_volume_request *first, int error);

#endif
