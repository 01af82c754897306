/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Permits, and the requests that are made with them. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rtrs/lib/client_internal.h"
#include "shared/clock.h"

enum { NS_PER_MS = 1000000 };

void rtrsi_permit_list_add(struct rtrs_permit_list *list, struct rtrs_permit *permit)
{
	permit->next = NULL;
	*list->last = permit;
	list->last = &permit->next;
}

struct rtrs_permit *rtrsi_permit_list_take(struct rtrs_permit_list *list)
{
	struct rtrs_permit *permit = list->first;

	if (!permit)
		return NULL;
	list->first = permit->next;
	if (!list->first)
		list->last = &list->first;
	return permit;
}

/* Use the one that was used last: its memory is in the caches. */
static void give_permit(struct rtrs_session *session, struct rtrs_permit *permit)
{
	permit->state = PERMIT_FREE;
	permit->next = session->free.first;
	if (!session->free.first)
		session->free.last = &permit->next;
	session->free.first = permit;
}

int rtrsi_session_make_permits(struct rtrs_session *session, const struct rtrs_geometry *geometry)
{
	uint32_t count = geometry->depth;

	if (session->permit_count)
		return 0;
	if (count > session->permits_wanted)
		count = session->permits_wanted;
	session->max_io = geometry->max_io;
	if (session->max_io_wanted && session->max_io > session->max_io_wanted)
		session->max_io = session->max_io_wanted;
	session->max_header = geometry->max_header - RTRS_REQUEST_MAX;
	/* A message has 16 bits for it. */
	if (session->max_header > UINT16_MAX)
		session->max_header = UINT16_MAX;
	session->data_size = session->max_io;
	session->permit_size = geometry->max_header + session->data_size;
	session->permits = calloc(count, sizeof(*session->permits));
	if (!session->permits)
		return -ENOMEM;
	/* Pages that no request needs are not used. */
	session->memory = mmap(NULL, count * session->permit_size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (session->memory == MAP_FAILED) {
		free(session->permits);
		session->permits = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = count; i-- > 0;) {
		session->permits[i].session = session;
		session->permits[i].memory = session->memory + i * session->permit_size;
		give_permit(session, &session->permits[i]);
	}
	session->permit_count = count;
	return 0;
}

void rtrsi_session_free_permits(struct rtrs_session *session)
{
	if (!session->permit_count)
		return;
	munmap(session->memory, session->permit_count * session->permit_size);
	free(session->permits);
}

HF_EXPORT int rtrs_permit_get(struct rtrs_session *session, struct rtrs_permit **ret)
{
	struct rtrs_permit *permit = NULL;
	int err = -EAGAIN;

	pthread_mutex_lock(&session->lock);
	if (!session->engine.has_connected)
		err = -ENOTCONN;
	else
		permit = rtrsi_permit_list_take(&session->free);
	if (permit) {
		permit->state = PERMIT_HELD;
		*ret = permit;
		err = 0;
	}
	pthread_mutex_unlock(&session->lock);
	return err;
}

HF_EXPORT void rtrs_permit_put(struct rtrs_permit *permit)
{
	struct rtrs_session *session = permit->session;

	pthread_mutex_lock(&session->lock);
	if (permit->state == PERMIT_HELD)
		give_permit(session, permit);
	pthread_mutex_unlock(&session->lock);
}

/* --- requests ------------------------------------------------------------------------------------ */

static uint8_t *permit_data(const struct rtrs_permit *permit)
{
	return permit->memory + permit->session->permit_size - permit->session->data_size;
}

static void gather_data(struct rtrs_permit *permit)
{
	uint8_t *to = permit_data(permit);

	for (unsigned int i = 0; i < permit->data_count; i++) {
		if (permit->data[i].iov_len)
			memcpy(to, permit->data[i].iov_base, permit->data[i].iov_len);
		to += permit->data[i].iov_len;
	}
}

static void scatter_data(const struct rtrs_permit *permit)
{
	const uint8_t *from = permit_data(permit);

	for (unsigned int i = 0; i < permit->data_count; i++) {
		if (permit->data[i].iov_len)
			memcpy(permit->data[i].iov_base, from, permit->data[i].iov_len);
		from += permit->data[i].iov_len;
	}
}

/* The length of the data; -EMSGSIZE. */
static int64_t data_length_of(const struct rtrs_session *session,
			      const struct rtrs_transfer *transfer)
{
	uint64_t length = 0;

	for (unsigned int i = 0; i < transfer->data_count; i++) {
		if (transfer->data[i].iov_len > session->max_io)
			return -EMSGSIZE;
		length += transfer->data[i].iov_len;
		if (length > session->max_io)
			return -EMSGSIZE;
	}
	return (int64_t)length;
}

static int fill_permit(struct rtrs_permit *permit, const struct rtrs_transfer *transfer,
		       bool is_read)
{
	struct rtrs_session *session = permit->session;
	int64_t length = data_length_of(session, transfer);

	if (permit->state != PERMIT_HELD)
		return -EINVAL;
	if (length < 0 || transfer->header_length > session->max_header)
		return -EMSGSIZE;
	permit->is_read = is_read;
	permit->is_overdue = false;
	permit->header_length = (uint16_t)transfer->header_length;
	permit->data_length = (uint32_t)length;
	permit->data = transfer->data;
	permit->data_count = transfer->data_count;
	permit->done = transfer->done;
	permit->user = transfer->user;
	permit->deadline_ns = INT64_MAX;
	if (transfer->header_length)
		memcpy(permit->memory, transfer->header, transfer->header_length);
	if (!is_read)
		gather_data(permit);
	return 0;
}

static void set_deadline(struct rtrs_permit *permit, uint32_t deadline_ms)
{
	struct rtrs_session *session = permit->session;

	if (!deadline_ms)
		return;
	permit->deadline_ns = hfi_now_ns() + (int64_t)deadline_ms * NS_PER_MS;
	if (permit->deadline_ns >= session->deadline_ns)
		return;
	session->deadline_ns = permit->deadline_ns;
	if (session->deadline_ns < session->wait.armed_ns)
		rtrsi_wait_until(&session->wait, session->deadline_ns);
}

static int transfer_data(struct rtrs_permit *permit, const struct rtrs_transfer *transfer,
			 bool is_read)
{
	struct rtrs_session *session = permit->session;
	int err;

	if (transfer->size != sizeof(*transfer) || (transfer->header_length && !transfer->header) ||
	    (transfer->data_count && !transfer->data))
		return -EINVAL;
	pthread_mutex_lock(&session->lock);
	err = fill_permit(permit, transfer, is_read);
	if (!err)
		err = rtrsi_client_submit(&session->engine, &permit->request);
	if (!err) {
		permit->state = PERMIT_BUSY;
		set_deadline(permit, transfer->deadline_ms);
		rtrsi_session_carry_out(session);
		if (session->done.first)
			rtrsi_wait_wake(&session->wait);
	}
	pthread_mutex_unlock(&session->lock);
	return err;
}

HF_EXPORT int rtrs_read(struct rtrs_permit *permit, const struct rtrs_transfer *transfer)
{
	return transfer_data(permit, transfer, true);
}

HF_EXPORT int rtrs_write(struct rtrs_permit *permit, const struct rtrs_transfer *transfer)
{
	return transfer_data(permit, transfer, false);
}

/*
 * The user does not wait any more, but the server may still execute it: keep the permit until the
 * engine ends the request.
 */
static void end_overdue(struct rtrs_session *session, struct rtrs_permit *permit)
{
	permit->is_overdue = true;
	permit->is_listed = true;
	permit->deadline_ns = INT64_MAX;
	permit->error = -ETIMEDOUT;
	rtrsi_permit_list_add(&session->done, permit);
}

/* That it ended on another processor than the one that sent it. */
static void count_move(const struct rtrs_session *session, const struct rtrs_permit *permit)
{
	int processor = sched_getcpu();

	if (processor != permit->processor && session->paths[permit->path])
		rtrsi_moved_count(&session->paths[permit->path]->moved, permit->processor,
				  processor);
}

void rtrsi_session_done(struct rtrs_session *session, struct rtrs_permit *permit, int error)
{
	if (error != -ECONNABORTED)
		count_move(session, permit);
	rtrsi_session_do_not_send(permit);
	permit->state = PERMIT_DONE;
	if (permit->is_overdue) {
		if (!permit->is_listed)
			give_permit(session, permit);
		return;
	}
	if (permit->is_read && !error)
		scatter_data(permit);
	permit->error = error;
	permit->is_listed = true;
	rtrsi_permit_list_add(&session->done, permit);
}

struct rtrs_outcome rtrsi_session_outcome(struct rtrs_session *session, struct rtrs_permit *permit)
{
	const struct rtrs_outcome outcome = {permit->error, permit->done, permit->user};

	permit->is_listed = false;
	if (permit->state == PERMIT_DONE)
		give_permit(session, permit);
	return outcome;
}

void rtrsi_session_expire(struct rtrs_session *session, int64_t now_ns)
{
	int64_t next = INT64_MAX;

	if (now_ns < session->deadline_ns)
		return;
	for (uint32_t i = 0; i < session->permit_count; i++) {
		struct rtrs_permit *permit = &session->permits[i];

		if (permit->state != PERMIT_BUSY)
			continue;
		if (permit->deadline_ns <= now_ns)
			end_overdue(session, permit);
		else if (permit->deadline_ns < next)
			next = permit->deadline_ns;
	}
	session->deadline_ns = next;
}
