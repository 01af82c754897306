/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages of RNBD that are no IO: devices are opened and closed at the server. */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/clock.h"

enum {
	ANSWER_MS = 30000,
	LOOK_MS = 10, /* where nobody says when to go on */
};

/* --- messages ------------------------------------------------------------------------------------ */

struct volume_question {
	struct volume_session *session;
	bool is_answered;
	int error;
};

static void question_answered(int error, void *user)
{
	struct volume_question *question = user;
	struct volume_session *session = question->session;

	pthread_mutex_lock(&session->lock);
	question->error = error;
	question->is_answered = true;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
}

/* Called with the lock; unlocks while it waits for a permit. -EBUSY: none was free until the time limit. */
static int get_permit(struct volume_session *session, struct rtrs_permit **ret)
{
	const int64_t until_ms = hfi_now_ms() + ANSWER_MS;
	int err;

	for (;;) {
		struct timespec until = hfi_clock_after_ms(LOOK_MS);

		if (!session->rtrs)
			return -ENOTCONN;
		err = rtrs_permit_get(session->rtrs, ret);
		if (err != -EAGAIN)
			return err;
		if (hfi_now_ms() > until_ms)
			return -EBUSY;
		pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until);
	}
}

int rtrsi_volume_ask(struct volume_session *session, const void *message, size_t length,
		     void *answer, size_t answer_length)
{
	struct volume_question question = {.session = session};
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

	pthread_mutex_lock(&session->lock);
	err = get_permit(session, &permit);
	if (err)
		goto out;
	err = answer ? rtrs_read(permit, &transfer) : rtrs_write(permit, &transfer);
	if (err) {
		rtrs_permit_put(permit);
		goto out;
	}
	while (!question.is_answered)
		pthread_cond_wait(&session->changed, &session->lock);
	err = question.error;
out:
	/* Requests that found no permit meanwhile wait for this one. */
	failed = rtrsi_volume_begin_waiting(session);
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_end_all(failed, -EIO);
	return err;
}

int rtrsi_volume_say_version(struct volume_session *session)
{
	uint8_t message[RNBD_SESSION_INFO_SIZE], answer[RNBD_SESSION_INFO_SIZE] = {0}, version;
	int err;

	rtrsi_rnbd_session_info_encode(RNBD_VERSION, message);
	err = rtrsi_volume_ask(session, message, sizeof(message), answer, sizeof(answer));
	if (!err && rtrsi_rnbd_session_answer_decode(answer, sizeof(answer), &version))
		err = -EPROTO;
	if (!err && (!version || version > RNBD_VERSION))
		err = -EPROTONOSUPPORT;
	return err;
}

/* --- devices ------------------------------------------------------------------------------------- */

/* What the device and the session both allow, in whole blocks. */
static uint32_t limit_io(const struct volume_session *session,
			 const struct rtrs_rnbd_device *device)
{
	const uint64_t of_device = (uint64_t)device->max_hw_sectors * RNBD_SECTOR_SIZE;
	uint32_t max_io = session->limits.max_io;

	if (of_device && of_device < max_io)
		max_io = (uint32_t)of_device;
	return max_io - max_io % device->logical_block_size;
}

/* Of a server that has come back: programs go on with what they know of the device. */
static bool is_same_device(const struct rtrs_volume *volume, const struct rtrs_rnbd_device *device)
{
	const struct rtrs_rnbd_device *before = &volume->device;

	return volume->is_open || !before->logical_block_size ||
	       (device->sectors >= before->sectors &&
		device->logical_block_size == before->logical_block_size);
}

/* With the lock. The answer came in that epoch: what was opened on an earlier session is closed. */
static int keep_answer(struct rtrs_volume *volume, const struct rtrs_rnbd_device *device,
		       uint64_t epoch)
{
	struct volume_session *session = volume->session;

	if (session->epoch != epoch || !session->rtrs)
		return -ENOTCONN;
	if (!is_same_device(volume, device))
		return -ESTALE;
	volume->device = *device;
	volume->max_io = limit_io(session, device);
	volume->is_open = true;
	volume->has_given_up = volume->is_unmapped;
	return 0;
}

static int ask_for_device(const struct rtrs_volume *volume, struct rtrs_rnbd_device *ret)
{
	uint8_t message[RNBD_OPEN_SIZE], answer[RNBD_OPEN_ANSWER_SIZE] = {0};
	int err = rtrsi_rnbd_open_encode(volume->options.access, volume->options.path, message);

	if (!err)
		err = rtrsi_volume_ask(volume->session, message, sizeof(message), answer,
				       sizeof(answer));
	if (!err && (rtrsi_rnbd_open_answer_decode(answer, sizeof(answer), ret) ||
		     ret->sectors > INT64_MAX / RNBD_SECTOR_SIZE))
		err = -EPROTO;
	return err;
}

int rtrsi_volume_open_device(struct rtrs_volume *volume)
{
	struct volume_session *session = volume->session;
	struct rtrs_rnbd_device device;
	uint64_t epoch;
	int err;

	pthread_mutex_lock(&session->lock);
	epoch = session->epoch;
	pthread_mutex_unlock(&session->lock);
	err = ask_for_device(volume, &device);
	pthread_mutex_lock(&session->lock);
	if (!err)
		err = keep_answer(volume, &device, epoch);
	volume->open_error = err;
	pthread_mutex_unlock(&session->lock);
	if (err == -ESTALE)
		rtrsi_volume_log(session, NULL, "the device is smaller, or has other blocks", err);
	return err;
}

/* With the lock. NULL: all were tried. */
static struct rtrs_volume *next_to_open(const struct volume_session *session)
{
	struct rtrs_volume *volume;

	DL_FOREACH (session->volumes, volume) {
		if (!volume->is_open && !volume->is_unmapped && volume->tried != session->epoch)
			return volume;
	}
	return NULL;
}

int rtrsi_volume_open_devices(struct volume_session *session)
{
	struct rtrs_volume *volume;
	bool is_one_open = false;
	int first_error = 0;

	pthread_mutex_lock(&session->lock);
	DL_FOREACH (session->volumes, volume)
		volume->tried = 0;
	while ((volume = next_to_open(session))) {
		volume->tried = session->epoch;
		session->opening = volume;
		pthread_mutex_unlock(&session->lock);
		int err = rtrsi_volume_open_device(volume);

		pthread_mutex_lock(&session->lock);
		session->opening = NULL;
		pthread_cond_broadcast(&session->changed);
		first_error = first_error ? first_error : err;
	}
	DL_FOREACH (session->volumes, volume)
		is_one_open = is_one_open || volume->is_open;
	pthread_mutex_unlock(&session->lock);
	return is_one_open ? 0 : first_error;
}

/* With the lock. */
static int wait_for_session(struct volume_session *session, int64_t until_ms)
{
	while (!session->is_up) {
		const int64_t left_ms = until_ms - hfi_now_ms();
		struct timespec until = hfi_clock_after_ms(left_ms > 0 ? left_ms : 0);

		if (session->is_off || left_ms <= 0)
			return -ENOTCONN;
		pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until);
	}
	return 0;
}

/* A path that is lost is an event of the session's thread, which may not have come yet. */
static void let_session_notice(struct volume_session *session)
{
	struct timespec until = hfi_clock_after_ms(LOOK_MS);

	pthread_mutex_lock(&session->lock);
	pthread_cond_clockwait(&session->changed, &session->lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&session->lock);
}

int rtrsi_volume_open_beside(struct rtrs_volume *volume)
{
	const int64_t until_ms = hfi_now_ms() + ANSWER_MS;
	struct volume_session *session = volume->session;
	int err;

	for (;;) {
		bool is_open;

		pthread_mutex_lock(&session->lock);
		err = wait_for_session(session, until_ms);
		/* The keeper may have opened it with the others. */
		is_open = volume->is_open;
		pthread_mutex_unlock(&session->lock);
		if (err || is_open)
			return err;
		err = rtrsi_volume_open_device(volume);
		if (!rtrsi_volume_says_lost(err) || hfi_now_ms() >= until_ms)
			return err;
		let_session_notice(session);
	}
}

void rtrsi_volume_close_device(struct rtrs_volume *volume)
{
	struct volume_session *session = volume->session;
	uint8_t message[RNBD_CLOSE_SIZE];
	bool is_open;

	pthread_mutex_lock(&session->lock);
	while (session->opening == volume)
		pthread_cond_wait(&session->changed, &session->lock);
	DL_DELETE(session->volumes, volume);
	is_open = session->is_up && volume->is_open;
	pthread_mutex_unlock(&session->lock);
	if (!is_open)
		return;
	rtrsi_rnbd_close_encode(volume->device.id, message);
	/* The end of the session closes it as well. */
	(void)rtrsi_volume_ask(session, message, sizeof(message), NULL, 0);
}

bool rtrsi_volume_has_closed(const struct volume_session *session)
{
	const struct rtrs_volume *volume;

	if (!session->is_up)
		return false;
	DL_FOREACH (session->volumes, volume) {
		if (volume->device.logical_block_size && !volume->is_open && !volume->is_unmapped)
			return true;
	}
	return false;
}
