/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The socket that shows a tree of files to the control programs of its owner and of root. No call waits; a client
 * that does not read its answers is cut off. Not thread-safe: its user calls it with a lock held.
 */
#ifndef RTRS_CONTROL_ENDPOINT_H
#define RTRS_CONTROL_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/control/place.h"
#include "rtrs/control/wire.h"
#include "shared/attr.h"

/* None may be NULL. What comes in is hostile: any bytes, but strings with their NUL. */
struct rtrs_control_ops {
	/* Adds whole sessions or paths from *cursor on, and moves it behind what fitted into the page. */
	void (*list)(void *user, struct rtrs_control_cursor *cursor, bool with_values,
		     struct rtrs_control_page *page);
	/* The length of the text; -ENODEV: it is not there. */
	int (*read)(void *user, const char *path, char *to, size_t size);
	/* -EINPROGRESS: rtrsi_control_done() follows, with that number. */
	int (*write)(void *user, const char *path, const char *value, size_t length,
		     uint64_t *number);
};

enum { RTRS_CONTROL_CLIENTS = 8 };

struct rtrs_control_client {
	int fd;		 /* -1: none */
	uint64_t turn;	 /* when it was heard last */
	bool is_waiting; /* for the end of a write */
	uint64_t number; /* of that */
};

struct rtrs_control {
	int epoll; /* readable when there is something to do; -1: it is not open */
	int listener, place;
	char name[RTRS_CONTROL_NAME_SIZE];
	const struct rtrs_control_ops *ops;
	void *user;
	uint64_t turn;
	struct rtrs_control_client clients[RTRS_CONTROL_CLIENTS];
	uint8_t *answer; /* while dispatching */
};

/* NULL: there is no place for it, or the system refuses; a program works without. */
struct rtrs_control *rtrsi_control_open(const struct rtrs_control_ops *ops,
					void *user) HF_MUST_CHECK HF_NONNULL;
/* NULL is allowed. */
void rtrsi_control_close(struct rtrs_control *control);
/* A bounded part of what there is to do. */
void rtrsi_control_dispatch(struct rtrs_control *control) HF_NONNULL;
/* What was begun under that number has ended. Says whether anybody waited. NULL is allowed. */
bool rtrsi_control_done(struct rtrs_control *control, uint64_t number, int error);

/* The length of the answer to a client's packet, at control->answer; 0: the end of a write will be one. */
size_t rtrsi_control_take(struct rtrs_control *control, const uint8_t *bytes, size_t size,
			  uint64_t *number) HF_MUST_CHECK HF_NONNULL;

#endif
