/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Completion queues and channels: the commands to the kernel, and what programs get from its
 * answers.
 */
#include <fcntl.h>
#include <unistd.h>
#include <sys/wait.h>

#include "core/verbs/comp_channel.h"
#include "t/unit/queues.h"

enum { MODIFY_CQ = IB_USER_VERBS_EX_CMD_MODIFY_CQ | (int)IB_USER_VERBS_CMD_FLAG_EXTENDED };

static void expect_cq_create(struct ibv_cq *cq, uint32_t cqe, uint32_t vector)
{
	fake_sent(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE);
	fake_out(UVERBS_ATTR_CREATE_CQ_HANDLE, 0);
	expect_u32(UVERBS_ATTR_CREATE_CQ_CQE, cqe);
	expect_pointer(UVERBS_ATTR_CREATE_CQ_USER_HANDLE, cq);
	expect_u32(UVERBS_ATTR_CREATE_CQ_COMP_VECTOR, vector);
	fake_out(UVERBS_ATTR_CREATE_CQ_RESP_CQE, sizeof(uint32_t));
}

static void creates_cq(void **state)
{
	struct ibv_context *context = fake_context();
	struct hf_comp_channel channel = {.channel = {.context = context}, .kernel_fd = 77};
	const uint32_t cqe = 127;
	struct ibv_cq cq = {0};

	(void)state;
	assert_int_equal(hf_provider_create_cq(context, 10, NULL, 0, &cq, NULL), 0);
	expect_cq_create(&cq, 10, 0);
	fake_no_more();
	assert_ptr_equal(cq.context, context);

	context->async_fd = 55;
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_CQ_HANDLE, 4321);
	fake_reply(UVERBS_ATTR_CREATE_CQ_RESP_CQE, &cqe, sizeof(cqe));
	reply_driver_data();
	assert_int_equal(
		hf_provider_create_cq(context, 100, &channel.channel, 3, &cq, &driver_data), 0);
	expect_cq_create(&cq, 100, 3);
	fake_in_fd(UVERBS_ATTR_CREATE_CQ_COMP_CHANNEL, 77);
	fake_in_fd(UVERBS_ATTR_CREATE_CQ_EVENT_FD, 55);
	expect_driver_data();
	assert_int_equal(cq.handle, 4321);
	assert_int_equal(cq.cqe, 127);

	/* The kernel's descriptor, which is 0 in a program that has closed its standard input. */
	hfi_uverbs_of(context)->event_fd = 0;
	assert_int_equal(hf_provider_create_cq(context, 10, NULL, 0, &cq, NULL), 0);
	expect_cq_create(&cq, 10, 0);
	fake_in_fd(UVERBS_ATTR_CREATE_CQ_EVENT_FD, 0);
	fake_no_more();
}

static void cq_create_ex(void **state)
{
	static const struct {
		uint64_t wc_flags;
		uint32_t comp_mask, flags, cmd_flags, sent;
		int err;
	} cases[] = {
		{0, 0, 0xffffffff, 0, 0, 0},
		{IBV_WC_STANDARD_FLAGS, 0, 0, 0, 0, 0},
		{IBV_WC_EX_WITH_COMPLETION_TIMESTAMP, 0, 0, 0, 1, 0},
		{IBV_WC_EX_WITH_COMPLETION_TIMESTAMP, 0, 0, HF_CREATE_CQ_TS_IGNORED, 1, 0},
		{IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK, 0, 0, 0, 1, 0},
		{0, IBV_CQ_INIT_ATTR_MASK_FLAGS, IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN, 0, 2, 0},
		{0, IBV_CQ_INIT_ATTR_MASK_FLAGS, IBV_CREATE_CQ_ATTR_SINGLE_THREADED, 0, 0, 0},
		{IBV_WC_EX_WITH_COMPLETION_TIMESTAMP,
		 IBV_CQ_INIT_ATTR_MASK_FLAGS | IBV_CQ_INIT_ATTR_MASK_PD,
		 IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN | IBV_CREATE_CQ_ATTR_SINGLE_THREADED, 0, 3, 0},
		{0, IBV_CQ_INIT_ATTR_MASK_FLAGS, 4, 0, 0, EOPNOTSUPP},
		{0, 4, 0, 0, 0, EOPNOTSUPP},
		{0, 0, 0, 2, 0, EOPNOTSUPP},
	};
	struct ibv_context *context = fake_context();

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		const struct ibv_cq_init_attr_ex attr = {
			.cqe = 9,
			.comp_vector = 1,
			.wc_flags = cases[i].wc_flags,
			.comp_mask = cases[i].comp_mask,
			.flags = cases[i].flags,
		};
		const unsigned int before = fake_count();
		struct verbs_cq cq = {0};

		assert_int_equal(hf_provider_create_cq_ex(context, &attr, &cq, NULL,
							  cases[i].cmd_flags),
				 cases[i].err);
		if (cases[i].err) {
			assert_int_equal(fake_count(), before);
			continue;
		}
		expect_cq_create(&cq.cq, 9, 1);
		if (cases[i].sent)
			expect_u32(UVERBS_ATTR_CREATE_CQ_FLAGS, cases[i].sent);
		fake_no_more();
	}
}

static void resize_and_modify(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_cq cq = {.context = context, .handle = 12, .cqe = 10};
	const struct ib_uverbs_resize_cq resize = {.cq_handle = 12, .cqe = 50};
	const struct ib_uverbs_resize_cq_resp resized = {.cqe = 63};
	struct ibv_modify_cq_attr attr = {
		.attr_mask = IBV_CQ_ATTR_MODERATE,
		.moderate = {.cq_count = 5, .cq_period = 6},
	};
	const struct ib_uverbs_ex_modify_cq modify = {
		.cq_handle = 12,
		.attr_mask = IBV_CQ_ATTR_MODERATE,
		.attr = {.cq_count = 5, .cq_period = 6},
	};

	(void)state;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &resized, sizeof(resized));
	reply_driver_data();
	assert_int_equal(hf_provider_resize_cq(&cq, 50, &driver_data), 0);
	expect_write(IB_USER_VERBS_CMD_RESIZE_CQ, &resize, sizeof(resize), sizeof(resized));
	expect_driver_data();
	assert_int_equal(cq.cqe, 63);

	assert_int_equal(hf_provider_modify_cq(&cq, &attr, NULL), 0);
	expect_write((uint32_t)MODIFY_CQ, &modify, sizeof(modify), 0);
	fake_no_more();
	attr.attr_mask |= IBV_CQ_ATTR_RESERVED;
	assert_int_equal(hf_provider_modify_cq(&cq, &attr, NULL), EOPNOTSUPP);
}

struct polled {
	struct ib_uverbs_poll_cq_resp head;
	struct ib_uverbs_wc wc[8];
};

static void poll_and_arm(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_cq cq = {.context = context, .handle = 12};
	struct ib_uverbs_poll_cq request = {.cq_handle = 12, .ne = 8};
	struct ib_uverbs_req_notify_cq arm = {.cq_handle = 12, .solicited_only = 1};
	struct polled answer = {.head.count = 2};
	struct ibv_wc wc[100];

	(void)state;
	answer.wc[1] = (struct ib_uverbs_wc){
		.wr_id = 0x1122334455667788,
		.status = IBV_WC_WR_FLUSH_ERR,
		.opcode = IBV_WC_RECV,
		.vendor_err = 1,
		.byte_len = 2,
		.ex.imm_data = 3,
		.qp_num = 4,
		.src_qp = 5,
		.wc_flags = IBV_WC_GRH,
		.pkey_index = 7,
		.slid = 8,
		.sl = 9,
		.dlid_path_bits = 10,
	};
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &answer, sizeof(answer));
	assert_int_equal(hf_provider_poll_cq(&cq, 8, wc), 2);
	expect_write(IB_USER_VERBS_CMD_POLL_CQ, &request, sizeof(request), sizeof(answer));
	fake_no_more();
	assert_true(wc[1].wr_id == 0x1122334455667788 && wc[1].status == IBV_WC_WR_FLUSH_ERR &&
		    wc[1].opcode == IBV_WC_RECV && wc[1].vendor_err == 1 && wc[1].byte_len == 2 &&
		    wc[1].imm_data == 3 && wc[1].qp_num == 4 && wc[1].src_qp == 5 &&
		    wc[1].wc_flags == IBV_WC_GRH && wc[1].pkey_index == 7 && wc[1].slid == 8 &&
		    wc[1].sl == 9 && wc[1].dlid_path_bits == 10);

	/* More completions than requested would be written beyond the array. */
	answer.head.count = 9;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &answer, sizeof(answer));
	assert_int_equal(hf_provider_poll_cq(&cq, 8, wc), -1);
	assert_int_equal(errno, EIO);

	/* A full batch is followed by another; if that one fails, nothing is lost. */
	answer.head.count = 32;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &answer.head, sizeof(answer.head));
	fake_fail(EIO);
	assert_int_equal(hf_provider_poll_cq(&cq, 100, wc), 32);
	assert_int_equal(hf_provider_poll_cq(&cq, 0, wc), 0);

	assert_int_equal(hf_provider_req_notify_cq(&cq, 7), 0);
	expect_write(IB_USER_VERBS_CMD_REQ_NOTIFY_CQ, &arm, sizeof(arm), 0);
	fake_no_more();
}

static int try(unsigned int call, struct ibv_context *context, struct ibv_cq *cq)
{
	const struct ibv_modify_cq_attr moderate = {.attr_mask = IBV_CQ_ATTR_MODERATE};
	struct ibv_wc wc;

	switch (call) {
	case 0:
		return hf_provider_create_cq(context, 1, NULL, 0, cq, NULL);
	case 1:
		return hf_provider_resize_cq(cq, 1, NULL);
	case 2:
		return hf_provider_modify_cq(cq, &moderate, NULL);
	case 3:
		return hf_provider_req_notify_cq(cq, 0);
	default:
		return hf_provider_poll_cq(cq, 1, &wc) == -1 ? errno : 0;
	}
}

static void cq_errors(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_cq cq = {.context = context, .handle = 12, .cqe = 99};

	(void)state;
	for (unsigned int call = 0; call < 5; call++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(failures); i++) {
			fake_fail(failures[i]);
			assert_int_equal(try(call, context, &cq), failures[i]);
			assert_true(cq.handle == 12 && cq.cqe == 99);
			if (fake_count() > 50)
				context = cq.context = fake_context();
		}
	}
	for (size_t i = 0; i < DESTROY_FAILURES; i++) {
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_destroy_cq(&cq), failures[i]);
	}
	/* If the device is known to be dead, no command is sent. */
	atomic_store(&hfi_uverbs_of(context)->dead, true);
	for (unsigned int call = 0; call < 5; call++) {
		const unsigned int before = fake_count();

		assert_int_equal(try(call, context, &cq), EIO);
		assert_int_equal(fake_count(), before);
	}
}

static void cq_destroy(void **state)
{
	const struct ib_uverbs_destroy_cq_resp counters = {
		.comp_events_reported = 3,
		.async_events_reported = 0xfffffffe,
	};
	struct ibv_context *context = fake_context();
	struct ibv_cq cq = {.context = context, .handle = 12};

	(void)state;
	hf_provider_init_cq(&cq, context, NULL, NULL);
	cq.comp_events_completed = 3;
	/* The counters wrap around: these are 3 events ahead. */
	cq.async_events_completed = 1;
	fake_succeed();
	fake_reply(UVERBS_ATTR_DESTROY_CQ_RESP, &counters, sizeof(counters));
	assert_int_equal(hf_provider_destroy_cq(&cq), 0);
	fake_sent(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_CQ_HANDLE, 12);
	fake_out(UVERBS_ATTR_DESTROY_CQ_RESP, sizeof(counters));
	fake_no_more();

	/* Gone: there are no counters, and nothing to wait for. */
	for (size_t i = DESTROY_FAILURES; i < HF_ARRAY_SIZE(failures); i++) {
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_destroy_cq(&cq), 0);
	}
	atomic_store(&hfi_uverbs_of(context)->dead, true);
	assert_int_equal(hf_provider_destroy_cq(&cq), 0);
}

struct waiter {
	struct ibv_cq *cq;
	atomic_bool done;
};

static void *destroy_cq_thread(void *arg)
{
	struct waiter *waiter = arg;

	assert_int_equal(hf_provider_destroy_cq(waiter->cq), 0);
	atomic_store(&waiter->done, true);
	return NULL;
}

static void cq_destroy_waits(void **state)
{
	const struct ib_uverbs_destroy_cq_resp counters = {
		.comp_events_reported = 2,
		.async_events_reported = 1,
	};
	struct ibv_context *context = fake_context();
	struct ibv_cq cq = {.context = context, .handle = 12};
	struct ibv_async_event error = {.event_type = IBV_EVENT_CQ_ERR, .element.cq = &cq};
	struct waiter waiter = {.cq = &cq};
	pthread_t thread;

	(void)state;
	hf_provider_init_cq(&cq, context, NULL, NULL);
	fake_succeed();
	fake_reply(UVERBS_ATTR_DESTROY_CQ_RESP, &counters, sizeof(counters));
	assert_int_equal(pthread_create(&thread, NULL, destroy_cq_thread, &waiter), 0);
	wait_until_blocked(&waiter.done);
	assert_false(atomic_load(&waiter.done));
	ibv_ack_cq_events(&cq, 1);
	ibv_ack_async_event(&error);
	wait_until_blocked(&waiter.done);
	assert_false(atomic_load(&waiter.done));
	ibv_ack_cq_events(&cq, 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&waiter.done));
}

/* A minimal provider: its objects are the public ones. */
static struct verbs_cq the_cq;
static bool cq_create_fails;
static int events_reported;

static struct ibv_cq *op_create_cq(struct ibv_context *context, int cqe,
				   struct ibv_comp_channel *channel, int vector)
{
	if (cq_create_fails) {
		errno = ENOSPC;
		return NULL;
	}
	memset(&the_cq, 0xaa, sizeof(the_cq));
	assert_int_equal(hf_provider_create_cq(context, cqe, channel, vector, &the_cq.cq, NULL), 0);
	return &the_cq.cq;
}

static struct ibv_cq_ex *op_create_cq_ex(struct ibv_context *context,
					 struct ibv_cq_init_attr_ex *attr)
{
	memset(&the_cq, 0xaa, sizeof(the_cq));
	assert_int_equal(hf_provider_create_cq_ex(context, attr, &the_cq, NULL, 0), 0);
	return &the_cq.cq_ex;
}

static int op_resize_cq(struct ibv_cq *cq, int cqe)
{
	return hf_provider_resize_cq(cq, cqe, NULL);
}

static void op_cq_event(struct ibv_cq *cq)
{
	assert_ptr_equal(cq, &the_cq.cq);
	events_reported++;
}

static const struct verbs_context_ops ops = {
	.create_cq = op_create_cq,
	.create_cq_ex = op_create_cq_ex,
	.resize_cq = op_resize_cq,
	.destroy_cq = hf_provider_destroy_cq,
	.cq_event = op_cq_event,
};

static void expect_public(struct ibv_context *context, struct ibv_comp_channel *channel,
			  void *cq_context)
{
	const struct ibv_cq *cq = &the_cq.cq;

	assert_ptr_equal(cq->context, context);
	assert_ptr_equal(cq->channel, channel);
	assert_ptr_equal(cq->cq_context, cq_context);
	assert_int_equal(cq->comp_events_completed, 0);
	assert_int_equal(cq->async_events_completed, 0);
	assert_int_equal(pthread_mutex_trylock(&the_cq.cq.mutex), 0);
	assert_int_equal(pthread_mutex_unlock(&the_cq.cq.mutex), 0);
}

static void verbs(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_cq_init_attr_ex attr = {.cqe = 5, .cq_context = &attr};
	struct ibv_comp_channel *channel;
	int pipe_fds[2];
	uint32_t fd;

	(void)state;
	assert_null(ibv_create_cq(context, 5, NULL, NULL, 0));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_null(ibv_create_cq_ex(context, &attr));
	assert_int_equal(errno, EOPNOTSUPP);
	hf_provider_set_ops(hfi_context_of(context), &ops);

	assert_int_equal(pipe(pipe_fds), 0);
	fd = (uint32_t)pipe_fds[0];
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &fd, sizeof(fd));
	channel = ibv_create_comp_channel(context);
	assert_non_null(channel);
	fake_sent_write(IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL);
	/* The program polls another descriptor than the kernel's, see core/verbs/event_fd.h. */
	assert_true(channel->context == context && channel->fd != pipe_fds[0] &&
		    channel->refcnt == 0);
	assert_int_equal(hfi_kernel_fd_of(channel), pipe_fds[0]);

	/* A CQ refers to its channel from its creation to its end. */
	cq_create_fails = true;
	assert_null(ibv_create_cq(context, 5, &attr, channel, 0));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(channel->refcnt, 0);
	cq_create_fails = false;
	assert_ptr_equal(ibv_create_cq(context, 5, &attr, channel, 0), &the_cq);
	expect_public(context, channel, &attr);
	assert_int_equal(channel->refcnt, 1);
	assert_int_equal(ibv_destroy_comp_channel(channel), EBUSY);
	fake_fail(EBUSY);
	assert_int_equal(ibv_destroy_cq(&the_cq.cq), EBUSY);
	assert_int_equal(channel->refcnt, 1);
	assert_int_equal(ibv_resize_cq(&the_cq.cq, 7), 0);
	assert_int_equal(ibv_destroy_cq(&the_cq.cq), 0);
	assert_int_equal(channel->refcnt, 0);

	attr.channel = channel;
	attr.wc_flags = (uint64_t)IBV_CREATE_CQ_SUP_WC_FLAGS + 1;
	attr.wc_flags = ~(uint64_t)IBV_CREATE_CQ_SUP_WC_FLAGS;
	assert_null(ibv_create_cq_ex(context, &attr));
	assert_int_equal(errno, EOPNOTSUPP);
	attr.wc_flags = IBV_WC_STANDARD_FLAGS;
	assert_ptr_equal(ibv_create_cq_ex(context, &attr), &the_cq.cq_ex);
	expect_public(context, channel, &attr);
	assert_int_equal(channel->refcnt, 1);
	assert_int_equal(ibv_destroy_cq(&the_cq.cq), 0);
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	assert_int_equal(fcntl(pipe_fds[0], F_GETFD), -1);
	close(pipe_fds[1]);

	for (size_t i = 0; i < HF_ARRAY_SIZE(failures); i++) {
		fake_fail(failures[i]);
		assert_null(ibv_create_comp_channel(context));
		assert_int_equal(errno, failures[i]);
	}
}

/* Makes one with the test as its kernel, which writes to fds[1]. */
static struct ibv_comp_channel *new_channel(struct ibv_context *context, int fds[2])
{
	struct ibv_comp_channel *channel;
	uint32_t fd;

	hf_provider_set_ops(hfi_context_of(context), &ops);
	assert_int_equal(pipe(fds), 0);
	fd = (uint32_t)fds[0];
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &fd, sizeof(fd));
	channel = ibv_create_comp_channel(context);
	assert_non_null(channel);
	return channel;
}

static void cq_events(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_comp_channel *channel;
	const uint64_t event = (uintptr_t)&the_cq;
	struct ibv_cq *cq = NULL;
	void *cq_context = NULL;
	int fds[2];

	(void)state;
	channel = new_channel(context, fds);
	assert_int_equal(fcntl(channel->fd, F_SETFL, O_NONBLOCK), 0);
	assert_non_null(ibv_create_cq(context, 5, &fds, channel, 0));
	events_reported = 0;
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(fds[1], &event, sizeof(event)), sizeof(event));
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), 0);
	assert_ptr_equal(cq, &the_cq);
	assert_ptr_equal(cq_context, &fds);
	assert_int_equal(events_reported, 1);
	ibv_ack_cq_events(cq, 1);
	assert_int_equal(the_cq.cq.comp_events_completed, 1);

	/* A partial event, and the end of the file: never a CQ. */
	cq = NULL;
	assert_int_equal(write(fds[1], &event, 4), 4);
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), -1);
	assert_int_equal(errno, EIO);
	close(fds[1]);
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), -1);
	assert_int_equal(errno, EIO);
	assert_null(cq);
	assert_int_equal(events_reported, 1);
	assert_int_equal(ibv_destroy_cq(&the_cq.cq), 0);
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
}

/* A context that is closed with a channel in it. */
static void left_channel(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq = NULL;
	void *cq_context;
	int fds[2], program_fd;

	(void)state;
	channel = new_channel(context, fds);
	program_fd = channel->fd;
	assert_non_null(ibv_create_cq(context, 5, &fds, channel, 0));
	assert_int_equal(hfi_uverbs_of(context)->mapped, 1);
	hfi_channels_end(hfi_context_of(context));
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	assert_int_equal(fcntl(program_fd, F_GETFD), -1);
	assert_int_equal(channel->fd, -1);
	/* Does not read the context. */
	channel->context = NULL;
	assert_int_equal(ibv_get_cq_event(channel, &cq, &cq_context), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(ibv_destroy_comp_channel(channel), 0);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creates_cq),	     cmocka_unit_test(cq_create_ex),
		cmocka_unit_test(resize_and_modify), cmocka_unit_test(poll_and_arm),
		cmocka_unit_test(cq_errors),	     cmocka_unit_test(cq_destroy),
		cmocka_unit_test(cq_destroy_waits),  cmocka_unit_test(verbs),
		cmocka_unit_test(cq_events),	     cmocka_unit_test(left_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
