/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS: what hostile, silent and dying clients do to a control socket, and that requests go on meanwhile. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "rtrs/control/place.h"
#include "rtrs/control/query.h"
#include "rtrs/control/wire.h"
#include "shared/attr.h"
#include "t/lib/process.h"
#include "t/unit/rtrs_disk.h"

static char directory[] = "/tmp/hf-rtrs-control-XXXXXX";
static char address[128];
static struct disk disk;
static struct disk_client client;
static char client_socket[RTRS_CONTROL_NAME_SIZE];

/* The name of the only socket: of the session, which is opened without a service first. */
static void find_control_socket(char name[RTRS_CONTROL_NAME_SIZE])
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	unsigned int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (*entry->d_name < '0' || *entry->d_name > '9')
			continue;
		count++;
		snprintf(name, RTRS_CONTROL_NAME_SIZE, "%.31s", entry->d_name);
	}
	closedir(dir);
	assert_int_equal(count, 1);
}

static void begin_control(void)
{
	disk_client_open(&client, "disk", 4, 1);
	find_control_socket(client_socket);
	disk_open(&disk, address, 8, false);
	disk_client_add_path(&client, &disk, address);
}

static void finish_control(void)
{
	disk_client_close(&client);
	disk_close(&disk);
}

static int connect_control(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", directory, client_socket);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Has the session dispatched until that descriptor has something to say. */
static void wait_for_answer_on(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	while (!poll(&poll_fd, 1, 0))
		disk_serve(&client, &disk);
}

/* 1: it was answered with *ret; 0: it was cut off. */
static int receive_control(int fd, struct rtrs_control_answer *ret)
{
	static uint8_t bytes[sizeof(*ret) + RTRS_CONTROL_PAGE + 1];
	ssize_t size;

	*ret = (struct rtrs_control_answer){0};
	wait_for_answer_on(fd);
	size = recv(fd, bytes, sizeof(bytes), 0);
	if (size <= 0)
		return 0;
	assert_int_equal(rtrsi_control_answer_decode(bytes, (size_t)size, ret), 0);
	return 1;
}

static int encode(enum rtrs_control_request_type type, const char *path, const char *value,
		  uint8_t to[RTRS_CONTROL_REQUEST_SIZE])
{
	const struct rtrs_control_request request = {
		.type = type, .path = path, .value = value, .value_length = strlen(value)};

	return rtrsi_control_encode(&request, to);
}

static void send_control(int fd, enum rtrs_control_request_type type, const char *path,
			 const char *value)
{
	uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE];
	int size = encode(type, path, value, bytes);

	assert_true(size > 0);
	assert_int_equal(send(fd, bytes, (size_t)size, 0), size);
}

static void expect_refused(int fd, const uint8_t *bytes, size_t size)
{
	struct rtrs_control_answer answer;

	assert_int_equal(send(fd, bytes, size, 0), size);
	assert_int_equal(receive_control(fd, &answer), 1);
	assert_int_equal(answer.error, -EBADMSG);
	assert_int_equal(answer.length, 0);
}

static void what_is_no_request_is_refused(void **state)
{
	static uint8_t bytes[2 * RTRS_CONTROL_REQUEST_SIZE];
	struct rtrs_control_answer answer;
	uint8_t copy[RTRS_CONTROL_REQUEST_SIZE];
	int fd, size;

	(void)state;
	begin_control();
	fd = connect_control();
	size = encode(RTRS_CONTROL_WRITE, "rtrs-client/disk/mpath_policy", "rr", bytes);
	for (int length = 1; length < size; length++)
		expect_refused(fd, bytes, (size_t)length);
	expect_refused(fd, bytes, (size_t)size + 1);
	expect_refused(fd, bytes, sizeof(bytes));
	/* Each byte of the head but that of the cursor, with each value that says another thing. */
	for (int at = 0; at < 12; at++) {
		for (int flip = 1; flip < 256; flip += flip < 8 ? 1 : 31) {
			memcpy(copy, bytes, (size_t)size);
			copy[at] ^= (uint8_t)flip;
			assert_int_equal(send(fd, copy, (size_t)size, 0), size);
			assert_int_equal(receive_control(fd, &answer), 1);
			/* The type may have become another one. */
			if (answer.error)
				assert_true(answer.error == -EBADMSG || answer.error == -ENODEV);
		}
	}
	memcpy(copy, bytes, (size_t)size);
	copy[40] = '\0';
	expect_refused(fd, copy, (size_t)size);
	memcpy(copy, bytes, (size_t)size);
	copy[size - 1] = 'x';
	expect_refused(fd, copy, (size_t)size);
	disk_client_work(&client, &disk, 10);
	/* And the same client is still heard. */
	assert_int_equal(send(fd, bytes, (size_t)size, 0), size);
	assert_int_equal(receive_control(fd, &answer), 1);
	assert_int_equal(answer.error, 0);
	close(fd);
	finish_control();
}

static void any_cursor_ends(void **state)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 128, 129, 130, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
	uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE];
	struct rtrs_control_answer answer;
	int fd, size;

	(void)state;
	begin_control();
	fd = connect_control();
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++) {
		for (size_t j = 0; j < HF_ARRAY_SIZE(numbers); j++) {
			const struct rtrs_control_request request = {
				.type = RTRS_CONTROL_LIST_VALUES,
				.cursor = {numbers[i], numbers[j]}};

			size = rtrsi_control_encode(&request, bytes);
			assert_int_equal(send(fd, bytes, (size_t)size, 0), size);
			assert_int_equal(receive_control(fd, &answer), 1);
			assert_int_equal(answer.error, 0);
			assert_int_equal(answer.next.session, 0);
		}
	}
	close(fd);
	finish_control();
}

static void paths_that_are_not_there(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"//",
		"rtrs-client",
		"rtrs-client/",
		"rtrs-client/disk",
		"rtrs-client/disk/",
		"rtrs-client//mpath_policy",
		"rtrs-client/dis/mpath_policy",
		"rtrs-client/disk2/mpath_policy",
		"rtrs-client/disk/mpath_policy/",
		"rtrs-client/disk/paths",
		"rtrs-client/disk/paths/",
		"rtrs-client/disk/paths//state",
		"rtrs-client/disk/../disk/mpath_policy",
		"rtrs-server/disk/mpath_policy",
		"/rtrs-client/disk/mpath_policy",
	};
	struct rtrs_control_answer answer;
	char path[RTRS_CONTROL_PATH_MAX];
	int fd;

	(void)state;
	begin_control();
	fd = connect_control();
	for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++) {
		send_control(fd, i % 2 ? RTRS_CONTROL_READ : RTRS_CONTROL_WRITE, paths[i], "1");
		assert_int_equal(receive_control(fd, &answer), 1);
		assert_int_equal(answer.error, -ENODEV);
	}
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	send_control(fd, RTRS_CONTROL_READ, path, "");
	assert_int_equal(receive_control(fd, &answer), 1);
	assert_int_equal(answer.error, -ENODEV);
	close(fd);
	finish_control();
}

/* It sends and sends, and reads no answer: it is cut off, and the requests of the session go on. */
static void who_reads_nothing_is_cut_off(void **state)
{
	uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE];
	int fd, size;

	(void)state;
	begin_control();
	fd = connect_control();
	size = encode(RTRS_CONTROL_LIST_VALUES, "", "", bytes);
	for (;;) {
		ssize_t sent = send(fd, bytes, (size_t)size, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			break;
		disk_client_work(&client, &disk, 1);
	}
	close(fd);
	disk_client_verify(&client, &disk);
	finish_control();
}

/* Of more than there is room for, those who were silent for the longest time have to go. */
static void silent_ones_make_room(void **state)
{
	int fds[20], fd, before;
	struct rtrs_control_answer answer;

	(void)state;
	begin_control();
	before = count_open_fds();
	for (size_t i = 0; i < HF_ARRAY_SIZE(fds); i++) {
		fds[i] = connect_control();
		/* It is accepted when it has its answer. */
		send_control(fds[i], RTRS_CONTROL_READ, "rtrs-client/disk/mpath_policy", "");
		assert_int_equal(receive_control(fds[i], &answer), 1);
		assert_int_equal(answer.error, 0);
	}
	assert_int_equal(receive_control(fds[0], &answer), 0);
	fd = connect_control();
	send_control(fd, RTRS_CONTROL_READ, "rtrs-client/disk/mpath_policy", "");
	assert_int_equal(receive_control(fd, &answer), 1);
	close(fd);
	for (size_t i = 0; i < HF_ARRAY_SIZE(fds); i++)
		close(fds[i]);
	/* The session notices that they have gone when it looks for one more. */
	while (count_open_fds() != before) {
		fd = connect_control();
		send_control(fd, RTRS_CONTROL_READ, "", "");
		assert_int_equal(receive_control(fd, &answer), 1);
		close(fd);
		disk_serve(&client, &disk);
	}
	finish_control();
}

static void descriptors_are_not_taken(void **state)
{
	uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE];
	struct iovec part = {bytes, 0};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} rights = {0};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &rights,
				 .msg_controllen = sizeof(rights)};
	struct rtrs_control_answer answer;
	int fd, before, size;

	(void)state;
	begin_control();
	fd = connect_control();
	size = encode(RTRS_CONTROL_READ, "rtrs-client/disk/mpath_policy", "", bytes);
	part.iov_len = (size_t)size;
	rights.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(4 * sizeof(int)),
				       .cmsg_level = SOL_SOCKET,
				       .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&rights.head), (const int[]){0, 1, 2, fd}, 4 * sizeof(int));
	assert_int_equal(send(fd, bytes, (size_t)size, 0), size);
	assert_int_equal(receive_control(fd, &answer), 1);
	before = count_open_fds();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(sendmsg(fd, &message, 0), size);
		assert_int_equal(receive_control(fd, &answer), 1);
		assert_int_equal(answer.error, 0);
	}
	assert_int_equal(count_open_fds(), before);
	close(fd);
	finish_control();
}

/* Clients that wait for a connection and go, or stay while the path or the session goes. */
static void who_waits_may_go(void **state)
{
	struct rtrs_control_answer answer;
	int fd, other, third;
	char path[300];

	(void)state;
	begin_control();
	snprintf(path, sizeof(path), "rtrs-client/disk/paths/unix:#0@%s/reconnect", address);
	for (char *at = path + strlen("rtrs-client/disk/paths/"); at < strrchr(path, '/'); at++)
		*at = *at == '/' ? '!' : *at;
	/* The server's process accepts nothing meanwhile: only the client is dispatched. */
	fd = connect_control();
	other = connect_control();
	send_control(fd, RTRS_CONTROL_WRITE, path, "1\n");
	while (client.path_downs == 0)
		disk_serve(&client, NULL);
	close(fd);
	send_control(other, RTRS_CONTROL_WRITE, path, "1");
	assert_int_equal(receive_control(other, &answer), 1);
	assert_true(answer.error == 0 || answer.error == -EBUSY);
	disk_client_work(&client, &disk, 10);
	fd = connect_control();
	send_control(fd, RTRS_CONTROL_WRITE, path, "1");
	while (client.path_downs == 1)
		disk_serve(&client, NULL);
	assert_int_equal(rtrs_session_remove_path(client.session, 0), 0);
	assert_int_equal(receive_control(fd, &answer), 1);
	assert_true(answer.error == -ENOTCONN || answer.error == -ENODEV);
	third = connect_control();
	send_control(third, RTRS_CONTROL_WRITE, "rtrs-client/disk/add_path", address);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rtrs_session_dispatch(client.session), 0);
	finish_control();
	assert_true(recv(third, &answer, sizeof(answer), 0) <= 0);
	close(third);
	close(other);
	close(fd);
}

static void other_users_are_not_heard(void **state)
{
	struct rtrs_control_answer answer;
	int status;
	pid_t pid;
	char path[sizeof(directory) + RTRS_CONTROL_NAME_SIZE + 1];

	(void)state;
	if (geteuid()) {
		print_message("only root can be another user\n");
		skip();
	}
	begin_control();
	/* Even if directory and socket let them in. */
	snprintf(path, sizeof(path), "%s/%s", directory, client_socket);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(chmod(path, 0777), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct pollfd poll_fd = {.events = POLLIN};
		uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE];

		if (setgid(65534) || setuid(65534))
			_exit(2);
		poll_fd.fd = connect_control();
		(void)!send(poll_fd.fd, bytes, (size_t)encode(RTRS_CONTROL_LIST, "", "", bytes),
			    MSG_NOSIGNAL);
		(void)poll(&poll_fd, 1, -1);
		_exit(recv(poll_fd.fd, &answer, sizeof(answer), 0) > 0);
	}
	while (!waitpid(pid, &status, WNOHANG))
		assert_int_equal(rtrs_session_dispatch(client.session), 0);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(directory, 0700), 0);
	finish_control();
}

static void nothing_is_left(void **state)
{
	int before;

	(void)state;
	begin_control();
	finish_control();
	before = count_open_fds();
	for (int i = 0; i < 10; i++) {
		begin_control();
		disk_client_work(&client, &disk, 4);
		finish_control();
	}
	assert_int_equal(count_open_fds(), before);
	/* Without a place for it there is no socket, and all the rest works. */
	setenv("HOLDFAST_RTRS_CONTROL", "/nonexistent", 1);
	disk_client_open(&client, "disk", 4, 1);
	disk_open(&disk, address, 8, false);
	disk_client_add_path(&client, &disk, address);
	disk_client_work(&client, &disk, 10);
	finish_control();
	setenv("HOLDFAST_RTRS_CONTROL", directory, 1);
	assert_int_equal(count_open_fds(), before);
}

/* --- with threads -------------------------------------------------------------------------------- */

static void answer_at_once(struct rtrs_job *job, void *user)
{
	(void)user;
	rtrs_job_answer(job, 0);
}

static void count_end(int error, void *user)
{
	assert_true(error == 0 || error == -ECONNABORTED);
	__atomic_add_fetch((unsigned int *)user, 1, __ATOMIC_RELEASE);
}

static int ask_one_process(void *arg, const char *name)
{
	struct rtrs_control_request request = {
		.type = RTRS_CONTROL_WRITE, .path = arg, .value = "1", .value_length = 1};
	char bytes[RTRS_CONTROL_PAGE];
	struct rtrs_control_page page = {.bytes = bytes};
	int place = rtrsi_control_place(false), err;

	assert_true(place >= 0);
	/* The service has no such file. */
	err = rtrsi_query(place, name, &request, NULL, NULL, NULL);
	assert_true(err == 0 || err == -ENODEV || err == -ENOTCONN || err == -EBUSY);
	request = (struct rtrs_control_request){.type = RTRS_CONTROL_LIST_VALUES};
	assert_int_equal(rtrsi_query(place, name, &request, &request.cursor, &page, NULL), 0);
	close(place);
	return 0;
}

static void threads_serve_it(void **state)
{
	const struct rtrs_service_options of_service = {.size = sizeof(of_service),
							.job = answer_at_once,
							.queue_depth = 8,
							.max_io = 12288};
	const struct rtrs_session_options of_session = {
		.size = sizeof(of_session), .name = "threads", .reconnect_delay_ms = 1};
	struct rtrs_transfer transfer = {.size = sizeof(transfer), .done = count_end};
	unsigned int begun = 0, done = 0;
	char path[300] = "rtrs-client/threads/paths/unix:#0@";
	struct rtrs_service *service;
	struct rtrs_session *session;
	struct rtrs_permit *permit;
	int place;

	(void)state;
	strcat(path, address);
	for (char *at = strchr(path, '@'); *at; at++)
		*at = *at == '/' ? '!' : *at;
	transfer.user = &done;
	assert_int_equal(rtrs_service_open(&of_service, &service), 0);
	assert_int_equal(rtrs_service_listen(service, address), 0);
	assert_int_equal(rtrs_service_run(service), 0);
	assert_int_equal(rtrs_session_open(&of_session, &session), 0);
	assert_int_equal(rtrs_session_run(session), 0);
	assert_int_equal(rtrs_session_add_path(session, address), 0);
	assert_int_equal(rtrs_session_add_path(session, address), 1);
	strcat(path, "/reconnect");
	place = rtrsi_control_place(false);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(rtrsi_query_each(place, ask_one_process, path), 0);
		while (!rtrs_permit_get(session, &permit)) {
			if (rtrs_write(permit, &transfer)) {
				rtrs_permit_put(permit);
				break;
			}
			begun++;
		}
	}
	close(place);
	rtrs_session_close(session);
	rtrs_service_close(service);
	assert_int_equal(__atomic_load_n(&done, __ATOMIC_ACQUIRE), begun);
}

static int make_directory(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	setenv("HOLDFAST_RTRS_CONTROL", directory, 1);
	snprintf(address, sizeof(address), "unix:%s/socket", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(any_cursor_ends),
		cmocka_unit_test(paths_that_are_not_there),
		cmocka_unit_test(who_reads_nothing_is_cut_off),
		cmocka_unit_test(silent_ones_make_room),
		cmocka_unit_test(descriptors_are_not_taken),
		cmocka_unit_test(who_waits_may_go),
		cmocka_unit_test(other_users_are_not_heard),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(threads_serve_it),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
