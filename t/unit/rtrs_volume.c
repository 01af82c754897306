/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Volumes of a service in this process: access, sizes, ranges, all operations, paths and servers that are lost. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "rtrs/blocks/volume_internal.h"
#include "rtrs/export/service.h"

enum { DISK = 4 << 20, MAX_IO = 65536 - 4096, ZEROED = 300 << 10 };

static char directory[] = "/tmp/rtrs-volume-XXXXXX";
static char addresses[2][80], disk_path[80];
static const char *const both[] = {addresses[0], addresses[1]};
static struct rtrs_export_service *service;
static uint8_t data[1 << 20], expected[1 << 20];

static void serve_directory(bool is_read_only)
{
	static const struct rtrs_export_named named = {"ram", NULL, DISK};
	const struct rtrs_export_options options = {.directory = directory,
						    .named = &named,
						    .named_count = 1,
						    .is_read_only = is_read_only,
						    .threads = 2,
						    .queue_depth = 16,
						    .max_io = MAX_IO};

	assert_int_equal(rtrsi_export_open(&options, &service), 0);
	assert_int_equal(rtrsi_export_listen(service, addresses[0]), 0);
	assert_int_equal(rtrsi_export_listen(service, addresses[1]), 0);
	assert_int_equal(rtrsi_export_run(service), 0);
}

static void serve_no_more(void)
{
	rtrsi_export_close(service);
	service = NULL;
}

static int make_disk(void **state)
{
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(addresses[0], sizeof(addresses[0]), "unix:%s/a", directory);
	snprintf(addresses[1], sizeof(addresses[1]), "unix:%s/b", directory);
	snprintf(disk_path, sizeof(disk_path), "%s/disk", directory);
	fd = open(disk_path, O_CREAT | O_RDWR, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK), 0);
	close(fd);
	serve_directory(false);
	return 0;
}

static int remove_disk(void **state)
{
	(void)state;
	serve_no_more();
	assert_int_equal(unlink(disk_path), 0);
	return rmdir(directory);
}

static int open_volume(const char *session, const char *path, enum rtrs_rnbd_access access,
		       struct rtrs_volume **ret)
{
	const struct rtrs_volume_options options = {.session = session,
						    .path = path,
						    .access = access,
						    .addresses = both,
						    .address_count = 2,
						    .reconnect_delay_ms = 10};

	return rtrsi_volume_open(&options, ret);
}

static struct rtrs_volume *volume_of(const char *session, const char *path,
				     enum rtrs_rnbd_access access)
{
	struct rtrs_volume *volume;

	assert_int_equal(open_volume(session, path, access, &volume), 0);
	return volume;
}

static int do_op(struct rtrs_volume *volume, enum rtrs_rnbd_op op, uint32_t flags, uint64_t offset,
		 uint32_t length)
{
	const struct rtrs_volume_request request = {
		.op = op, .flags = flags, .offset = offset, .length = length, .data = data};

	return rtrsi_volume_do(volume, &request);
}

static void fill_expected(void)
{
	static uint32_t random = 1;

	for (size_t i = 0; i < sizeof(expected); i++) {
		random = random * 1664525 + 1013904223;
		expected[i] = (uint8_t)(random >> 24);
	}
	memcpy(data, expected, sizeof(data));
}

static void use_all_operations(struct rtrs_volume *volume)
{
	fill_expected();
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, RNBD_FUA, 512, sizeof(data)), 0);
	memset(data, 0xa5, sizeof(data));
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 512, sizeof(data)), 0);
	assert_memory_equal(data, expected, sizeof(data));
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, RNBD_PREFLUSH, 4096, 4096), 0);
	memcpy(expected + 4096 - 512, data, 4096);
	assert_int_equal(do_op(volume, RNBD_OP_FLUSH, 0, 0, 0), 0);
	assert_int_equal(do_op(volume, RNBD_OP_DISCARD, RNBD_FUA, 65536, 131072), 0);
	memset(expected + 65536 - 512, 0, 131072);
	assert_int_equal(do_op(volume, RNBD_OP_WRITE_ZEROES, RNBD_NO_UNMAP, 262144 + 512, 8192), 0);
	memset(expected + 262144, 0, 8192);
	assert_int_equal(do_op(volume, RNBD_OP_WRITE_ZEROES, RNBD_FUA, ZEROED + 512, 10240), 0);
	memset(expected + ZEROED, 0, 10240);
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 512, sizeof(data)), 0);
	assert_memory_equal(data, expected, sizeof(data));
	assert_int_equal(do_op(volume, RNBD_OP_SECURE_ERASE, 0, 0, 512), -EOPNOTSUPP);
}

static void operations_do_what_they_say(void **state)
{
	static const char *const paths[] = {"disk", "ram"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rtrs_volume *volume = volume_of("all", paths[i], RNBD_READ_WRITE);

		use_all_operations(volume);
		rtrsi_volume_close(volume);
	}
}

static void wrong_ranges_are_refused(void **state)
{
	struct rtrs_volume *volume = volume_of("wrong", "disk", RNBD_READ_WRITE);

	(void)state;
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 1, 512), -EINVAL);
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 0, 511), -EINVAL);
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, DISK, 512), -EINVAL);
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, 0, DISK - 512, 1024), -ENOSPC);
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, 0, UINT64_MAX - 511, 512), -ENOSPC);
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, 0, DISK - 512, 512), 0);
	rtrsi_volume_close(volume);
}

/* Asks for an answer of `size` bytes; 0: sends it as a write. */
static int ask_volume(struct rtrs_volume *volume, const void *message, size_t length, size_t size)
{
	static uint8_t answer[4096];

	return rtrsi_volume_ask(volume->session, message, length, size ? answer : NULL, size);
}

static void malformed_messages_are_refused(void **state)
{
	struct rtrs_volume *volume = volume_of("malformed", "disk", RNBD_READ_WRITE);
	struct rtrs_rnbd_io io = {.device = volume->device.id, .size = 512};
	uint8_t open[RNBD_OPEN_SIZE], message[RNBD_IO_SIZE], close[RNBD_CLOSE_SIZE];
	uint8_t hello[RNBD_SESSION_INFO_SIZE];

	(void)state;
	assert_int_equal(rtrsi_rnbd_open_encode(RNBD_READ_ONLY, "ram", open), 0);
	rtrsi_rnbd_session_info_encode(RNBD_VERSION, hello);
	rtrsi_rnbd_close_encode(12345, close);
	for (size_t i = 0; i < sizeof(open); i++)
		assert_int_equal(ask_volume(volume, open, i, RNBD_OPEN_ANSWER_SIZE), -EINVAL);
	for (size_t i = 0; i < sizeof(hello); i++)
		assert_int_equal(ask_volume(volume, hello, i, RNBD_SESSION_INFO_SIZE), -EINVAL);
	for (size_t i = 0; i < sizeof(close); i++)
		assert_int_equal(ask_volume(volume, close, i, 0), -EINVAL);
	rtrsi_rnbd_io_encode(&io, message);
	for (size_t i = 0; i < RNBD_IO_SIZE_MIN; i++)
		assert_int_equal(ask_volume(volume, message, i, 512), -EINVAL);
	/* Too little room for the answer, or none. */
	for (size_t i = 0; i < RNBD_OPEN_ANSWER_SIZE; i++)
		assert_int_equal(ask_volume(volume, open, sizeof(open), i), -EINVAL);
	assert_int_equal(ask_volume(volume, close, sizeof(close), 0), -ENOENT);
	/* Another size than the data has, another direction, no device. */
	assert_int_equal(ask_volume(volume, message, sizeof(message), 1024), -EINVAL);
	assert_int_equal(ask_volume(volume, message, sizeof(message), 0), -EINVAL);
	io.size = UINT32_MAX - 511;
	rtrsi_rnbd_io_encode(&io, message);
	assert_int_equal(ask_volume(volume, message, sizeof(message), 512), -EINVAL);
	io = (struct rtrs_rnbd_io){.device = ~volume->device.id, .size = 512};
	rtrsi_rnbd_io_encode(&io, message);
	assert_int_equal(ask_volume(volume, message, sizeof(message), 512), -ENOTCONN);
	for (unsigned int type = RNBD_CLOSE + 1; type < 70000; type += 1111) {
		message[0] = (uint8_t)type;
		message[1] = (uint8_t)(type >> 8);
		if (type < 65536)
			assert_int_equal(ask_volume(volume, message, sizeof(message), 512),
					 -EINVAL);
	}
	use_all_operations(volume);
	rtrsi_volume_close(volume);
}

static void access_is_shared_as_it_should(void **state)
{
	struct rtrs_volume *writer = volume_of("writer", "disk", RNBD_READ_WRITE), *other, *next;

	(void)state;
	assert_int_equal(open_volume("other", "disk", RNBD_READ_WRITE, &other), -EPERM);
	other = volume_of("other", "disk", RNBD_READ_ONLY);
	assert_int_equal(do_op(other, RNBD_OP_READ, 0, 0, 512), 0);
	assert_int_equal(do_op(other, RNBD_OP_WRITE, 0, 0, 512), -EACCES);
	assert_int_equal(do_op(other, RNBD_OP_DISCARD, 0, 0, 4096), -EACCES);
	next = volume_of("next", "disk", RNBD_MIGRATION);
	rtrsi_volume_close(writer);
	assert_int_equal(do_op(next, RNBD_OP_WRITE, 0, 0, 512), 0);
	rtrsi_volume_close(next);
	rtrsi_volume_close(other);
	assert_int_equal(open_volume("none", "none", RNBD_READ_ONLY, &other), -ENOENT);
	assert_int_equal(open_volume("up", "../disk", RNBD_READ_ONLY, &other), -EINVAL);
}

static void resized_files_are_measured(void **state)
{
	struct rtrs_volume *volume = volume_of("size", "disk", RNBD_READ_WRITE);
	struct rtrs_volume_info info;

	(void)state;
	assert_int_equal(truncate(disk_path, DISK + 8192), 0);
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, DISK, 512), -EINVAL);
	assert_int_equal(rtrsi_volume_measure(volume), 0);
	rtrsi_volume_info(volume, &info);
	assert_int_equal(info.size, DISK + 8192);
	assert_int_equal(info.paths_up, 2);
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, 0, DISK + 4096, 4096), 0);
	assert_int_equal(truncate(disk_path, DISK), 0);
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, DISK, 512), -EIO);
	rtrsi_export_measure(service);
	assert_int_equal(rtrsi_volume_measure(volume), 0);
	rtrsi_volume_info(volume, &info);
	assert_int_equal(info.size, DISK);
	rtrsi_volume_close(volume);
}

static void say_that_it_ended(struct rtrs_volume_request *request, int error)
{
	assert_int_equal(error, 0);
	sem_post(request->data);
}

/* A message that is no IO takes a permit, too. */
static void who_waits_for_a_permit_is_not_forgotten(void **state)
{
	struct rtrs_volume *volume = volume_of("permit", "disk", RNBD_READ_WRITE);
	sem_t ended;
	struct rtrs_volume_request request = {
		.op = RNBD_OP_FLUSH, .data = &ended, .done = say_that_it_ended};
	struct rtrs_permit *permits[64];
	unsigned int count = 0;

	(void)state;
	assert_int_equal(sem_init(&ended, 0, 0), 0);
	while (!rtrs_permit_get(volume->session->rtrs, &permits[count]))
		assert_true(++count < HF_ARRAY_SIZE(permits));
	rtrsi_volume_submit(volume, &request);
	assert_ptr_equal(volume->waiting, &request);
	while (count)
		rtrs_permit_put(permits[--count]);
	assert_int_equal(rtrsi_volume_measure(volume), 0);
	assert_null(volume->waiting);
	assert_int_equal(sem_wait(&ended), 0);
	rtrsi_volume_close(volume);
	sem_destroy(&ended);
}

static void a_server_that_comes_back_is_found(void **state)
{
	struct rtrs_volume *volume = volume_of("back", "disk", RNBD_READ_WRITE);
	struct rtrs_volume_info info;

	(void)state;
	fill_expected();
	assert_int_equal(do_op(volume, RNBD_OP_WRITE, 0, 0, sizeof(data)), 0);
	for (int i = 0; i < 3; i++) {
		serve_no_more();
		serve_directory(false);
		memset(data, 0, sizeof(data));
		assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 0, sizeof(data)), 0);
		assert_memory_equal(data, expected, sizeof(data));
	}
	rtrsi_volume_info(volume, &info);
	assert_int_equal(info.reconnects, 3);
	rtrsi_volume_close(volume);
}

static struct rtrs_volume *volume_beside(struct rtrs_volume *beside, const char *path)
{
	const struct rtrs_volume_options options = {
		.session = "beside", .path = path, .access = RNBD_READ_WRITE, .beside = beside};
	struct rtrs_volume *volume;

	assert_int_equal(rtrsi_volume_open(&options, &volume), 0);
	return volume;
}

static void volumes_share_a_session(void **state)
{
	const struct rtrs_volume_options none = {
		.session = "beside", .path = "none", .access = RNBD_READ_ONLY};
	struct rtrs_volume *first = volume_of("beside", "disk", RNBD_READ_WRITE), *other, *failed;
	struct rtrs_volume_options options = none;

	(void)state;
	options.beside = first;
	assert_int_equal(rtrsi_volume_open(&options, &failed), -ENOENT);
	other = volume_beside(first, "ram");
	assert_ptr_equal(other->session, first->session);
	use_all_operations(first);
	use_all_operations(other);
	serve_no_more();
	serve_directory(false);
	assert_int_equal(do_op(other, RNBD_OP_WRITE, 0, 0, 512), 0);
	assert_int_equal(do_op(first, RNBD_OP_WRITE, 0, 0, 512), 0);
	rtrsi_volume_close(first);
	assert_int_equal(do_op(other, RNBD_OP_READ, 0, 0, 512), 0);
	first = volume_beside(other, "disk");
	rtrsi_volume_give_up(other);
	assert_int_equal(do_op(other, RNBD_OP_READ, 0, 0, 512), -ETIMEDOUT);
	assert_int_equal(do_op(first, RNBD_OP_READ, 0, 0, 512), 0);
	rtrsi_volume_close(other);
	use_all_operations(first);
	rtrsi_volume_close(first);
}

/* Without a server for longer than that requests fail. */
static void a_device_that_has_shrunk_is_refused(void **state)
{
	const struct rtrs_volume_options options = {.session = "shrunk",
						    .path = "disk",
						    .access = RNBD_READ_WRITE,
						    .addresses = both,
						    .address_count = 2,
						    .reconnect_delay_ms = 10,
						    .give_up_ms = 1};
	struct rtrs_volume_info info;
	struct rtrs_volume *volume;

	(void)state;
	assert_int_equal(rtrsi_volume_open(&options, &volume), 0);
	serve_no_more();
	assert_int_equal(truncate(disk_path, DISK - 4096), 0);
	serve_directory(false);
	assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 0, 512), -ETIMEDOUT);
	rtrsi_volume_info(volume, &info);
	assert_int_equal(info.size, DISK);
	serve_no_more();
	assert_int_equal(truncate(disk_path, DISK), 0);
	serve_directory(false);
	rtrsi_volume_close(volume);
}

static void read_only_is_read_only(void **state)
{
	static const char *const paths[] = {"disk", "ram"};
	struct rtrs_volume *volume;

	(void)state;
	serve_no_more();
	serve_directory(true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_volume("rw", paths[i], RNBD_READ_WRITE, &volume), -EROFS);
		assert_int_equal(open_volume("mig", paths[i], RNBD_MIGRATION, &volume), -EROFS);
		volume = volume_of("ro", paths[i], RNBD_READ_ONLY);
		assert_int_equal(do_op(volume, RNBD_OP_READ, 0, 0, 512), 0);
		assert_int_equal(do_op(volume, RNBD_OP_WRITE_ZEROES, 0, 0, 512), -EACCES);
		rtrsi_volume_close(volume);
	}
	serve_no_more();
	serve_directory(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_do_what_they_say),
		cmocka_unit_test(wrong_ranges_are_refused),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(access_is_shared_as_it_should),
		cmocka_unit_test(resized_files_are_measured),
		cmocka_unit_test(who_waits_for_a_permit_is_not_forgotten),
		cmocka_unit_test(a_server_that_comes_back_is_found),
		cmocka_unit_test(volumes_share_a_session),
		cmocka_unit_test(a_device_that_has_shrunk_is_refused),
		cmocka_unit_test(read_only_is_read_only),
	};

	return cmocka_run_group_tests(tests, make_disk, remove_disk);
}
