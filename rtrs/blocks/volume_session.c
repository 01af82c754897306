/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The session of volumes, and its paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/clock.h"

enum { OTHER_PATHS_MS = 1000 }; /* for the other paths, when one is connected */

void rtrsi_volume_log(const struct volume_session *session, const char *path, const char *what,
		      int error)
{
	if (session->options.log)
		session->options.log(session->options.user, path, what, error);
}

/* --- events -------------------------------------------------------------------------------------- */

static int place_of_volume_path(const struct volume_session *session, unsigned int number)
{
	for (unsigned int i = 0; i < session->path_count; i++) {
		if (session->paths[i].number == (int)number)
			return (int)i;
	}
	return -1;
}

static unsigned int paths_that_are(const struct volume_session *session,
				   enum volume_path_state state)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < session->path_count; i++)
		count += session->paths[i].state == state;
	return count;
}

/* One that a control program has added; later sessions are to have it as well. -1: there is no room. */
static int take_new_path(struct volume_session *session, unsigned int number)
{
	struct rtrs_path_info info = {.size = sizeof(info)};
	unsigned int place = 0;
	struct volume_path *path;

	while (place < session->path_count && session->paths[place].state != VOLUME_PATH_REMOVED)
		place++;
	if (place == RTRS_VOLUME_PATHS_MAX || rtrs_session_path_info(session->rtrs, number, &info))
		return -1;
	if (place == session->path_count)
		session->path_count++;
	path = &session->paths[place];
	*path = (struct volume_path){.number = (int)number};
	_Static_assert(sizeof(path->address) == sizeof(info.address), "an address");
	memcpy(path->address, info.address, sizeof(path->address));
	return (int)place;
}

static void note_path(struct volume_session *session, const struct rtrs_session_event *event,
		      enum volume_path_state state, const char *what)
{
	const char *address = NULL;
	int place;

	pthread_mutex_lock(&session->lock);
	/* There is no session because it is being ended: this is no news. */
	place = session->rtrs ? place_of_volume_path(session, event->path) : -1;
	if (place < 0 && session->rtrs && state == VOLUME_PATH_UP)
		place = take_new_path(session, event->path);
	if (place >= 0 && state == VOLUME_PATH_FAILED && session->paths[place].starts_off)
		state = VOLUME_PATH_OFF;
	if (place >= 0) {
		session->paths[place].starts_off = false;
		session->paths[place].state = state;
		session->paths[place].error = event->error;
		address = session->paths[place].address;
	}
	/* Its number may become that of another one. */
	if (place >= 0 && state == VOLUME_PATH_REMOVED)
		session->paths[place].number = -1;
	if (state == VOLUME_PATH_UP && session->rtrs && session->is_off)
		session->needs_open = true;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	if (address)
		rtrsi_volume_log(session, address, what, event->error);
}

/* With the lock. A server closes the devices of a session that has no path. */
static void note_closed(struct volume_session *session)
{
	struct rtrs_volume *volume;

	DL_FOREACH (session->volumes, volume)
		volume->is_open = false;
}

/* With the lock. */
static void go_off(struct volume_session *session)
{
	session->is_off = true;
	session->needs_open = false;
	session->off_ms = hfi_now_ms();
}

/*
 * Who has disconnected all paths does not want another session behind his back: this one stays, and its files with
 * it, so that a path can be connected again. If one was lost by itself the volume looks for its server.
 */
static void note_loss(struct volume_session *session)
{
	bool is_news, is_off;

	pthread_mutex_lock(&session->lock);
	is_news = session->rtrs != NULL;
	is_off = is_news && !paths_that_are(session, VOLUME_PATH_DOWN) &&
		 !paths_that_are(session, VOLUME_PATH_FAILED);
	session->is_up = session->is_doubtful = false;
	note_closed(session);
	if (is_off)
		go_off(session);
	else
		session->is_lost = true;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	if (is_news)
		rtrsi_volume_log(session, NULL,
				 is_off ? "all paths are disconnected by hand"
					: "no path to the server is left",
				 0);
}

static void volume_event(struct rtrs_session *rtrs, const struct rtrs_session_event *event,
			 void *user)
{
	struct volume_session *session = user;

	(void)rtrs;
	switch (event->type) {
	case RTRS_SESSION_PATH_UP:
		note_path(session, event, VOLUME_PATH_UP, "connected");
		break;
	case RTRS_SESSION_PATH_DOWN:
		if (event->error == -ECANCELED)
			note_path(session, event, VOLUME_PATH_OFF, "disconnected");
		else
			note_path(session, event, VOLUME_PATH_DOWN, "lost");
		break;
	case RTRS_SESSION_PATH_FAILED:
		/* One that was disconnected by hand stays so. */
		note_path(session, event,
			  event->error == -ECANCELED ? VOLUME_PATH_OFF : VOLUME_PATH_FAILED,
			  "not connected");
		break;
	case RTRS_SESSION_PATH_REMOVED:
		note_path(session, event, VOLUME_PATH_REMOVED, "removed");
		break;
	case RTRS_SESSION_DOWN:
		note_loss(session);
		break;
	default:
		break;
	}
}

/* --- life ---------------------------------------------------------------------------------------- */

static int add_volume_paths(struct volume_session *session)
{
	unsigned int added = 0;
	int err = 0;

	pthread_mutex_lock(&session->lock);
	for (unsigned int i = 0; i < session->path_count; i++) {
		struct volume_path *path = &session->paths[i];
		bool is_off = path->state == VOLUME_PATH_OFF;

		path->number = -1;
		path->starts_off = is_off;
		if (path->state == VOLUME_PATH_REMOVED)
			continue;
		path->state = is_off ? VOLUME_PATH_OFF : VOLUME_PATH_NONE;
		path->error = 0;
		path->number = rtrs_session_add_path(session->rtrs, path->address);
		if (path->number >= 0) {
			added++;
			/* It is there, to be connected by hand. */
			if (is_off)
				(void)rtrs_session_disconnect_path(session->rtrs,
								   (unsigned int)path->number);
			continue;
		}
		if (!is_off)
			path->state = VOLUME_PATH_FAILED;
		path->error = err = path->number;
	}
	pthread_mutex_unlock(&session->lock);
	return added && err != -EINVAL ? 0 : err;
}

static int first_path_error(const struct volume_session *session)
{
	for (unsigned int i = 0; i < session->path_count; i++) {
		if (session->paths[i].error)
			return session->paths[i].error;
	}
	return -ENOTCONN;
}

static int wait_for_volume_paths(struct volume_session *session)
{
	struct timespec until;
	int err = 0;

	pthread_mutex_lock(&session->lock);
	while (!paths_that_are(session, VOLUME_PATH_UP) &&
	       paths_that_are(session, VOLUME_PATH_NONE) && !session->is_ending)
		pthread_cond_wait(&session->changed, &session->lock);
	until = hfi_clock_after_ms(OTHER_PATHS_MS);
	while (paths_that_are(session, VOLUME_PATH_NONE) && !session->is_ending &&
	       !pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until))
		;
	if (session->is_ending)
		err = -ECANCELED;
	else if (!paths_that_are(session, VOLUME_PATH_UP))
		err = first_path_error(session);
	pthread_mutex_unlock(&session->lock);
	return err;
}

static int open_volume_session(struct volume_session *session)
{
	const struct rtrs_session_options options = {
		.size = sizeof(options),
		.name = session->name,
		.event = volume_event,
		.user = session,
		.connections = session->options.connections,
		.permits = session->options.permits,
		.max_io = session->options.max_io,
		.reconnect_delay_ms = session->options.reconnect_delay_ms,
	};
	struct rtrs_session *rtrs;
	int err = rtrs_session_open(&options, &rtrs);

	if (err)
		return err;
	pthread_mutex_lock(&session->lock);
	session->rtrs = rtrs;
	session->epoch++;
	session->is_lost = session->is_off = session->needs_open = session->is_doubtful = false;
	pthread_mutex_unlock(&session->lock);
	err = add_volume_paths(session);
	return err ? err : rtrs_session_run(rtrs);
}

static int read_limits(struct volume_session *session)
{
	struct rtrs_limits limits = {.size = sizeof(limits)};
	int err = rtrs_session_limits(session->rtrs, &limits);

	if (err)
		return err;
	pthread_mutex_lock(&session->lock);
	session->limits = limits;
	pthread_mutex_unlock(&session->lock);
	return 0;
}

/* For one that was disconnected by hand the session stays, although no other is connected. */
static bool waits_for_hand(struct volume_session *session)
{
	bool waits;

	pthread_mutex_lock(&session->lock);
	waits = !session->is_ending && paths_that_are(session, VOLUME_PATH_OFF);
	/* A session that could not get all its paths is made anew. */
	for (unsigned int i = 0; waits && i < session->path_count; i++)
		waits = session->paths[i].number >= 0 ||
			session->paths[i].state == VOLUME_PATH_REMOVED;
	if (waits) {
		go_off(session);
		/* One may have come at the last moment. */
		session->needs_open = paths_that_are(session, VOLUME_PATH_UP);
	}
	pthread_mutex_unlock(&session->lock);
	return waits;
}

/* The devices, over a path that is connected. */
static int open_on_session(struct volume_session *session)
{
	struct rtrs_volume_request *failed;
	int err = read_limits(session);

	if (!err)
		err = rtrsi_volume_say_version(session);
	if (!err)
		err = rtrsi_volume_open_devices(session);
	if (err)
		return err;
	pthread_mutex_lock(&session->lock);
	session->is_up = !session->is_lost && !session->is_off;
	session->is_given_up = false;
	failed = rtrsi_volume_begin_waiting(session);
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_end_all(failed, -EIO);
	return 0;
}

int rtrsi_volume_connect(struct volume_session *session)
{
	int err = open_volume_session(session);

	if (!err) {
		err = wait_for_volume_paths(session);
		if (err && waits_for_hand(session))
			return -ENOLINK;
	}
	if (!err)
		err = open_on_session(session);
	if (err)
		rtrsi_volume_disconnect(session);
	return err;
}

int rtrsi_volume_open_again(struct volume_session *session)
{
	int err;

	pthread_mutex_lock(&session->lock);
	session->is_off = session->needs_open = false;
	pthread_mutex_unlock(&session->lock);
	err = open_on_session(session);
	pthread_mutex_lock(&session->lock);
	/* Unless it was disconnected once more meanwhile. */
	if (err && !session->is_off)
		rtrsi_volume_lose_session(session);
	pthread_mutex_unlock(&session->lock);
	return err;
}

static void add_up_paths(struct volume_session *session, struct rtrs_session *rtrs)
{
	for (unsigned int i = 0; i < session->path_count; i++) {
		struct rtrs_path_info info = {.size = sizeof(info)};

		if (session->paths[i].number < 0 ||
		    rtrs_session_path_info(rtrs, (unsigned int)session->paths[i].number, &info))
			continue;
		session->failovers += info.failovers;
		session->reconnects += info.reconnects;
	}
}

/* Requests under way end with it, and wait for the next session. */
void rtrsi_volume_disconnect(struct volume_session *session)
{
	struct rtrs_session *rtrs;

	pthread_mutex_lock(&session->lock);
	rtrs = session->rtrs;
	session->rtrs = NULL;
	session->is_up = false;
	session->is_lost = true;
	note_closed(session);
	if (rtrs)
		add_up_paths(session, rtrs);
	pthread_mutex_unlock(&session->lock);
	rtrs_session_close(rtrs);
}

void rtrsi_volume_retry_paths(struct volume_session *session)
{
	for (unsigned int i = 0; i < session->path_count; i++) {
		struct volume_path *path = &session->paths[i];

		if (path->state == VOLUME_PATH_FAILED && path->number >= 0 &&
		    !rtrs_session_reconnect_path(session->rtrs, (unsigned int)path->number))
			path->state = VOLUME_PATH_NONE;
	}
}
