/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A volume: opened, kept connected, closed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/clock.h"

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

static void give_up(struct rtrs_volume *volume)
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

		if (!err) {
			volume->connected_ms = hfi_now_ms();
			pthread_mutex_lock(&volume->lock);
			volume->reconnects++;
			pthread_mutex_unlock(&volume->lock);
			rtrsi_volume_log(volume, NULL, "connected again", 0);
			return;
		}
		if (volume->options.give_up_ms && !volume->has_given_up &&
		    hfi_now_ms() - since_ms >= volume->options.give_up_ms)
			give_up(volume);
		goes_on = delay_connecting(volume, delay_ms);
		delay_ms = delay_ms * 2 < most_ms ? delay_ms * 2 : most_ms;
	}
}

static bool has_failed_path(const struct rtrs_volume *volume)
{
	for (unsigned int i = 0; i < volume->options.address_count; i++) {
		if (volume->paths[i].state == VOLUME_PATH_FAILED && volume->paths[i].number >= 0)
			return true;
	}
	return false;
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
		} else {
			pthread_cond_wait(&volume->changed, &volume->lock);
		}
	}
	pthread_mutex_unlock(&volume->lock);
	return NULL;
}

static int start_keeper(struct rtrs_volume *volume)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&volume->keeper, NULL, keep_volume, volume);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
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
	*ret = volume;
	return 0;
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
	if (path < volume->options.address_count && volume->session &&
	    volume->paths[path].number >= 0)
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
		.paths = volume->options.address_count,
		.failovers = volume->failovers,
		.reconnects = volume->reconnects,
	};
	pthread_mutex_unlock(&volume->lock);
	for (unsigned int i = 0; i < volume->options.address_count; i++) {
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
