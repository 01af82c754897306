/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The session of a volume: its paths, and the messages that are no IO. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/clock.h"

enum {
	OTHER_PATHS_MS = 1000, /* for the other paths, when one is connected */
	ANSWER_MS = 30000,     /* for a message that is no IO */
};

void rtrsi_volume_log(const struct rtrs_volume *volume, const char *path, const char *what,
		      int error)
{
	if (volume->options.log)
		volume->options.log(volume->options.user, path, what, error);
}

/* --- events -------------------------------------------------------------------------------------- */

static int place_of_volume_path(const struct rtrs_volume *volume, unsigned int number)
{
	for (unsigned int i = 0; i < volume->path_count; i++) {
		if (volume->paths[i].number == (int)number)
			return (int)i;
	}
	return -1;
}

static unsigned int paths_that_are(const struct rtrs_volume *volume, enum volume_path_state state)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < volume->path_count; i++)
		count += volume->paths[i].state == state;
	return count;
}

/* One that a control program has added; later sessions are to have it as well. -1: there is no room. */
static int take_new_path(struct rtrs_volume *volume, unsigned int number)
{
	struct rtrs_path_info info = {.size = sizeof(info)};
	unsigned int place = 0;
	struct volume_path *path;

	while (place < volume->path_count && volume->paths[place].state != VOLUME_PATH_REMOVED)
		place++;
	if (place == RTRS_VOLUME_PATHS_MAX ||
	    rtrs_session_path_info(volume->session, number, &info))
		return -1;
	if (place == volume->path_count)
		volume->path_count++;
	path = &volume->paths[place];
	*path = (struct volume_path){.number = (int)number};
	_Static_assert(sizeof(path->added) == sizeof(info.address), "an address");
	memcpy(path->added, info.address, sizeof(path->added));
	path->address = path->added;
	return (int)place;
}

static void note_path(struct rtrs_volume *volume, const struct rtrs_session_event *event,
		      enum volume_path_state state, const char *what)
{
	const char *address = NULL;
	int place;

	pthread_mutex_lock(&volume->lock);
	/* There is no session because it is being ended: this is no news. */
	place = volume->session ? place_of_volume_path(volume, event->path) : -1;
	if (place < 0 && volume->session && state == VOLUME_PATH_UP)
		place = take_new_path(volume, event->path);
	if (place >= 0 && state == VOLUME_PATH_FAILED && volume->paths[place].starts_off)
		state = VOLUME_PATH_OFF;
	if (place >= 0) {
		volume->paths[place].starts_off = false;
		volume->paths[place].state = state;
		volume->paths[place].error = event->error;
		address = volume->paths[place].address;
	}
	/* Its number may become that of another one. */
	if (place >= 0 && state == VOLUME_PATH_REMOVED)
		volume->paths[place].number = -1;
	if (state == VOLUME_PATH_UP && volume->session && volume->is_off)
		volume->needs_open = true;
	pthread_cond_broadcast(&volume->changed);
	pthread_mutex_unlock(&volume->lock);
	if (address)
		rtrsi_volume_log(volume, address, what, event->error);
}

/* With the lock. */
static void go_off(struct rtrs_volume *volume)
{
	volume->is_off = true;
	volume->needs_open = false;
	volume->off_ms = hfi_now_ms();
}

/*
 * Who has disconnected all paths does not want another session behind his back: this one stays, and its files with
 * it, so that a path can be connected again. If one was lost by itself the volume looks for its server.
 */
static void note_loss(struct rtrs_volume *volume)
{
	bool is_news, is_off;

	pthread_mutex_lock(&volume->lock);
	is_news = volume->session != NULL;
	is_off = is_news && !paths_that_are(volume, VOLUME_PATH_DOWN) &&
		 !paths_that_are(volume, VOLUME_PATH_FAILED);
	volume->is_up = volume->is_doubtful = false;
	if (is_off)
		go_off(volume);
	else
		volume->is_lost = true;
	pthread_cond_broadcast(&volume->changed);
	pthread_mutex_unlock(&volume->lock);
	if (is_news)
		rtrsi_volume_log(volume, NULL,
				 is_off ? "all paths are disconnected by hand"
					: "no path to the server is left",
				 0);
}

static void volume_event(struct rtrs_session *session, const struct rtrs_session_event *event,
			 void *user)
{
	struct rtrs_volume *volume = user;

	(void)session;
	switch (event->type) {
	case RTRS_SESSION_PATH_UP:
		note_path(volume, event, VOLUME_PATH_UP, "connected");
		break;
	case RTRS_SESSION_PATH_DOWN:
		if (event->error == -ECANCELED)
			note_path(volume, event, VOLUME_PATH_OFF, "disconnected");
		else
			note_path(volume, event, VOLUME_PATH_DOWN, "lost");
		break;
	case RTRS_SESSION_PATH_FAILED:
		/* One that was disconnected by hand stays so. */
		note_path(volume, event,
			  event->error == -ECANCELED ? VOLUME_PATH_OFF : VOLUME_PATH_FAILED,
			  "not connected");
		break;
	case RTRS_SESSION_PATH_REMOVED:
		note_path(volume, event, VOLUME_PATH_REMOVED, "removed");
		break;
	case RTRS_SESSION_DOWN:
		note_loss(volume);
		break;
	default:
		break;
	}
}

/* --- messages ------------------------------------------------------------------------------------ */

struct volume_question {
	struct rtrs_volume *volume;
	bool is_answered;
	int error;
};

static void question_answered(int error, void *user)
{
	struct volume_question *question = user;
	struct rtrs_volume *volume = question->volume;

	pthread_mutex_lock(&volume->lock);
	question->error = error;
	question->is_answered = true;
	pthread_cond_broadcast(&volume->changed);
	pthread_mutex_unlock(&volume->lock);
}

/* Called with the lock; unlocks while it waits for a permit. -EBUSY: none was free until the time limit. */
static int get_permit(struct rtrs_volume *volume, struct rtrs_permit **ret)
{
	const int64_t until_ms = hfi_now_ms() + ANSWER_MS;
	int err;

	for (;;) {
		struct timespec until = hfi_clock_after_ms(10);

		if (!volume->session)
			return -ENOTCONN;
		err = rtrs_permit_get(volume->session, ret);
		if (err != -EAGAIN)
			return err;
		if (hfi_now_ms() > until_ms)
			return -EBUSY;
		pthread_cond_clockwait(&volume->changed, &volume->lock, CLOCK_MONOTONIC, &until);
	}
}

int rtrsi_volume_ask(struct rtrs_volume *volume, const void *message, size_t length, void *answer,
		     size_t answer_length)
{
	struct volume_question question = {.volume = volume};
	const struct iovec data = {answer, answer_length};
	const struct rtrs_transfer transfer = {.size = sizeof(transfer),
					       .header = message,
					       .header_length = length,
					       .data = &data,
					       .data_count = answer ? 1 : 0,
					       .deadline_ms = ANSWER_MS,
					       .done = question_answered,
					       .user = &question};
	struct rtrs_volume_request *failed;
	struct rtrs_permit *permit;
	int err;

	pthread_mutex_lock(&volume->lock);
	err = get_permit(volume, &permit);
	if (err)
		goto out;
	err = answer ? rtrs_read(permit, &transfer) : rtrs_write(permit, &transfer);
	if (err) {
		rtrs_permit_put(permit);
		goto out;
	}
	while (!question.is_answered)
		pthread_cond_wait(&volume->changed, &volume->lock);
	err = question.error;
out:
	/* Requests that found no permit meanwhile wait for this one. */
	failed = rtrsi_volume_begin_waiting(volume);
	pthread_mutex_unlock(&volume->lock);
	rtrsi_volume_end_all(failed, -EIO);
	return err;
}

static int say_rnbd_version(struct rtrs_volume *volume)
{
	uint8_t message[RNBD_SESSION_INFO_SIZE], answer[RNBD_SESSION_INFO_SIZE] = {0}, version;
	int err;

	rtrsi_rnbd_session_info_encode(RNBD_VERSION, message);
	err = rtrsi_volume_ask(volume, message, sizeof(message), answer, sizeof(answer));
	if (!err && rtrsi_rnbd_session_answer_decode(answer, sizeof(answer), &version))
		err = -EPROTO;
	if (!err && (!version || version > RNBD_VERSION))
		err = -EPROTONOSUPPORT;
	return err;
}

/* What the device and the session both allow, in whole blocks. */
static void limit_io(struct rtrs_volume *volume)
{
	const uint64_t of_device = (uint64_t)volume->device.max_hw_sectors * RNBD_SECTOR_SIZE;

	if (of_device && of_device < volume->limits.max_io)
		volume->limits.max_io = (uint32_t)of_device;
	volume->limits.max_io -= volume->limits.max_io % volume->device.logical_block_size;
}

/* Of a server that has come back: programs go on with what they know of the device. */
static bool is_same_device(const struct rtrs_volume *volume, const struct rtrs_rnbd_device *device)
{
	const struct rtrs_rnbd_device *before = &volume->device;

	return volume->is_up || !before->logical_block_size ||
	       (device->sectors >= before->sectors &&
		device->logical_block_size == before->logical_block_size);
}

int rtrsi_volume_open_device(struct rtrs_volume *volume)
{
	uint8_t message[RNBD_OPEN_SIZE], answer[RNBD_OPEN_ANSWER_SIZE] = {0};
	struct rtrs_rnbd_device device;
	bool is_same;
	int err = rtrsi_rnbd_open_encode(volume->options.access, volume->options.path, message);

	if (!err)
		err = rtrsi_volume_ask(volume, message, sizeof(message), answer, sizeof(answer));
	if (err)
		return err;
	if (rtrsi_rnbd_open_answer_decode(answer, sizeof(answer), &device) ||
	    device.sectors > INT64_MAX / RNBD_SECTOR_SIZE)
		return -EPROTO;
	pthread_mutex_lock(&volume->lock);
	is_same = is_same_device(volume, &device);
	if (is_same) {
		volume->device = device;
		limit_io(volume);
	}
	pthread_mutex_unlock(&volume->lock);
	if (is_same)
		return 0;
	rtrsi_volume_log(volume, NULL, "the device is smaller, or has other blocks", -ESTALE);
	return -ESTALE;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int add_volume_paths(struct rtrs_volume *volume)
{
	unsigned int added = 0;
	int err = 0;

	pthread_mutex_lock(&volume->lock);
	for (unsigned int i = 0; i < volume->path_count; i++) {
		struct volume_path *path = &volume->paths[i];
		bool is_off = path->state == VOLUME_PATH_OFF;

		path->number = -1;
		path->starts_off = is_off;
		if (path->state == VOLUME_PATH_REMOVED)
			continue;
		path->state = is_off ? VOLUME_PATH_OFF : VOLUME_PATH_NONE;
		path->error = 0;
		path->number = rtrs_session_add_path(volume->session, path->address);
		if (path->number >= 0) {
			added++;
			/* It is there, to be connected by hand. */
			if (is_off)
				(void)rtrs_session_disconnect_path(volume->session,
								   (unsigned int)path->number);
			continue;
		}
		if (!is_off)
			path->state = VOLUME_PATH_FAILED;
		path->error = err = path->number;
	}
	pthread_mutex_unlock(&volume->lock);
	return added && err != -EINVAL ? 0 : err;
}

static int first_path_error(const struct rtrs_volume *volume)
{
	for (unsigned int i = 0; i < volume->path_count; i++) {
		if (volume->paths[i].error)
			return volume->paths[i].error;
	}
	return -ENOTCONN;
}

static int wait_for_volume_paths(struct rtrs_volume *volume)
{
	struct timespec until;
	int err = 0;

	pthread_mutex_lock(&volume->lock);
	while (!paths_that_are(volume, VOLUME_PATH_UP) &&
	       paths_that_are(volume, VOLUME_PATH_NONE) && !volume->is_ending)
		pthread_cond_wait(&volume->changed, &volume->lock);
	until = hfi_clock_after_ms(OTHER_PATHS_MS);
	while (paths_that_are(volume, VOLUME_PATH_NONE) && !volume->is_ending &&
	       !pthread_cond_clockwait(&volume->changed, &volume->lock, CLOCK_MONOTONIC, &until))
		;
	if (volume->is_ending)
		err = -ECANCELED;
	else if (!paths_that_are(volume, VOLUME_PATH_UP))
		err = first_path_error(volume);
	pthread_mutex_unlock(&volume->lock);
	return err;
}

static int open_volume_session(struct rtrs_volume *volume)
{
	const struct rtrs_session_options options = {
		.size = sizeof(options),
		.name = volume->options.session,
		.event = volume_event,
		.user = volume,
		.connections = volume->options.connections,
		.permits = volume->options.permits,
		.max_io = volume->options.max_io,
		.reconnect_delay_ms = volume->options.reconnect_delay_ms,
	};
	struct rtrs_session *session;
	int err = rtrs_session_open(&options, &session);

	if (err)
		return err;
	pthread_mutex_lock(&volume->lock);
	volume->session = session;
	volume->is_lost = volume->is_off = volume->needs_open = volume->is_doubtful = false;
	pthread_mutex_unlock(&volume->lock);
	err = add_volume_paths(volume);
	return err ? err : rtrs_session_run(session);
}

static int read_limits(struct rtrs_volume *volume)
{
	struct rtrs_limits limits = {.size = sizeof(limits)};
	int err = rtrs_session_limits(volume->session, &limits);

	if (err)
		return err;
	pthread_mutex_lock(&volume->lock);
	volume->limits = limits;
	pthread_mutex_unlock(&volume->lock);
	return 0;
}

/* For one that was disconnected by hand the session stays, although no other is connected. */
static bool waits_for_hand(struct rtrs_volume *volume)
{
	bool waits;

	pthread_mutex_lock(&volume->lock);
	waits = !volume->is_ending && paths_that_are(volume, VOLUME_PATH_OFF);
	/* A session that could not get all its paths is made anew. */
	for (unsigned int i = 0; waits && i < volume->path_count; i++)
		waits = volume->paths[i].number >= 0 ||
			volume->paths[i].state == VOLUME_PATH_REMOVED;
	if (waits) {
		go_off(volume);
		/* One may have come at the last moment. */
		volume->needs_open = paths_that_are(volume, VOLUME_PATH_UP);
	}
	pthread_mutex_unlock(&volume->lock);
	return waits;
}

/* The device, over a path that is connected. */
static int open_on_session(struct rtrs_volume *volume)
{
	struct rtrs_volume_request *failed;
	int err = read_limits(volume);

	if (!err)
		err = say_rnbd_version(volume);
	if (!err)
		err = rtrsi_volume_open_device(volume);
	if (err)
		return err;
	pthread_mutex_lock(&volume->lock);
	volume->is_up = !volume->is_lost && !volume->is_off;
	volume->has_given_up = volume->is_unmapped;
	failed = rtrsi_volume_begin_waiting(volume);
	pthread_mutex_unlock(&volume->lock);
	rtrsi_volume_end_all(failed, -EIO);
	return 0;
}

int rtrsi_volume_connect(struct rtrs_volume *volume)
{
	int err = open_volume_session(volume);

	if (!err) {
		err = wait_for_volume_paths(volume);
		if (err && waits_for_hand(volume))
			return -ENOLINK;
	}
	if (!err)
		err = open_on_session(volume);
	if (err)
		rtrsi_volume_disconnect(volume);
	return err;
}

int rtrsi_volume_open_again(struct rtrs_volume *volume)
{
	int err;

	pthread_mutex_lock(&volume->lock);
	volume->is_off = volume->needs_open = false;
	pthread_mutex_unlock(&volume->lock);
	err = open_on_session(volume);
	pthread_mutex_lock(&volume->lock);
	/* Unless it was disconnected once more meanwhile. */
	if (err && !volume->is_off)
		rtrsi_volume_lose_session(volume);
	pthread_mutex_unlock(&volume->lock);
	return err;
}

static void add_up_paths(struct rtrs_volume *volume, struct rtrs_session *session)
{
	for (unsigned int i = 0; i < volume->path_count; i++) {
		struct rtrs_path_info info = {.size = sizeof(info)};

		if (volume->paths[i].number < 0 ||
		    rtrs_session_path_info(session, (unsigned int)volume->paths[i].number, &info))
			continue;
		volume->failovers += info.failovers;
		volume->reconnects += info.reconnects;
	}
}

/* Requests under way end with it, and wait for the next session. */
void rtrsi_volume_disconnect(struct rtrs_volume *volume)
{
	struct rtrs_session *session;

	pthread_mutex_lock(&volume->lock);
	session = volume->session;
	volume->session = NULL;
	volume->is_up = false;
	volume->is_lost = true;
	if (session)
		add_up_paths(volume, session);
	pthread_mutex_unlock(&volume->lock);
	rtrs_session_close(session);
}

void rtrsi_volume_retry_paths(struct rtrs_volume *volume)
{
	for (unsigned int i = 0; i < volume->path_count; i++) {
		struct volume_path *path = &volume->paths[i];

		if (path->state == VOLUME_PATH_FAILED && path->number >= 0 &&
		    !rtrs_session_reconnect_path(volume->session, (unsigned int)path->number))
			path->state = VOLUME_PATH_NONE;
	}
}
