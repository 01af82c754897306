/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Both ends of librtrs on the simulated link, and the programs at both ends. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "rtrs/lib/client_internal.h"
#include "rtrs/lib/control_attach.h"
#include "rtrs/lib/server_internal.h"
#include "t/unit/rtrs_sim_bed.h"

enum { STEPS_MAX = 400000, NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000 };

struct bed bed;

uint32_t bed_random(uint32_t below)
{
	bed.random = bed.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((bed.random >> 33) % below);
}

/* --- what the library has instead of descriptors, clock and chance --------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t now_ns;

	if (clock != CLOCK_MONOTONIC || !bed.sim)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	now_ns = rtrsi_sim_now_ns(bed.sim);
	*ret = (struct timespec){.tv_sec = now_ns / NS_PER_SECOND,
				 .tv_nsec = now_ns % NS_PER_SECOND};
	return 0;
}

ssize_t getrandom(void *to, size_t size, unsigned int flags)
{
	uint8_t *bytes = to;

	(void)flags;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)bed_random(256);
	return (ssize_t)size;
}

int rtrsi_wait_init(struct rtrs_wait *wait)
{
	*wait = (struct rtrs_wait){.armed_ns = INT64_MAX};
	return 0;
}

void rtrsi_wait_free(struct rtrs_wait *wait)
{
	(void)wait;
}

int rtrsi_wait_add(struct rtrs_wait *wait, int fd)
{
	(void)wait;
	(void)fd;
	return 0;
}

void rtrsi_wait_wake(struct rtrs_wait *wait)
{
	wait->is_woken = true;
}

void rtrsi_wait_clear(struct rtrs_wait *wait)
{
	wait->is_woken = false;
}

void rtrsi_wait_until(struct rtrs_wait *wait, int64_t deadline_ns)
{
	wait->armed_ns = deadline_ns;
}

int rtrsi_wait_run(struct rtrs_wait *wait, int (*dispatch)(void *object), void *object)
{
	(void)wait;
	(void)dispatch;
	(void)object;
	return -EAGAIN;
}

void rtrsi_wait_stop(struct rtrs_wait *wait)
{
	(void)wait;
}

struct rtrs_control *rtrsi_control_attach(const struct rtrs_control_ops *ops, void *user,
					  struct rtrs_wait *wait)
{
	(void)ops;
	(void)user;
	(void)wait;
	return NULL;
}

void rtrsi_control_serve(struct rtrs_control *control, int64_t *last_ns, bool is_busy,
			 int64_t now_ns)
{
	(void)control;
	(void)last_ns;
	(void)is_busy;
	(void)now_ns;
}

int rtrsi_links_get(struct rtrs_links *links, enum rtrs_link_type type, struct rtrs_wait *wait,
		    struct rtrs_link **ret)
{
	int err = 0;

	(void)wait;
	if (!links->open[type])
		err = rtrsi_sim_open(bed.sim, &links->open[type]);
	*ret = links->open[type];
	return err;
}

void rtrsi_links_close(struct rtrs_links *links)
{
	for (size_t i = 0; i < RTRS_LINK_TYPES; i++) {
		if (links->open[i])
			links->open[i]->ops->close(links->open[i]);
	}
}

/* The simulated link keeps nothing back. */
void rtrsi_links_hold(const struct rtrs_links *links)
{
	(void)links;
}

bool rtrsi_links_release(const struct rtrs_links *links)
{
	(void)links;
	return false;
}

int rtrsi_links_next(const struct rtrs_links *links, struct rtrs_link_event *ret)
{
	struct rtrs_link *link = links->open[RTRS_LINK_RDMA];

	return link ? link->ops->next(link, ret) : 0;
}

/* What is watched, so that there is something. */
static struct rtrs_device_watch {
	bool is_new; /* it tells first what there is */
} watch;

int rtrsi_devices_load(struct rtrs_devices *devices)
{
	(void)devices;
	return bed.options.cannot_watch ? -EOPNOTSUPP : 0;
}

int rtrsi_devices_watch(struct rtrs_devices *devices, struct rtrs_wait *wait, bool is_needed)
{
	if (bed.options.cannot_watch)
		return is_needed ? -EOPNOTSUPP : 0;
	if (is_needed && !devices->watch) {
		watch.is_new = true;
		wait->is_woken = true;
	}
	devices->watch = is_needed ? &watch : NULL;
	return 0;
}

int rtrsi_devices_next(const struct rtrs_devices *devices)
{
	bool has_come = bed.has_device_come || watch.is_new;

	if (!devices->watch)
		return 0;
	bed.has_device_come = watch.is_new = false;
	return has_come;
}

void rtrsi_devices_close(struct rtrs_devices *devices)
{
	devices->watch = NULL;
}

void bed_revive(unsigned int wire)
{
	rtrsi_sim_revive(bed.sim, wire);
	bed.has_device_come = true;
	bed.session->wait.is_woken = true;
}

/* --- the service's program ----------------------------------------------------------------------- */

static uint16_t chunk_of(const struct rtrs_job *job)
{
	return ((const struct rtrs_server_request *)(const void *)job)->chunk;
}

static void header_of_job(const struct rtrs_job *job, uint32_t header[4])
{
	size_t length;
	const void *bytes = rtrs_job_header(job, &length);

	assert_int_equal(length, 4 * sizeof(header[0]));
	memcpy(header, bytes, length);
}

static void all_words_are(const uint32_t *words, uint32_t serial)
{
	for (unsigned int i = 0; i < BED_WORDS; i++)
		assert_int_equal(words[i], serial);
}

/* What came with it is still there, and nobody was told that it is done. */
static void check_job(const struct bed_job *job)
{
	const struct bed_request *request = &bed.requests[job->header[0]];
	uint32_t header[4];
	size_t length;
	const uint32_t *data = rtrs_job_data(job->job, &length);

	header_of_job(job->job, header);
	assert_memory_equal(header, job->header, sizeof(header));
	assert_int_equal(length, sizeof(request->data));
	assert_true(request->is_begun);
	assert_false(request->is_done && !request->error);
	assert_int_equal(rtrs_job_is_read(job->job) != 0, request->is_read);
	if (!request->is_read)
		all_words_are(data, request->serial);
}

static void job_ends(struct bed_job *job)
{
	const struct bed_request *request = &bed.requests[job->header[0]];
	struct rtrs_job *ended = job->job;
	size_t length;
	uint32_t *data = rtrs_job_data(ended, &length);
	int error = bed_random(16) ? 0 : -EIO;

	check_job(job);
	bed.executions++;
	for (unsigned int i = 0; request->is_read && i < BED_WORDS; i++)
		data[i] = bed.disk[request->block];
	if (!request->is_read && !error)
		bed.disk[request->block] = request->serial;
	bed.chunk_jobs[chunk_of(ended)]--;
	job->job = NULL;
	rtrs_job_answer(ended, error);
}

static int64_t time_of_job(void)
{
	if (bed.options.has_slow_jobs && !bed_random(8))
		return (int64_t)(1 + bed_random(90)) * 100 * NS_PER_MS;
	return (int64_t)bed_random(3000) * NS_PER_US;
}

static void job_comes(struct rtrs_job *base, void *user)
{
	struct bed_job *job = bed.jobs;

	(void)user;
	while (job->job)
		assert_true(++job < bed.jobs + BED_JOBS);
	*job = (struct bed_job){.job = base, .due_ns = rtrsi_sim_now_ns(bed.sim) + time_of_job()};
	header_of_job(base, job->header);
	/* One at a time in chunks of this number, on whatever path. */
	assert_int_equal(bed.chunk_jobs[chunk_of(base)]++, 0);
	check_job(job);
	if (job->due_ns == rtrsi_sim_now_ns(bed.sim))
		job_ends(job);
}

static int64_t next_job_ns(void)
{
	int64_t next = INT64_MAX;

	for (unsigned int i = 0; i < BED_JOBS; i++) {
		if (bed.jobs[i].job && bed.jobs[i].due_ns < next)
			next = bed.jobs[i].due_ns;
	}
	return next;
}

static void due_jobs_end(bool are_all)
{
	for (unsigned int i = 0; i < BED_JOBS; i++) {
		if (bed.jobs[i].job && (are_all || bed.jobs[i].due_ns <= rtrsi_sim_now_ns(bed.sim)))
			job_ends(&bed.jobs[i]);
	}
}

static void service_event(struct rtrs_service *service, const struct rtrs_service_event *event,
			  void *user)
{
	(void)service;
	(void)user;
	bed.ups += event->type == RTRS_SERVICE_SESSION_UP;
	bed.downs += event->type == RTRS_SERVICE_SESSION_DOWN;
	if (event->type == RTRS_SERVICE_SESSION_UP)
		bed.service_session = event->session;
}

/* --- the session's program ----------------------------------------------------------------------- */

static void outcome_comes(int error, void *user)
{
	struct bed_request *request = user;

	assert_true(request->is_begun && !request->is_done);
	assert_true(!error || error == -EIO || error == -ECONNABORTED);
	request->is_done = true;
	request->error = error;
	bed.done++;
	bed.aborted += error == -ECONNABORTED;
	bed.failed_by_server += error == -EIO;
	bed.is_busy[request->block] = false;
	if (request->is_read && !error)
		all_words_are(request->data, bed.known[request->block]);
	else if (!request->is_read && !error)
		bed.known[request->block] = request->serial;
	else if (!request->is_read)
		bed.is_unknown[request->block] = true;
	/* Nobody touches it any more. */
	memset(request->data, 0xee, sizeof(request->data));
}

static uint32_t choose_block(void)
{
	for (unsigned int tries = 0; tries < 1000; tries++) {
		uint32_t block = bed_random(BED_BLOCKS);

		if (!bed.is_busy[block] && !bed.is_unknown[block])
			return block;
	}
	return BED_BLOCKS;
}

int bed_begin(void)
{
	struct bed_request *request = &bed.requests[bed.begun];
	struct rtrs_transfer transfer = {.size = sizeof(transfer),
					 .header = request->header,
					 .header_length = sizeof(request->header),
					 .data = &request->part,
					 .data_count = 1,
					 .done = outcome_comes,
					 .user = request};
	struct rtrs_permit *permit;
	uint32_t block = choose_block();
	int err;

	if (bed.begun == BED_REQUESTS || block == BED_BLOCKS)
		return -ENOSPC;
	err = rtrs_permit_get(bed.session, &permit);
	if (err)
		return err;
	*request = (struct bed_request){
		.is_begun = true,
		.is_read = bed_random(2),
		.block = block,
		.serial = bed.begun + 1,
		.header = {bed.begun, block, bed.begun + 1, 0x5a5a5a5a},
		.part = {request->data, sizeof(request->data)},
	};
	for (unsigned int i = 0; i < BED_WORDS; i++)
		request->data[i] = request->is_read ? 0xdddddddd : request->serial;
	err = (request->is_read ? rtrs_read : rtrs_write)(permit, &transfer);
	if (err) {
		request->is_begun = false;
		rtrs_permit_put(permit);
		return err;
	}
	bed.is_busy[block] = true;
	bed.begun++;
	return 0;
}

static void session_event(struct rtrs_session *session, const struct rtrs_session_event *event,
			  void *user)
{
	(void)session;
	(void)user;
	bed.paths_up += event->type == RTRS_SESSION_PATH_UP;
	bed.paths_down += event->type == RTRS_SESSION_PATH_DOWN;
	bed.failures += event->type == RTRS_SESSION_PATH_FAILED;
	if (event->type == RTRS_SESSION_PATH_DOWN)
		bed.last_down_ns = rtrsi_sim_now_ns(bed.sim);
	if (event->type == RTRS_SESSION_PATH_UP)
		bed.last_up_ns = rtrsi_sim_now_ns(bed.sim);
}

/* --- time ---------------------------------------------------------------------------------------- */

static bool has_work(const struct rtrs_wait *wait, const struct rtrs_links *links)
{
	const struct rtrs_link *link = links->open[RTRS_LINK_RDMA];

	/* clock: a simulated one. */
	return wait->is_woken || wait->armed_ns <= rtrsi_sim_now_ns(bed.sim) ||
	       (link && rtrsi_sim_has_events(link));
}

static void dispatch_both(void)
{
	bool was_busy = true;

	while (was_busy) {
		was_busy = false;
		if (has_work(&bed.session->wait, &bed.session->links)) {
			assert_int_equal(rtrs_session_dispatch(bed.session), 0);
			was_busy = true;
		}
		if (has_work(&bed.service->wait, &bed.service->links)) {
			assert_int_equal(rtrs_service_dispatch(bed.service), 0);
			was_busy = true;
		}
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool bed_step(void)
{
	int64_t next_ns;

	dispatch_both();
	next_ns = earlier(earlier(rtrsi_sim_next_ns(bed.sim), next_job_ns()),
			  earlier(bed.session->wait.armed_ns, bed.service->wait.armed_ns));
	if (next_ns == INT64_MAX)
		return false;
	rtrsi_sim_run_until(bed.sim, next_ns);
	due_jobs_end(false);
	dispatch_both();
	return true;
}

void bed_run_until(int64_t now_ns)
{
	while (rtrsi_sim_now_ns(bed.sim) < now_ns)
		assert_true(bed_step());
}

/* --- life ---------------------------------------------------------------------------------------- */

int bed_add_path(unsigned int wire)
{
	char address[32];

	snprintf(address, sizeof(address), "ip:10.9.0.%u", wire);
	return rtrs_session_add_path(bed.session, address);
}

unsigned int bed_connected(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++)
		count += bed.session->engine.paths[i].state == RTRS_CLIENT_CONNECTED;
	return count;
}

void bed_settle(void)
{
	unsigned int steps = 0;

	for (unsigned int i = 0; i < BED_PATHS; i++)
		bed_revive(i);
	while (bed.done < bed.begun || bed_connected() < BED_PATHS) {
		for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++) {
			/* What waits for its device comes by itself. */
			if (bed.session->engine.paths[i].state == RTRS_CLIENT_CLOSED &&
			    !bed.session->engine.paths[i].waits_for_device)
				assert_int_equal(rtrs_session_reconnect_path(bed.session, i), 0);
		}
		assert_true(bed_step());
		assert_true(++steps < STEPS_MAX);
	}
	dispatch_both();
}

static void open_service(void)
{
	const struct rtrs_service_options options = {.size = sizeof(options),
						     .job = job_comes,
						     .event = service_event,
						     .queue_depth = bed.options.depth,
						     .max_io = 4096,
						     .invalidate = bed.options.invalidate};
	char address[32];

	assert_int_equal(rtrs_service_open(&options, &bed.service), 0);
	for (unsigned int i = 0; i < BED_PATHS; i++) {
		snprintf(address, sizeof(address), "ip:10.9.0.%u", i);
		assert_int_equal(rtrs_service_listen(bed.service, address), 0);
	}
}

void bed_open(const struct bed_options *options)
{
	static const char *const policies[] = {"rr", "mi", "ml"};
	struct rtrs_session_options of_session = {.size = sizeof(of_session),
						  .name = "simulated",
						  .event = session_event,
						  .connections = options->connections,
						  .permits = options->depth,
						  .reconnect_delay_ms =
							  options->reconnect_delay_ms};

	memset(&bed, 0, sizeof(bed));
	bed.options = *options;
	bed.random = options->seed;
	assert_int_equal(rtrsi_sim_new(options->seed, &bed.sim), 0);
	rtrsi_sim_run_until(bed.sim, NS_PER_SECOND);
	open_service();
	assert_int_equal(rtrs_session_open(&of_session, &bed.session), 0);
	assert_int_equal(rtrs_session_set_policy(bed.session, policies[bed_random(3)]), 0);
	for (unsigned int i = 0; i < BED_PATHS; i++)
		assert_int_equal(bed_add_path(i), (int)i);
	bed_settle();
}

/* Nothing is left anywhere. */
void bed_close(void)
{
	rtrs_session_close(bed.session);
	while (bed.ups != bed.downs) {
		if (has_work(&bed.service->wait, &bed.service->links))
			assert_int_equal(rtrs_service_dispatch(bed.service), 0);
		rtrsi_sim_run_until(bed.sim,
				    earlier(earlier(rtrsi_sim_next_ns(bed.sim), next_job_ns()),
					    bed.service->wait.armed_ns));
		due_jobs_end(false);
	}
	due_jobs_end(true);
	rtrs_service_close(bed.service);
	for (unsigned int i = 0; i < bed.begun; i++)
		all_words_are(bed.requests[i].data, 0xeeeeeeee);
	assert_int_equal(bed.done, bed.begun);
	assert_int_equal(rtrsi_sim_not_ready_count(bed.sim), 0);
	assert_int_equal(rtrsi_sim_object_count(bed.sim), 0);
	rtrsi_sim_free(bed.sim);
	bed.sim = NULL;
}
