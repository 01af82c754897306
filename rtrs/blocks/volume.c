/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A volume: opened, kept connected, closed. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/clock.h"
#include "shared/thread.h"

enum { FIRST_DELAY_MS = 20 };

/* --- the keeper ---------------------------------------------------------------------------------- */

/* False: the volume is being closed. */
static bool delay_connecting(struct rtrs_volume *volume, uint32_t ms)
{
	struct timespec until = hfi_clock_after_ms(ms);
	bool goes_on;

	pthread_mutex_lock(&volume->lock);
	while (!volume->is_ending &&
	       !pthread_cond_clockwait(&volume->changed, &volume->lock, CLOCK_MONOTONIC, &until))
		;
	goes_on = !volume->is_ending;
	pthread_mutex_unlock(&volume->lock);
	return goes_on;
}

void rtrsi_volume_give_up(struct rtrs_volume *volume)
{
	struct rtrs_volume_request *first;

	pthread_mutex_lock(&volume->lock);
	volume->has_given_up = true;
	first = volume->waiting;
	volume->waiting = NULL;
	volume->last_waiting = &volume->waiting;
	pthread_mutex_unlock(&volume->lock);
	rtrsi_volume_log(volume, NULL, "given up", -ETIMEDOUT);
	rtrsi_volume_end_all(first, -ETIMEDOUT);
}

/* A control program that has asked for it. */
static void tell_who_waits(struct rtrs_volume *volume, int error)
{
	pthread_mutex_lock(&volume->lock);
	if (volume->is_asked_for)
		rtrsi_volume_remapped(volume, error);
	volume->is_asked_for = false;
	pthread_mutex_unlock(&volume->lock);
}

/*
 * Tries until there is a session again. The delay grows, because the server may need time to end
 * the old session.
 */
static void connect_again(struct rtrs_volume *volume)
{
	const int64_t since_ms = hfi_now_ms();
	const uint32_t most_ms = volume->options.reconnect_delay_ms;
	uint32_t delay_ms = FIRST_DELAY_MS < most_ms ? FIRST_DELAY_MS : most_ms;
	bool goes_on = true;

	rtrsi_volume_disconnect(volume);
	/* Do not reconnect in a tight loop to a server that is lost again and again. */
	if (since_ms - volume->connected_ms < most_ms)
		goes_on = delay_connecting(volume, delay_ms);
	while (goes_on) {
		int err = rtrsi_volume_connect(volume);

		tell_who_waits(volume, err);

		if (!err) {
			volume->connected_ms = hfi_now_ms();
			pthread_mutex_lock(&volume->lock);
			volume->reconnects++;
			pthread_mutex_unlock(&volume->lock);
			rtrsi_volume_log(volume, NULL, "connected again", 0);
			return;
		}
		if (err == -ENOLINK)
			return;
		if (volume->options.give_up_ms && !volume->has_given_up &&
		    hfi_now_ms() - since_ms >= volume->options.give_up_ms)
			rtrsi_volume_give_up(volume);
		goes_on = delay_connecting(volume, delay_ms);
		delay_ms = delay_ms * 2 < most_ms ? delay_ms * 2 : most_ms;
	}
}

static bool has_failed_path(const struct rtrs_volume *volume)
{
	for (unsigned int i = 0; i < volume->path_count; i++) {
		if (volume->paths[i].state == VOLUME_PATH_FAILED && volume->paths[i].number >= 0)
			return true;
	}
	return false;
}

/* With the lock. Requests do not wait for ever for somebody to connect a path by hand, if they never do. */
static void wait_for_change(struct rtrs_volume *volume)
{
	const int64_t give_up_ms = volume->options.give_up_ms;
	struct timespec until;
	int64_t left_ms;

	if (!volume->is_off || !give_up_ms || volume->has_given_up) {
		pthread_cond_wait(&volume->changed, &volume->lock);
		return;
	}
	left_ms = volume->off_ms + give_up_ms - hfi_now_ms();
	until = hfi_clock_after_ms(left_ms > 0 ? left_ms : 0);
	if (left_ms > 0 &&
	    !pthread_cond_clockwait(&volume->changed, &volume->lock, CLOCK_MONOTONIC, &until))
		return;
	if (!volume->is_off)
		return;
	pthread_mutex_unlock(&volume->lock);
	rtrsi_volume_give_up(volume);
	pthread_mutex_lock(&volume->lock);
}

static bool has_connected_path(const struct rtrs_volume *volume)
{
	struct rtrs_path_info info = {.size = sizeof(info)};

	for (unsigned int i = 0; i < volume->path_count; i++) {
		if (volume->paths[i].number >= 0 &&
		    !rtrs_session_path_info(volume->session, (unsigned int)volume->paths[i].number,
					    &info) &&
		    info.is_connected)
			return true;
	}
	return false;
}

/* With the lock. No path could carry a request; if one can now, the server may have dropped the session meanwhile. */
static void wait_for_news(struct rtrs_volume *volume)
{
	struct timespec until = hfi_clock_after_ms(FIRST_DELAY_MS);

	pthread_cond_clockwait(&volume->changed, &volume->lock, CLOCK_MONOTONIC, &until);
	if (volume->is_doubtful && volume->session && has_connected_path(volume))
		rtrsi_volume_lose_session(volume);
}

static void *keep_volume(void *arg)
{
	struct rtrs_volume *volume = arg;

	pthread_mutex_lock(&volume->lock);
	while (!volume->is_ending) {
		if (volume->is_lost) {
			pthread_mutex_unlock(&volume->lock);
			connect_again(volume);
			pthread_mutex_lock(&volume->lock);
		} else if (has_failed_path(volume)) {
			struct timespec until =
				hfi_clock_after_ms(volume->options.reconnect_delay_ms);

			while (!volume->is_ending && !volume->is_lost &&
			       !pthread_cond_clockwait(&volume->changed, &volume->lock,
						       CLOCK_MONOTONIC, &until))
				;
			if (!volume->is_ending && !volume->is_lost)
				rtrsi_volume_retry_paths(volume);
		} else if (volume->is_doubtful) {
			wait_for_news(volume);
		} else if (volume->needs_open) {
			pthread_mutex_unlock(&volume->lock);
			if (!rtrsi_volume_open_again(volume))
				rtrsi_volume_log(volume, NULL, "connected again", 0);
			pthread_mutex_lock(&volume->lock);
		} else {
			wait_for_change(volume);
		}
	}
	pthread_mutex_unlock(&volume->lock);
	return NULL;
}

static int start_keeper(struct rtrs_volume *volume)
{
	int err = hfi_thread_start(&volume->keeper, keep_volume, volume);

	volume->has_keeper = !err;
	return err;
}

/* --- life ---------------------------------------------------------------------------------------- */

int rtrsi_volume_open(const struct rtrs_volume_options *options, struct rtrs_volume **ret)
{
	struct rtrs_volume *volume;
	int err;

	if (!options->address_count || options->address_count > RTRS_VOLUME_PATHS_MAX ||
	    !options->reconnect_delay_ms)
		return -EINVAL;
	volume = calloc(1, sizeof(*volume));
	if (!volume)
		return -ENOMEM;
	volume->options = *options;
	volume->path_count = options->address_count;
	for (unsigned int i = 0; i < volume->path_count; i++)
		volume->paths[i] =
			(struct volume_path){.number = -1, .address = options->addresses[i]};
	volume->last_waiting = &volume->waiting;
	pthread_mutex_init(&volume->lock, NULL);
	pthread_cond_init(&volume->changed, NULL);
	err = rtrsi_volume_connect(volume);
	if (!err)
		err = start_keeper(volume);
	if (err) {
		rtrsi_volume_close(volume);
		return err;
	}
	pthread_mutex_lock(&volume->lock);
	volume->control = rtrsi_control_thread_start(rtrsi_volume_visit, volume, &volume->lock);
	pthread_mutex_unlock(&volume->lock);
	*ret = volume;
	return 0;
}

const char *rtrsi_volume_control_name(const struct rtrs_volume *volume)
{
	return rtrsi_control_thread_name(volume->control);
}

static void say_close(struct rtrs_volume *volume)
{
	uint8_t message[RNBD_CLOSE_SIZE];

	rtrsi_rnbd_close_encode(volume->device.id, message);
	/* The end of the session closes it as well. */
	(void)rtrsi_volume_ask(volume, message, sizeof(message), NULL, 0);
}

void rtrsi_volume_close(struct rtrs_volume *volume)
{
	bool is_up;

	if (!volume)
		return;
	pthread_mutex_lock(&volume->lock);
	volume->is_ending = true;
	pthread_cond_broadcast(&volume->changed);
	pthread_mutex_unlock(&volume->lock);
	if (volume->has_keeper)
		pthread_join(volume->keeper, NULL);
	rtrsi_control_thread_end(volume->control);
	pthread_mutex_lock(&volume->lock);
	is_up = volume->is_up;
	pthread_mutex_unlock(&volume->lock);
	if (is_up)
		say_close(volume);
	rtrsi_volume_disconnect(volume);
	pthread_cond_destroy(&volume->changed);
	pthread_mutex_destroy(&volume->lock);
	free(volume);
}

int rtrsi_volume_path_info(struct rtrs_volume *volume, unsigned int path,
			   struct rtrs_path_info *ret)
{
	int err = -ENOENT;

	ret->size = sizeof(*ret);
	pthread_mutex_lock(&volume->lock);
	if (path < volume->path_count && volume->session && volume->paths[path].number >= 0)
		err = rtrs_session_path_info(volume->session,
					     (unsigned int)volume->paths[path].number, ret);
	pthread_mutex_unlock(&volume->lock);
	return err;
}

void rtrsi_volume_info(struct rtrs_volume *volume, struct rtrs_volume_info *ret)
{
	struct rtrs_path_info path;

	pthread_mutex_lock(&volume->lock);
	*ret = (struct rtrs_volume_info){
		.device = volume->device,
		.size = volume->device.sectors * RNBD_SECTOR_SIZE,
		.max_io = volume->limits.max_io,
		.permits = volume->limits.permits,
		.paths = volume->path_count,
		.failovers = volume->failovers,
		.reconnects = volume->reconnects,
	};
	pthread_mutex_unlock(&volume->lock);
	for (unsigned int i = 0; i < volume->path_count; i++) {
		if (rtrsi_volume_path_info(volume, i, &path))
			continue;
		ret->paths_up += path.is_connected ? 1 : 0;
		ret->failovers += path.failovers;
		ret->reconnects += path.reconnects;
	}
}

int rtrsi_volume_measure(struct rtrs_volume *volume)
{
	const struct rtrs_session *session;
	int err;

	pthread_mutex_lock(&volume->lock);
	session = volume->session;
	pthread_mutex_unlock(&volume->lock);
	err = rtrsi_volume_open_device(volume);
	if (err != -ETIMEDOUT)
		return err;
	/* Give up a server that is connected but does not answer. */
	pthread_mutex_lock(&volume->lock);
	if (session && volume->session == session)
		rtrsi_volume_lose_session(volume);
	pthread_mutex_unlock(&volume->lock);
	return err;
}
