/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tests the injector: it counts correctly, makes exactly the chosen calls fail, and changes nothing
 * else.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "t/fault/calls.h"
#include "t/fault/inject.h"

static const char text[] = "0123456789";

/* The child's results, in memory shared with the test. */
static struct seen {
	int open_error;
	ssize_t length;
	ssize_t rest;
	ssize_t message;
	unsigned int signals;
	char bytes[16];
} * seen;

static char path[] = "/tmp/hf-fault-XXXXXX";
static unsigned int failures;
static unsigned int checks;

#define CHECK(expr)                                                               \
	do {                                                                      \
		checks++;                                                         \
		if (!(expr)) {                                                    \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #expr); \
			failures++;                                               \
		}                                                                 \
	} while (0)

/* Makes exactly four system calls: openat, read, read, close; or one if the first fails. */
static void reader(void *arg)
{
	int fd;

	(void)arg;
	inject_begin();
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	seen->open_error = fd < 0 ? errno : 0;
	if (fd >= 0) {
		seen->length = syscall(SYS_read, fd, seen->bytes, 16);
		seen->rest = seen->length > 0 ? syscall(SYS_read, fd, seen->bytes + seen->length,
							16 - seen->length)
					      : -1;
		syscall(SYS_close, fd);
	}
	inject_end();
	syscall(SYS_getpid);
}

static struct inject_run run_reader(enum inject_kind kind, size_t at, int error, size_t length)
{
	const struct inject_step step = {
		.kind = kind, .at = at, .nr = -1, .error = error, .length = length};
	struct inject_run run;

	memset(seen, 0, sizeof(*seen));
	CHECK(inject_run(reader, NULL, &step, 1, &run) == 0);
	CHECK(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0);
	CHECK(run.began && run.ended);
	return run;
}

static void test_count(void)
{
	static const long expected[] = {SYS_openat, SYS_read, SYS_read, SYS_close};
	struct inject_run run = run_reader(INJECT_NOTHING, 0, 0, 0);

	CHECK(run.count == 4);
	CHECK(run.hits == 0);
	for (size_t i = 0; i < run.count && i < 4; i++)
		CHECK(run.calls[i].nr == expected[i]);
	CHECK(run.count == 4 && run.calls[1].ret == 10 && run.calls[2].ret == 0);
	CHECK(!strcmp(seen->bytes, text));
	inject_run_clear(&run);
}

static void test_fail(void)
{
	const int *errors = call_errors(SYS_openat);
	struct inject_run run;

	for (; *errors; errors++) {
		run = run_reader(INJECT_FAIL, 1, *errors, 0);
		CHECK(seen->open_error == *errors);
		CHECK(run.count == 1 && run.hits == 1);
		CHECK(run.count == 1 && run.calls[0].ret == -*errors);
		inject_run_clear(&run);
	}
	run = run_reader(INJECT_FAIL, 2, EIO, 0);
	CHECK(seen->open_error == 0 && seen->length == -1 && run.count == 3);
	inject_run_clear(&run);
	run = run_reader(INJECT_FAIL, 5, EIO, 0);
	CHECK(run.hits == 0 && seen->length == 10);
	inject_run_clear(&run);
}

static void test_short(void)
{
	struct inject_run run = run_reader(INJECT_SHORT, 2, 0, 3);

	CHECK(seen->length == 3 && seen->rest == 7);
	CHECK(!strcmp(seen->bytes, text));
	CHECK(run.count == 4 && run.calls[1].args[2] == 16);
	CHECK(inject_can_shorten(&run.calls[1], 1) && !inject_can_shorten(&run.calls[1], 3));
	CHECK(!inject_can_shorten(&run.calls[0], 1) && !inject_can_shorten(&run.calls[3], 1));
	inject_run_clear(&run);
}

static void test_onward(void)
{
	const struct inject_step step = {
		.kind = INJECT_FAIL, .at = 2, .nr = -1, .onward = true, .error = EIO};
	struct inject_run run;

	/* After the first read has failed the program does not read again: one hit. */
	CHECK(inject_run(reader, NULL, &step, 1, &run) == 0);
	CHECK(run.hits == 1 && seen->length == -1);
	inject_run_clear(&run);
}

static void test_other(void)
{
	const struct inject_step step = {
		.kind = INJECT_FAIL, .at = 2, .nr = SYS_close, .error = EIO};
	struct inject_run run;

	CHECK(inject_run(reader, NULL, &step, 1, &run) == 0);
	CHECK(run.hits == 0 && run.misses == 1 && seen->length == 10);
	inject_run_clear(&run);
}

/* The action must come before the kernel opens the file, or after it. */
static void replace_file(void *arg)
{
	char other[64];
	int fd;

	(void)arg;
	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, "abcdefghij", 10) == 10);
	close(fd);
	CHECK(rename(other, path) == 0);
}

static void restore_file(void)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	CHECK(fd >= 0 && write(fd, text, 10) == 10);
	close(fd);
}

static void test_act(void)
{
	struct inject_step step = {
		.kind = INJECT_ACT_BEFORE, .at = 1, .nr = -1, .act = replace_file};
	struct inject_run run;

	CHECK(inject_run(reader, NULL, &step, 1, &run) == 0);
	CHECK(run.hits == 1 && !strcmp(seen->bytes, "abcdefghij"));
	inject_run_clear(&run);
	restore_file();

	memset(seen, 0, sizeof(*seen));
	step.kind = INJECT_ACT_AFTER;
	CHECK(inject_run(reader, NULL, &step, 1, &run) == 0);
	CHECK(run.hits == 1 && !strcmp(seen->bytes, text));
	inject_run_clear(&run);
	restore_file();
}

static void messenger(void *arg)
{
	char bytes[32] = "";
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 || send(pair[0], text, 10, 0) != 10)
		_exit(1);
	inject_begin();
	seen->message = syscall(SYS_recvmsg, pair[1], &msg, 0);
	inject_end();
	/* The caller's own structure must be unchanged. */
	if (iov.iov_len != sizeof(bytes))
		_exit(2);
}

static void test_message(void)
{
	const struct inject_step step = {
		.kind = INJECT_SHORT, .at = 1, .nr = SYS_recvmsg, .length = 4};
	struct inject_run run;

	CHECK(inject_run(messenger, NULL, &step, 1, &run) == 0);
	CHECK(run.status == 0 && run.hits == 1 && seen->message == 4);
	inject_run_clear(&run);
}

static void *thread(void *arg)
{
	syscall(SYS_read, -1, NULL, 0);
	return arg;
}

static void count_signal(int sig)
{
	(void)sig;
	seen->signals++;
}

/* Threads, children and signals of the traced program are not disturbed. */
static void busy(void *arg)
{
	pthread_t id;
	pid_t pid;

	(void)arg;
	signal(SIGUSR1, count_signal);
	inject_begin();
	raise(SIGUSR1);
	if (pthread_create(&id, NULL, thread, NULL) != 0 || pthread_join(id, NULL) != 0)
		_exit(1);
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(2);
	inject_end();
	raise(SIGUSR1);
}

static void test_busy(void)
{
	struct inject_run run;
	bool found = false;

	memset(seen, 0, sizeof(*seen));
	CHECK(inject_run(busy, NULL, NULL, 0, &run) == 0);
	CHECK(run.status == 0 && run.ended);
	CHECK(seen->signals == 2);
	for (size_t i = 0; i < run.count; i++)
		if (run.calls[i].nr == SYS_read && run.calls[i].ret == -EBADF)
			found = true;
	CHECK(found);
	inject_run_clear(&run);
}

static void crash(void *arg)
{
	(void)arg;
	inject_begin();
	abort();
}

static void test_crash(void)
{
	struct inject_run run;

	CHECK(inject_run(crash, NULL, NULL, 0, &run) == 0);
	CHECK(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGABRT && !run.ended);
	inject_run_clear(&run);
}

int main(void)
{
	int ret = inject_available();
	int fd;

	if (ret < 0) {
		printf("skipped: cannot trace a child here: %s\n", strerror(-ret));
		return 77;
	}
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = mkstemp(path);
	if (seen == MAP_FAILED || fd < 0)
		return 99;
	close(fd);
	restore_file();
	test_count();
	test_fail();
	test_short();
	test_onward();
	test_other();
	test_act();
	test_message();
	test_busy();
	test_crash();
	unlink(path);
	printf("injector: %u checks, %u not so\n", checks, failures);
	return failures != 0;
}
