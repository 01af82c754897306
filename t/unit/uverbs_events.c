/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Destroying objects with unacknowledged events on a device that is gone: the kernel has no counts
 * any more, but a thread that still has such an event must find the object when it acknowledges.
 */
#include <fcntl.h>
#include <unistd.h>

#include "t/unit/async_context.h"

static struct verbs_cq the_cq;
static struct ibv_qp the_qp;
static struct ibv_srq the_srq;
static struct ibv_wq the_wq;

static struct ibv_context *new_event_context(void)
{
	struct ibv_context *context = async_context();

	memset(&the_cq, 0, sizeof(the_cq));
	hf_provider_init_cq(&the_cq.cq, context, NULL, NULL);
	hf_provider_init_qp(&the_qp, context, &(struct ibv_qp_init_attr){0}, NULL);
	hf_provider_init_srq(&the_srq, context, NULL, NULL);
	the_wq = (struct ibv_wq){.context = context};
	pthread_mutex_init(&the_wq.mutex, NULL);
	pthread_cond_init(&the_wq.cond, NULL);
	return context;
}

static int destroy_event_cq(void)
{
	return hf_provider_destroy_cq(&the_cq.cq);
}

static int destroy_event_qp(void)
{
	return hf_provider_destroy_qp(&the_qp);
}

static int destroy_event_srq(void)
{
	return hf_provider_destroy_srq(&the_srq);
}

static int destroy_event_wq(void)
{
	return hf_provider_destroy_wq(&the_wq);
}

static const struct kind {
	enum ibv_event_type event;
	void *object;
	int (*destroy)(void);
} kinds[] = {
	{IBV_EVENT_CQ_ERR, &the_cq, destroy_event_cq},
	{IBV_EVENT_QP_FATAL, &the_qp, destroy_event_qp},
	{IBV_EVENT_COMM_EST, &the_qp, destroy_event_qp},
	{IBV_EVENT_SRQ_LIMIT_REACHED, &the_srq, destroy_event_srq},
	{IBV_EVENT_WQ_FATAL, &the_wq, destroy_event_wq},
};

static atomic_bool destroyed;

/* The wall clock is a day ahead: as if it were set back after the library had read it. */
enum { DAY_S = 24 * 60 * 60 };

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	const int ret = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME) /* wall clock: nobody may wait by it */
		now->tv_sec += DAY_S;
	return ret;
}

/* The library's clock for a pending acknowledgement: stopped, or every wait is over at once. */
static atomic_bool time_flies;

int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until);
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until)
{
	struct timespec now;

	/*
	 * Setting the date must not prolong a wait: the limit is far below the day by which this
	 * clock is off.
	 */
	assert_int_equal(clock, CLOCK_MONOTONIC);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(labs(until->tv_sec - now.tv_sec) <
		    DAY_S / 2); /* clock: no machine is so slow */
	if (!atomic_load(&time_flies))
		return pthread_cond_wait(cond, mutex);
	pthread_mutex_unlock(mutex);
	sched_yield();
	pthread_mutex_lock(mutex);
	return ETIMEDOUT;
}

static void *destroy_kind_thread(void *arg)
{
	const struct kind *kind = arg;

	assert_int_equal(kind->destroy(), 0);
	atomic_store(&destroyed, true);
	return NULL;
}

static pthread_t create_event_objects(const struct kind *kind)
{
	pthread_t thread;

	atomic_store(&destroyed, false);
	assert_int_equal(pthread_create(&thread, NULL, destroy_kind_thread, (void *)kind), 0);
	return thread;
}

static pthread_t start_destroy(const struct kind *kind)
{
	pthread_t thread = create_event_objects(kind);

	wait_until_blocked(&destroyed);
	return thread;
}

static void report_kind_event(const struct kind *kind)
{
	const struct ib_uverbs_async_event_desc desc = {
		.element = (uintptr_t)kind->object,
		.event_type = kind->event,
	};

	assert_int_equal(write(async_pipe[1], &desc, sizeof(desc)), sizeof(desc));
}

static void async(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		struct ibv_context *context = new_event_context();
		struct ibv_async_event events[2];
		pthread_t thread;

		for (int j = 0; j < 3; j++)
			report_kind_event(&kinds[i]);
		/* The third was not delivered. */
		for (int j = 0; j < 2; j++)
			assert_int_equal(ibv_get_async_event(context, &events[j]), 0);
		fake_gone(EIO);
		thread = start_destroy(&kinds[i]);
		assert_false(atomic_load(&destroyed));
		ibv_ack_async_event(&events[0]);
		wait_until_blocked(&destroyed);
		assert_false(atomic_load(&destroyed));
		ibv_ack_async_event(&events[1]);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_true(atomic_load(&destroyed));
		/* Nothing is remembered of the object: a new one may have its address. */
		the_qp.events_completed = the_srq.events_completed = the_wq.events_completed = 0;
		the_cq.cq.async_events_completed = 0;
		assert_int_equal(kinds[i].destroy(), 0);
		print_message("event %d: waited for 2 of 3\n", (int)kinds[i].event);
		async_context_end(context);
	}
}

/*
 * A thread that is cancelled while it waits leaves no lock locked: the event can still be
 * acknowledged.
 */
static void cancelled_while_a_destroy_waits(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	print_message(
		"gcc 12's AddressSanitizer takes the stack of a cancelled thread for poisoned\n");
	skip();
#endif
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		struct ibv_context *context = new_event_context();
		struct ibv_async_event event;
		pthread_t thread;
		void *result;

		report_kind_event(&kinds[i]);
		assert_int_equal(ibv_get_async_event(context, &event), 0);
		fake_gone(EIO);
		thread = start_destroy(&kinds[i]);
		assert_int_equal(pthread_cancel(thread), 0);
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_ptr_equal(result, PTHREAD_CANCELED);
		ibv_ack_async_event(&event);
		async_context_end(context);
	}
}

/* Run by another thread right after the kernel returned an event. */
static const struct kind *destroy_at_read;
static pthread_t destroyer;

ssize_t __real_hfi_read_uncancelled(int fd, void *buffer, size_t size);
ssize_t __wrap_hfi_read_uncancelled(int fd, void *buffer, size_t size);

ssize_t __wrap_hfi_read_uncancelled(int fd, void *buffer, size_t size)
{
	ssize_t got = __real_hfi_read_uncancelled(fd, buffer, size);
	const struct kind *kind = destroy_at_read;

	if (!kind || fd != async_pipe[0] || got <= 0)
		return got;
	destroy_at_read = NULL;
	destroyer = start_destroy(kind);
	return got;
}

static void destroyed_while_it_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		struct ibv_context *context = new_event_context();
		struct ibv_async_event event;

		fake_gone(EIO);
		report_kind_event(&kinds[i]);
		destroy_at_read = &kinds[i];
		assert_int_equal(ibv_get_async_event(context, &event), 0);
		wait_until_blocked(&destroyed);
		assert_false(atomic_load(&destroyed));
		ibv_ack_async_event(&event);
		assert_int_equal(pthread_join(destroyer, NULL), 0);
		async_context_end(context);
	}
}

/* A device that is gone returns errors before its kernel has cleaned up. */
static void no_event_about_a_destroyed_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		struct ibv_context *context = new_event_context();
		struct ibv_async_event event;

		assert_int_equal(fcntl(context->async_fd, F_SETFL, O_NONBLOCK), 0);
		fake_gone(EIO);
		assert_int_equal(kinds[i].destroy(), 0);
		report_kind_event(&kinds[i]);
		assert_int_equal(ibv_get_async_event(context, &event), -1);
		assert_int_equal(errno, EAGAIN);
		/* Events of a new object at the same address are reported. */
		if (kinds[i].object == &the_qp) {
			hf_provider_init_qp(&the_qp, context, &(struct ibv_qp_init_attr){0}, NULL);
			report_kind_event(&kinds[i]);
			assert_int_equal(ibv_get_async_event(context, &event), 0);
			assert_ptr_equal(event.element.qp, &the_qp);
		}
		async_context_end(context);
	}
}

static void completion(void **state)
{
	static const struct kind kind = {.destroy = destroy_event_cq};
	struct ibv_context *context = new_event_context();
	const uint64_t desc = (uintptr_t)&the_cq;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	void *cq_context;
	pthread_t thread;
	uint32_t fd;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fd = (uint32_t)fds[0];
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &fd, sizeof(fd));
	channel = ibv_create_comp_channel(context);
	assert_non_null(channel);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(fds[1], &desc, sizeof(desc)), sizeof(desc));
	for (int i = 0; i < 2; i++)
		assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), 0);
	atomic_store(&hfi_uverbs_of(context)->dead, true);
	thread = start_destroy(&kind);
	assert_false(atomic_load(&destroyed));
	ibv_ack_cq_events(cq, 2);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&destroyed));
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	close(fds[1]);
	async_context_end(context);
}

/* While the device exists its kernel has the counts; a failed destroy forgets nothing. */
static void device_present(void **state)
{
	const struct ib_uverbs_destroy_qp_resp counters = {.events_reported = 0};
	struct ibv_context *context = new_event_context();
	struct ibv_async_event event;
	pthread_t thread;

	(void)state;
	report_kind_event(&kinds[1]);
	assert_int_equal(ibv_get_async_event(context, &event), 0);
	fake_fail(EBUSY);
	assert_int_equal(destroy_event_qp(), EBUSY);
	fake_fail(ENODEV);
	thread = start_destroy(&kinds[1]);
	assert_false(atomic_load(&destroyed));
	ibv_ack_async_event(&event);
	assert_int_equal(pthread_join(thread, NULL), 0);

	hf_provider_init_qp(&the_qp, context, &(struct ibv_qp_init_attr){0}, NULL);
	report_kind_event(&kinds[1]);
	assert_int_equal(ibv_get_async_event(context, &event), 0);
	fake_succeed();
	fake_reply(UVERBS_ATTR_DESTROY_QP_RESP, &counters, sizeof(counters));
	assert_int_equal(destroy_event_qp(), 0);
	async_context_end(context);
}

/*
 * The event is never acknowledged, or not yet when the device goes: no call on a device that is
 * gone may hang.
 */
static void never_acknowledged(void **state)
{
	(void)state;
	atomic_store(&time_flies, true);
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		struct ibv_context *context = new_event_context();
		struct ibv_async_event event;

		report_kind_event(&kinds[i]);
		assert_int_equal(ibv_get_async_event(context, &event), 0);
		fake_gone(EIO);
		assert_int_equal(kinds[i].destroy(), 0);
		print_message("event %d: destroyed without\n", (int)kinds[i].event);
		async_context_end(context);
	}
	atomic_store(&time_flies, false);
}

static atomic_bool is_removed;
static atomic_uint looks;

static bool is_context_removed(struct ibv_context *context)
{
	(void)context;
	atomic_fetch_add(&looks, 1);
	return atomic_load(&is_removed);
}

/* `go` 0: revocation, 1: the removal is reported. */
static void removed_while_a_destroy_waits(void **state)
{
	enum { LOOKS = 1000 };
	const struct ib_uverbs_destroy_qp_resp counters = {.events_reported = 1};

	(void)state;
	atomic_store(&time_flies, true);
	for (int go = 0; go < 2; go++) {
		struct ibv_context *context = new_event_context();
		struct ibv_async_event event;
		pthread_t thread;

		report_kind_event(&kinds[1]);
		assert_int_equal(ibv_get_async_event(context, &event), 0);
		fake_succeed();
		fake_reply(UVERBS_ATTR_DESTROY_QP_RESP, &counters, sizeof(counters));
		atomic_store(&is_removed, false);
		atomic_store(&looks, 0);
		hfi_uverbs_of(context)->removed = is_context_removed;
		thread = create_event_objects(&kinds[1]);
		/* It checks more often than on a device that is gone, and keeps waiting. */
		while (atomic_load(&looks) < LOOKS && !atomic_load(&destroyed))
			sched_yield();
		assert_false(atomic_load(&destroyed));
		if (go)
			atomic_store(&is_removed, true);
		else
			atomic_store(&hfi_uverbs_of(context)->dead, true);
		assert_int_equal(pthread_join(thread, NULL), 0);
		async_context_end(context);
	}
	atomic_store(&time_flies, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(async),
		cmocka_unit_test(destroyed_while_it_is_read),
		cmocka_unit_test(no_event_about_a_destroyed_object),
		cmocka_unit_test(completion),
		cmocka_unit_test(device_present),
		cmocka_unit_test(never_acknowledged),
		cmocka_unit_test(cancelled_while_a_destroy_waits),
		cmocka_unit_test(removed_while_a_destroy_waits),
	};

	/* A wait without end must not block the test run. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
