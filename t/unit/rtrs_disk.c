/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The disk that librtrs is tested with, and its client. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "t/lib/hang.h"
#include "t/unit/rtrs_disk.h"

/* --- where it is --------------------------------------------------------------------------------- */

void disk_address(const char *directory, const char *name, char *to, size_t size)
{
	if (getenv("HF_RTRS_DEVICES"))
		snprintf(to, size, "soft:0.0.0.0:%u",
			 20000 + (unsigned int)getpid() % 10000 + *name);
	else
		snprintf(to, size, "unix:%s/%s", directory, name);
}

void disk_path_address(const char *address, unsigned int device, char *to, size_t size)
{
	const char *at = getenv("HF_RTRS_DEVICES");

	if (strncmp(address, "soft:0.0.0.0:", strlen("soft:0.0.0.0:")) != 0) {
		snprintf(to, size, "%s", address);
		return;
	}
	for (; device; device--) {
		at = strchr(at, ' ');
		assert_non_null(at);
		at++;
	}
	snprintf(to, size, "soft:%.*s:%s", (int)strcspn(at, " "), at, strrchr(address, ':') + 1);
}

/* The first one that no path of the client uses. */
static unsigned int free_device(const struct disk_client *client)
{
	unsigned int device = 1;

	for (unsigned int i = 0; i < DISK_PATHS_MAX; i++) {
		if (client->device_of[i] == device) {
			device++;
			i = -1U;
		}
	}
	return device;
}

/* --- the disk ------------------------------------------------------------------------------------ */

void disk_do(struct disk *disk, struct rtrs_job *job)
{
	size_t data_length, header_length;
	uint8_t *data = rtrs_job_data(job, &data_length);
	const void *header = rtrs_job_header(job, &header_length);
	uint32_t block;

	if (header_length != sizeof(block) || data_length > DISK_BLOCK) {
		rtrs_job_answer(job, -EINVAL);
		return;
	}
	memcpy(&block, header, sizeof(block));
	if (block >= DISK_BLOCKS) {
		rtrs_job_answer(job, -ENOSPC);
		return;
	}
	if (rtrs_job_is_read(job))
		memcpy(data, disk->blocks[block], data_length);
	else
		memcpy(disk->blocks[block], data, data_length);
	rtrs_job_answer(job, 0);
}

static void disk_job(struct rtrs_job *job, void *user)
{
	struct disk *disk = user;

	disk->jobs++;
	if (!disk->is_holding || disk->held_count == DISK_HELD_MAX)
		disk_do(disk, job);
	else
		disk->held[disk->held_count++] = job;
}

void disk_let_go(struct disk *disk)
{
	for (unsigned int i = 0; i < disk->held_count; i++)
		disk_do(disk, disk->held[i]);
	disk->held_count = 0;
}

static void disk_event(struct rtrs_service *service, const struct rtrs_service_event *event,
		       void *user)
{
	struct disk *disk = user;

	(void)service;
	assert_int_equal(event->size, sizeof(*event));
	disk->last_session = event->session;
	disk->ups += event->type == RTRS_SERVICE_SESSION_UP;
	disk->downs += event->type == RTRS_SERVICE_SESSION_DOWN;
	disk->paths_up += event->type == RTRS_SERVICE_PATH_UP;
	disk->paths_down += event->type == RTRS_SERVICE_PATH_DOWN;
	assert_int_equal(event->type == RTRS_SERVICE_PATH_DOWN, !!event->reason);
}

static int disk_admit(const char *name, void *user)
{
	const struct disk *disk = user;

	assert_true(strlen(name) > 0);
	return disk->refusal;
}

void disk_open(struct disk *disk, const char *address, uint32_t depth, bool invalidate)
{
	const struct rtrs_service_options options = {.size = sizeof(options),
						     .job = disk_job,
						     .event = disk_event,
						     .admit = disk_admit,
						     .user = disk,
						     .queue_depth = depth,
						     .max_io = 16384 - 4096,
						     .invalidate = invalidate};

	*disk = (struct disk){.blocks = calloc(DISK_BLOCKS, DISK_BLOCK)};
	assert_non_null(disk->blocks);
	assert_int_equal(rtrs_service_open(&options, &disk->service), 0);
	assert_int_equal(rtrs_service_listen(disk->service, address), 0);
}

void disk_close(struct disk *disk)
{
	rtrs_service_close(disk->service);
	assert_int_equal(disk->ups, disk->downs);
	assert_int_equal(disk->paths_up, disk->paths_down);
	free(disk->blocks);
}

unsigned int disk_reconnect_ms = 1;

/* --- the client ---------------------------------------------------------------------------------- */

static uint32_t disk_random(struct disk_client *client, uint32_t below)
{
	client->random =
		client->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((client->random >> 33) % below);
}

static void disk_client_event(struct rtrs_session *session, const struct rtrs_session_event *event,
			      void *user)
{
	struct disk_client *client = user;

	(void)session;
	assert_int_equal(event->size, sizeof(*event));
	client->path_ups += event->type == RTRS_SESSION_PATH_UP;
	client->path_downs += event->type == RTRS_SESSION_PATH_DOWN;
	client->failed += event->type == RTRS_SESSION_PATH_FAILED;
	client->removed += event->type == RTRS_SESSION_PATH_REMOVED;
	client->ups += event->type == RTRS_SESSION_UP;
	client->downs += event->type == RTRS_SESSION_DOWN;
	if (event->type == RTRS_SESSION_PATH_REMOVED)
		client->device_of[event->path] = 0;
	if (event->error)
		client->last_error = event->error;
}

void disk_client_open(struct disk_client *client, const char *name, unsigned int depth,
		      uint32_t connections)
{
	const struct rtrs_session_options options = {.size = sizeof(options),
						     .name = name,
						     .event = disk_client_event,
						     .user = client,
						     .connections = connections,
						     .permits = depth,
						     .reconnect_delay_ms = disk_reconnect_ms};

	*client = (struct disk_client){.depth = depth, .random = depth + 1};
	client->requests = calloc(depth, sizeof(*client->requests));
	assert_non_null(client->requests);
	for (unsigned int i = 0; i < depth; i++)
		client->requests[i].client = client;
	assert_int_equal(rtrs_session_open(&options, &client->session), 0);
}

void disk_client_close(struct disk_client *client)
{
	assert_int_equal(client->busy, 0);
	rtrs_session_close(client->session);
	free(client->requests);
}

static void block_content(uint32_t block, uint32_t serial, uint8_t bytes[DISK_BLOCK])
{
	memset(bytes, serial ? (int)(block * 31 + serial * 7) & 0xff : 0, DISK_BLOCK);
	if (!serial)
		return;
	memcpy(bytes, &block, sizeof(block));
	memcpy(bytes + DISK_BLOCK - sizeof(serial), &serial, sizeof(serial));
}

static void disk_request_done(int error, void *user)
{
	struct disk_request *request = user;
	struct disk_client *client = request->client;
	uint8_t expected[DISK_BLOCK];

	assert_true(request->is_busy);
	request->is_busy = false;
	client->busy--;
	client->done++;
	client->is_in_use[request->block] = false;
	if (error) {
		if (!client->may_fail || error != -ECONNABORTED)
			fail_msg("request: %d", error);
		client->errors++;
		/* It may have been carried out, or not: it must be written again before it is read. */
		if (!request->is_read)
			client->serials[request->block] = UINT32_MAX;
		return;
	}
	if (!request->is_read) {
		client->serials[request->block] = request->serial;
		return;
	}
	block_content(request->block, request->serial, expected);
	assert_memory_equal(request->data, expected, DISK_BLOCK);
}

static struct disk_request *idle_request(struct disk_client *client)
{
	for (unsigned int i = 0; i < client->depth; i++) {
		if (!client->requests[i].is_busy)
			return &client->requests[i];
	}
	return NULL;
}

static void fill_request(struct disk_client *client, struct disk_request *request, uint32_t block,
			 bool is_read)
{
	/* In two parts, of any length. */
	size_t first = disk_random(client, DISK_BLOCK + 1);

	request->block = block;
	request->is_read = is_read && client->serials[block] != UINT32_MAX;
	request->parts[0] = (struct iovec){request->data, first};
	request->parts[1] = (struct iovec){request->data + first, DISK_BLOCK - first};
	request->serial = request->is_read ? client->serials[block] : ++client->next_serial;
	if (request->is_read)
		memset(request->data, 0xa5, DISK_BLOCK);
	else
		block_content(block, request->serial, request->data);
}

static int begin_disk_request(struct disk_client *client, uint32_t block, bool is_read)
{
	struct disk_request *request = idle_request(client);
	struct rtrs_transfer transfer = {.size = sizeof(transfer),
					 .header = &block,
					 .header_length = sizeof(block),
					 .data_count = 2,
					 .done = disk_request_done};
	struct rtrs_permit *permit;
	int err;

	if (!request || client->is_in_use[block])
		return -EAGAIN;
	err = rtrs_permit_get(client->session, &permit);
	if (err)
		return err;
	fill_request(client, request, block, is_read);
	transfer.data = request->parts;
	transfer.user = request;
	err = request->is_read ? rtrs_read(permit, &transfer) : rtrs_write(permit, &transfer);
	if (err) {
		rtrs_permit_put(permit);
		return err;
	}
	request->is_busy = true;
	client->is_in_use[block] = true;
	client->busy++;
	return 0;
}

int disk_client_begin(struct disk_client *client)
{
	int err;

	do
		err = begin_disk_request(client, disk_random(client, DISK_BLOCKS),
					 disk_random(client, 2));
	while (!err);
	return err;
}

void disk_serve(struct disk_client *client, struct disk *disk)
{
	struct pollfd fds[] = {{.fd = rtrs_session_fd(client->session), .events = POLLIN},
			       {.fd = disk ? rtrs_service_fd(disk->service) : -1,
				.events = POLLIN}};

	assert_true(poll(fds, 2, HF_TEST_HANG_MS) > 0);
	if (fds[1].revents)
		assert_int_equal(rtrs_service_dispatch(disk->service), 0);
	if (fds[0].revents)
		assert_int_equal(rtrs_session_dispatch(client->session), 0);
}

unsigned int disk_client_add_path(struct disk_client *client, struct disk *disk,
				  const char *address)
{
	unsigned int before = client->path_ups, device = free_device(client);
	char text[128];
	int number;

	disk_path_address(address, device - 1, text, sizeof(text));
	number = rtrs_session_add_path(client->session, text);
	assert_true(number >= 0);
	client->device_of[number] = (uint8_t)device;
	while (client->path_ups == before) {
		disk_serve(client, disk);
		if (client->failed)
			fail_msg("%s: %s", text, strerror(-client->last_error));
	}
	return (unsigned int)number;
}

void disk_client_work(struct disk_client *client, struct disk *disk, unsigned int count)
{
	unsigned long end = client->done + count;

	while (client->done < end) {
		disk_client_begin(client);
		disk_serve(client, disk);
	}
}

void disk_client_settle(struct disk_client *client, struct disk *disk)
{
	while (client->busy)
		disk_serve(client, disk);
}

void disk_client_verify(struct disk_client *client, struct disk *disk)
{
	disk_client_settle(client, disk);
	for (uint32_t block = 0; block < DISK_BLOCKS; block++) {
		while (begin_disk_request(client, block, true))
			disk_serve(client, disk);
	}
	disk_client_settle(client, disk);
}

int disk_run_tests(const struct CMUnitTest *tests, size_t count, char *address, size_t size)
{
	char directory[] = "/tmp/hf-rtrs-XXXXXX";
	int failures;

	if (!mkdtemp(directory))
		return 1;
	disk_address(directory, "socket", address, size);
	failures = _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
	rmdir(directory);
	return failures;
}
