/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A server: executes its engine's orders on links and reports the results to the engine. The caller
 * waits for the links' events and passes them on. One thread at a time.
 */
#ifndef RTRS_DRIVER_SERVER_H
#define RTRS_DRIVER_SERVER_H

#include <stdint.h>

#include "rtrs/engine/server.h"
#include "rtrs/link/link.h"
#include "shared/attr.h"

struct rtrs_server_driver;

/* None may be NULL. */
struct rtrs_server_calls {
	/* A session got its first path, or lost its last one and has no request any more. */
	void (*up)(void *user, struct rtrs_server_session *session);
	void (*down)(void *user, struct rtrs_server_session *session);
	/* A path of it is connected. */
	void (*connected)(void *user, const struct rtrs_server_path *path);
	/* The request is the user's until rtrsi_server_driver_done(). */
	void (*run)(void *user, struct rtrs_server_request *request);
	/* A path is closed; the reason is for the log. */
	void (*closed)(void *user, const struct rtrs_server_order *order);
	/* The listener's device is gone. */
	void (*deaf)(void *user, struct rtrs_listener *listener);
};

/* -EINVAL: depth and sizes do not go together. -ENOMEM. */
int rtrsi_server_driver_new(const struct rtrs_server_options *options,
			    const struct rtrs_server_calls *calls, void *user,
			    struct rtrs_server_driver **ret) HF_MUST_CHECK HF_NONNULL_OF(1, 2, 4);
/* Closes its paths and ends the requests that the user has. */
void rtrsi_server_driver_free(struct rtrs_server_driver *driver);
struct rtrs_server *rtrsi_server_driver_engine(struct rtrs_server_driver *driver) HF_NONNULL;

/* An event of a link whose listeners are this server's; with the time. */
void rtrsi_server_driver_event(struct rtrs_server_driver *driver,
			       const struct rtrs_link_event *event, int64_t now_ns) HF_NONNULL;
void rtrsi_server_driver_tick(struct rtrs_server_driver *driver, int64_t now_ns) HF_NONNULL;
int64_t rtrsi_server_driver_deadline_ns(const struct rtrs_server_driver *driver) HF_NONNULL;
void rtrsi_server_driver_done(struct rtrs_server_driver *driver,
			      struct rtrs_server_request *request, int error) HF_NONNULL;
void rtrsi_server_driver_close_path(struct rtrs_server_driver *driver,
				    struct rtrs_server_path *path) HF_NONNULL;
/* All of a session's, or of all sessions where it is NULL. */
void rtrsi_server_driver_close_paths(struct rtrs_server_driver *driver,
				     const struct rtrs_server_session *session) HF_NONNULL_OF(1);

/* The path's connection for control; NULL: it is closed. */
const struct rtrs_connection *
rtrsi_server_driver_connection(const struct rtrs_server_path *path) HF_MUST_CHECK HF_NONNULL;

#endif
