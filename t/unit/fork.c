/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A fork while one thread scans and another one waits for the scan lock. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "core/device/hf.h"
#include "core/device/scan_lock.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"

enum { ROUNDS = 10 };

static void *fork_and_exit(void *arg)
{
	int status = -1;
	pid_t pid = fork();

	/* Not _exit(): valgrind would look for leaks, and find the other threads' stacks. */
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		atomic_fetch_add((atomic_int *)arg, 1);
	return NULL;
}

static void *take_a_turn(void *arg)
{
	struct hf *hf = arg;

	if (hfi_scan_begin(hf))
		hfi_scan_end(hf);
	return NULL;
}

static struct hf *default_context(void)
{
	struct hf *hf;

	setenv("HOLDFAST_ROOTS", "/nonexistent", 1);
	assert_int_equal(hf_default(&hf), 0);
	return hf;
}

/* A fork waits for the same condition as a thread that wants the scan lock: both must be woken. */
static void a_fork_and_a_scan_are_both_woken(void **state)
{
	atomic_int forked = 0;
	struct hf *hf = default_context();
	pthread_t forker, looker;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		assert_true(hfi_scan_begin(hf));
		pthread_create(i % 2 ? &forker : &looker, NULL, i % 2 ? fork_and_exit : take_a_turn,
			       i % 2 ? (void *)&forked : hf);
		asleep_wait(SYS_futex, 1);
		pthread_create(i % 2 ? &looker : &forker, NULL, i % 2 ? take_a_turn : fork_and_exit,
			       i % 2 ? hf : (void *)&forked);
		asleep_wait(SYS_futex, 2);
		hfi_scan_end(hf);
		pthread_join(forker, NULL);
		pthread_join(looker, NULL);
	}
	assert_int_equal(atomic_load(&forked), ROUNDS);
	hf_unref(hf);
}

/* During a scan, for which a fork waits, a provider may ask for the devices. */
static void the_default_context_can_be_had_while_a_fork_waits(void **state)
{
	atomic_int forked = 0;
	struct hf *hf = default_context(), *again = NULL;
	pthread_t forker;

	(void)state;
	assert_true(hfi_scan_begin(hf));
	pthread_create(&forker, NULL, fork_and_exit, &forked);
	asleep_wait(SYS_futex, 1);
	assert_int_equal(hf_default(&again), 0);
	assert_ptr_equal(again, hf);
	hf_unref(again);
	hfi_scan_end(hf);
	pthread_join(forker, NULL);
	assert_int_equal(atomic_load(&forked), 1);
	hf_unref(hf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fork_and_a_scan_are_both_woken),
		cmocka_unit_test(the_default_context_can_be_had_while_a_fork_waits),
	};

	/* A failure of these tests is a deadlock. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
