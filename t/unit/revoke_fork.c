/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Revoking inherited contexts in children of fork(2). */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "core/device/hf.h"
#include "core/device/scan_lock.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/unit/revoke_bed.h"

/*
 * A leak checker would report the revoker's memory when the child exits: so it reports through a
 * pipe and ends by a signal.
 */
static pid_t start_reporting_child(struct bed *bed, int (*run)(struct bed *bed), int *report)
{
	int result[2], answer;
	pid_t child;

	assert_int_equal(pipe(result), 0);
	/*
	 * A thread that is starting may hold a lock of AddressSanitizer's allocator (gcc 12), which
	 * then stays locked in the child.
	 */
	asleep_wait(ASLEEP_POLL, 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		answer = run(bed);
		if (write(result[1], &answer, sizeof(answer)) == sizeof(answer))
			raise(SIGKILL);
		_exit(1);
	}
	close(result[1]);
	*report = result[0];
	return child;
}

static int end_child(pid_t child, int report)
{
	struct pollfd pollfd = {.fd = report, .events = POLLIN};
	int status, answer = -1;

	if (poll(&pollfd, 1, HF_TEST_HANG_MS) != 1) {
		kill(child, SIGKILL);
		print_message("the child hangs\n");
	}
	if (read(report, &answer, sizeof(answer)) != sizeof(answer))
		answer = -1;
	close(report);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return answer;
}

#ifdef __SANITIZE_THREAD__
#define NEEDS_THREADS_IN_CHILD()                                                       \
	do {                                                                           \
		print_message("skipped: ThreadSanitizer has no threads in a child\n"); \
		skip();                                                                \
	} while (0)
#else
#define NEEDS_THREADS_IN_CHILD() (void)0
#endif

/* Another thread ends while the process forks. */
#if defined(__SANITIZE_ADDRESS__)
#define NEEDS_ALLOCATOR_IN_CHILD()                                                                 \
	do {                                                                                       \
		print_message("skipped: AddressSanitizer's allocator may be locked in a child\n"); \
		skip();                                                                            \
	} while (0)
#else
#define NEEDS_ALLOCATOR_IN_CHILD() (void)0
#endif

static int close_and_open(struct bed *bed)
{
	int err = hf_device_close(bed->context);

	bed->context = bed_open_context(bed);
	err |= hf_device_close(bed->context);
	bed->context = NULL;
	hf_unref(bed->hf);
	return err;
}

static void a_child_may_close_and_open(void **state)
{
	struct bed *bed = *state;
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	child = start_reporting_child(bed, close_and_open, &report);
	assert_int_equal(end_child(child, report), 0);
	/* The parent's revoker works as before. */
	bed_unplug(bed);
}

/* It calls nothing of the library: it holds the device only because it was forked. */
static int wait_for_revocation(struct bed *bed)
{
	const struct verbs_ex_private *private = hfi_context_of(bed->context)->priv;

	bed_wait_revoked(bed);
	return is_end_of_file(bed->context->cmd_fd) && is_end_of_file(private->async.kernel_fd);
}

static void a_child_releases_what_it_inherited(void **state)
{
	struct bed *bed = *state;
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	child = start_reporting_child(bed, wait_for_revocation, &report);
	bed_unplug(bed);
	assert_int_equal(end_child(child, report), 1);
	assert_true(is_end_of_file(bed->context->cmd_fd));
}

static int be_told(struct bed *bed)
{
	return wait_for_fatal(bed->context) == bed->context;
}

static void child_and_parent_both_get_the_fatal_event(void **state)
{
	struct bed *bed = *state;
	struct pollfd pollfd = {.fd = bed->context->async_fd, .events = POLLIN};
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	child = start_reporting_child(bed, be_told, &report);
	bed_unplug(bed);
	assert_int_equal(end_child(child, report), 1);
	assert_int_equal(poll(&pollfd, 1, 0), 1);
	assert_ptr_equal(wait_for_fatal(bed->context), bed->context);
	assert_int_equal(poll(&pollfd, 1, 0), 0);
}

static void *poll_for_ever(void *arg)
{
	struct bed *bed = arg;
	struct ibv_wc wc;

	while (!atomic_load(&bed->stop))
		(void)ibv_poll_cq(&bed->send_cq, 1, &wc);
	return NULL;
}

static int destroy_and_close(struct bed *bed)
{
	int err = bed->context->ops.poll_cq(&bed->recv_cq, 1, &(struct ibv_wc){0}) < 0;

	err |= hfi_context_of(bed->context)->priv->ops.destroy_qp(&bed->qp);
	return err | hf_device_close(bed->context);
}

static void a_child_of_a_busy_program_may_destroy(void **state)
{
	const int children = getenv("HF_VALGRIND") ? 10 : 100;
	struct bed *bed = *state;
	pthread_t thread;

	NEEDS_THREADS_IN_CHILD();
	assert_int_equal(pthread_create(&thread, NULL, poll_for_ever, bed), 0);
	for (int i = 0; i < children; i++) {
		int report;
		pid_t child = start_reporting_child(bed, destroy_and_close, &report);

		assert_int_equal(end_child(child, report), 0);
	}
	atomic_store(&bed->stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	bed_unplug(bed);
}

/* A provider that opens a device during a scan, while another thread forks. */
static void *open_in_a_turn(void *arg)
{
	struct bed *bed = arg;
	struct ibv_context *context;

	assert_true(hfi_scan_begin(bed->hf));
	atomic_store(&bed->in_turn, true);
	/* Wait until the main thread waits within fork(). */
	asleep_wait(SYS_futex, 1);
	context = bed_open_context(bed);
	atomic_store(&bed->in_turn, false);
	hfi_scan_end(bed->hf);
	return context;
}

static int do_nothing_in_child(struct bed *bed)
{
	(void)bed;
	return 0;
}

static void forking_waits_for_a_scan_that_opens(void **state)
{
	struct bed *bed = *state;
	void *context = NULL;
	pthread_t thread;
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	NEEDS_ALLOCATOR_IN_CHILD();
	assert_int_equal(pthread_create(&thread, NULL, open_in_a_turn, bed), 0);
	while (!atomic_load(&bed->in_turn))
		usleep(100);
	child = start_reporting_child(bed, do_nothing_in_child, &report);
	assert_false(atomic_load(&bed->in_turn));
	assert_int_equal(end_child(child, report), 0);
	assert_int_equal(pthread_join(thread, &context), 0);
	assert_int_equal(hf_device_close(context), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_child_may_close_and_open),
		TEST(a_child_releases_what_it_inherited),
		TEST(child_and_parent_both_get_the_fatal_event),
		TEST(a_child_of_a_busy_program_may_destroy),
		TEST(forking_waits_for_a_scan_that_opens),
	};

	/* A thread that does not wake up must not block the test run. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
