/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A server of blocks: which devices its sessions have open, and what each request asks of them. It answers what
 * is about sessions and devices itself; what is about blocks is the caller's.
 */
#ifndef RTRS_RNBD_SERVER_H
#define RTRS_RNBD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/rnbd/message.h"
#include "shared/attr.h"

/* A device that some session has open. */
struct rtrs_rnbd_export {
	struct rtrs_rnbd_export *next;
	char path[RNBD_PATH_SIZE];
	unsigned int users; /* handles, and IO under way */
	unsigned int writers;
	bool is_read_only; /* whatever a client asks for */
	void *user;	   /* the caller's */
	struct rtrs_rnbd_device about;
};

/* One session's hold of it. */
struct rtrs_rnbd_handle {
	struct rtrs_rnbd_handle *next;
	struct rtrs_rnbd_export *exported;
	uint32_t id;
	enum rtrs_rnbd_access access;
	struct rtrs_rnbd_session *session;
	char path[RNBD_PATH_SIZE]; /* as it was sent */
};

struct rtrs_rnbd_session {
	struct rtrs_rnbd_handle *handles;
	uint32_t last_id;
	uint8_t version; /* 0: the session has not said it yet */
};

struct rtrs_rnbd_server {
	struct rtrs_rnbd_export *exports;
	/* 0, with ret->user, ret->is_read_only and ret->about but the id; or -errno. */
	int (*open)(void *user, const char *path, struct rtrs_rnbd_export *ret);
	void (*close)(void *user, struct rtrs_rnbd_export *exported);
	/* May be NULL. Brings about.sectors up to date: it is opened again, or IO goes beyond its end. */
	void (*measure)(void *user, struct rtrs_rnbd_export *exported);
	void *user;
};

/* What has to be done for a request. */
struct rtrs_rnbd_job {
	bool is_answered; /* at once, with `error` */
	int error;
	struct rtrs_rnbd_export *exported;
	struct rtrs_rnbd_io io; /* within the device */
};

/*
 * A request of RTRS: a copy of its user header, and its data, into which an answer is written. A
 * request must have been sent as a read or as a write, as its operation demands.
 */
struct rtrs_rnbd_request {
	const uint8_t *header;
	size_t header_size;
	bool is_read;
	uint8_t *data;
	uint32_t data_size;
};

/*
 * "." and empty components are taken out of the path, so that a device has one spelling. -EINVAL: it has a
 * component "..".
 */
int rtrsi_rnbd_spell_path(char *path) HF_MUST_CHECK HF_NONNULL;

struct rtrs_rnbd_job rtrsi_rnbd_serve(struct rtrs_rnbd_server *server,
				      struct rtrs_rnbd_session *session,
				      const struct rtrs_rnbd_request *request) HF_NONNULL;
/* To be called when IO that was not answered at once has ended. */
void rtrsi_rnbd_io_done(struct rtrs_rnbd_server *server,
			const struct rtrs_rnbd_job *job) HF_NONNULL;
/* Its session is not told: it learns of it by its next request, and may open the device again. */
void rtrsi_rnbd_force_close(struct rtrs_rnbd_server *server,
			    struct rtrs_rnbd_handle *handle) HF_NONNULL;
/* The session is down: closes what it had open. */
void rtrsi_rnbd_session_ends(struct rtrs_rnbd_server *server,
			     struct rtrs_rnbd_session *session) HF_NONNULL;

#endif
