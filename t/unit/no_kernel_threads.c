/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Contexts without a kernel: reports from many threads, with readers, destroys and forks at the
 * same time.
 */
#include <pthread.h>
#include <sys/wait.h>

#include <holdfast/holdfast.h>

#include "core/verbs/no_kernel.h"
#include "t/unit/no_kernel_bed.h"

enum { CQS = 3, REPORTERS = 4, READERS = 2, REPORTS = 20000, ROUNDS = 200 };

struct crowd {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cqs[CQS];
	atomic_uint read; /* events of the channel */
	atomic_uint ports;
};

static void *report_completions(void *arg)
{
	struct crowd *crowd = arg;

	for (int i = 0; i < REPORTS; i++)
		hf_provider_report_completion(bed_events(crowd->cqs[i % CQS]));
	return NULL;
}

static void *report_ports(void *arg)
{
	struct crowd *crowd = arg;

	for (int i = 0; i < REPORTS; i++)
		hf_provider_report_port(crowd->context, 1 + (unsigned int)i % BED_PORTS,
					i % 3 ? IBV_EVENT_PORT_ERR : IBV_EVENT_PORT_ACTIVE);
	return NULL;
}

static void *read_completions(void *arg)
{
	struct crowd *crowd = arg;
	struct ibv_cq *cq;
	void *cq_context;

	while (atomic_fetch_add(&crowd->read, 1) < REPORTERS * REPORTS) {
		if (ibv_get_cq_event(crowd->channel, &cq, &cq_context))
			return arg; /* a completion event was lost */
		ibv_ack_cq_events(cq, 1);
	}
	return NULL;
}

static void *read_port_events(void *arg)
{
	struct crowd *crowd = arg;
	struct ibv_async_event event;

	while (atomic_fetch_add(&crowd->ports, 1) < REPORTERS * REPORTS) {
		if (ibv_get_async_event(crowd->context, &event))
			return arg; /* an asynchronous event was lost */
		ibv_ack_async_event(&event);
	}
	return NULL;
}

/* A thread returns its argument on failure. */
static void join(pthread_t thread)
{
	void *ret;

	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_null(ret);
}

/* The readers block and end after as many events as were reported: a lost event makes them hang. */
static void every_report_is_read(void **state)
{
	struct crowd crowd = {.context = bed_context(0)};
	pthread_t threads[2 * (REPORTERS + READERS)];
	size_t count = 0;

	(void)state;
	crowd.channel = ibv_create_comp_channel(crowd.context);
	for (int i = 0; i < CQS; i++)
		crowd.cqs[i] = ibv_create_cq(crowd.context, 1, NULL, crowd.channel, 0);
	for (int i = 0; i < READERS; i++) {
		pthread_create(&threads[count++], NULL, read_completions, &crowd);
		pthread_create(&threads[count++], NULL, read_port_events, &crowd);
	}
	for (int i = 0; i < REPORTERS; i++) {
		pthread_create(&threads[count++], NULL, report_completions, &crowd);
		pthread_create(&threads[count++], NULL, report_ports, &crowd);
	}
	while (count)
		join(threads[--count]);
	assert_false(bed_readable(crowd.channel->fd));
	assert_false(bed_readable(crowd.context->async_fd));
	for (int i = 0; i < CQS; i++)
		assert_int_equal(ibv_destroy_cq(crowd.cqs[i]), 0);
	assert_int_equal(ibv_destroy_comp_channel(crowd.channel), 0);
	bed_context_end(crowd.context);
}

struct destroyer {
	struct ibv_cq *cq;
	atomic_bool done;
};

static void *destroy_cq_in_thread(void *arg)
{
	struct destroyer *destroyer = arg;

	if (ibv_destroy_cq(destroyer->cq))
		return arg; /* the destroy failed */
	atomic_store(&destroyer->done, true);
	return NULL;
}

static void destroy_waits_for_acknowledgement(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
	struct destroyer destroyer = {.cq = ibv_create_cq(context, 1, NULL, channel, 0)};
	struct hf_provider_events *events = bed_events(destroyer.cq);
	struct ibv_cq *cq = destroyer.cq;
	unsigned int given = 0;
	void *cq_context;
	pthread_t thread;

	(void)state;
	bed_nonblocking(channel->fd);
	hf_provider_report_completion(events);
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), 0);
	given++;
	hf_provider_report_completion(events);
	pthread_create(&thread, NULL, destroy_cq_in_thread, &destroyer);
	/* Reports are dropped once the destroy has begun to wait, and not before. */
	while (hf_provider_report_completion(events), !ibv_get_cq_event(channel, &cq, &cq_context))
		given++;
	assert_int_equal(errno, EAGAIN);
	for (; given > 1; given--) {
		assert_false(atomic_load(&destroyer.done));
		ibv_ack_cq_events(cq, 1);
	}
	assert_false(atomic_load(&destroyer.done));
	ibv_ack_cq_events(cq, 1);
	join(thread);
	assert_true(atomic_load(&destroyer.done));
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	bed_context_end(context);
}

/* Models a correct provider: it holds its lock while it reports and while it removes an object. */
struct engine {
	pthread_mutex_t lock;
	struct hf_provider_events *current;
	struct ibv_comp_channel *channel;
	struct ibv_context *context;
	atomic_bool stop;
};

static void *run_engine(void *arg)
{
	struct engine *engine = arg;

	while (!atomic_load(&engine->stop)) {
		pthread_mutex_lock(&engine->lock);
		if (engine->current) {
			hf_provider_report_completion(engine->current);
			hf_provider_report_event(engine->current, IBV_EVENT_CQ_ERR);
		}
		pthread_mutex_unlock(&engine->lock);
	}
	return NULL;
}

static void *acknowledge_events(void *arg)
{
	struct engine *engine = arg;
	struct ibv_async_event event;
	struct pollfd fds[2] = {{.fd = engine->channel->fd, .events = POLLIN},
				{.fd = engine->context->async_fd, .events = POLLIN}};
	struct ibv_cq *cq;
	void *cq_context;

	while (!atomic_load(&engine->stop)) {
		poll(fds, 2, 1);
		if (!ibv_get_cq_event(engine->channel, &cq, &cq_context))
			ibv_ack_cq_events(cq, 1);
		if (!ibv_get_async_event(engine->context, &event))
			ibv_ack_async_event(&event);
	}
	return NULL;
}

static void objects_go_while_events_are_reported(void **state)
{
	struct engine engine = {.lock = PTHREAD_MUTEX_INITIALIZER, .context = bed_context(0)};
	pthread_t threads[3];

	(void)state;
	engine.channel = ibv_create_comp_channel(engine.context);
	bed_nonblocking(engine.channel->fd);
	bed_nonblocking(engine.context->async_fd);
	pthread_create(&threads[0], NULL, run_engine, &engine);
	pthread_create(&threads[1], NULL, acknowledge_events, &engine);
	pthread_create(&threads[2], NULL, acknowledge_events, &engine);
	for (int i = 0; i < ROUNDS; i++) {
		struct ibv_cq *cq = ibv_create_cq(engine.context, 1, NULL, engine.channel, 0);

		pthread_mutex_lock(&engine.lock);
		engine.current = bed_events(cq);
		pthread_mutex_unlock(&engine.lock);
		sched_yield();
		pthread_mutex_lock(&engine.lock);
		engine.current = NULL;
		pthread_mutex_unlock(&engine.lock);
		assert_int_equal(ibv_destroy_cq(cq), 0);
	}
	atomic_store(&engine.stop, true);
	for (int i = 0; i < 3; i++)
		join(threads[i]);
	assert_int_equal(ibv_destroy_comp_channel(engine.channel), 0);
	bed_context_end(engine.context);
}

/*
 * The child shares everything with the parent: it takes no event, waits for nothing and can free
 * everything.
 */
static int in_child(struct ibv_context *context, struct ibv_comp_channel *channel,
		    struct ibv_cq *cq)
{
	struct ibv_async_event event;
	struct ibv_cq *found;
	void *cq_context;

	if (!ibv_get_cq_event(channel, &found, &cq_context) || errno != EIO)
		return 1;
	if (!ibv_get_async_event(context, &event) || errno != EIO)
		return 2;
	hf_provider_report_completion(bed_events(cq));
	hf_provider_report_port(context, 1, IBV_EVENT_PORT_ERR);
	if (ibv_destroy_cq(cq))
		return 3;
	if (ibv_destroy_comp_channel(channel))
		return 4;
	hfi_no_kernel_free(hfi_context_of(context)->priv->none);
	hfi_wait_fini(&hfi_context_of(context)->priv->async);
	return 0;
}

static void forked_child_does_not_disturb_the_parent(void **state)
{
	const struct hf_options options = {.size = sizeof(options), .flags = HF_NO_NETLINK};
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_async_event event;
	struct ibv_cq *cq, *found;
	void *cq_context;
	struct hf *hf;
	pid_t child;
	int status;

	(void)state;
	/* hf_new() registers the fork handlers. */
	assert_int_equal(hf_new(&options, &hf), 0);
	context = bed_context(0);
	channel = ibv_create_comp_channel(context);
	cq = ibv_create_cq(context, 1, NULL, channel, 0);
	bed_nonblocking(channel->fd);
	/* One event that was read but not acknowledged, and one that is unread. */
	hf_provider_report_completion(bed_events(cq));
	hf_provider_report_completion(bed_events(cq));
	hf_provider_report_port(context, 1, IBV_EVENT_PORT_ERR);
	assert_int_equal(ibv_get_cq_event(channel, &found, &cq_context), 0);
	child = fork();
	if (!child)
		_exit(in_child(context, channel, cq));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(bed_readable(channel->fd));
	assert_int_equal(ibv_get_cq_event(channel, &found, &cq_context), 0);
	assert_int_equal(ibv_get_cq_event(channel, &found, &cq_context), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ibv_get_async_event(context, &event), 0);
	ibv_ack_cq_events(cq, 2);
	assert_int_equal(ibv_destroy_cq(cq), 0);
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	bed_context_end(context);
	hf_unref(hf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_report_is_read),
		cmocka_unit_test(destroy_waits_for_acknowledgement),
		cmocka_unit_test(objects_go_while_events_are_reported),
		cmocka_unit_test(forked_child_does_not_disturb_the_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
