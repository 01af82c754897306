/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests of a volume: begun, kept while there is no server, ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "rtrs/blocks/volume_internal.h"

static bool has_data(enum rtrs_rnbd_op op)
{
	return op == RNBD_OP_READ || op == RNBD_OP_WRITE;
}

bool rtrsi_volume_says_lost(int error)
{
	return error == -ECONNABORTED || error == -ENOTCONN || error == -ESHUTDOWN;
}

static void wait_in_line(struct rtrs_volume *volume, struct rtrs_volume_request *request)
{
	request->next = NULL;
	*volume->last_waiting = request;
	volume->last_waiting = &request->next;
}

static struct rtrs_volume_request *first_in_line(struct rtrs_volume *volume)
{
	struct rtrs_volume_request *request = volume->waiting;

	volume->waiting = request->next;
	if (!volume->waiting)
		volume->last_waiting = &volume->waiting;
	return request;
}

struct rtrs_volume_request *rtrsi_volume_take_waiting(struct rtrs_volume *volume)
{
	struct rtrs_volume_request *first = volume->waiting;

	volume->waiting = NULL;
	volume->last_waiting = &volume->waiting;
	return first;
}

void rtrsi_volume_lose_session(struct volume_session *session)
{
	session->is_up = session->is_doubtful = false;
	session->is_lost = true;
	pthread_cond_broadcast(&session->changed);
}

/* Where no path could carry a request the session says next whether it is lost, or was disconnected by hand. */
static void lose_or_doubt(struct volume_session *session, int error)
{
	if (session->is_off)
		return;
	if (error != -ECONNABORTED) {
		rtrsi_volume_lose_session(session);
		return;
	}
	session->is_doubtful = true;
	pthread_cond_broadcast(&session->changed);
}

static void volume_request_done(int error, void *user)
{
	struct rtrs_volume_request *request = user, *failed = NULL;
	struct rtrs_volume *volume = request->volume;
	struct volume_session *session = volume->session;
	bool is_kept = false;

	pthread_mutex_lock(&session->lock);
	if (rtrsi_volume_says_lost(error) && !volume->has_given_up) {
		wait_in_line(volume, request);
		lose_or_doubt(session, error);
		is_kept = true;
	} else {
		failed = rtrsi_volume_begin_waiting(session);
	}
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_end_all(failed, -EIO);
	if (!is_kept)
		request->done(request, error);
}

/* With a permit, and the lock. */
static int begin_volume_request(struct rtrs_volume *volume, struct rtrs_permit *permit,
				struct rtrs_volume_request *request)
{
	const struct rtrs_rnbd_io io = {.device = volume->device.id,
					.sector = request->offset / RNBD_SECTOR_SIZE,
					.op = request->op,
					.flags = request->flags,
					.size = request->length};
	uint8_t header[RNBD_IO_SIZE];
	const struct rtrs_transfer transfer = {.size = sizeof(transfer),
					       .header = header,
					       .header_length = sizeof(header),
					       .data = &request->part,
					       .data_count = has_data(request->op),
					       .done = volume_request_done,
					       .user = request};

	rtrsi_rnbd_io_encode(&io, header);
	request->part = (struct iovec){request->data, request->length};
	if (request->op == RNBD_OP_READ || request->op == RNBD_OP_FLUSH)
		return rtrs_read(permit, &transfer);
	return rtrs_write(permit, &transfer);
}

/* The volumes take turns: one that always has requests does not keep the permits from the others. */
static struct rtrs_volume *next_that_waits(struct volume_session *session)
{
	struct rtrs_volume *volume = session->volumes;

	while (volume && !(volume->waiting && volume->is_open))
		volume = volume->next;
	if (volume && volume->next) {
		DL_DELETE(session->volumes, volume);
		DL_APPEND(session->volumes, volume);
	}
	return volume;
}

struct rtrs_volume_request *rtrsi_volume_begin_waiting(struct volume_session *session)
{
	struct rtrs_volume_request *failed = NULL;
	struct rtrs_volume *volume;

	while (session->is_up && (volume = next_that_waits(session))) {
		struct rtrs_volume_request *request = volume->waiting;
		struct rtrs_permit *permit;
		int err = rtrs_permit_get(session->rtrs, &permit);

		/* All permits are in use: the end of a request continues this. */
		if (err == -EAGAIN)
			break;
		if (!err) {
			/* Before it is begun: it may end before this returns. */
			(void)first_in_line(volume);
			err = begin_volume_request(volume, permit, request);
			if (!err)
				continue;
			rtrs_permit_put(permit);
			if (!rtrsi_volume_says_lost(err)) {
				request->next = failed;
				failed = request;
				continue;
			}
			wait_in_line(volume, request);
		}
		lose_or_doubt(session, err);
		break;
	}
	return failed;
}

void rtrsi_volume_end_all(struct rtrs_volume_request *first, int error)
{
	while (first) {
		struct rtrs_volume_request *next = first->next;

		first->done(first, error);
		first = next;
	}
}

static uint32_t largest_of(const struct rtrs_volume *volume, enum rtrs_rnbd_op op)
{
	const struct rtrs_rnbd_device *device = &volume->device;
	uint64_t bytes = UINT32_MAX;

	if (has_data(op))
		bytes = volume->max_io;
	else if (op == RNBD_OP_DISCARD)
		bytes = (uint64_t)device->max_discard_sectors * RNBD_SECTOR_SIZE;
	else if (op == RNBD_OP_WRITE_ZEROES)
		bytes = (uint64_t)device->max_write_zeroes_sectors * RNBD_SECTOR_SIZE;
	if (bytes > UINT32_MAX)
		bytes = UINT32_MAX;
	return (uint32_t)(bytes - bytes % device->logical_block_size);
}

static int check_volume_request(const struct rtrs_volume *volume,
				const struct rtrs_volume_request *request)
{
	const uint32_t block = volume->device.logical_block_size;
	const uint64_t size = volume->device.sectors * RNBD_SECTOR_SIZE;

	if (volume->has_given_up)
		return -ETIMEDOUT;
	if (request->op == RNBD_OP_FLUSH)
		return 0;
	if (request->offset % block || request->length % block)
		return -EINVAL;
	if (request->offset > size || request->length > size - request->offset)
		return request->op == RNBD_OP_READ ? -EINVAL : -ENOSPC;
	if (request->length > largest_of(volume, request->op))
		return largest_of(volume, request->op) ? -EMSGSIZE : -EOPNOTSUPP;
	return 0;
}

void rtrsi_volume_submit(struct rtrs_volume *volume, struct rtrs_volume_request *request)
{
	struct volume_session *session = volume->session;
	struct rtrs_volume_request *failed = NULL;
	int err;

	request->volume = volume;
	pthread_mutex_lock(&session->lock);
	err = check_volume_request(volume, request);
	if (!err) {
		wait_in_line(volume, request);
		failed = rtrsi_volume_begin_waiting(session);
	}
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_end_all(failed, -EIO);
	if (err)
		request->done(request, err);
}

/* --- whole ranges -------------------------------------------------------------------------------- */

struct volume_range;

struct range_part {
	struct rtrs_volume_request request;
	struct volume_range *range;
};

struct volume_range {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned int left;
	int error;
};

static void range_part_done(struct rtrs_volume_request *request, int error)
{
	struct volume_range *range = hf_container_of(request, struct range_part, request)->range;

	pthread_mutex_lock(&range->lock);
	if (error && !range->error)
		range->error = error;
	if (!--range->left)
		pthread_cond_signal(&range->ended);
	/* The range is gone when its waiter has the lock. */
	pthread_mutex_unlock(&range->lock);
}

static void fill_range_part(struct range_part *part, const struct rtrs_volume_request *whole,
			    struct volume_range *range, uint64_t done, uint32_t most)
{
	uint64_t left = whole->length - done;

	*part = (struct range_part){.request = *whole, .range = range};
	part->request.offset += done;
	part->request.length = left < most ? (uint32_t)left : most;
	if (whole->data)
		part->request.data = (uint8_t *)whole->data + done;
	part->request.done = range_part_done;
}

static int do_range_parts(struct rtrs_volume *volume, const struct rtrs_volume_request *whole,
			  struct range_part *parts, uint32_t count, uint32_t most)
{
	struct volume_range range = {.left = count};

	pthread_mutex_init(&range.lock, NULL);
	pthread_cond_init(&range.ended, NULL);
	for (uint32_t i = 0; i < count; i++) {
		fill_range_part(&parts[i], whole, &range, (uint64_t)i * most, most);
		rtrsi_volume_submit(volume, &parts[i].request);
	}
	pthread_mutex_lock(&range.lock);
	while (range.left)
		pthread_cond_wait(&range.ended, &range.lock);
	pthread_mutex_unlock(&range.lock);
	pthread_cond_destroy(&range.ended);
	pthread_mutex_destroy(&range.lock);
	return range.error;
}

/* For a server that cannot write zeroes by itself. */
static int send_zeroes(struct rtrs_volume *volume, const struct rtrs_volume_request *range,
		       uint32_t most)
{
	struct rtrs_volume_request part = *range;
	uint64_t end = range->offset + range->length;
	int err = 0;

	if (!most)
		return -EINVAL;
	part.op = RNBD_OP_WRITE;
	part.flags &= RNBD_FUA;
	part.data = calloc(1, most);
	if (!part.data)
		return -ENOMEM;
	while (!err && part.offset < end) {
		part.length = end - part.offset < most ? (uint32_t)(end - part.offset) : most;
		err = rtrsi_volume_do(volume, &part);
		part.offset += part.length;
	}
	free(part.data);
	return err;
}

/* Newer kernels refuse FUA for a request without data. */
static int do_and_flush(struct rtrs_volume *volume, const struct rtrs_volume_request *range)
{
	const struct rtrs_volume_request flush = {.op = RNBD_OP_FLUSH};
	struct rtrs_volume_request plain = *range;
	int err;

	plain.flags &= ~(uint32_t)RNBD_FUA;
	err = rtrsi_volume_do(volume, &plain);
	return err ? err : rtrsi_volume_do(volume, &flush);
}

int rtrsi_volume_do(struct rtrs_volume *volume, const struct rtrs_volume_request *range)
{
	struct range_part one, *parts = &one;
	uint32_t most, most_data, count;
	int err;

	if (range->flags & RNBD_FUA &&
	    (range->op == RNBD_OP_DISCARD || range->op == RNBD_OP_WRITE_ZEROES))
		return do_and_flush(volume, range);
	pthread_mutex_lock(&volume->session->lock);
	most = largest_of(volume, range->op);
	most_data = largest_of(volume, RNBD_OP_WRITE);
	pthread_mutex_unlock(&volume->session->lock);
	if (!most && range->op == RNBD_OP_WRITE_ZEROES)
		return send_zeroes(volume, range, most_data);
	if (!most)
		return -EOPNOTSUPP;
	count = range->length / most + (range->length % most || !range->length);
	if (count > 1)
		parts = calloc(count, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	err = do_range_parts(volume, range, parts, count, most);
	if (parts != &one)
		free(parts);
	return err;
}
