/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A program closes every descriptor while devices are open, and opens its own files: the library
 * must not read, write, change or close any of them afterwards, neither in the program's calls nor
 * in its own thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/lib/others.h"
#include "t/lib/tree.h"

enum { LAST = 40 };

static struct {
	struct tree *tree;
	struct hf *hf;
	struct hf_stream *stream;
	struct ibv_device *device;
	struct ibv_context *context;
	pid_t changer;
} bed;

static void check_condition(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "not so: %s\n", what);
	_exit(2);
}

#define CHECK(condition) check_condition(condition, #condition)

/*
 * A process that still has the tree's descriptors: it removes a device, adds another one, and ends.
 */
static pid_t start_changer(void)
{
	sigset_t wanted;
	pid_t child;
	int got;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	child = fork();
	if (child)
		return child;
	alarm(HF_TEST_HANG_SECONDS);
	sigwait(&wanted, &got);
	CHECK(!tree_remove(bed.tree, 0));
	CHECK(!tree_add(bed.tree, 2, "fake2", NULL));
	_exit(0);
}

static void change_tree(void)
{
	int status;

	CHECK(!kill(bed.changer, SIGUSR1));
	CHECK(waitpid(bed.changer, &status, 0) == bed.changer && status == 0);
	bed.changer = 0;
}

static void open_bed(const char *base)
{
	char dir[512], number[16];
	const char *dirs[] = {dir, NULL};
	struct hf_root root;
	struct hf_options options = {
		.size = sizeof(options), .roots = &root, .num_roots = 1, .provider_dirs = dirs};

	snprintf(number, sizeof(number), "%d", eventfd(0, 0));
	setenv("HF_FAKE_ASYNC_FD", number, 1);
	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	CHECK(!tree_new(&bed.tree, base));
	root = (struct hf_root){.sysfs = tree_sysfs(bed.tree), .dev = tree_dev(bed.tree)};
	CHECK(!hf_new(&options, &bed.hf));
	CHECK(!tree_add(bed.tree, 0, "fake0", NULL));
	CHECK(!tree_add(bed.tree, 1, "fake1", NULL));
	bed.changer = start_changer();
	CHECK(!hf_device_by_name(bed.hf, "fake0", &bed.device));
	CHECK(!hf_device_open(bed.device, &bed.context));
	CHECK(!hf_stream_new(bed.hf, NULL, &bed.stream));
}

static void list_every_device(void)
{
	struct ibv_device **list;

	CHECK(hf_device_list(bed.hf, 0, &list) >= 0);
	hf_device_list_free(list);
}

static void close_bed(void)
{
	struct hf_event *event;

	CHECK(hf_stream_next(bed.stream, &event) == -EBADF);
	CHECK(!hf_device_close(bed.context));
	hf_device_unref(bed.device);
	hf_stream_unref(bed.stream);
	hf_unref(bed.hf);
	if (bed.changer)
		change_tree();
}

/* All calls, with and without revocation. */
static void use_what_was_closed(enum others_kind kind, const char *base)
{
	struct ibv_async_event event;

	open_bed(base);
	others_take(kind, LAST);
	list_every_device();
	change_tree();
	list_every_device();
	CHECK(ibv_get_async_event(bed.context, &event) == -1 && errno == EBADF);
	close_bed();
	_exit(others_check() ? 1 : 0);
}

/*
 * The numbers belong to the library again, but to another context: closing the first leaves the
 * second alone.
 */
static void reopen_after_close(const char *base)
{
	struct ibv_context *second;
	int flags[2];

	open_bed(base);
	closefrom(3);
	setenv("HF_FAKE_ASYNC_FD", "1", 1);
	CHECK(eventfd(0, 0) == 3);
	setenv("HF_FAKE_ASYNC_FD", "3", 1);
	CHECK(!hf_device_open(bed.device, &second));
	close_bed();
	flags[0] = fcntl(second->cmd_fd, F_GETFD);
	flags[1] = fcntl(second->async_fd, F_GETFD);
	CHECK(flags[0] >= 0 && flags[1] >= 0);
	CHECK(!hf_device_close(second));
	_exit(0);
}

/*
 * The library's thread sleeps on descriptors that were closed: a device opened later is still
 * revoked.
 */
static void revoked_all_the_same(const char *base)
{
	struct ibv_context *second;
	struct stat st;
	int limit = HF_TEST_HANG_SECONDS * 100;

	open_bed(base);
	asleep_wait(ASLEEP_POLL, 1);
	closefrom(3);
	CHECK(eventfd(0, 0) == 3);
	setenv("HF_FAKE_ASYNC_FD", "3", 1);
	CHECK(!hf_device_open(bed.device, &second));
	change_tree();
	/* Its node is replaced by a dead pipe. */
	while ((fstat(second->cmd_fd, &st) || !S_ISFIFO(st.st_mode)) && limit--)
		usleep(10000);
	CHECK(limit > 0);
	CHECK(!hf_device_close(second));
	close_bed();
	_exit(0);
}

static int in_a_child_of(void (*test)(enum others_kind kind, const char *base),
			 enum others_kind kind)
{
	char base[] = "/tmp/hf-closed-XXXXXX", command[64];
	int status;
	pid_t child;

	assert_non_null(mkdtemp(base));
	child = fork();
	if (child == 0) {
		alarm(HF_TEST_HANG_SECONDS);
		test(kind, base);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* The child closed the descriptor that would remove its tree. */
	snprintf(command, sizeof(command), "rm -rf %s", base);
	assert_int_equal(system(command), 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void all_kinds(void)
{
	for (int kind = 0; kind < OTHERS_KINDS; kind++)
		assert_int_equal(in_a_child_of(use_what_was_closed, (enum others_kind)kind), 0);
}

static void without_revocation(void **state)
{
	(void)state;
	unsetenv("HOLDFAST_REVOKE");
	all_kinds();
}

static void with_revocation(void **state)
{
	(void)state;
	setenv("HOLDFAST_REVOKE", "1", 1);
	all_kinds();
}

static void call_reopen(enum others_kind kind, const char *base)
{
	(void)kind;
	reopen_after_close(base);
}

static void the_programs_descriptors_are_left_alone(void **state)
{
	(void)state;
	unsetenv("HOLDFAST_REVOKE");
	assert_int_equal(in_a_child_of(call_reopen, 0), 0);
	setenv("HOLDFAST_REVOKE", "1", 1);
	assert_int_equal(in_a_child_of(call_reopen, 0), 0);
}

static void call_revoked(enum others_kind kind, const char *base)
{
	(void)kind;
	revoked_all_the_same(base);
}

static void a_lost_thread(void **state)
{
	(void)state;
	setenv("HOLDFAST_REVOKE", "1", 1);
	assert_int_equal(in_a_child_of(call_revoked, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_revocation),
		cmocka_unit_test(with_revocation),
		cmocka_unit_test(the_programs_descriptors_are_left_alone),
		cmocka_unit_test(a_lost_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
