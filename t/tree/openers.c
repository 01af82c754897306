/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Many processes open one device of a tree, and all of them notice its removal. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

enum {
	ONE_BY_ONE = 1000,
	AT_ONCE = 300, /* a user has 128 inotify instances */
	SOON_MS = 120000,
};

struct bed {
	struct tree *tree;
	char providers[4096];
	char fifo[4096];
	int news[2]; /* a child writes a byte once it has the device open */
};

static int setup_openers(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	snprintf(bed->providers, sizeof(bed->providers), "%s/t/providers.d",
		 getenv("top_builddir"));
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	snprintf(bed->fifo, sizeof(bed->fifo), "%s/class/infiniband_verbs/uverbs0/removal",
		 tree_sysfs(bed->tree));
	assert_int_equal(pipe2(bed->news, O_CLOEXEC), 0);
	*state = bed;
	return 0;
}

static int teardown_openers(void **state)
{
	struct bed *bed = *state;

	close(bed->news[0]);
	close(bed->news[1]);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

/* A context with a socket in place of a kernel that reports nothing. */
static struct ibv_context *open_first_device(const struct bed *bed, struct hf **hf)
{
	const char *dirs[2] = {bed->providers, NULL};
	struct hf_root root = {.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
	};
	struct ibv_context *context = NULL;
	struct ibv_device *device;
	char number[16];
	int kernel[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, kernel) < 0)
		return NULL;
	snprintf(number, sizeof(number), "%d", kernel[1]);
	setenv("HF_FAKE_ASYNC_FD", number, 1);
	if (hf_new(&options, hf) < 0 || hf_device_by_name(*hf, "fake0", &device) < 0)
		return NULL;
	if (hf_device_open(device, &context) < 0)
		context = NULL;
	hf_device_unref(device);
	return context;
}

/* Counts the inotify descriptors of this process. */
static int count_inotify(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char link[64];
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[length > 0 ? length : 0] = '\0';
		count += strstr(link, "inotify") != NULL;
	}
	if (dir)
		closedir(dir);
	return count;
}

static bool hears_fatal(struct ibv_context *context)
{
	struct ibv_async_event event;

	return ibv_get_async_event(context, &event) == 0 &&
	       event.event_type == IBV_EVENT_DEVICE_FATAL;
}

static bool has_input(int fd, int timeout)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, timeout) == 1;
}

/* Runs in a child; `polls`: it waits on the descriptor, like programs with an event loop. */
static int be_child(const struct bed *bed, bool waits, bool polls)
{
	struct ibv_context *context;
	struct hf *hf;

	context = open_first_device(bed, &hf);
	if (!context)
		return 1;
	if (polls && count_inotify())
		return 2;
	if (waits && write(bed->news[1], "o", 1) != 1)
		return 3;
	if (polls && waits && !has_input(context->async_fd, SOON_MS))
		return 4;
	if (waits && !hears_fatal(context))
		return 5;
	if (ibv_close_device(context) != 0)
		return 6;
	hf_unref(hf);
	return 0;
}

static pid_t start_opener(const struct bed *bed, bool waits, bool polls)
{
	pid_t child = fork();

	if (child == 0)
		_exit(be_child(bed, waits, polls));
	assert_true(child > 0);
	return child;
}

static void expect_success(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void one_after_the_other(void **state)
{
	const struct bed *bed = *state;

	/* Under valgrind a process takes fifty times as long. */
	const int processes = getenv("HF_VALGRIND") ? ONE_BY_ONE / 50 : ONE_BY_ONE;

	for (int i = 0; i < processes; i++)
		expect_success(start_opener(bed, false, true));
}

/* All of them have the device open before it is removed. */
static void open_and_remove(const struct bed *bed, bool polls)
{
	const int processes = getenv("HF_VALGRIND") ? AT_ONCE / 10 : AT_ONCE;
	static pid_t children[AT_ONCE];
	char byte;

	for (int i = 0; i < processes; i++)
		children[i] = start_opener(bed, true, polls);
	for (int i = 0; i < processes; i++) {
		assert_true(has_input(bed->news[0], SOON_MS));
		assert_int_equal(read(bed->news[0], &byte, 1), 1);
	}
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	for (int i = 0; i < processes; i++)
		expect_success(children[i]);
}

static void many_at_once(void **state)
{
	open_and_remove(*state, true);
}

/* Then inotify serves those who get an instance, and the others check once per second. */
static void many_at_once_without_a_fifo(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(unlink(bed->fifo), 0);
	open_and_remove(bed, false);
}

static void hear_without_a_fifo(struct bed *bed)
{
	struct ibv_context *context;
	struct hf *hf;

	context = open_first_device(bed, &hf);
	assert_non_null(context);
	assert_int_equal(count_inotify(), 1);
	assert_false(has_input(context->async_fd, 0));
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_true(has_input(context->async_fd, SOON_MS));
	assert_true(hears_fatal(context));
	assert_int_equal(ibv_close_device(context), 0);
	hf_unref(hf);
}

static void only_a_fifo_is_opened(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(unlink(bed->fifo), 0);
	assert_int_equal(symlink("/dev/zero", bed->fifo), 0);
	hear_without_a_fifo(bed);
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	assert_int_equal(unlink(bed->fifo), 0);
	assert_int_equal(mkdir(bed->fifo, 0755), 0);
	hear_without_a_fifo(bed);
}

/* Another process that may read the tree may also read the FIFO. */
static void another_reader_of_the_fifo_does_no_harm(void **state)
{
	struct bed *bed = *state;
	struct ibv_context *context;
	char bytes[16];
	struct hf *hf;
	int other;

	other = open(bed->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(other >= 0);
	context = open_first_device(bed, &hf);
	assert_non_null(context);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	while (read(other, bytes, sizeof(bytes)) > 0)
		continue;
	close(other);
	assert_true(has_input(context->async_fd, SOON_MS));
	assert_true(hears_fatal(context));
	assert_int_equal(ibv_close_device(context), 0);
	hf_unref(hf);
}

/* The kernel closes the descriptors of a killed process. */
static void a_killed_writer_is_noticed(void **state)
{
	struct bed *bed = *state;
	struct ibv_context *context;
	struct hf *hf;
	int status;
	pid_t child;
	char byte;

	context = open_first_device(bed, &hf);
	assert_non_null(context);
	child = fork();
	if (child == 0) {
		int fd = open(bed->fifo, O_RDWR | O_NONBLOCK);

		if (fd < 0 || write(bed->news[1], "w", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(bed->news[0], &byte, 1), 1);
	assert_false(has_input(context->async_fd, 0));
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(has_input(context->async_fd, SOON_MS));
	assert_true(hears_fatal(context));
	assert_int_equal(ibv_close_device(context), 0);
	hf_unref(hf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_openers, teardown_openers)
	const struct CMUnitTest tests[] = {
		TEST(one_after_the_other),
		TEST(many_at_once),
		TEST(many_at_once_without_a_fifo),
		TEST(only_a_fifo_is_opened),
		TEST(another_reader_of_the_fifo_does_no_harm),
		TEST(a_killed_writer_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
