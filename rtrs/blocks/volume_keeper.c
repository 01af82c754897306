/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Keeps the session of volumes connected. */
#include <errno.h>
#include <utlist.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/clock.h"
#include "shared/thread.h"

enum { FIRST_DELAY_MS = 20 };

/* False: the session is being closed. */
static bool delay_connecting(struct volume_session *session, uint32_t ms)
{
	struct timespec until = hfi_clock_after_ms(ms);
	bool goes_on;

	pthread_mutex_lock(&session->lock);
	while (!session->is_ending &&
	       !pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until))
		;
	goes_on = !session->is_ending;
	pthread_mutex_unlock(&session->lock);
	return goes_on;
}

/* What waits fails. */
static void give_up_all(struct volume_session *session)
{
	struct rtrs_volume_request *all = NULL;
	struct rtrs_volume *volume;

	pthread_mutex_lock(&session->lock);
	session->is_given_up = true;
	DL_FOREACH (session->volumes, volume) {
		volume->has_given_up = true;
		*volume->last_waiting = all;
		all = rtrsi_volume_take_waiting(volume);
	}
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_log(session, NULL, "given up", -ETIMEDOUT);
	rtrsi_volume_end_all(all, -ETIMEDOUT);
}

/* Control programs that have asked for it. */
static void tell_who_waits(struct volume_session *session, int error)
{
	struct rtrs_volume *volume;

	pthread_mutex_lock(&session->lock);
	DL_FOREACH (session->volumes, volume) {
		if (volume->is_asked_for)
			rtrsi_volume_remapped(volume, error ? error : volume->open_error);
		volume->is_asked_for = false;
	}
	pthread_mutex_unlock(&session->lock);
}

/*
 * Tries until there is a session again. The delay grows, because the server may need time to end
 * the old session.
 */
static void connect_again(struct volume_session *session)
{
	const int64_t since_ms = hfi_now_ms();
	const uint32_t most_ms = session->options.reconnect_delay_ms;
	uint32_t delay_ms = FIRST_DELAY_MS < most_ms ? FIRST_DELAY_MS : most_ms;
	bool goes_on = true;

	rtrsi_volume_disconnect(session);
	/* Do not reconnect in a tight loop to a server that is lost again and again. */
	if (since_ms - session->connected_ms < most_ms)
		goes_on = delay_connecting(session, delay_ms);
	while (goes_on) {
		int err = rtrsi_volume_connect(session);

		tell_who_waits(session, err);

		if (!err) {
			session->connected_ms = hfi_now_ms();
			pthread_mutex_lock(&session->lock);
			session->reconnects++;
			pthread_mutex_unlock(&session->lock);
			rtrsi_volume_log(session, NULL, "connected again", 0);
			return;
		}
		if (err == -ENOLINK)
			return;
		if (session->options.give_up_ms && !session->is_given_up &&
		    hfi_now_ms() - since_ms >= session->options.give_up_ms)
			give_up_all(session);
		goes_on = delay_connecting(session, delay_ms);
		delay_ms = delay_ms * 2 < most_ms ? delay_ms * 2 : most_ms;
	}
}

static bool has_failed_path(const struct volume_session *session)
{
	for (unsigned int i = 0; i < session->path_count; i++) {
		if (session->paths[i].state == VOLUME_PATH_FAILED && session->paths[i].number >= 0)
			return true;
	}
	return false;
}

/* With the lock. Requests do not wait for ever for somebody to connect a path by hand, if they never do. */
static void wait_for_change(struct volume_session *session)
{
	const int64_t give_up_ms = session->options.give_up_ms;
	struct timespec until;
	int64_t left_ms;

	if (!session->is_off || !give_up_ms || session->is_given_up) {
		pthread_cond_wait(&session->changed, &session->lock);
		return;
	}
	left_ms = session->off_ms + give_up_ms - hfi_now_ms();
	until = hfi_clock_after_ms(left_ms > 0 ? left_ms : 0);
	if (left_ms > 0 &&
	    !pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until))
		return;
	if (!session->is_off)
		return;
	pthread_mutex_unlock(&session->lock);
	give_up_all(session);
	pthread_mutex_lock(&session->lock);
}

static bool has_connected_path(const struct volume_session *session)
{
	struct rtrs_path_info info = {.size = sizeof(info)};

	for (unsigned int i = 0; i < session->path_count; i++) {
		if (session->paths[i].number >= 0 &&
		    !rtrs_session_path_info(session->rtrs, (unsigned int)session->paths[i].number,
					    &info) &&
		    info.is_connected)
			return true;
	}
	return false;
}

/* With the lock. No path could carry a request; if one can now, the server may have dropped the session meanwhile. */
static void wait_for_news(struct volume_session *session)
{
	struct timespec until = hfi_clock_after_ms(FIRST_DELAY_MS);

	pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until);
	if (session->is_doubtful && session->rtrs && has_connected_path(session))
		rtrsi_volume_lose_session(session);
}

/* With the lock, which is released meanwhile. */
static void open_closed_devices(struct volume_session *session)
{
	struct rtrs_volume_request *failed;

	if (!rtrsi_volume_has_closed(session))
		return;
	pthread_mutex_unlock(&session->lock);
	if (rtrsi_volume_open_devices(session))
		rtrsi_volume_log(session, NULL, "a device is not open", -ENODEV);
	pthread_mutex_lock(&session->lock);
	failed = rtrsi_volume_begin_waiting(session);
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_end_all(failed, -EIO);
	pthread_mutex_lock(&session->lock);
}

static void *keep_session(void *arg)
{
	struct volume_session *session = arg;

	pthread_mutex_lock(&session->lock);
	while (!session->is_ending) {
		if (session->is_lost) {
			pthread_mutex_unlock(&session->lock);
			connect_again(session);
			pthread_mutex_lock(&session->lock);
		} else if (has_failed_path(session) || rtrsi_volume_has_closed(session)) {
			struct timespec until =
				hfi_clock_after_ms(session->options.reconnect_delay_ms);

			while (!session->is_ending && !session->is_lost &&
			       !pthread_cond_clockwait(&session->changed, &session->lock,
						       CLOCK_MONOTONIC, &until))
				;
			if (session->is_ending || session->is_lost)
				continue;
			rtrsi_volume_retry_paths(session);
			open_closed_devices(session);
		} else if (session->is_doubtful) {
			wait_for_news(session);
		} else if (session->needs_open) {
			pthread_mutex_unlock(&session->lock);
			if (!rtrsi_volume_open_again(session))
				rtrsi_volume_log(session, NULL, "connected again", 0);
			pthread_mutex_lock(&session->lock);
		} else {
			wait_for_change(session);
		}
	}
	pthread_mutex_unlock(&session->lock);
	return NULL;
}

int rtrsi_volume_start_keeper(struct volume_session *session)
{
	int err = hfi_thread_start(&session->keeper, keep_session, session);

	session->has_keeper = !err;
	return err;
}
