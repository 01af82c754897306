/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs expect a wait for events to behave like a read() of the kernel's descriptor: the thread
 * can be cancelled there and leaves no lock locked; a signal ends the wait or not, depending on its
 * handler; a stop does not end it.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>

#include "t/unit/async_context.h"

enum { SIGNALS = 3 };

static atomic_int caught;
static atomic_bool returned;

static void report_port_active(void)
{
	const struct ib_uverbs_async_event_desc desc = {
		.element = 1,
		.event_type = IBV_EVENT_PORT_ACTIVE,
	};

	assert_int_equal(write(async_pipe[1], &desc, sizeof(desc)), sizeof(desc));
}

static void expect_port_active(struct ibv_context *context)
{
	struct ibv_async_event event;

	assert_int_equal(ibv_get_async_event(context, &event), 0);
	assert_int_equal(event.event_type, IBV_EVENT_PORT_ACTIVE);
}

static void *get_one(void *arg)
{
	struct ibv_async_event event;

	ibv_get_async_event(arg, &event);
	return NULL;
}

static void *get_one_as_cancelled(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	return get_one(arg);
}

static void expect_cancelled(pthread_t thread)
{
	void *ret;

	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_ptr_equal(ret, PTHREAD_CANCELED);
}

static void cancelled_before(void **state)
{
	(void)state;
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		struct ibv_context *context = async_context();
		struct hf_delivered *delivered = &hfi_uverbs_of(context)->delivered;
		pthread_t thread;

		assert_int_equal(fcntl(context->async_fd, F_SETFL, flags), 0);
		report_port_active();
		assert_int_equal(pthread_create(&thread, NULL, get_one_as_cancelled, context), 0);
		expect_cancelled(thread);
		assert_int_equal(pthread_mutex_trylock(&delivered->lock), 0);
		pthread_mutex_unlock(&delivered->lock);
		expect_port_active(context);
		async_context_end(context);
	}
}

static void cancelled_asleep(void **state)
{
	struct ibv_context *context = async_context();
	pthread_t thread;
	int old;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, get_one, context), 0);
	while (!atomic_load(&hfi_context_of(context)->priv->async.waiting))
		sched_yield();
	asleep_wait(ASLEEP_POLL, 1);
	pthread_cancel(thread);
	expect_cancelled(thread);
	assert_int_equal(atomic_load(&hfi_context_of(context)->priv->async.waiting), 0);
	report_port_active();
	expect_port_active(context);
	/* The caller's own setting is unchanged. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	assert_int_equal(old, PTHREAD_CANCEL_ENABLE);
	report_port_active();
	expect_port_active(context);
	pthread_setcancelstate(old, &old);
	assert_int_equal(old, PTHREAD_CANCEL_DISABLE);
	async_context_end(context);
}

static void catch (int number)
{
	(void)number;
	atomic_fetch_add(&caught, 1);
}

static void set_handler(int number, int flags)
{
	const struct sigaction action = {.sa_handler = catch, .sa_flags = flags};

	assert_int_equal(sigaction(number, &action, NULL), 0);
}

static void *interrupt(void *arg)
{
	const pthread_t *thread = arg;

	while (atomic_load(&caught) < SIGNALS) {
		asleep_wait(ASLEEP_POLL, 1);
		pthread_kill(*thread, SIGUSR1);
	}
	report_port_active();
	return NULL;
}

static void *interrupt_until_it_returns(void *arg)
{
	const pthread_t *thread = arg;

	while (!atomic_load(&returned)) {
		if (asleep_count(getpid(), ASLEEP_POLL))
			pthread_kill(*thread, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void a_signal_does_not_end_the_wait(void **state)
{
	struct ibv_context *context = async_context();
	pthread_t thread, self = pthread_self();

	(void)state;
	atomic_store(&caught, 0);
	set_handler(SIGUSR1, SA_RESTART);
	set_handler(SIGFPE, 0); /* like a crash reporter's thread */
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &self), 0);
	expect_port_active(context);
	pthread_join(thread, NULL);
	assert_true(atomic_load(&caught) >= SIGNALS);
	async_context_end(context);
}

static void a_signal_ends_the_wait(void **state)
{
	struct ibv_context *context = async_context();
	pthread_t thread, self = pthread_self();
	struct ibv_async_event event;

	(void)state;
	atomic_store(&returned, false);
	set_handler(SIGUSR1, 0);
	assert_int_equal(pthread_create(&thread, NULL, interrupt_until_it_returns, &self), 0);
	errno = 0;
	assert_int_equal(ibv_get_async_event(context, &event), -1);
	assert_int_equal(errno, EINTR);
	atomic_store(&returned, true);
	pthread_join(thread, NULL);
	async_context_end(context);
}

/* In a process of its own: 0, or what is wrong. */
static int wait_for_one(struct ibv_context *context, int ready)
{
	struct ibv_async_event event;

	set_handler(SIGUSR1, 0);
	if (write(ready, "", 1) != 1)
		return 2;
	return ibv_get_async_event(context, &event) ? 3 : 0;
}

static void wait_while_stopped(void **state)
{
	struct ibv_context *context = async_context();
	int status, ready[2];
	pid_t child;
	char hello;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0)
		_exit(wait_for_one(context, ready[1]));
	assert_int_equal(read(ready[0], &hello, 1), 1);
	for (int i = 0; i < SIGNALS; i++) {
		asleep_wait_process(child, ASLEEP_POLL);
		kill(child, SIGSTOP);
		assert_int_equal(waitpid(child, &status, WUNTRACED), child);
		assert_true(WIFSTOPPED(status));
		kill(child, SIGCONT);
	}
	asleep_wait_process(child, ASLEEP_POLL);
	report_port_active();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(ready[0]);
	close(ready[1]);
	async_context_end(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancelled_before),
		cmocka_unit_test(cancelled_asleep),
		cmocka_unit_test(a_signal_does_not_end_the_wait),
		cmocka_unit_test(a_signal_ends_the_wait),
		cmocka_unit_test(wait_while_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
