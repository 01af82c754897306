/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A service of blocks. Messages are looked at where they come, in the thread of librtrs, which never waits for a
 * disk: what is in memory is answered at once, all else by other threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/export/directory.h"
#include "rtrs/export/service_internal.h"
#include "shared/text.h"

enum { LOG_SIZE = 1024 };

/* Of the options that stand for devices: NULL unless it is memory. */
struct export_named {
	const struct rtrs_export_named *option;
	struct rtrs_backing *memory;
};

/* A job that is being carried out. */
struct export_io {
	struct rtrs_block_job block;
	struct rtrs_export_service *service;
	struct rtrs_job *job;
	struct rtrs_rnbd_job rnbd;
};

/* A message that needs a device opened. */
struct export_opening {
	struct rtrs_task task;
	struct rtrs_export_service *service;
	struct rtrs_job *job;
	size_t header_size;
	uint8_t header[RNBD_OPEN_SIZE];
};

/* A job that came when the service was about to end. */
struct export_held {
	struct export_held *next;
	struct rtrs_job *job;
};

static void log_export(const struct rtrs_export_service *service, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void log_export(const struct rtrs_export_service *service, const char *format, ...)
{
	char text[LOG_SIZE];
	va_list arguments;

	if (!service->options.log)
		return;
	va_start(arguments, format);
	/* A message that is cut off still says enough. */
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	service->options.log(service->options.user, text);
}

/* --- devices ------------------------------------------------------------------------------------- */

static struct export_named *named_device(const struct rtrs_export_service *service,
					 const char *path)
{
	for (unsigned int i = 0; i < service->options.named_count; i++) {
		if (!strcmp(service->named[i].option->name, path))
			return &service->named[i];
	}
	return NULL;
}

static bool can_only_be_read(int error, enum rtrs_rnbd_access access)
{
	/* A block device that is mounted, or that another program has for itself, can be read all the same. */
	return error == -EACCES || error == -EROFS || error == -EPERM ||
	       (error == -EBUSY && access == RNBD_READ_ONLY);
}

static int open_file_backing(const struct rtrs_export_service *service, const char *path,
			     enum rtrs_rnbd_access access, struct rtrs_backing **ret)
{
	bool is_read_only = service->options.is_read_only;
	int fd = -EACCES, err;

	if (service->directory < 0)
		return -ENOENT;
	if (!is_read_only)
		fd = rtrsi_directory_open(service->directory, path, O_RDWR);
	if (can_only_be_read(fd, access)) {
		is_read_only = true;
		fd = rtrsi_directory_open(service->directory, path, O_RDONLY);
	}
	if (fd < 0)
		return fd;
	err = rtrsi_file_backing_new(fd, is_read_only, service->options.max_io, ret);
	if (err)
		close(fd);
	return err;
}

/* May wait. */
static int open_backing(const struct rtrs_export_service *service, const char *path,
			enum rtrs_rnbd_access access, struct rtrs_backing **ret)
{
	const struct export_named *named = named_device(service, path);
	char *message;
	int err;

	if (!named)
		return open_file_backing(service, path, access, ret);
	err = rtrsi_nbd_backing_new(named->option->uri, service->options.is_read_only,
				    service->options.max_io, &message, ret);
	if (err)
		log_export(service, "%s: %s", path, message ? message : strerrordesc_np(-err));
	free(message);
	return err;
}

/* A device whose opening may wait was opened before, by another thread. */
static int open_exported(void *user, const char *path, struct rtrs_rnbd_export *ret)
{
	struct rtrs_export_service *service = user;
	const struct export_named *named = named_device(service, path);
	struct rtrs_backing *backing = named ? named->memory : NULL;

	if (!backing) {
		backing = service->ready;
		service->ready = NULL;
	}
	if (!backing)
		return -EINPROGRESS;
	ret->user = backing;
	ret->about = backing->about;
	ret->is_read_only = backing->is_read_only;
	return 0;
}

static void close_in_thread(struct rtrs_task *task)
{
	struct rtrs_backing *backing = hf_container_of(task, struct rtrs_backing, task);

	backing->ops->close(backing);
}

static void close_exported(void *user, struct rtrs_rnbd_export *exported)
{
	struct rtrs_export_service *service = user;
	struct rtrs_backing *backing = exported->user;

	if (!backing->ops->close)
		return;
	backing->task.run = close_in_thread;
	rtrsi_pool_add(service->pool, &backing->task);
}

static void measure_exported(void *user, struct rtrs_rnbd_export *exported)
{
	struct rtrs_backing *backing = exported->user;

	(void)user;
	if (!backing->ops->measure)
		return;
	backing->ops->measure(backing);
	exported->about.sectors = backing->about.sectors;
}

void rtrsi_export_measure(struct rtrs_export_service *service)
{
	pthread_mutex_lock(&service->lock);
	for (struct rtrs_rnbd_export *one = service->rnbd.exports; one; one = one->next)
		measure_exported(service, one);
	pthread_mutex_unlock(&service->lock);
}

/* --- jobs ---------------------------------------------------------------------------------------- */

/* With the lock. */
static void one_runs_less(struct rtrs_export_service *service)
{
	if (!--service->running && service->state != EXPORT_SERVES)
		pthread_cond_broadcast(&service->idle);
}

/* An error of the disk must not be one that a client takes for the end of its session. */
static int error_of_disk(int error)
{
	return error == -ENOTCONN || error == -ECONNABORTED || error == -ESHUTDOWN ? -EIO : error;
}

static void end_export_job(struct export_io *io, int error)
{
	struct rtrs_export_service *service = io->service;

	rtrs_job_answer(io->job, error_of_disk(error));
	pthread_mutex_lock(&service->lock);
	rtrsi_rnbd_io_done(&service->rnbd, &io->rnbd);
	one_runs_less(service);
	pthread_mutex_unlock(&service->lock);
}

static void end_export_io(struct rtrs_block_job *block, int error)
{
	struct export_io *io = hf_container_of(block, struct export_io, block);

	end_export_job(io, error);
	free(io);
}

static void carry_out_in_thread(struct rtrs_task *task)
{
	struct rtrs_block_job *block = hf_container_of(task, struct rtrs_block_job, task);

	end_export_io(block, block->backing->ops->carry_out(block));
}

static void begin_io(const struct export_io *io)
{
	const struct rtrs_backing_ops *ops = io->block.backing->ops;
	struct export_io *later = malloc(sizeof(*later));

	if (!later) {
		struct export_io ended = *io;

		end_export_job(&ended, -ENOMEM);
		return;
	}
	*later = *io;
	later->block.done = end_export_io;
	later->block.task.run = carry_out_in_thread;
	if (ops->start)
		ops->start(&later->block);
	else
		rtrsi_pool_add(io->service->pool, &later->block.task);
}

static void start_export_io(struct rtrs_export_service *service, struct rtrs_job *job,
			    const struct rtrs_rnbd_job *rnbd)
{
	size_t size;
	struct export_io io = {.service = service,
			       .job = job,
			       .rnbd = *rnbd,
			       .block = {.backing = rnbd->exported->user,
					 .op = rnbd->io.op,
					 .flags = rnbd->io.flags,
					 .offset = rnbd->io.sector * RNBD_SECTOR_SIZE,
					 .size = rnbd->io.size,
					 .data = rtrs_job_data(job, &size)}};
	const struct rtrs_backing_ops *ops = io.block.backing->ops;
	int result = ops->try_now ? ops->try_now(&io.block) : 0;

	if (!result)
		begin_io(&io);
	else
		end_export_job(&io, result > 0 ? 0 : result);
}

/* With the lock. The header is our own copy: the client could change the other one meanwhile. */
static struct rtrs_rnbd_job serve_message(struct rtrs_export_service *service, struct rtrs_job *job,
					  const uint8_t *header, size_t header_size)
{
	const uint64_t number = rtrs_job_session(job);
	struct export_session *session;
	struct rtrs_rnbd_request request = {
		.header = header, .header_size = header_size, .is_read = rtrs_job_is_read(job)};
	size_t size;

	HASH_FIND(hh, service->sessions, &number, sizeof(number), session);
	/* There was no memory to pass it on. */
	if (!session)
		return (struct rtrs_rnbd_job){.is_answered = true, .error = -ENOMEM};
	request.data = rtrs_job_data(job, &size);
	request.data_size = (uint32_t)size;
	return rtrsi_rnbd_serve(&service->rnbd, &session->rnbd, &request);
}

/* --- opening ------------------------------------------------------------------------------------- */

static int open_and_serve(struct rtrs_export_service *service, const struct export_opening *opening,
			  const char *path, enum rtrs_rnbd_access access)
{
	struct rtrs_backing *backing;
	struct rtrs_rnbd_job answer;
	int err = open_backing(service, path, access, &backing);

	if (err)
		return err;
	pthread_mutex_lock(&service->lock);
	service->ready = backing;
	answer = serve_message(service, opening->job, opening->header, opening->header_size);
	backing = service->ready;
	service->ready = NULL;
	pthread_mutex_unlock(&service->lock);
	/* Another one was faster, or it was refused. */
	if (backing)
		backing->ops->close(backing);
	return answer.error;
}

static void open_in_thread(struct rtrs_task *task)
{
	struct export_opening *opening = hf_container_of(task, struct export_opening, task);
	struct rtrs_export_service *service = opening->service;
	struct rtrs_rnbd_open open;
	int err = rtrsi_rnbd_open_decode(opening->header, opening->header_size, &open);

	if (!err)
		err = rtrsi_rnbd_spell_path(open.path);
	if (!err) {
		err = open_and_serve(service, opening, open.path, open.access);
		log_export(service, "%s: %s", open.path, err ? strerrordesc_np(-err) : "opened");
	}
	rtrs_job_answer(opening->job, err);
	free(opening);
	pthread_mutex_lock(&service->lock);
	one_runs_less(service);
	pthread_mutex_unlock(&service->lock);
}

static int begin_opening(struct rtrs_export_service *service, struct rtrs_job *job,
			 const uint8_t *header, size_t header_size)
{
	struct export_opening *opening = malloc(sizeof(*opening));

	if (!opening)
		return -ENOMEM;
	*opening = (struct export_opening){.task.run = open_in_thread,
					   .service = service,
					   .job = job,
					   .header_size = header_size};
	memcpy(opening->header, header, header_size);
	rtrsi_pool_add(service->pool, &opening->task);
	return 0;
}

/* --- what librtrs calls -------------------------------------------------------------------------- */

/* With the lock. Says whether the job is to be carried out. */
static bool hold_export_job(struct rtrs_export_service *service, struct rtrs_job *job)
{
	struct export_held *held;

	if (service->state == EXPORT_SERVES)
		return true;
	held = service->state == EXPORT_HOLDS ? malloc(sizeof(*held)) : NULL;
	if (held) {
		*held = (struct export_held){.next = service->held, .job = job};
		service->held = held;
	} else {
		rtrs_job_answer(job, -ESHUTDOWN);
	}
	return false;
}

static void export_job_came(struct rtrs_job *job, void *user)
{
	struct rtrs_export_service *service = user;
	uint8_t header[RNBD_OPEN_SIZE];
	struct rtrs_rnbd_job answer;
	size_t size;
	const void *sent = rtrs_job_header(job, &size);

	if (size > sizeof(header))
		size = sizeof(header);
	memcpy(header, sent, size);
	pthread_mutex_lock(&service->lock);
	if (!hold_export_job(service, job)) {
		pthread_mutex_unlock(&service->lock);
		return;
	}
	answer = serve_message(service, job, header, size);
	if (answer.is_answered && answer.error == -EINPROGRESS)
		answer.error = begin_opening(service, job, header, size) ?: -EINPROGRESS;
	service->running += !answer.is_answered || answer.error == -EINPROGRESS;
	pthread_mutex_unlock(&service->lock);
	if (!answer.is_answered)
		start_export_io(service, job, &answer);
	else if (answer.error != -EINPROGRESS)
		rtrs_job_answer(job, answer.error);
}

static void begin_export_session(struct rtrs_export_service *service,
				 const struct rtrs_service_event *event)
{
	struct export_session *session = calloc(1, sizeof(*session));

	if (!session)
		return;
	session->number = event->session;
	session->service = service;
	(void)hfi_copy(session->name, sizeof(session->name), event->name);
	pthread_mutex_lock(&service->lock);
	HASH_ADD(hh, service->sessions, number, sizeof(session->number), session);
	pthread_mutex_unlock(&service->lock);
}

static void end_export_session(struct rtrs_export_service *service, uint64_t number)
{
	struct export_session *session;

	pthread_mutex_lock(&service->lock);
	HASH_FIND(hh, service->sessions, &number, sizeof(number), session);
	if (session) {
		HASH_DEL(service->sessions, session);
		rtrsi_rnbd_session_ends(&service->rnbd, &session->rnbd);
		free(session);
	}
	pthread_mutex_unlock(&service->lock);
}

static void export_event_came(struct rtrs_service *service, const struct rtrs_service_event *event,
			      void *user)
{
	struct rtrs_export_service *exports = user;

	(void)service;
	switch (event->type) {
	case RTRS_SERVICE_SESSION_UP:
		begin_export_session(exports, event);
		log_export(exports, "session %s is up", event->name);
		break;
	case RTRS_SERVICE_SESSION_DOWN:
		end_export_session(exports, event->session);
		log_export(exports, "session %s is down", event->name);
		break;
	case RTRS_SERVICE_PATH_UP:
		log_export(exports, "session %s: path of %s is up", event->name,
			   *event->address ? event->address : "a local client");
		break;
	case RTRS_SERVICE_PATH_DOWN:
		log_export(exports, "session %s: path of %s is down: %s", event->name,
			   *event->address ? event->address : "a local client", event->reason);
		break;
	}
}

static int admit_session(const char *name, void *user)
{
	const struct rtrs_export_service *service = user;

	(void)name;
	return service->is_closed ? -ESHUTDOWN : 0;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int make_named(struct rtrs_export_service *service,
		      const struct rtrs_export_options *options)
{
	service->named = calloc(options->named_count + 1, sizeof(*service->named));
	if (!service->named)
		return -ENOMEM;
	for (unsigned int i = 0; i < options->named_count; i++) {
		const struct rtrs_export_named *option = &options->named[i];
		int err;

		service->named[i].option = option;
		if (option->uri)
			continue;
		err = rtrsi_memory_backing_new(option->size, options->max_io,
					       &service->named[i].memory);
		if (err)
			return err;
		service->named[i].memory->is_read_only = options->is_read_only;
	}
	return 0;
}

static void free_named(struct rtrs_export_service *service)
{
	for (unsigned int i = 0; service->named && i < service->options.named_count; i++) {
		if (service->named[i].memory)
			rtrsi_memory_backing_free(service->named[i].memory);
	}
	free(service->named);
}

static int open_parts(struct rtrs_export_service *service,
		      const struct rtrs_export_options *options)
{
	const struct rtrs_service_options of_service = {.size = sizeof(of_service),
							.job = export_job_came,
							.event = export_event_came,
							.admit = admit_session,
							.user = service,
							.queue_depth = options->queue_depth,
							.max_io = options->max_io,
							.invalidate = options->invalidate};
	int err;

	if (options->directory) {
		service->directory = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (service->directory < 0)
			return -errno;
	}
	err = make_named(service, options);
	if (!err)
		err = rtrsi_pool_new(options->threads, &service->pool);
	if (!err)
		err = rtrs_service_open(&of_service, &service->service);
	return err;
}

int rtrsi_export_open(const struct rtrs_export_options *options, struct rtrs_export_service **ret)
{
	struct rtrs_export_service *service = calloc(1, sizeof(*service));
	int err;

	if (!service)
		return -ENOMEM;
	service->options = *options;
	service->directory = -1;
	service->rnbd = (struct rtrs_rnbd_server){.open = open_exported,
						  .close = close_exported,
						  .measure = measure_exported,
						  .user = service};
	pthread_mutex_init(&service->lock, NULL);
	pthread_cond_init(&service->idle, NULL);
	err = open_parts(service, options);
	if (err) {
		rtrsi_export_close(service);
		return err;
	}
	service->control = rtrsi_control_thread_start(rtrsi_export_visit, service, &service->lock);
	*ret = service;
	return 0;
}

int rtrsi_export_listen(struct rtrs_export_service *service, const char *address)
{
	return rtrs_service_listen(service->service, address);
}

int rtrsi_export_run(struct rtrs_export_service *service)
{
	return rtrs_service_run(service->service);
}

/*
 * Jobs that are held are answered after their paths are closed: their clients count them as lost
 * and send them again.
 */
static void drain_export(struct rtrs_export_service *service)
{
	struct export_held *held, *next;
	struct export_session *session, *following;

	service->is_closed = true;
	pthread_mutex_lock(&service->lock);
	service->state = EXPORT_HOLDS;
	while (service->running)
		pthread_cond_wait(&service->idle, &service->lock);
	HASH_ITER (hh, service->sessions, session, following)
		(void)rtrs_service_disconnect(service->service, session->number);
	service->state = EXPORT_REFUSES;
	held = service->held;
	service->held = NULL;
	pthread_mutex_unlock(&service->lock);
	for (; held; held = next) {
		next = held->next;
		rtrs_job_answer(held->job, -ESHUTDOWN);
		free(held);
	}
}

void rtrsi_export_close(struct rtrs_export_service *service)
{
	if (!service)
		return;
	rtrsi_control_thread_end(service->control);
	if (service->service)
		drain_export(service);
	rtrs_service_close(service->service);
	rtrsi_pool_free(service->pool);
	free_named(service);
	if (service->directory >= 0)
		close(service->directory);
	pthread_cond_destroy(&service->idle);
	pthread_mutex_destroy(&service->lock);
	free(service);
}
