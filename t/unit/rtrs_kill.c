/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RTRS, the library: kill -9 of either end under load. `long=1`: a thousand times; HF_RTRS_KILLS says another number. A client that has two servers
 * loses nothing when one of them dies; a server loses nothing by its clients' deaths.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/lib/hang.h"
#include "t/lib/process.h"
#include "t/unit/rtrs_disk.h"

enum { DEPTH = 32 };

static char address[128];
static struct disk disk;
static struct disk_client client;

static bool is_socket(void)
{
	return *address == 'u';
}

static unsigned int kill_count(void)
{
	const char *text = getenv("HF_RTRS_KILLS");

	if (text)
		return (unsigned int)strtoul(text, NULL, 0);
	text = getenv("long");
	return text && !strcmp(text, "1") ? 1000 : 20;
}

static _Noreturn void serve_for_ever(void)
{
	struct pollfd poll_fd = {.events = POLLIN};

	disk_open(&disk, address, DEPTH, false);
	poll_fd.fd = rtrs_service_fd(disk.service);
	for (;;) {
		if (poll(&poll_fd, 1, -1) < 0 || rtrs_service_dispatch(disk.service))
			_exit(1);
	}
}

static _Noreturn void work_for_ever(void)
{
	disk_client_open(&client, "victim", DEPTH, 2);
	/* Others have written before. */
	memset(client.serials, 0xff, sizeof(client.serials));
	for (int i = 0; i < 3; i++)
		disk_client_add_path(&client, NULL, address);
	for (;;)
		disk_client_work(&client, NULL, 1000);
}

/* The child dies with the test. */
static pid_t run_in_child(void (*run)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run();
	_exit(0);
}

static void kill_child(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_killed_client_leaves_nothing_at_the_server(void **state)
{
	int before;

	(void)state;
	disk_open(&disk, address, DEPTH, true);
	before = count_open_fds();
	for (unsigned int i = 0; i < kill_count(); i++) {
		/* Of different length, so that it dies in the midst of anything. */
		unsigned long end = disk.jobs + 1 + i * 37 % 400;
		struct pollfd poll_fd = {.fd = rtrs_service_fd(disk.service), .events = POLLIN};
		pid_t pid = run_in_child(work_for_ever);

		while (disk.jobs < end) {
			assert_true(poll(&poll_fd, 1, HF_TEST_HANG_MS) > 0);
			assert_int_equal(rtrs_service_dispatch(disk.service), 0);
		}
		kill_child(pid);
		while (disk.downs < disk.ups || disk.paths_down < disk.paths_up) {
			assert_true(poll(&poll_fd, 1, HF_TEST_HANG_MS) > 0);
			assert_int_equal(rtrs_service_dispatch(disk.service), 0);
		}
		/* A connection of a path that never came up may still be there. */
		for (int k = 0; k < 1000 && count_open_fds() > before; k++)
			assert_int_equal(rtrs_service_dispatch(disk.service), 0);
		/* What libibverbs opens with the first device stays open. */
		if (!i && !is_socket())
			before = count_open_fds();
		assert_int_equal(count_open_fds(), before);
	}
	disk_close(&disk);
}

/* A killed server leaves it. */
static void remove_socket(void)
{
	if (is_socket())
		unlink(address + strlen("unix:"));
}

/* The data is the server's, and gone with it: the client writes before it reads. */
static void a_client_gets_over_its_servers_death(void **state)
{
	int before = count_open_fds();

	(void)state;
	disk_client_open(&client, "survivor", DEPTH, 2);
	client.may_fail = true;
	for (unsigned int i = 0; i < kill_count(); i++) {
		pid_t pid;
		unsigned int downs;
		char text[128];

		remove_socket();
		pid = run_in_child(serve_for_ever);
		while (is_socket() && access(address + strlen("unix:"), F_OK))
			usleep(100);
		for (unsigned int k = 0; k < 2 && !i; k++) {
			disk_path_address(address, k, text, sizeof(text));
			while (rtrs_session_add_path(client.session, text) < 0)
				usleep(100);
		}
		memset(client.serials, 0xff, sizeof(client.serials));
		while (client.path_ups - client.path_downs < 2) {
			for (unsigned int k = 0; client.failed && k < 2; k++)
				(void)!rtrs_session_reconnect_path(client.session, k);
			client.failed = 0;
			disk_serve(&client, NULL);
		}
		disk_client_work(&client, NULL, 100 + i * 53 % 500);
		disk_client_begin(&client);
		downs = client.downs;
		kill_child(pid);
		while (client.downs == downs)
			disk_serve(&client, NULL);
		disk_client_settle(&client, NULL);
	}
	assert_true(client.errors > 0);
	disk_client_close(&client);
	remove_socket();
	assert_int_equal(count_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_client_leaves_nothing_at_the_server),
		cmocka_unit_test(a_client_gets_over_its_servers_death),
	};

	return disk_run_tests(tests, sizeof(tests) / sizeof(tests[0]), address, sizeof(address));
}
