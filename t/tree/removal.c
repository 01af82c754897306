/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a program that knows nothing of Holdfast notices of a removal, by every way of waiting. A
 * socket pair stands for the kernel, which reports nothing unless told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast/holdfast.h>

#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/lib/process.h"
#include "t/lib/tree.h"

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct ibv_context *context;
	int kernel[2]; /* events sent to the first arrive from the kernel at the second */
};

/* How often the library warned that no signal will come. */
static int owner_warnings;

static void count_owner_warnings(void *arg, enum hf_log_level level, const char *message)
{
	(void)arg;
	if (level == HF_LOG_WARNING && strstr(message, "F_SETOWN"))
		owner_warnings++;
}

static struct ibv_context *open_named_device(const struct bed *bed, const char *name)
{
	struct ibv_context *context;
	struct ibv_device *device;

	assert_int_equal(hf_device_by_name(bed->hf, name, &device), 0);
	assert_int_equal(hf_device_open(device, &context), 0);
	hf_device_unref(device);
	assert_true(context->async_fd >= 0);
	return context;
}

static int setup_removal(void **state)
{
	static char providers[4096];
	const char *dirs[2] = {providers, NULL};
	struct bed *bed = calloc(1, sizeof(*bed));
	struct hf_root root;
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		.log_level = HF_LOG_WARNING,
		.log = count_owner_warnings,
	};
	char number[16];

	snprintf(providers, sizeof(providers), "%s/t/providers.d", getenv("top_builddir"));
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	assert_int_equal(tree_add(bed->tree, 1, "fake1", NULL), 0);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bed->kernel), 0);
	snprintf(number, sizeof(number), "%d", bed->kernel[1]);
	setenv("HF_FAKE_ASYNC_FD", number, 1);
	bed->context = open_named_device(bed, "fake0");
	*state = bed;
	return 0;
}

static int teardown_removal(void **state)
{
	struct bed *bed = *state;

	if (bed->context)
		assert_int_equal(ibv_close_device(bed->context), 0);
	unsetenv("HF_FAKE_ASYNC_FD");
	close(bed->kernel[0]);
	close(bed->kernel[1]);
	hf_unref(bed->hf);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

static void kernel_says(const struct bed *bed, enum ibv_event_type type)
{
	struct ib_uverbs_async_event_desc desc = {.event_type = type, .element = 1};

	assert_int_equal(send(bed->kernel[0], &desc, sizeof(desc), 0), sizeof(desc));
}

static void unplug_fake0(const struct bed *bed)
{
	assert_int_equal(tree_remove(bed->tree, 0), 0);
}

static void make_nonblocking(struct ibv_context *context)
{
	int flags = fcntl(context->async_fd, F_GETFL);

	assert_true(flags >= 0);
	assert_int_equal(fcntl(context->async_fd, F_SETFL, flags | O_NONBLOCK), 0);
}

/*
 * inotify and socket pairs make a descriptor readable within the call that causes it, so its
 * absence shows immediately.
 */
static bool becomes_readable(int fd, int timeout)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, timeout) == 1 && (pollfd.revents & POLLIN);
}

static void expect_async_event(struct ibv_context *context, enum ibv_event_type type)
{
	struct ibv_async_event event;

	assert_int_equal(ibv_get_async_event(context, &event), 0);
	assert_int_equal(event.event_type, type);
	ibv_ack_async_event(&event);
}

static void expect_error(struct ibv_context *context, int error)
{
	struct ibv_async_event event;

	errno = 0;
	assert_int_equal(ibv_get_async_event(context, &event), -1);
	assert_int_equal(errno, error);
}

struct waiter {
	struct ibv_context *context;
	pthread_t thread;
	int ret;
	int error;
	enum ibv_event_type type;
	atomic_bool ended;
};

static void *wait_blocked(void *arg)
{
	struct waiter *waiter = arg;
	struct ibv_async_event event;

	waiter->ret = ibv_get_async_event(waiter->context, &event);
	waiter->error = errno;
	if (waiter->ret == 0)
		waiter->type = event.event_type;
	atomic_store(&waiter->ended, true);
	return NULL;
}

static void start_waiter(struct waiter *waiter, struct ibv_context *context)
{
	waiter->context = context;
	atomic_init(&waiter->ended, false);
	assert_int_equal(pthread_create(&waiter->thread, NULL, wait_blocked, waiter), 0);
}

static void a_blocked_thread_wakes_up(void **state)
{
	struct bed *bed = *state;
	struct waiter waiter;

	start_waiter(&waiter, bed->context);
	asleep_wait(ASLEEP_POLL, 1);
	unplug_fake0(bed);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.ret, 0);
	assert_int_equal(waiter.type, IBV_EVENT_DEVICE_FATAL);
	assert_true(hf_device_is_gone(bed->context->device));
	expect_error(bed->context, EIO);
	expect_error(bed->context, EIO);
}

/* A writer that breaks the rules moves the directory and leaves its FIFO alone. */
static void an_unreported_removal_is_found(void **state)
{
	struct bed *bed = *state;
	struct waiter waiter;
	char from[512], to[512];

	snprintf(from, sizeof(from), "%s/class/infiniband_verbs/uverbs0", tree_sysfs(bed->tree));
	snprintf(to, sizeof(to), "%s/taken", tree_sysfs(bed->tree));
	start_waiter(&waiter, bed->context);
	asleep_wait(ASLEEP_POLL, 1);
	assert_int_equal(rename(from, to), 0);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.ret, 0);
	assert_int_equal(waiter.type, IBV_EVENT_DEVICE_FATAL);
	assert_true(hf_device_is_gone(bed->context->device));
}

static void one_of_two_threads_gets_the_event(void **state)
{
	struct bed *bed = *state;
	struct waiter waiters[2];
	int told = 0;

	start_waiter(&waiters[0], bed->context);
	start_waiter(&waiters[1], bed->context);
	asleep_wait(ASLEEP_POLL, 2);
	/* One of the two threads gets the event; the other one keeps waiting. */
	kernel_says(bed, IBV_EVENT_PORT_ACTIVE);
	while (!atomic_load(&waiters[0].ended) && !atomic_load(&waiters[1].ended))
		sched_yield();
	asleep_wait(ASLEEP_POLL, 1);
	unplug_fake0(bed);
	for (int i = 0; i < 2; i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].ret, 0);
		told += waiters[i].type == IBV_EVENT_DEVICE_FATAL;
	}
	assert_int_equal(told, 1);
	expect_error(bed->context, EIO);
}

static void both_of_two_threads_wake_up(void **state)
{
	struct bed *bed = *state;
	struct waiter waiters[2];

	start_waiter(&waiters[0], bed->context);
	start_waiter(&waiters[1], bed->context);
	asleep_wait(ASLEEP_POLL, 2);
	unplug_fake0(bed);
	pthread_join(waiters[0].thread, NULL);
	pthread_join(waiters[1].thread, NULL);
	assert_int_equal(waiters[0].ret + waiters[1].ret, -1);
	for (int i = 0; i < 2; i++) {
		if (waiters[i].ret < 0)
			assert_int_equal(waiters[i].error, EIO);
		else
			assert_int_equal(waiters[i].type, IBV_EVENT_DEVICE_FATAL);
	}
}

static void an_event_of_the_kernel_is_delivered(void **state)
{
	struct bed *bed = *state;

	assert_false(becomes_readable(bed->context->async_fd, 0));
	kernel_says(bed, IBV_EVENT_LID_CHANGE);
	assert_true(becomes_readable(bed->context->async_fd, HF_TEST_HANG_MS));
	expect_async_event(bed->context, IBV_EVENT_LID_CHANGE);
	assert_false(becomes_readable(bed->context->async_fd, 0));
	make_nonblocking(bed->context);
	expect_error(bed->context, EAGAIN);
}

static void the_kernels_fatal_event_is_not_duplicated(void **state)
{
	struct bed *bed = *state;

	kernel_says(bed, IBV_EVENT_DEVICE_FATAL);
	unplug_fake0(bed);
	expect_async_event(bed->context, IBV_EVENT_DEVICE_FATAL);
	expect_error(bed->context, EIO);
}

static void the_kernels_late_fatal_event_is_not_duplicated(void **state)
{
	struct bed *bed = *state;

	unplug_fake0(bed);
	expect_async_event(bed->context, IBV_EVENT_DEVICE_FATAL);
	kernel_says(bed, IBV_EVENT_PORT_ERR);
	kernel_says(bed, IBV_EVENT_DEVICE_FATAL);
	expect_async_event(bed->context, IBV_EVENT_PORT_ERR);
	expect_error(bed->context, EIO);
}

static void poll_and_select_wake_up(void **state)
{
	struct bed *bed = *state;
	struct timeval soon = {.tv_sec = HF_TEST_HANG_SECONDS};
	fd_set set;

	make_nonblocking(bed->context);
	expect_error(bed->context, EAGAIN);
	assert_false(becomes_readable(bed->context->async_fd, 0));
	unplug_fake0(bed);
	assert_true(becomes_readable(bed->context->async_fd, HF_TEST_HANG_MS));
	FD_ZERO(&set);
	FD_SET(bed->context->async_fd, &set);
	assert_int_equal(select(bed->context->async_fd + 1, &set, NULL, NULL, &soon), 1);
	expect_async_event(bed->context, IBV_EVENT_DEVICE_FATAL);
	expect_error(bed->context, EIO);
	/* A program that keeps polling after that must not spin. */
	assert_false(becomes_readable(bed->context->async_fd, 0));
}

static void wake_by_epoll(const struct bed *bed, uint32_t how)
{
	struct epoll_event event = {.events = EPOLLIN | how};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	make_nonblocking(bed->context);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, bed->context->async_fd, &event), 0);
	assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
	for (int i = 0; i < 3; i++) {
		kernel_says(bed, IBV_EVENT_SM_CHANGE);
		assert_int_equal(epoll_wait(epoll, &event, 1, HF_TEST_HANG_MS), 1);
		/* Each event is an edge, even if the previous one was not taken yet. */
		kernel_says(bed, IBV_EVENT_GID_CHANGE);
		assert_int_equal(epoll_wait(epoll, &event, 1, HF_TEST_HANG_MS), 1);
		expect_async_event(bed->context, IBV_EVENT_SM_CHANGE);
		expect_async_event(bed->context, IBV_EVENT_GID_CHANGE);
		expect_error(bed->context, EAGAIN);
		assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
	}
	unplug_fake0(bed);
	assert_int_equal(epoll_wait(epoll, &event, 1, HF_TEST_HANG_MS), 1);
	expect_async_event(bed->context, IBV_EVENT_DEVICE_FATAL);
	expect_error(bed->context, EIO);
	assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
	close(epoll);
}

static void epoll_wakes_up(void **state)
{
	wake_by_epoll(*state, 0);
}

static void edge_triggered_epoll_wakes_up(void **state)
{
	wake_by_epoll(*state, EPOLLET);
}

/* Many programs call a blocking ibv_get_async_event() after poll() has returned. */
static void nothing_else_makes_it_readable(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(tree_remove(bed->tree, 1), 0);
	assert_int_equal(tree_add(bed->tree, 1, "fake1", NULL), 0);
	assert_int_equal(tree_rename(bed->tree, 0, "fake7"), 0);
	assert_int_equal(tree_drop_caches(bed->tree), 0);
	assert_false(becomes_readable(bed->context->async_fd, 0));
	unplug_fake0(bed);
	assert_true(becomes_readable(bed->context->async_fd, HF_TEST_HANG_MS));
}

static void a_replugged_device_is_another_instance(void **state)
{
	struct bed *bed = *state;
	struct ibv_context *fresh;

	assert_int_equal(tree_swap(bed->tree, 0), 0);
	assert_true(becomes_readable(bed->context->async_fd, HF_TEST_HANG_MS));
	fresh = open_named_device(bed, "fake0");
	expect_async_event(bed->context, IBV_EVENT_DEVICE_FATAL);
	assert_false(becomes_readable(fresh->async_fd, 0));
	assert_int_equal(ibv_close_device(fresh), 0);
}

static void a_forked_child_gets_the_event(void **state)
{
	struct bed *bed = *state;
	int status;
	pid_t child;

	make_nonblocking(bed->context);
	child = fork();
	if (child == 0) {
		struct ibv_async_event event;

		if (!becomes_readable(bed->context->async_fd, HF_TEST_HANG_MS))
			_exit(1);
		if (ibv_get_async_event(bed->context, &event) < 0)
			_exit(2);
		_exit(event.event_type == IBV_EVENT_DEVICE_FATAL ? 0 : 3);
	}
	unplug_fake0(bed);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void contexts_share_the_notification(void **state)
{
	enum { CONTEXTS = 100, EACH = 3 /* the node, the kernel's events, the program's events */ };
	struct bed *bed = *state;
	struct ibv_context *contexts[CONTEXTS];
	int before = count_open_fds();

	for (int i = 0; i < CONTEXTS; i++)
		contexts[i] = open_named_device(bed, "fake0");
	assert_int_equal(count_open_fds() - before, EACH * CONTEXTS);
	unplug_fake0(bed);
	for (int i = 0; i < CONTEXTS; i++) {
		assert_true(becomes_readable(contexts[i]->async_fd, HF_TEST_HANG_MS));
		expect_async_event(contexts[i], IBV_EVENT_DEVICE_FATAL);
		assert_int_equal(ibv_close_device(contexts[i]), 0);
	}
	assert_int_equal(count_open_fds(), before);
	/*
	 * An idle device holds no descriptor: this one has the node, two for events and one for
	 * notifications.
	 */
	assert_int_equal(ibv_close_device(bed->context), 0);
	bed->context = NULL;
	assert_int_equal(before - count_open_fds(), EACH + 1);
}

/* fcntl() takes all of it; what stays is the owner. */
static void a_program_that_waits_for_a_signal_is_warned(void **state)
{
	const struct bed *bed = *state;
	struct ibv_context *context;

	owner_warnings = 0;
	make_nonblocking(bed->context);
	expect_error(bed->context, EAGAIN);
	assert_int_equal(owner_warnings, 0);
	context = open_named_device(bed, "fake1");
	assert_int_equal(fcntl(context->async_fd, F_SETOWN, getpid()), 0);
	assert_int_equal(fcntl(context->async_fd, F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	assert_false(fcntl(context->async_fd, F_GETFL) & O_ASYNC);
	expect_error(context, EAGAIN);
	assert_int_equal(owner_warnings, 1);
	expect_error(context, EAGAIN);
	assert_int_equal(ibv_close_device(context), 0);
	assert_int_equal(owner_warnings, 1);
	/* At the latest when it is closed. */
	context = open_named_device(bed, "fake1");
	assert_int_equal(fcntl(context->async_fd, F_SETSIG, SIGRTMIN), 0);
	assert_int_equal(fcntl(context->async_fd, F_SETOWN, getpid()), 0);
	assert_int_equal(ibv_close_device(context), 0);
	assert_int_equal(owner_warnings, 2);
	/* A signal without an owner goes nowhere with the kernel's descriptor either. */
	context = open_named_device(bed, "fake1");
	assert_int_equal(fcntl(context->async_fd, F_SETSIG, SIGRTMIN), 0);
	assert_int_equal(ibv_close_device(context), 0);
	assert_int_equal(owner_warnings, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_removal, teardown_removal)
	const struct CMUnitTest tests[] = {
		TEST(a_blocked_thread_wakes_up),
		TEST(an_unreported_removal_is_found),
		TEST(one_of_two_threads_gets_the_event),
		TEST(both_of_two_threads_wake_up),
		TEST(an_event_of_the_kernel_is_delivered),
		TEST(the_kernels_fatal_event_is_not_duplicated),
		TEST(the_kernels_late_fatal_event_is_not_duplicated),
		TEST(poll_and_select_wake_up),
		TEST(epoll_wakes_up),
		TEST(edge_triggered_epoll_wakes_up),
		TEST(nothing_else_makes_it_readable),
		TEST(a_replugged_device_is_another_instance),
		TEST(a_forked_child_gets_the_event),
		TEST(contexts_share_the_notification),
		TEST(a_program_that_waits_for_a_signal_is_warned),
	};

	/* A thread that does not wake up must not block the test run. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
