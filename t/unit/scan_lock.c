/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The scan lock: one scan at a time, released around a provider's code for threads that only need
 * netlink. What each lock guards is a plain variable here, so that ThreadSanitizer reports if two
 * threads hold it at once.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "shared/file.h"
#include "core/device/hf.h"
#include "core/device/node_names.h"
#include "core/device/scan_lock.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"

enum { ROUNDS = 300, QUESTIONS = 3 * ROUNDS, TRY_EACH = 30, FORKS = 20 };

static struct hf *new_rootless_context(void)
{
	static const char *const no_dirs[1] = {NULL};
	const struct hf_root root = {.sysfs = "/nonexistent/sys", .dev = "/nonexistent/dev"};
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = no_dirs,
	};
	struct hf *hf;

	assert_int_equal(hf_new(&options, &hf), 0);
	return hf;
}

static int fork_and_exec(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

struct looker {
	struct hf *hf;
	atomic_bool done;
};

static void *scan_in_thread(void *arg)
{
	struct looker *looker = arg;

	if (hfi_scan_begin(looker->hf))
		hfi_scan_end(looker->hf);
	atomic_store(&looker->done, true);
	return NULL;
}

static void *ask_and_try(void *arg)
{
	struct hf *hf = arg;

	if (!hfi_netlink_lock(hf))
		return NULL;
	hfi_netlink_unlock(hf);
	return hfi_scan_try_begin(hf) || fork_and_exec() ? NULL : arg;
}

static void netlink_does_not_wait_for_a_provider(void **state)
{
	struct looker looker = {.hf = new_rootless_context()};
	pthread_t asker, thread;
	void *asked;

	(void)state;
	assert_true(hfi_scan_begin(looker.hf));
	/* A provider that calls back, before and after: no scan. */
	assert_false(hfi_scan_begin(looker.hf));
	assert_true(hfi_scan_release(looker.hf));
	assert_false(hfi_scan_release(looker.hf));
	assert_false(hfi_scan_begin(looker.hf));
	assert_false(hfi_netlink_lock(looker.hf));
	assert_int_equal(pthread_create(&asker, NULL, ask_and_try, looker.hf), 0);
	assert_int_equal(pthread_join(asker, &asked), 0);
	assert_ptr_equal(asked, looker.hf);
	/* Another thread can scan. */
	assert_int_equal(pthread_create(&thread, NULL, scan_in_thread, &looker), 0);
	asleep_wait(SYS_futex, 1);
	assert_false(atomic_load(&looker.done));
	/* Also if the provider itself forks. */
	assert_int_equal(fork_and_exec(), 0);
	hfi_scan_reacquire(looker.hf, true);
	asleep_wait(SYS_futex, 1);
	assert_false(atomic_load(&looker.done));
	hfi_scan_end(looker.hf);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* Outside of a scan there is nothing to release. */
	assert_false(hfi_scan_release(looker.hf));
	hfi_scan_reacquire(looker.hf, false);
	hf_unref(looker.hf);
}

/*
 * A fork while another thread has released the scan lock, in a list for libibverbs: in the child the lock is free, and
 * the next scan is not one of that kind, whose devices no stream would announce.
 */
static void a_child_can_scan(void **state)
{
	struct hf *hf = new_rootless_context();
	int status;
	pid_t pid;

	(void)state;
	assert_true(hfi_scan_begin(hf));
	hf->table.nodes_later = true;
	hf->look.dir = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hf->nodes_there = hfi_node_names_read(hf->look.dir);
	assert_non_null(hf->nodes_there);
	assert_true(hfi_scan_release(hf));
	/* As if another thread held it. */
	pthread_mutex_lock(&hf->lock);
	hf->scanner = (pthread_t)1;
	pthread_mutex_unlock(&hf->lock);
	pid = fork();
	if (pid == 0) {
		alarm(HF_TEST_HANG_SECONDS);
		if (!hfi_scan_begin(hf))
			_exit(1);
		if (hf->table.nodes_later || hf->nodes_there || hf->look.dir >= 0)
			_exit(4);
		hfi_scan_end(hf);
		if (!hfi_netlink_lock(hf))
			_exit(2);
		hfi_netlink_unlock(hf);
		execl("/bin/true", "true", (char *)NULL);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pthread_mutex_lock(&hf->lock);
	hf->scanner = pthread_self();
	pthread_mutex_unlock(&hf->lock);
	hfi_scan_reacquire(hf, true);
	/* In the parent the scan goes on with what it has. */
	assert_true(hf->table.nodes_later);
	hfi_node_names_free(hf->nodes_there);
	hf->nodes_there = NULL;
	hfi_close(&hf->look.dir);
	hfi_scan_end(hf);
	hf_unref(hf);
}

/* What the locks guard; deliberately not atomic. */
static struct {
	struct hf *hf;
	unsigned long table, socket;
} shared;

static void *scanner(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		bool released;

		assert_true(hfi_scan_begin(shared.hf));
		shared.socket++;
		shared.table++;
		released = hfi_scan_release(shared.hf);
		sched_yield();
		shared.table++;
		hfi_scan_reacquire(shared.hf, released);
		shared.socket++;
		hfi_scan_end(shared.hf);
	}
	return NULL;
}

static void *asker(void *arg)
{
	unsigned long *tries = arg;

	for (int i = 0; i < QUESTIONS; i++) {
		assert_true(hfi_netlink_lock(shared.hf));
		shared.socket++;
		hfi_netlink_unlock(shared.hf);
		if (i % TRY_EACH)
			continue;
		/* Usually a scanner has released it. */
		for (++*tries; !hfi_scan_try_begin(shared.hf); ++*tries)
			sched_yield();
		shared.table += 2;
		shared.socket += 2;
		hfi_scan_end(shared.hf);
	}
	return NULL;
}

static void *forker(void *arg)
{
	for (int i = 0; i < FORKS; i++)
		*(int *)arg |= fork_and_exec();
	return NULL;
}

static void scans_exclude_each_other(void **state)
{
	unsigned long tries[2] = {0};
	pthread_t threads[5];
	int failed = 0;

	(void)state;
	shared.hf = new_rootless_context();
	pthread_create(&threads[0], NULL, scanner, NULL);
	pthread_create(&threads[1], NULL, scanner, NULL);
	pthread_create(&threads[2], NULL, asker, &tries[0]);
	pthread_create(&threads[3], NULL, asker, &tries[1]);
	pthread_create(&threads[4], NULL, forker, &failed);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(failed, 0);
	print_message("%d scans, %d questions, %lu tries for %d turns\n", 2 * ROUNDS, 2 * QUESTIONS,
		      tries[0] + tries[1], 2 * QUESTIONS / TRY_EACH);
	assert_int_equal(shared.table, 4ul * ROUNDS + 4ul * QUESTIONS / TRY_EACH);
	assert_int_equal(shared.socket,
			 4ul * ROUNDS + 2ul * QUESTIONS + 4ul * QUESTIONS / TRY_EACH);
	hf_unref(shared.hf);
}

static void scan(struct hf *hf)
{
	assert_true(hfi_scan_begin(hf));
	pthread_testcancel();
	hfi_scan_end(hf);
}

static void scan_at_once(struct hf *hf)
{
	assert_true(hfi_scan_try_begin(hf));
	pthread_testcancel();
	hfi_scan_end(hf);
}

static void ask(struct hf *hf)
{
	assert_true(hfi_netlink_lock(hf));
	pthread_testcancel();
	hfi_netlink_unlock(hf);
}

static void lock_revocation(struct hf *hf)
{
	hfi_revoke_lock(hf);
	pthread_testcancel();
	hfi_revoke_unlock(hf);
}

/* Inside of each other, as where a provider opens a device from within a scan. */
static void nest(struct hf *hf)
{
	assert_true(hfi_scan_begin(hf));
	assert_false(hfi_scan_begin(hf));
	pthread_testcancel();
	assert_false(hfi_netlink_lock(hf));
	pthread_testcancel();
	lock_revocation(hf);
	pthread_testcancel();
	hfi_scan_end(hf);
}

static void release_in_another_order(struct hf *hf)
{
	assert_true(hfi_scan_begin(hf));
	hfi_revoke_lock(hf);
	hfi_scan_end(hf);
	pthread_testcancel();
	hfi_revoke_unlock(hf);
}

struct cancelled {
	struct hf *hf;
	void (*call)(struct hf *hf);
};

static void *call_cancelled(void *arg)
{
	const struct cancelled *cancelled = arg;
	int state;

	pthread_cancel(pthread_self());
	cancelled->call(cancelled->hf);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	assert_int_equal(state, PTHREAD_CANCEL_ENABLE);
	/* Also a fork gives back what it found. */
	assert_int_equal(fork_and_exec(), 0);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	assert_int_equal(state, PTHREAD_CANCEL_DISABLE);
	return NULL;
}

static void a_cancelled_thread_releases_the_lock(void **state)
{
	void (*const calls[])(struct hf *) = {
		scan, scan_at_once, ask, lock_revocation, nest, release_in_another_order};
	struct cancelled cancelled = {.hf = new_rootless_context()};
	pthread_t thread;
	void *ret;

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		cancelled.call = calls[i];
		assert_int_equal(pthread_create(&thread, NULL, call_cancelled, &cancelled), 0);
		assert_int_equal(pthread_join(thread, &ret), 0);
		/* The call came to its end. */
		assert_null(ret);
	}
	hf_unref(cancelled.hf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netlink_does_not_wait_for_a_provider),
		cmocka_unit_test(a_child_can_scan),
		cmocka_unit_test(scans_exclude_each_other),
		cmocka_unit_test(a_cancelled_thread_releases_the_lock),
	};

	/* A failure of these tests is a deadlock. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
