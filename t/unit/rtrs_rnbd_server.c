/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, blocks at a server: who may open what, and what a request has to be to reach a device. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/le.h"
#include "rtrs/rnbd/server.h"

enum { SECTORS = 2048, DATA = 4096 };

/* Devices that exist, and how often each is open. */
static unsigned int opened, closed;
static uint8_t data[DATA];

static int open_known_disk(void *user, const char *path, struct rtrs_rnbd_export *ret)
{
	(void)user;
	if (strncmp(path, "disk", 4) != 0)
		return -ENOENT;
	opened++;
	ret->about = (struct rtrs_rnbd_device){
		.sectors = SECTORS, .logical_block_size = 4096, .physical_block_size = 4096};
	return 0;
}

static void close_known_disk(void *user, struct rtrs_rnbd_export *exported)
{
	(void)user;
	assert_int_equal(exported->users, 0);
	assert_int_equal(exported->writers, 0);
	closed++;
}

static struct rtrs_rnbd_server begin_rnbd_server(void)
{
	opened = closed = 0;
	return (struct rtrs_rnbd_server){.open = open_known_disk, .close = close_known_disk};
}

static struct rtrs_rnbd_job ask_rnbd(struct rtrs_rnbd_server *server,
				     struct rtrs_rnbd_session *session, const void *header,
				     size_t size, bool is_read, uint32_t data_size)
{
	/* Just as long as it is, so that a look behind it is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	struct rtrs_rnbd_request request = {copy, size, is_read, data, data_size};
	struct rtrs_rnbd_job job;

	assert_non_null(copy);
	memcpy(copy, header, size);
	job = rtrsi_rnbd_serve(server, session, &request);
	free(copy);
	return job;
}

static int say_hello(struct rtrs_rnbd_server *server, struct rtrs_rnbd_session *session,
		     uint8_t version)
{
	uint8_t header[RNBD_SESSION_INFO_SIZE];

	rtrsi_rnbd_session_info_encode(version, header);
	return ask_rnbd(server, session, header, sizeof(header), true, sizeof(header)).error;
}

static int open_disk(struct rtrs_rnbd_server *server, struct rtrs_rnbd_session *session,
		     const char *path, enum rtrs_rnbd_access access, uint32_t *id)
{
	uint8_t header[RNBD_OPEN_SIZE];
	struct rtrs_rnbd_device device;
	struct rtrs_rnbd_job job;

	assert_int_equal(rtrsi_rnbd_open_encode(access, path, header), 0);
	job = ask_rnbd(server, session, header, sizeof(header), true, RNBD_OPEN_ANSWER_SIZE);
	assert_true(job.is_answered);
	if (job.error)
		return job.error;
	assert_int_equal(rtrsi_rnbd_open_answer_decode(data, RNBD_OPEN_ANSWER_SIZE, &device), 0);
	assert_int_equal(device.sectors, SECTORS);
	*id = device.id;
	return 0;
}

static int close_disk(struct rtrs_rnbd_server *server, struct rtrs_rnbd_session *session,
		      uint32_t id)
{
	uint8_t header[RNBD_CLOSE_SIZE];

	rtrsi_rnbd_close_encode(id, header);
	return ask_rnbd(server, session, header, sizeof(header), false, 0).error;
}

static struct rtrs_rnbd_job start_on_disk(struct rtrs_rnbd_server *server,
					  struct rtrs_rnbd_session *session,
					  const struct rtrs_rnbd_io *io, bool is_read,
					  uint32_t data_size)
{
	uint8_t header[RNBD_IO_SIZE];

	rtrsi_rnbd_io_encode(io, header);
	return ask_rnbd(server, session, header, sizeof(header), is_read, data_size);
}

static void versions(void **state)
{
	struct rtrs_rnbd_server server = begin_rnbd_server();
	struct rtrs_rnbd_session session = {0};
	uint8_t version;
	uint32_t id = 0;

	(void)state;
	/* Before it has said its version it opens nothing. */
	assert_int_equal(open_disk(&server, &session, "disk", RNBD_READ_WRITE, &id), -EINVAL);
	for (uint8_t theirs = 1; theirs < 4; theirs++) {
		assert_int_equal(say_hello(&server, &session, theirs), 0);
		assert_int_equal(rtrsi_rnbd_session_answer_decode(data, RNBD_SESSION_INFO_SIZE,
								  &version),
				 0);
		assert_int_equal(version, theirs < 2 ? theirs : 2);
	}
}

static void who_may_open(void **state)
{
	static const char *const outside[] = {"..", "../disk", "disk/..", "disk/../disk", "/.."};
	struct rtrs_rnbd_server server = begin_rnbd_server();
	struct rtrs_rnbd_session a = {0}, b = {0}, c = {0};
	uint32_t id = 0, again = 0;

	(void)state;
	assert_int_equal(say_hello(&server, &a, 2) | say_hello(&server, &b, 2) |
				 say_hello(&server, &c, 2),
			 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(outside); i++)
		assert_int_equal(open_disk(&server, &a, outside[i], RNBD_READ_ONLY, &id), -EINVAL);
	assert_int_equal(open_disk(&server, &a, "other", RNBD_READ_ONLY, &id), -ENOENT);
	assert_null(server.exports);
	assert_int_equal(open_disk(&server, &a, "disk..", RNBD_READ_WRITE, &id), 0);
	assert_int_equal(open_disk(&server, &a, "disk..", RNBD_READ_WRITE, &again), 0);
	assert_int_equal(id, again);
	assert_int_equal(open_disk(&server, &b, "disk..", RNBD_READ_WRITE, &again), -EPERM);
	assert_int_equal(open_disk(&server, &b, "././/disk..", RNBD_READ_WRITE, &again), -EPERM);
	assert_int_equal(open_disk(&server, &a, "/disk../.", RNBD_READ_WRITE, &again), -EPERM);
	assert_int_equal(open_disk(&server, &a, "disk..", RNBD_READ_WRITE, &again), 0);
	assert_int_equal(id, again);
	assert_int_equal(open_disk(&server, &b, "disk..", RNBD_READ_ONLY, &again), 0);
	assert_int_equal(open_disk(&server, &c, "disk..", RNBD_MIGRATION, &again), 0);
	rtrsi_rnbd_session_ends(&server, &b);
	assert_int_equal(say_hello(&server, &b, 2), 0);
	assert_int_equal(open_disk(&server, &b, "disk..", RNBD_MIGRATION, &again), -EPERM);
	rtrsi_rnbd_session_ends(&server, &a);
	assert_int_equal(open_disk(&server, &b, "disk..", RNBD_MIGRATION, &again), 0);
	assert_int_equal(opened, 1);
	assert_int_equal(closed, 0);
	assert_int_equal(close_disk(&server, &b, again), 0);
	assert_int_equal(close_disk(&server, &b, again), -ENOENT);
	rtrsi_rnbd_session_ends(&server, &c);
	assert_int_equal(closed, 1);
	assert_null(server.exports);
}

/* One session cannot take all memory. */
static void number_of_open_devices(void **state)
{
	struct rtrs_rnbd_server server = begin_rnbd_server();
	struct rtrs_rnbd_session session = {.last_id = UINT32_MAX - 8};
	char path[] = "disk0000";
	unsigned int count = 0;
	uint32_t id = 0;
	int err;

	(void)state;
	assert_int_equal(say_hello(&server, &session, 2), 0);
	do {
		path[4] = (char)('0' + count / 1000);
		path[5] = (char)('0' + count / 100 % 10);
		path[6] = (char)('0' + count / 10 % 10);
		path[7] = (char)('0' + count % 10);
		err = open_disk(&server, &session, path, RNBD_READ_WRITE, &id);
		assert_int_not_equal(id, 0);
	} while (!err && ++count < 5000);
	assert_int_equal(err, -ENOSPC);
	rtrsi_rnbd_session_ends(&server, &session);
	assert_int_equal(opened, count);
	assert_int_equal(closed, count);
}

static void what_reaches_a_device(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t op, size, data_size;
		bool is_read;
		int error;
	} cases[] = {
		{0, RNBD_OP_READ, 4096, 4096, true, 0},
		{SECTORS - 8, RNBD_OP_READ, 4096, 4096, true, 0},
		{SECTORS - 8, RNBD_OP_READ, 8192, 8192, true, -EIO},
		{SECTORS, RNBD_OP_READ, 4096, 4096, true, -EIO},
		{UINT64_MAX - 7, RNBD_OP_READ, 4096, 4096, true, -EIO},
		{1, RNBD_OP_READ, 4096, 4096, true, -EIO},
		{0, RNBD_OP_READ, 4096, 4096, false, -EINVAL},
		{0, RNBD_OP_READ, 4608, 4096, true, -EINVAL},
		{0, RNBD_OP_READ, 4096, 4608, true, -EINVAL},
		{0, RNBD_OP_READ, 512, 512, true, -EIO},
		{0, RNBD_OP_READ, UINT32_MAX - 511, 4096, true, -EINVAL},
		{0, RNBD_OP_WRITE, 4096, 4096, false, 0},
		{0, RNBD_OP_WRITE, 4096, 4096, true, -EINVAL},
		{0, RNBD_OP_WRITE, 8192, 4096, false, -EINVAL},
		{0, RNBD_OP_WRITE, 4096, 0, false, -EINVAL},
		{0, RNBD_OP_FLUSH, 0, 0, true, 0},
		{UINT64_MAX, RNBD_OP_FLUSH, 0, 0, true, 0},
		{0, RNBD_OP_FLUSH, 0, 4096, true, -EINVAL},
		{0, RNBD_OP_FLUSH, 0, 0, false, -EINVAL},
		{0, RNBD_OP_DISCARD, SECTORS * 512, 0, false, 0},
		{8, RNBD_OP_DISCARD, SECTORS * 512, 0, false, -EIO},
		{0, RNBD_OP_DISCARD, 4096, 4096, false, -EINVAL},
		{0, RNBD_OP_DISCARD, UINT32_MAX - 4095, 0, false, -EIO},
		{0, RNBD_OP_WRITE_ZEROES, 4096, 0, false, 0},
		{0, RNBD_OP_SECURE_ERASE, 4096, 0, false, 0},
	};
	struct rtrs_rnbd_server server = begin_rnbd_server();
	struct rtrs_rnbd_session session = {0}, reader = {0};
	uint32_t id = 0, read_id = 0;

	(void)state;
	assert_int_equal(say_hello(&server, &session, 2) | say_hello(&server, &reader, 2), 0);
	assert_int_equal(open_disk(&server, &session, "disk", RNBD_READ_WRITE, &id), 0);
	assert_int_equal(open_disk(&server, &reader, "disk", RNBD_READ_ONLY, &read_id), 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct rtrs_rnbd_io io = {id, cases[i].sector, cases[i].op, 0, cases[i].size, 0};
		bool changes = io.op != RNBD_OP_READ && io.op != RNBD_OP_FLUSH;
		struct rtrs_rnbd_job job =
			start_on_disk(&server, &session, &io, cases[i].is_read, cases[i].data_size);

		assert_int_equal(job.is_answered, cases[i].error != 0);
		assert_int_equal(job.error, cases[i].error);
		if (!job.is_answered)
			rtrsi_rnbd_io_done(&server, &job);
		io.device = read_id;
		job = start_on_disk(&server, &reader, &io, cases[i].is_read, cases[i].data_size);
		if (!cases[i].error)
			assert_int_equal(job.error, changes ? -EACCES : 0);
		if (!job.is_answered)
			rtrsi_rnbd_io_done(&server, &job);
		io.device = id + 1;
		assert_int_equal(start_on_disk(&server, &session, &io, cases[i].is_read,
					       cases[i].data_size)
					 .error,
				 -ENOTCONN);
	}
	rtrsi_rnbd_session_ends(&server, &reader);
	rtrsi_rnbd_session_ends(&server, &session);
	assert_int_equal(closed, 1);
}

static void a_device_stays_open_for_its_last_io(void **state)
{
	struct rtrs_rnbd_server server = begin_rnbd_server();
	struct rtrs_rnbd_session session = {0};
	struct rtrs_rnbd_io io = {.op = RNBD_OP_READ, .size = DATA};
	struct rtrs_rnbd_job job;

	(void)state;
	assert_int_equal(say_hello(&server, &session, 2), 0);
	assert_int_equal(open_disk(&server, &session, "disk", RNBD_READ_WRITE, &io.device), 0);
	job = start_on_disk(&server, &session, &io, true, DATA);
	assert_false(job.is_answered);
	assert_int_equal(close_disk(&server, &session, io.device), 0);
	assert_int_equal(closed, 0);
	rtrsi_rnbd_io_done(&server, &job);
	assert_int_equal(closed, 1);
}

/* Each message cut at each length, and of each type there is or is not. */
static void cut_messages(void **state)
{
	struct rtrs_rnbd_server server = begin_rnbd_server();
	struct rtrs_rnbd_session session = {0};
	uint8_t header[RNBD_OPEN_SIZE + 8];

	(void)state;
	assert_int_equal(say_hello(&server, &session, 2), 0);
	for (uint16_t type = 0; type < 10; type++) {
		for (size_t size = 0; size < sizeof(header); size++) {
			struct rtrs_rnbd_job job;

			memset(header, 0x64, sizeof(header));
			rtrsi_put_le16(header, type);
			job = ask_rnbd(&server, &session, header, size, size & 1, DATA);
			assert_true(job.is_answered);
			if (type != RNBD_SESSION_INFO || size < RNBD_SESSION_INFO_SIZE)
				assert_true(job.error);
		}
	}
	assert_null(session.handles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(who_may_open),
		cmocka_unit_test(number_of_open_devices),
		cmocka_unit_test(what_reaches_a_device),
		cmocka_unit_test(a_device_stays_open_for_its_last_io),
		cmocka_unit_test(cut_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
