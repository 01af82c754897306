/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices that are exports of an NBD server elsewhere. A thread of its own waits for that. */
#include <errno.h>
#include <libnbd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rtrs/export/backing.h"
#include "shared/clock.h"
#include "shared/thread.h"

enum {
	CONNECT_MS = 10000,
	REFUSE_MS = 1000, /* after a server that has said nothing */
	END_MS = 1000,
};

struct nbd_backing {
	struct rtrs_backing base;
	struct nbd_handle *nbd; /* the thread's */
	char *uri;
	uint32_t max_io;
	bool has_fua;
	int64_t refused_until_ms;
	/* The thread's: changes that were answered, and how many of them are flushed. */
	uint64_t changes, flushed;
	bool has_lost; /* changes that were not flushed, and no flush has said so */
	pthread_t thread;
	int wake;
	pthread_mutex_t lock;
	struct rtrs_task *first, **last; /* jobs that are not begun */
	bool is_ending;
};

static struct nbd_backing *nbd_of(struct rtrs_backing *backing)
{
	return hf_container_of(backing, struct nbd_backing, base);
}

static int nbd_error(void)
{
	const int error = nbd_get_errno();

	return error <= 0 ? -EIO : -error;
}

/* --- the connection ------------------------------------------------------------------------------ */

static int finish_connecting(struct nbd_handle *nbd)
{
	const int64_t until_ms = hfi_now_ms() + CONNECT_MS;

	while (nbd_aio_is_connecting(nbd) > 0) {
		const int64_t left_ms = until_ms - hfi_now_ms();

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (nbd_poll(nbd, (int)left_ms) < 0)
			return nbd_error();
	}
	return nbd_aio_is_ready(nbd) > 0 ? 0 : nbd_error();
}

static int connect_nbd(const struct nbd_backing *backing, struct nbd_handle **ret)
{
	struct nbd_handle *nbd = nbd_create();
	int err;

	if (!nbd)
		return nbd_error();
	err = nbd_aio_connect_uri(nbd, backing->uri) ? nbd_error() : finish_connecting(nbd);
	if (err)
		nbd_close(nbd);
	else
		*ret = nbd;
	return err;
}

/* Tells the server that the client leaves; no answer is needed. */
static void end_connection(struct nbd_handle *nbd)
{
	const int64_t until_ms = hfi_now_ms() + END_MS;

	if (nbd_aio_is_ready(nbd) <= 0 || nbd_aio_disconnect(nbd, 0))
		return;
	while (!nbd_aio_is_closed(nbd) && !nbd_aio_is_dead(nbd)) {
		const int64_t left_ms = until_ms - hfi_now_ms();

		if (left_ms <= 0 || nbd_poll(nbd, (int)left_ms) < 0)
			return;
	}
}

/* `unknown`: the server does not say. */
static uint64_t block_limit(struct nbd_handle *nbd, int which, uint64_t least, uint64_t most,
			    uint64_t unknown)
{
	int64_t size = nbd_get_block_size(nbd, which);

	if (size <= 0)
		return unknown;
	if (size < (int64_t)least)
		return least;
	return (uint64_t)size > most ? most : (uint64_t)size;
}

static int ask_nbd(struct nbd_handle *nbd, struct nbd_backing *backing)
{
	const int64_t size = nbd_get_size(nbd);
	const uint64_t least =
		block_limit(nbd, LIBNBD_SIZE_MINIMUM, RNBD_SECTOR_SIZE, 1 << 16, RNBD_SECTOR_SIZE);
	const uint64_t most =
		block_limit(nbd, LIBNBD_SIZE_MAXIMUM, least, backing->max_io, backing->max_io);

	if (size < 0)
		return nbd_error();
	if (least > 1 << 15)
		return -EINVAL;
	backing->has_fua = nbd_can_fua(nbd) > 0;
	backing->base.is_read_only |= nbd_is_read_only(nbd) > 0;
	backing->base.about = (struct rtrs_rnbd_device){
		.sectors = (uint64_t)size / RNBD_SECTOR_SIZE,
		.max_hw_sectors = (uint32_t)(most / RNBD_SECTOR_SIZE),
		.max_write_zeroes_sectors = nbd_can_zero(nbd) > 0 ? 1 << 16 : 0,
		.max_discard_sectors = nbd_can_trim(nbd) > 0 ? 1 << 16 : 0,
		.discard_granularity = (uint32_t)least,
		.physical_block_size = (uint16_t)least,
		.logical_block_size = (uint16_t)least,
		.max_segments = 128,
		.cache_policy = RNBD_CACHE_FUA |
				(nbd_can_flush(nbd) > 0 ? RNBD_CACHE_WRITEBACK : 0),
	};
	return 0;
}

/* The server was away. If the size is the same, take it for the same device. */
static int connect_nbd_again(struct nbd_backing *backing)
{
	struct nbd_handle *nbd = NULL;
	int err;

	if (!nbd_aio_is_dead(backing->nbd) && !nbd_aio_is_closed(backing->nbd))
		return 0;
	/* Otherwise each queued request would wait as long. */
	if (hfi_now_ms() < backing->refused_until_ms)
		return -ETIMEDOUT;
	err = connect_nbd(backing, &nbd);
	if (err == -ETIMEDOUT)
		backing->refused_until_ms = hfi_now_ms() + REFUSE_MS;
	if (err)
		return err;
	if ((uint64_t)nbd_get_size(nbd) / RNBD_SECTOR_SIZE != backing->base.about.sectors) {
		nbd_close(nbd);
		return -EIO;
	}
	nbd_close(backing->nbd);
	backing->nbd = nbd;
	/* The server may have been started anew. */
	if (backing->flushed < backing->changes)
		backing->has_lost = true;
	backing->flushed = backing->changes;
	return 0;
}

/* --- requests ------------------------------------------------------------------------------------ */

static void add_nbd_job(struct rtrs_block_job *job)
{
	struct nbd_backing *backing = nbd_of(job->backing);
	const uint64_t one = 1;

	job->task.next = NULL;
	pthread_mutex_lock(&backing->lock);
	*backing->last = &job->task;
	backing->last = &job->task.next;
	pthread_mutex_unlock(&backing->lock);
	while (write(backing->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static bool has_nbd_cache(const struct nbd_backing *backing)
{
	return backing->base.about.cache_policy & RNBD_CACHE_WRITEBACK;
}

static bool is_nbd_flush(const struct rtrs_block_job *job)
{
	return job->op == RNBD_OP_FLUSH || job->flags & RNBD_PREFLUSH;
}

static void count_nbd_job(struct nbd_backing *backing, const struct rtrs_block_job *job)
{
	if (!has_nbd_cache(backing))
		return;
	if (is_nbd_flush(job)) {
		if (backing->flushed < job->mark)
			backing->flushed = job->mark;
	} else if (job->op != RNBD_OP_READ && !(job->flags & RNBD_FUA && backing->has_fua)) {
		backing->changes++;
	}
}

/* Libnbd's own functions cannot be called here. */
static int nbd_job_done(void *user, int *error)
{
	struct rtrs_block_job *job = user;

	if (!*error)
		count_nbd_job(nbd_of(job->backing), job);
	if (*error)
		job->done(job, -*error);
	else if (job->op == RNBD_OP_FLUSH)
		job->done(job, 0);
	else if (job->flags & RNBD_PREFLUSH) {
		/* It was the flush before it. */
		job->flags &= ~(uint32_t)RNBD_PREFLUSH;
		add_nbd_job(job);
	} else if (job->flags & RNBD_FUA && !nbd_of(job->backing)->has_fua) {
		job->op = RNBD_OP_FLUSH;
		add_nbd_job(job);
	} else {
		job->done(job, 0);
	}
	return 1;
}

static int64_t begin_nbd_request(struct nbd_backing *backing, struct rtrs_block_job *job)
{
	const nbd_completion_callback done = {.callback = nbd_job_done, .user_data = job};
	const uint32_t fua = job->flags & RNBD_FUA && backing->has_fua ? LIBNBD_CMD_FLAG_FUA : 0;
	const uint32_t no_hole = job->flags & RNBD_NO_UNMAP ? LIBNBD_CMD_FLAG_NO_HOLE : 0;
	struct nbd_handle *nbd = backing->nbd;

	if (is_nbd_flush(job)) {
		job->mark = backing->changes;
		return nbd_aio_flush(nbd, done, 0);
	}
	switch (job->op) {
	case RNBD_OP_READ:
		return nbd_aio_pread(nbd, job->data, job->size, job->offset, done, 0);
	case RNBD_OP_WRITE:
		return nbd_aio_pwrite(nbd, job->data, job->size, job->offset, done, fua);
	case RNBD_OP_DISCARD:
		return nbd_aio_trim(nbd, job->size, job->offset, done, fua);
	case RNBD_OP_WRITE_ZEROES:
		return nbd_aio_zero(nbd, job->size, job->offset, done, fua | no_hole);
	default:
		return -EOPNOTSUPP;
	}
}

static bool is_nothing_to_do(const struct nbd_backing *backing, const struct rtrs_block_job *job)
{
	return job->op == RNBD_OP_FLUSH ? !has_nbd_cache(backing) : !job->size;
}

static void begin_nbd_job(struct nbd_backing *backing, struct rtrs_block_job *job)
{
	int64_t result = connect_nbd_again(backing);

	if (!has_nbd_cache(backing))
		job->flags &= ~(uint32_t)(RNBD_PREFLUSH | RNBD_FUA);
	if (!result && is_nothing_to_do(backing, job)) {
		job->done(job, 0);
		return;
	}
	if (!result && backing->has_lost && is_nbd_flush(job)) {
		backing->has_lost = false;
		result = -EIO;
	}
	if (!result)
		result = begin_nbd_request(backing, job);
	if (result >= 0)
		return;
	job->done(job, result == -1 ? nbd_error() : (int)result);
}

static struct rtrs_task *take_nbd_jobs(struct nbd_backing *backing, bool *is_ending)
{
	struct rtrs_task *first;

	pthread_mutex_lock(&backing->lock);
	first = backing->first;
	backing->first = NULL;
	backing->last = &backing->first;
	*is_ending = backing->is_ending;
	pthread_mutex_unlock(&backing->lock);
	return first;
}

static void wait_for_nbd(struct nbd_backing *backing)
{
	const unsigned int direction = nbd_aio_get_direction(backing->nbd);
	struct pollfd fds[] = {{.fd = backing->wake, .events = POLLIN},
			       {.fd = nbd_aio_get_fd(backing->nbd)}};
	uint64_t count;

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		fds[1].events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		fds[1].events |= POLLOUT;
	if (!fds[1].events)
		fds[1].fd = -1;
	if (poll(fds, 2, -1) <= 0)
		return;
	if (fds[0].revents && read(backing->wake, &count, sizeof(count)) < 0)
		return;
	/* A failure ends the connection, and all that is under way. */
	if (fds[1].revents & (POLLIN | POLLHUP | POLLERR) && direction & LIBNBD_AIO_DIRECTION_READ)
		(void)nbd_aio_notify_read(backing->nbd);
	else if (fds[1].revents)
		(void)nbd_aio_notify_write(backing->nbd);
}

static void *serve_nbd_jobs(void *arg)
{
	struct nbd_backing *backing = arg;
	bool is_ending = false;

	while (!is_ending) {
		struct rtrs_task *task = take_nbd_jobs(backing, &is_ending), *next;

		for (; task; task = next) {
			next = task->next;
			begin_nbd_job(backing, hf_container_of(task, struct rtrs_block_job, task));
		}
		if (!is_ending)
			wait_for_nbd(backing);
	}
	return NULL;
}

/* --- life ---------------------------------------------------------------------------------------- */

static void free_nbd(struct nbd_backing *backing)
{
	if (backing->nbd)
		nbd_close(backing->nbd);
	if (backing->wake >= 0)
		close(backing->wake);
	pthread_mutex_destroy(&backing->lock);
	free(backing->uri);
	free(backing);
}

static void close_nbd(struct rtrs_backing *base)
{
	struct nbd_backing *backing = nbd_of(base);
	const uint64_t one = 1;

	pthread_mutex_lock(&backing->lock);
	backing->is_ending = true;
	pthread_mutex_unlock(&backing->lock);
	while (write(backing->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(backing->thread, NULL);
	end_connection(backing->nbd);
	free_nbd(backing);
}

static const struct rtrs_backing_ops nbd_ops = {.start = add_nbd_job, .close = close_nbd};

int rtrsi_nbd_backing_new(const char *uri, bool is_read_only, uint32_t max_io, char **message,
			  struct rtrs_backing **ret)
{
	struct nbd_backing *backing = calloc(1, sizeof(*backing));
	int err = -ENOMEM;

	*message = NULL;
	if (!backing)
		return -ENOMEM;
	backing->base.ops = &nbd_ops;
	backing->base.is_read_only = is_read_only;
	backing->max_io = max_io;
	backing->last = &backing->first;
	pthread_mutex_init(&backing->lock, NULL);
	backing->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	backing->uri = strdup(uri);
	if (backing->wake < 0)
		err = -errno;
	else if (backing->uri)
		err = connect_nbd(backing, &backing->nbd);
	if (err && nbd_get_error())
		*message = strdup(nbd_get_error());
	if (!err)
		err = ask_nbd(backing->nbd, backing);
	if (!err)
		err = hfi_thread_start(&backing->thread, serve_nbd_jobs, backing);
	if (err) {
		free_nbd(backing);
		return err;
	}
	*ret = &backing->base;
	return 0;
}
