/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests of a service as jobs of its user. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/lib/server_internal.h"

static int grow_jobs(struct service_jobs *jobs)
{
	uint32_t size = jobs->size ? jobs->size * 2 : 64;
	struct rtrs_server_request **ring = calloc(size, sizeof(struct rtrs_server_request *));
	uint32_t count = jobs->end - jobs->first;

	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		ring[i] = jobs->ring[(jobs->first + i) & (jobs->size - 1)];
	free(jobs->ring);
	*jobs = (struct service_jobs){.ring = ring, .size = size, .end = count};
	return 0;
}

int rtrsi_service_add_job(struct rtrs_service *service, struct rtrs_server_request *request)
{
	struct service_jobs *jobs = &service->jobs;
	int err = jobs->end - jobs->first == jobs->size ? grow_jobs(jobs) : 0;

	if (!err)
		jobs->ring[jobs->end++ & (jobs->size - 1)] = request;
	return err;
}

static const struct rtrs_server_request *request_of_job(const struct rtrs_job *job)
{
	return (const void *)job;
}

static const struct service_session *session_of_request(const struct rtrs_server_request *request)
{
	return request->path->session->user;
}

HF_EXPORT int rtrs_job_is_read(const struct rtrs_job *job)
{
	return request_of_job(job)->message.is_read;
}

HF_EXPORT uint64_t rtrs_job_session(const struct rtrs_job *job)
{
	return session_of_request(request_of_job(job))->number;
}

HF_EXPORT void *rtrs_job_data(const struct rtrs_job *job, size_t *length)
{
	const struct rtrs_server_request *request = request_of_job(job);
	const struct rtrs_request *message = &request->message;
	const size_t chunk_size =
		rtrsi_server_driver_engine(session_of_request(request)->service->driver)
			->geometry.chunk_size;

	*length = message->is_read && message->has_to ? message->to.length : message->data_length;
	/* What the peer asks for beyond its chunk closes its path when the job is answered. */
	if (*length > chunk_size)
		*length = chunk_size;
	return request->data;
}

HF_EXPORT const void *rtrs_job_header(const struct rtrs_job *job, size_t *length)
{
	const struct rtrs_request *message = &request_of_job(job)->message;

	*length = message->user_length;
	return request_of_job(job)->data + message->data_length;
}

HF_EXPORT void rtrs_job_answer(struct rtrs_job *job, int error)
{
	struct rtrs_server_request *request = (void *)job;
	struct rtrs_service *service = session_of_request(request)->service;

	pthread_mutex_lock(&service->lock);
	rtrsi_server_driver_done(service->driver, request, error);
	if (service->events || service->jobs.first != service->jobs.end)
		rtrsi_wait_wake(&service->wait);
	pthread_mutex_unlock(&service->lock);
}
