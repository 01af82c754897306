/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the library: its client on its server over Unix and TCP sockets, in one process. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
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
#include "t/lib/process.h"
#include "t/unit/rtrs_disk.h"

static char address[128];
static struct disk disk;
static struct disk_client client;

static void begin_world(uint32_t server_depth, bool invalidate, unsigned int depth,
			uint32_t connections, unsigned int paths)
{
	disk_open(&disk, address, server_depth, invalidate);
	disk_client_open(&client, "disk", depth, connections);
	for (unsigned int i = 0; i < paths; i++)
		disk_client_add_path(&client, &disk, address);
}

static int begin_path(const struct disk_client *of)
{
	char text[128];

	disk_path_address(address, 0, text, sizeof(text));
	return rtrs_session_add_path(of->session, text);
}

static void finish_world(void)
{
	disk_client_close(&client);
	disk_close(&disk);
}

static void what_is_written_is_read(void **state)
{
	static const struct {
		unsigned int server_depth, depth, connections, paths;
	} rows[] = {
		{512, 1, 1, 1}, {512, 32, 1, 1}, {512, 512, 1, 1}, {1, 1, 1, 2},
		{64, 64, 3, 4}, {512, 32, 2, 4}, {3, 7, 1, 2},
	};

	(void)state;
	for (unsigned int i = 0; i < 2 * HF_ARRAY_SIZE(rows); i++) {
		begin_world(rows[i / 2].server_depth, i % 2, rows[i / 2].depth,
			    rows[i / 2].connections, rows[i / 2].paths);
		disk_client_work(&client, &disk, getenv("HF_VALGRIND") ? 200 : 2000);
		disk_client_verify(&client, &disk);
		assert_int_equal(client.errors, 0);
		finish_world();
	}
}

static void each_policy_uses_the_paths(void **state)
{
	static const char *const policies[] = {"round-robin", "min-inflight", "ml"};
	struct rtrs_path_info info = {.size = sizeof(info)};
	char third[128];

	(void)state;
	disk_path_address(address, 2, third, sizeof(third));
	for (size_t i = 0; i < HF_ARRAY_SIZE(policies); i++) {
		begin_world(64, false, 32, 1, 3);
		assert_int_equal(rtrs_session_set_policy(client.session, policies[i]), 0);
		assert_int_equal(rtrs_session_set_policy(client.session, "best"), -EINVAL);
		disk_client_work(&client, &disk, 500);
		disk_client_settle(&client, &disk);
		assert_int_equal(rtrs_session_path_info(client.session, 2, &info), 0);
		assert_true(info.is_connected);
		assert_int_equal(info.inflight, 0);
		assert_string_equal(info.address, third);
		assert_int_equal(rtrs_session_path_info(client.session, 3, &info), -ENOENT);
		finish_world();
	}
}

static void limits_are_kept(void **state)
{
	struct rtrs_limits limits = {.size = sizeof(limits)};
	struct rtrs_permit *permits[3], *permit;
	static uint8_t bytes[20000];
	struct iovec data = {bytes, sizeof(bytes)};
	struct rtrs_transfer transfer = {.size = sizeof(transfer), .data = &data, .data_count = 1};

	(void)state;
	disk_open(&disk, address, 2, false);
	disk_client_open(&client, "limits", 3, 1);
	assert_int_equal(rtrs_permit_get(client.session, &permit), -ENOTCONN);
	assert_int_equal(rtrs_session_limits(client.session, &limits), -ENOTCONN);
	disk_client_add_path(&client, &disk, address);
	assert_int_equal(rtrs_session_limits(client.session, &limits), 0);
	assert_int_equal(limits.permits, 2);
	assert_int_equal(limits.max_io, 12288);
	assert_in_range(limits.max_header, 4000, 4096);
	assert_int_equal(rtrs_permit_get(client.session, &permits[0]), 0);
	assert_int_equal(rtrs_permit_get(client.session, &permits[1]), 0);
	assert_int_equal(rtrs_permit_get(client.session, &permits[2]), -EAGAIN);
	assert_int_equal(rtrs_write(permits[0], &transfer), -EMSGSIZE);
	data.iov_len = limits.max_io;
	transfer.header = bytes;
	transfer.header_length = limits.max_header + 1;
	assert_int_equal(rtrs_read(permits[0], &transfer), -EMSGSIZE);
	transfer.size--;
	assert_int_equal(rtrs_read(permits[0], &transfer), -EINVAL);
	/* The largest one is carried; the server's program does not like it, and says so. */
	transfer.size++;
	transfer.header_length--;
	for (int i = 0; i < 2; i++) {
		struct rtrs_completion completion;

		assert_int_equal(i ? rtrs_read(permits[i], &transfer)
				   : rtrs_write(permits[i], &transfer),
				 0);
		while (!rtrs_session_completion(client.session, &completion))
			disk_serve(&client, &disk);
		assert_int_equal(completion.error, -EINVAL);
	}
	assert_int_equal(rtrs_permit_get(client.session, &permits[0]), 0);
	rtrs_permit_put(permits[0]);
	finish_world();
}

static void addresses_are_checked(void **state)
{
	static const char *const bad[] = {
		"",
		"unix:",
		"unix:relative",
		"tcp:1.2.3.4",
		"tcp:name:80",
		"tcp:1.2.3.4:x",
		"tcp:1.2.3.4:65536",
		"ip:",
		"ip:1.2.3",
		"soft:",
		"soft:1.2.3",
		"soft:1.2.3.4:65536",
		"soft:127.0.0.1,ip:127.0.0.1",
		"gid:::1",
		"tcp:[::1:80",
		"tcp:[::1]80",
		"tcp:::1",
		"tcp:127.0.0.1:1,unix:/x",
		",",
		"unix:/a,",
	};

	(void)state;
	begin_world(8, false, 4, 1, 1);
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		assert_int_equal(rtrs_session_add_path(client.session, bad[i]), -EINVAL);
		if (!strchr(bad[i], ','))
			assert_int_equal(rtrs_service_listen(disk.service, bad[i]), -EINVAL);
	}
	assert_int_equal(rtrs_service_listen(disk.service, address), -EADDRINUSE);
	finish_world();
}

static void several_sources_are_several_paths(void **state)
{
	char both[128];
	unsigned int port;

	(void)state;
	disk_open(&disk, address, 32, true);
	for (port = 20000; port < 20200; port++) {
		snprintf(both, sizeof(both), "tcp:127.0.0.1:%u", port);
		if (!rtrs_service_listen(disk.service, both))
			break;
	}
	disk_client_open(&client, "tcp", 32, 2);
	disk_client_add_path(&client, &disk, both);
	snprintf(both, sizeof(both), "tcp:127.0.0.2,tcp:127.0.0.1:%u", port);
	disk_client_add_path(&client, &disk, both);
	/* A pair of addresses that has a path already. */
	assert_int_equal(rtrs_session_add_path(client.session, both), 2);
	while (!client.failed)
		disk_serve(&client, &disk);
	assert_int_equal(client.last_error, -EEXIST);
	disk_client_work(&client, &disk, 1000);
	disk_client_verify(&client, &disk);
	finish_world();
}

static void wait_for_paths(unsigned int count)
{
	while (client.path_ups - client.path_downs < count)
		disk_serve(&client, &disk);
}

static void paths_come_and_go_under_load(void **state)
{
	struct rtrs_path_info info = {.size = sizeof(info)};
	unsigned long failovers = 0;

	(void)state;
	for (int invalidate = 0; invalidate < 2; invalidate++) {
		unsigned int numbers[] = {0, 1, 2, 3};

		begin_world(64, invalidate, 64, 2, 4);
		for (unsigned int i = 0; i < 20; i++) {
			unsigned int at = (i + i / 4) % 4, path = numbers[at];

			disk_client_work(&client, &disk, 100);
			disk_client_begin(&client);
			if (i % 4 == 0)
				assert_int_equal(rtrs_session_disconnect_path(client.session, path),
						 0);
			if (i % 4 < 2)
				assert_int_equal(rtrs_session_reconnect_path(client.session, path),
						 0);
			if (i % 4 == 2)
				assert_int_equal(rtrs_session_remove_path(client.session, path), 0);
			if (i % 4 == 3) {
				assert_int_equal(rtrs_service_disconnect(disk.service,
									 disk.last_session),
						 0);
				client.may_fail = true;
			}
			disk_client_work(&client, &disk, 50);
			while (i % 4 == 2 && !client.removed)
				disk_serve(&client, &disk);
			if (i % 4 == 2)
				numbers[at] = disk_client_add_path(&client, &disk, address);
			client.removed = 0;
			wait_for_paths(4);
			client.may_fail = false;
		}
		disk_client_verify(&client, &disk);
		for (unsigned int i = 0; i < 4; i++) {
			assert_int_equal(rtrs_session_path_info(client.session, numbers[i], &info),
					 0);
			failovers += info.failovers;
		}
		assert_true(failovers > 0);
		finish_world();
	}
}

static void without_a_path_requests_end(void **state)
{
	struct rtrs_permit *permit;
	struct rtrs_transfer transfer = {.size = sizeof(transfer)};

	(void)state;
	begin_world(8, false, 4, 1, 1);
	disk.is_holding = true;
	disk_client_begin(&client);
	while (disk.held_count < 4)
		disk_serve(&client, &disk);
	client.may_fail = true;
	assert_int_equal(rtrs_session_disconnect_path(client.session, 0), 0);
	disk_client_settle(&client, &disk);
	assert_int_equal(client.errors, 4);
	assert_int_equal(client.downs, 1);
	assert_int_equal(rtrs_permit_get(client.session, &permit), 0);
	assert_int_equal(rtrs_write(permit, &transfer), -ECONNABORTED);
	rtrs_permit_put(permit);
	/* It is not connected anew before the server's program is done with what came on it. */
	assert_int_equal(rtrs_session_reconnect_path(client.session, 0), 0);
	while (!client.failed)
		disk_serve(&client, &disk);
	disk.is_holding = false;
	disk_let_go(&disk);
	wait_for_paths(1);
	assert_int_equal(client.ups, 1);
	disk_client_verify(&client, &disk);
	finish_world();
}

static int outcome;
static unsigned int outcomes;

static void note_outcome(int error, void *user)
{
	(void)user;
	outcome = error;
	__atomic_add_fetch(&outcomes, 1, __ATOMIC_RELEASE);
}

static void a_deadline_ends_a_request(void **state)
{
	uint32_t block = 3;
	static uint8_t bytes[DISK_BLOCK];
	struct iovec data = {bytes, sizeof(bytes)};
	struct rtrs_transfer transfer = {.size = sizeof(transfer),
					 .header = &block,
					 .header_length = sizeof(block),
					 .data = &data,
					 .data_count = 1,
					 .deadline_ms = 1,
					 .done = note_outcome};
	struct rtrs_permit *permit, *other;

	(void)state;
	begin_world(1, false, 4, 1, 1);
	memset(disk.blocks[3], 0x77, DISK_BLOCK);
	disk.is_holding = true;
	outcomes = 0;
	assert_int_equal(rtrs_permit_get(client.session, &permit), 0);
	assert_int_equal(rtrs_read(permit, &transfer), 0);
	while (!outcomes || !disk.held_count)
		disk_serve(&client, &disk);
	assert_int_equal(outcome, -ETIMEDOUT);
	assert_int_equal(outcomes, 1);
	/* The only permit is in use until the server has answered; and the memory is the program's. */
	assert_int_equal(rtrs_permit_get(client.session, &other), -EAGAIN);
	disk_let_go(&disk);
	while (rtrs_permit_get(client.session, &other))
		disk_serve(&client, &disk);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(outcomes, 1);
	/* In time it is none. */
	disk.is_holding = false;
	transfer.deadline_ms = 1000000;
	assert_int_equal(rtrs_read(other, &transfer), 0);
	while (outcomes < 2)
		disk_serve(&client, &disk);
	assert_int_equal(outcome, 0);
	assert_int_equal(bytes[0], 0x77);
	finish_world();
}

static void who_is_not_admitted_has_no_session(void **state)
{
	struct disk_client second;

	(void)state;
	disk_open(&disk, address, 8, false);
	disk.refusal = -EACCES;
	disk_client_open(&client, "stranger", 4, 1);
	assert_int_equal(begin_path(&client), 0);
	while (!client.failed)
		disk_serve(&client, &disk);
	assert_int_equal(disk.ups, 0);
	disk.refusal = 0;
	client.failed = 0;
	assert_int_equal(rtrs_session_reconnect_path(client.session, 0), 0);
	wait_for_paths(1);
	/* A name that another session has. */
	disk_client_open(&second, "stranger", 4, 1);
	assert_int_equal(begin_path(&second), 0);
	while (!second.failed)
		disk_serve(&second, &disk);
	assert_int_equal(disk.ups, 1);
	disk_client_close(&second);
	disk_client_work(&client, &disk, 10);
	disk_client_settle(&client, &disk);
	finish_world();
}

static void nobody_answers_at_the_address(void **state)
{
	(void)state;
	disk_client_open(&client, "alone", 4, 1);
	assert_int_equal(begin_path(&client), 0);
	while (!client.failed)
		disk_serve(&client, NULL);
	assert_int_equal(client.last_error, *address == 'u' ? -ENOENT : -ECONNREFUSED);
	if (*address == 'u')
		assert_int_equal(rtrs_session_add_path(client.session, "ip:127.0.0.1"),
				 -EOPNOTSUPP);
	disk_client_close(&client);
}

static void threads_do_it_alone(void **state)
{
	struct rtrs_permit *permit;
	uint32_t block = 1;
	struct rtrs_transfer transfer = {.size = sizeof(transfer),
					 .header = &block,
					 .header_length = sizeof(block),
					 .done = note_outcome};
	unsigned int begun = 0;

	(void)state;
	begin_world(16, true, 8, 1, 2);
	outcomes = 0;
	assert_int_equal(rtrs_service_run(disk.service), 0);
	assert_int_equal(rtrs_service_run(disk.service), -EALREADY);
	assert_int_equal(rtrs_session_run(client.session), 0);
	while (begun < 1000) {
		if (rtrs_permit_get(client.session, &permit)) {
			usleep(10);
			continue;
		}
		assert_int_equal(rtrs_write(permit, &transfer), 0);
		begun++;
	}
	while (__atomic_load_n(&outcomes, __ATOMIC_ACQUIRE) < begun)
		usleep(100);
	finish_world();
	assert_int_equal(disk.jobs, begun);
}

static void *let_go_later(void *arg)
{
	(void)arg;
	disk_let_go(&disk);
	return NULL;
}

static void answers_come_from_any_thread(void **state)
{
	pthread_t thread;

	(void)state;
	begin_world(32, true, 32, 1, 2);
	disk.is_holding = true;
	for (int i = 0; i < 20; i++) {
		while (disk.held_count < 16) {
			disk_client_begin(&client);
			disk_serve(&client, &disk);
		}
		assert_int_equal(pthread_create(&thread, NULL, let_go_later, NULL), 0);
		pthread_join(thread, NULL);
	}
	disk.is_holding = false;
	disk_let_go(&disk);
	disk_client_verify(&client, &disk);
	finish_world();
}

/* HF_RTRS_SESSIONS says how many. */
static unsigned long session_count(void)
{
	const char *text = getenv("HF_RTRS_SESSIONS");

	if (text)
		return strtoul(text, NULL, 0);
	text = getenv("long");
	/* A device is opened for each. */
	if (*address != 'u')
		return 25;
	return text && !strcmp(text, "1") ? 10000 : 300;
}

static void many_sessions_leave_nothing(void **state)
{
	unsigned long count = session_count(), memory = 0;
	int before = count_open_fds();

	(void)state;
	disk_open(&disk, address, 16, false);
	for (unsigned long i = 0; i < count; i++) {
		disk_client_open(&client, "short", 4, 1);
		disk_client_add_path(&client, &disk, address);
		disk_client_add_path(&client, &disk, address);
		disk_client_work(&client, &disk, 4);
		disk_client_settle(&client, &disk);
		disk_client_close(&client);
		while (disk.downs < disk.ups)
			assert_int_equal(rtrs_service_dispatch(disk.service), 0);
		/* The first ones fill what is kept. */
		if (i == 20)
			memory = mallinfo2().uordblks;
	}
	assert_in_range(mallinfo2().uordblks, 0, memory + 16384);
	disk_close(&disk);
	assert_int_equal(count_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(each_policy_uses_the_paths),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(several_sources_are_several_paths),
		cmocka_unit_test(paths_come_and_go_under_load),
		cmocka_unit_test(without_a_path_requests_end),
		cmocka_unit_test(a_deadline_ends_a_request),
		cmocka_unit_test(who_is_not_admitted_has_no_session),
		cmocka_unit_test(nobody_answers_at_the_address),
		cmocka_unit_test(threads_do_it_alone),
		cmocka_unit_test(answers_come_from_any_thread),
		cmocka_unit_test(many_sessions_leave_nothing),
	};

	return disk_run_tests(tests, sizeof(tests) / sizeof(tests[0]), address, sizeof(address));
}
