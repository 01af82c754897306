/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RTRS over soft devices, whose addresses HF_RTRS_DEVICES has: one of two is removed under load and comes back, and
 * peers that say wrong things before there is a connection harm nobody. HF_SOFT_ADD and HF_SOFT_DEL add and remove
 * the second device.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "rtrs/link/rdma/tcp_message.h"
#include "shared/attr.h"
#include "t/lib/hang.h"
#include "t/lib/process.h"
#include "t/lib/rtrs_verbs.h"
#include "t/unit/rtrs_disk.h"

enum { NEVER_MS = 3600000, REMOVALS = 2, STRANGERS = 300 };

static char address[128];
static struct disk disk;
static struct disk_client client;

static void run_by_shell(const char *variable)
{
	const char *command = getenv(variable);

	assert_non_null(command);
	/* NOLINTNEXTLINE(cert-env33-c,bugprone-command-processor) the test's own script says what */
	assert_int_equal(system(command), 0);
}

/* Nothing but the stream of devices brings the path back: it would be tried again in an hour. */
static void a_removed_device_is_survived(void **state)
{
	unsigned int second, ups, downs;

	(void)state;
	disk_reconnect_ms = NEVER_MS;
	disk_open(&disk, address, 64, true);
	disk_client_open(&client, "unplug", 32, 2);
	disk_client_add_path(&client, &disk, address);
	second = disk_client_add_path(&client, &disk, address);
	for (int round = 0; round < REMOVALS; round++) {
		struct rtrs_path_info info = {.size = sizeof(info)};

		disk_client_work(&client, &disk, 100);
		disk_client_begin(&client);
		ups = client.path_ups;
		downs = client.path_downs;
		run_by_shell("HF_SOFT_DEL");
		while (client.path_downs == downs)
			disk_serve(&client, &disk);
		assert_int_equal(client.last_error, -ENODEV);
		disk_client_work(&client, &disk, 200);
		assert_int_equal(client.path_downs, downs + 1);
		assert_int_equal(rtrs_session_path_info(client.session, second, &info), 0);
		assert_false(info.is_connected);
		rtrs_verbs_forget_numbers();
		run_by_shell("HF_SOFT_ADD");
		while (client.path_ups == ups)
			disk_serve(&client, &disk);
		disk_client_work(&client, &disk, 100);
		assert_int_equal(rtrs_session_path_info(client.session, second, &info), 0);
		assert_true(info.is_connected);
	}
	disk_client_verify(&client, &disk);
	assert_int_equal(client.errors, 0);
	disk_client_close(&client);
	disk_close(&disk);
	disk_reconnect_ms = 1;
}

/* Answers come before requests are known to be sent, as where an acknowledgement is lost: requests wait for room. */
static void a_full_queue_is_waited_for(void **state)
{
	(void)state;
	/* Of a client with 16 permits. */
	rtrs_verbs_late_size = 3 * 16 + 16;
	disk_open(&disk, address, 16, false);
	disk_client_open(&client, "full", 16, 1);
	disk_client_add_path(&client, &disk, address);
	disk_client_work(&client, &disk, 1000);
	disk_client_verify(&client, &disk);
	assert_int_equal(client.path_downs, 0);
	disk_client_close(&client);
	disk_close(&disk);
	rtrs_verbs_late_size = 0;
}

/* --- wrong peers before there is a connection ---------------------------------------------------- */

static struct sockaddr_in first_device(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	char text[128], *port;

	disk_path_address(address, 0, text, sizeof(text));
	port = strrchr(text, ':');
	*port++ = '\0';
	to.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	assert_int_equal(inet_pton(AF_INET, text + strlen("soft:"), &to.sin_addr), 1);
	return to;
}

/* From the address of the device, as a client's has to be. */
static int connect_stranger(void)
{
	const struct sockaddr_in to = first_device();
	struct sockaddr_in from = to;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	from.sin_port = 0;
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void good_hello(uint8_t to[RTRS_TCP_HEADER])
{
	const struct sockaddr_in device = first_device();
	struct rtrs_tcp_message hello = {
		.type = RTRS_TCP_HELLO, .qp_number = 1024, .psn = 1, .mtu = 3};

	hello.gid[10] = hello.gid[11] = 0xff;
	memcpy(hello.gid + 12, &device.sin_addr, sizeof(device.sin_addr));
	rtrsi_tcp_encode(&hello, to);
}

/* Answers and closes: what it said in full, up to `size`. */
static size_t said_by_server(int fd, uint8_t *answer, size_t size)
{
	struct pollfd fds[] = {{.fd = rtrs_service_fd(disk.service), .events = POLLIN},
			       {.fd = fd, .events = POLLIN}};
	size_t got = 0;

	for (;;) {
		ssize_t result;

		assert_true(poll(fds, 2, HF_TEST_HANG_MS) > 0);
		assert_int_equal(rtrs_service_dispatch(disk.service), 0);
		if (!fds[1].revents)
			continue;
		result = recv(fd, answer + got, size - got, 0);
		if (result <= 0)
			return got;
		got += (size_t)result;
	}
}

static size_t say_to_server(const uint8_t *bytes, size_t size, struct rtrs_tcp_message *ret)
{
	uint8_t answer[RTRS_TCP_MESSAGE_MAX + 1];
	int fd = connect_stranger();
	size_t got;

	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	got = said_by_server(fd, answer, sizeof(answer));
	close(fd);
	if (got)
		assert_int_equal(rtrsi_tcp_decode(answer, ret), 0);
	return got;
}

static void each_byte_is_checked(void)
{
	/* Number and PSN may be others, which the server cannot know. */
	static const uint8_t free_bytes[] = {8, 9, 10, 12, 13, 14};
	uint8_t hello[RTRS_TCP_HEADER];
	struct rtrs_tcp_message message;

	for (size_t i = 0; i < sizeof(hello); i++) {
		size_t got;

		if (memchr(free_bytes, (int)i, sizeof(free_bytes)))
			continue;
		good_hello(hello);
		hello[i] ^= 0xa0;
		got = say_to_server(hello, sizeof(hello), &message);
		/* One of another version is told which one is spoken here. */
		assert_int_equal(got, i == 4 || i == 5 ? RTRS_TCP_HEADER : 0);
		if (got)
			assert_int_equal(message.type, RTRS_TCP_REJECT);
	}
	/* Well said, but for what RTRS itself wants to hear. */
	good_hello(hello);
	assert_true(say_to_server(hello, sizeof(hello), &message) > RTRS_TCP_HEADER);
	assert_int_equal(message.type, RTRS_TCP_REJECT);
	for (size_t size = 0; size < sizeof(hello); size++)
		assert_int_equal(say_to_server(hello, size, &message), 0);
}

static void wrong_peers_harm_nobody(void **state)
{
	int strangers[STRANGERS], before;

	(void)state;
	disk_open(&disk, address, 16, false);
	disk_client_open(&client, "well", 8, 1);
	disk_client_add_path(&client, &disk, address);
	disk_client_work(&client, &disk, 20);
	before = count_open_fds();
	each_byte_is_checked();
	disk_client_work(&client, &disk, 20);
	disk_client_settle(&client, &disk);
	assert_int_equal(count_open_fds(), before);
	/* Silent ones: a client comes in all the same. */
	for (unsigned int i = 0; i < STRANGERS; i++) {
		strangers[i] = connect_stranger();
		assert_int_equal(rtrs_service_dispatch(disk.service), 0);
	}
	disk_client_add_path(&client, &disk, address);
	disk_client_work(&client, &disk, 20);
	assert_in_range(count_open_fds(), before, before + STRANGERS + 256 + 40);
	for (unsigned int i = 0; i < STRANGERS; i++)
		close(strangers[i]);
	disk_client_verify(&client, &disk);
	disk_client_close(&client);
	disk_close(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_removed_device_is_survived),
		cmocka_unit_test(a_full_queue_is_waited_for),
		cmocka_unit_test(wrong_peers_harm_nobody),
	};

	return disk_run_tests(tests, sizeof(tests) / sizeof(tests[0]), address, sizeof(address));
}
