/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Contexts without a kernel: their declaration, refusals, and the counting of events. */
#include <sys/wait.h>

#include <holdfast/verbs.h>

#include "core/verbs/comp_channel.h"
#include "t/lib/others.h"
#include "t/unit/no_kernel_bed.h"

static void expect_no_event(struct ibv_context *context)
{
	struct ibv_async_event event;

	assert_false(bed_readable(context->async_fd));
	errno = 0;
	assert_int_equal(ibv_get_async_event(context, &event), -1);
	assert_int_equal(errno, EAGAIN);
}

static struct ibv_async_event expect_queued_event(struct ibv_context *context,
						  enum ibv_event_type type)
{
	struct ibv_async_event event;

	assert_true(bed_readable(context->async_fd));
	assert_int_equal(ibv_get_async_event(context, &event), 0);
	assert_int_equal(event.event_type, type);
	return event;
}

static void expect_port_event(struct ibv_context *context, enum ibv_event_type type, int port)
{
	struct ibv_async_event event = expect_queued_event(context, type);

	assert_int_equal(event.element.port_num, port);
	ibv_ack_async_event(&event);
}

static void expect_completion(struct ibv_comp_channel *channel, const struct ibv_cq *expected)
{
	struct ibv_cq *cq;
	void *cq_context;

	assert_true(bed_readable(channel->fd));
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), 0);
	assert_ptr_equal(cq, expected);
	assert_ptr_equal(cq_context, expected->cq_context);
}

static void expect_no_completion(struct ibv_comp_channel *channel)
{
	struct ibv_cq *cq = NULL;
	void *cq_context;

	assert_false(bed_readable(channel->fd));
	errno = 0;
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), -1);
	assert_int_equal(errno, EAGAIN);
	assert_null(cq);
}

static void declaration_is_checked(void **state)
{
	const struct hf_no_kernel good = {sizeof(good), 0, 1, 1, 0};
	struct {
		struct hf_no_kernel known;
		uint64_t unknown;
	} longer = {{sizeof(longer), 0, 1, 1, 0}, 1};
	const struct hf_no_kernel bad[] = {
		{0, 0, 1, 1, 0},
		{sizeof(size_t), 0, 1, 1, 0},
		{65537, 0, 1, 1, 0},
		{sizeof(good), 2, 1, 1, 0},
		{sizeof(good), 0, 0, 1, 0},
		{sizeof(good), 0, 256, 1, 0},
		{sizeof(good), 0, 1, 0, 0},
		{sizeof(good), 0, 1, -1, 0},
		{sizeof(good), 0, 1, 1, 1},
	};
	struct verbs_context *context = bed_plain();

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++)
		if (bad[i].size != 65537)
			assert_int_equal(hf_provider_no_kernel(context, &bad[i]), EINVAL);
	assert_int_equal(hf_provider_no_kernel(context, &longer.known), EINVAL);
	context->context.async_fd = 0;
	assert_int_equal(hf_provider_no_kernel(context, &good), EINVAL);
	context->context.async_fd = -1;
	context->priv->calls = &hfi_kernel_calls;
	assert_int_equal(hf_provider_no_kernel(context, &good), EINVAL);
	context->priv->calls = &hfi_default_calls;
	assert_int_equal(context->context.async_fd, -1);
	assert_int_equal(hf_provider_removal_fd(context), -1);
	longer.unknown = 0;
	assert_int_equal(hf_provider_no_kernel(context, &longer.known), 0);
	assert_true(context->context.async_fd >= 0);
	assert_int_equal(context->context.num_comp_vectors, 1);
	assert_int_equal(hf_provider_no_kernel(context, &good), EINVAL);
	bed_context_end(&context->context);
}

static void events_need_the_declaration(void **state)
{
	struct verbs_context *context = bed_plain();
	struct ibv_qp qp;

	(void)state;
	errno = 0;
	assert_null(hf_provider_qp_events(&context->context, &qp));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(hf_provider_report_port(&context->context, 1, IBV_EVENT_PORT_ACTIVE),
			 EINVAL);
	assert_int_equal(hf_provider_report_device(&context->context, IBV_EVENT_DEVICE_FATAL),
			 EINVAL);
	fake_context_end();
}

/* bed_context_end() checks that no command was sent. */
static void no_command_is_sent(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_device_attr_ex device;
	struct ibv_srq_init_attr srq_init = {0};
	struct ibv_qp_init_attr qp_init = {0};
	struct ibv_pd pd = {.context = context};
	struct verbs_mr mr = {.ibv_mr.context = context};
	struct ibv_srq srq = {.context = context};
	struct ibv_cq cq = {.context = context};
	struct ibv_qp qp = {.context = context};
	struct ibv_send_wr *bad;
	struct ibv_wc wc;
	uint64_t version;

	(void)state;
	assert_int_equal(hf_provider_get_context(hfi_context_of(context), NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_query_context(context, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_query_device(context, NULL, &device, sizeof(device), &version,
						  NULL),
			 EOPNOTSUPP);
	assert_int_equal(hf_provider_alloc_pd(context, &pd, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_dealloc_pd(&pd), EOPNOTSUPP);
	assert_int_equal(hf_provider_reg_mr(&pd, &mr, 1, 0, 0, &mr, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_dereg_mr(&mr), EOPNOTSUPP);
	assert_int_equal(hf_provider_create_cq(context, 1, NULL, 0, &cq, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_destroy_cq(&cq), EOPNOTSUPP);
	assert_int_equal(hf_provider_req_notify_cq(&cq, 0), EOPNOTSUPP);
	assert_true(hf_provider_poll_cq(&cq, 1, &wc) < 0);
	assert_int_equal(hf_provider_create_srq(&pd, &srq, &srq_init, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_destroy_srq(&srq), EOPNOTSUPP);
	assert_int_equal(hf_provider_create_qp(&pd, &qp, &qp_init, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_destroy_qp(&qp), EOPNOTSUPP);
	assert_int_equal(hf_provider_post_send(&qp, NULL, &bad), EOPNOTSUPP);
	/* What a program gets if the provider lacks an operation. */
	assert_null(ibv_alloc_pd(context));
	assert_int_equal(errno, EOPNOTSUPP);
	bed_context_end(context);
}

static void channel_has_several_cqs(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
	struct ibv_cq *first, *second, *without;

	(void)state;
	assert_non_null(channel);
	bed_nonblocking(channel->fd);
	expect_no_completion(channel);
	first = ibv_create_cq(context, 1, &first, channel, 0);
	second = ibv_create_cq(context, 1, &second, channel, 0);
	without = ibv_create_cq(context, 1, NULL, NULL, 0);
	hf_provider_report_completion(bed_events(without));
	expect_no_completion(channel);
	hf_provider_report_completion(bed_events(second));
	hf_provider_report_completion(bed_events(first));
	hf_provider_report_completion(bed_events(first));
	expect_completion(channel, second);
	expect_completion(channel, first);
	expect_completion(channel, first);
	expect_no_completion(channel);
	assert_int_equal(ibv_destroy_comp_channel(channel), EBUSY);
	ibv_ack_cq_events(first, 2);
	ibv_ack_cq_events(second, 1);
	/* Unread events of a CQ are dropped with it; those of the other CQ stay. */
	hf_provider_report_completion(bed_events(first));
	hf_provider_report_completion(bed_events(second));
	assert_int_equal(ibv_destroy_cq(first), 0);
	expect_completion(channel, second);
	ibv_ack_cq_events(second, 1);
	expect_no_completion(channel);
	hf_provider_report_completion(bed_events(second));
	assert_int_equal(ibv_destroy_cq(second), 0);
	expect_no_completion(channel);
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	assert_int_equal(ibv_destroy_cq(without), 0);
	bed_context_end(context);
}

static void channel_of_another_context(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
	struct ibv_context other = *context;
	struct ibv_cq cq;

	(void)state;
	channel->context = &other;
	errno = 0;
	assert_null(hf_provider_cq_events(context, &cq, channel));
	assert_int_equal(errno, EINVAL);
	channel->context = context;
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	bed_context_end(context);
}

static void channel_outlives_the_context(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
	struct ibv_cq *cq = ibv_create_cq(context, 1, NULL, channel, 0);

	(void)state;
	hf_provider_report_completion(bed_events(cq));
	hfi_channels_end(hfi_context_of(context));
	/* Like a thread of the provider that free_context has not stopped yet. */
	hf_provider_report_completion(bed_events(cq));
	hf_provider_events_end(bed_events(cq));
	free(cq);
	bed_context_end(context);
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
}

static void every_type_is_delivered(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_cq *cq = ibv_create_cq(context, 1, NULL, NULL, 0);
	struct bed_qp *qp = bed_create_qp(context);
	struct ibv_srq srq;
	struct ibv_wq wq;
	const struct ibv_wq_init_attr wq_init = {
		.wq_context = &wq, .wq_type = IBV_WQT_RQ, .cq = cq};
	struct hf_provider_events *srq_events, *wq_events;
	unsigned int delivered = 0;

	(void)state;
	bed_nonblocking(context->async_fd);
	hf_provider_init_srq(&srq, context, NULL, NULL);
	hf_provider_init_wq(&wq, context, &wq_init);
	assert_ptr_equal(wq.wq_context, &wq);
	assert_ptr_equal(wq.cq, cq);
	assert_int_equal(wq.state, IBV_WQS_RESET);
	srq_events = hf_provider_srq_events(context, &srq);
	wq_events = hf_provider_wq_events(context, &wq);
	for (enum ibv_event_type type = 0; type <= IBV_EVENT_DEVICE_SPEED_CHANGE + 1; type++) {
		const struct {
			int answer;
			void *element;
		} reports[] = {
			{hf_provider_report_event(bed_events(cq), type), cq},
			{hf_provider_report_event(qp->events, type), qp},
			{hf_provider_report_event(srq_events, type), &srq},
			{hf_provider_report_event(wq_events, type), &wq},
			{hf_provider_report_port(context, 2, type), NULL},
			{hf_provider_report_device(context, type), NULL},
		};
		unsigned int taken = 0;

		for (size_t i = 0; i < HF_ARRAY_SIZE(reports); i++) {
			struct ibv_async_event event;

			if (reports[i].answer) {
				assert_int_equal(reports[i].answer, EINVAL);
				continue;
			}
			taken++;
			event = expect_queued_event(context, type);
			if (reports[i].element)
				assert_ptr_equal(event.element.cq, reports[i].element);
			else
				assert_int_equal(
					event.element.port_num,
					type == IBV_EVENT_DEVICE_FATAL ||
							type == IBV_EVENT_DEVICE_SPEED_CHANGE
						? 0
						: 2);
			ibv_ack_async_event(&event);
		}
		assert_true(taken <= 1);
		delivered += taken;
	}
	assert_int_equal(delivered, IBV_EVENT_DEVICE_SPEED_CHANGE + 1);
	expect_no_event(context);
	hf_provider_events_end(srq_events);
	hf_provider_events_end(wq_events);
	bed_destroy_qp(qp);
	assert_int_equal(ibv_destroy_cq(cq), 0);
	bed_context_end(context);
}

static void reports_of_a_port_keep_their_order(void **state)
{
	struct ibv_context *context = bed_context(0);

	(void)state;
	bed_nonblocking(context->async_fd);
	hf_provider_report_port(context, 1, IBV_EVENT_PORT_ERR);
	hf_provider_report_port(context, 2, IBV_EVENT_GID_CHANGE);
	hf_provider_report_port(context, 1, IBV_EVENT_PORT_ACTIVE);
	hf_provider_report_port(context, 1, IBV_EVENT_PORT_ERR);
	expect_port_event(context, IBV_EVENT_GID_CHANGE, 2);
	/* As many as were reported, and the last one last. */
	expect_port_event(context, IBV_EVENT_PORT_ACTIVE, 1);
	expect_port_event(context, IBV_EVENT_PORT_ERR, 1);
	expect_port_event(context, IBV_EVENT_PORT_ERR, 1);
	expect_no_event(context);
	assert_int_equal(hf_provider_report_port(context, 0, IBV_EVENT_PORT_ERR), EINVAL);
	assert_int_equal(hf_provider_report_port(context, BED_PORTS + 1, IBV_EVENT_PORT_ERR),
			 EINVAL);
	expect_no_event(context);
	bed_context_end(context);
}

static void reports_take_no_memory(void **state)
{
	enum { MANY = 100000 };
	struct ibv_context *context = bed_context(0);
	struct ibv_async_event event;

	(void)state;
	bed_nonblocking(context->async_fd);
	for (int i = 0; i < MANY; i++)
		hf_provider_report_port(context, 1,
					i % 2 ? IBV_EVENT_PORT_ACTIVE : IBV_EVENT_PORT_ERR);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(ibv_get_async_event(context, &event), 0);
	assert_int_equal(event.event_type, IBV_EVENT_PORT_ACTIVE);
	expect_no_event(context);
	bed_context_end(context);
}

static void unread_events_go_with_their_object(void **state)
{
	struct ibv_context *context = bed_context(0);
	struct bed_qp *first = bed_create_qp(context), *second = bed_create_qp(context);
	struct ibv_async_event event;

	(void)state;
	bed_nonblocking(context->async_fd);
	hf_provider_report_event(first->events, IBV_EVENT_COMM_EST);
	hf_provider_report_event(second->events, IBV_EVENT_COMM_EST);
	hf_provider_report_event(first->events, IBV_EVENT_QP_FATAL);
	bed_destroy_qp(first);
	event = expect_queued_event(context, IBV_EVENT_COMM_EST);
	assert_ptr_equal(event.element.qp, &second->qp);
	ibv_ack_async_event(&event);
	expect_no_event(context);
	bed_destroy_qp(second);
	bed_context_end(context);
}

static int seen_access;

static struct ibv_mr *access_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
				    int access)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	(void)pd;
	(void)addr;
	(void)length;
	(void)iova;
	seen_access = access;
	return mr ? &mr->ibv_mr : NULL;
}

static int access_dereg_mr(struct verbs_mr *mr)
{
	free(mr);
	return 0;
}

static int access_through(uint32_t flags, int access)
{
	static const struct verbs_context_ops ops = {
		.reg_mr = access_reg_mr,
		.dereg_mr = access_dereg_mr,
	};
	struct ibv_context *context = bed_context(flags);
	struct ibv_pd pd = {.context = context};
	static char memory[64];
	struct ibv_mr *mr;

	hf_provider_set_ops(hfi_context_of(context), &ops);
	mr = ibv_reg_mr_iova2(&pd, memory, sizeof(memory), 0, (unsigned int)access);
	assert_non_null(mr);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	bed_context_end(context);
	return seen_access;
}

static void optional_access_reaches_the_provider(void **state)
{
	const int access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_RELAXED_ORDERING;

	(void)state;
	assert_int_equal(access_through(0, access), IBV_ACCESS_LOCAL_WRITE);
	assert_int_equal(access_through(HF_NO_KERNEL_OPTIONAL_ACCESS, access), access);
}

/*
 * Runs in a process of its own, since the descriptors of the bed are closed. 0, or what is wrong.
 */
static int report_after_close(enum others_kind kind)
{
	struct ibv_context *context = bed_context(0);
	struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
	struct ibv_cq *cq = ibv_create_cq(context, 1, NULL, channel, 0);
	struct ibv_async_event event;

	if (!channel || !cq)
		return 2;
	others_take(kind, 20);
	for (int i = 0; i < 2; i++) {
		hf_provider_report_completion(bed_events(cq));
		if (hf_provider_report_event(bed_events(cq), IBV_EVENT_CQ_ERR) ||
		    hf_provider_report_port(context, 1, IBV_EVENT_PORT_ERR))
			return 3;
	}
	if (ibv_get_async_event(context, &event) != -1 || errno != EBADF)
		return 4;
	if (ibv_destroy_cq(cq) || ibv_destroy_comp_channel(channel))
		return 5;
	hfi_wait_fini(&hfi_context_of(context)->priv->async);
	return others_check() ? 6 : 0;
}

static void reports_leave_other_descriptors_alone(void **state)
{
	int status;
	pid_t child;

	(void)state;
	for (int kind = 0; kind < OTHERS_KINDS; kind++) {
		child = fork();
		if (child == 0)
			_exit(report_after_close((enum others_kind)kind));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declaration_is_checked),
		cmocka_unit_test(events_need_the_declaration),
		cmocka_unit_test(no_command_is_sent),
		cmocka_unit_test(channel_has_several_cqs),
		cmocka_unit_test(channel_of_another_context),
		cmocka_unit_test(channel_outlives_the_context),
		cmocka_unit_test(every_type_is_delivered),
		cmocka_unit_test(reports_of_a_port_keep_their_order),
		cmocka_unit_test(reports_take_no_memory),
		cmocka_unit_test(unread_events_go_with_their_object),
		cmocka_unit_test(reports_leave_other_descriptors_alone),
		cmocka_unit_test(optional_access_reaches_the_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
