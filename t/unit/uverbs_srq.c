/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared receive queues: the commands to the kernel, and what programs get from its answers. */
#include "t/unit/queues.h"

static const uint32_t max_wr = 255, max_sge = 7, number = 0x77;

static void expect_srq_create(struct ibv_srq *srq, enum ibv_srq_type type)
{
	fake_sent(UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE);
	fake_out(UVERBS_ATTR_CREATE_SRQ_HANDLE, 0);
	fake_in_handle(UVERBS_ATTR_CREATE_SRQ_PD_HANDLE, 31);
	fake_in_const(UVERBS_ATTR_CREATE_SRQ_TYPE, type);
	expect_pointer(UVERBS_ATTR_CREATE_SRQ_USER_HANDLE, srq);
	expect_u32(UVERBS_ATTR_CREATE_SRQ_MAX_WR, 100);
	expect_u32(UVERBS_ATTR_CREATE_SRQ_MAX_SGE, 4);
	expect_u32(UVERBS_ATTR_CREATE_SRQ_LIMIT, 9);
	fake_out(UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR, sizeof(uint32_t));
	fake_out(UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE, sizeof(uint32_t));
}

static void reply_srq_created(void)
{
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_SRQ_HANDLE, 4321);
	fake_reply(UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR, &max_wr, sizeof(max_wr));
	fake_reply(UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE, &max_sge, sizeof(max_sge));
}

static void srq_create(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 31};
	struct ibv_srq_init_attr attr = {
		.srq_context = &attr,
		.attr = {.max_wr = 100, .max_sge = 4, .srq_limit = 9},
	};
	struct ibv_srq srq;

	(void)state;
	memset(&srq, 0xaa, sizeof(srq));
	context->async_fd = 55;
	reply_srq_created();
	reply_driver_data();
	assert_int_equal(hf_provider_create_srq(&pd, &srq, &attr, &driver_data), 0);
	expect_srq_create(&srq, IBV_SRQT_BASIC);
	fake_in_fd(UVERBS_ATTR_CREATE_SRQ_EVENT_FD, 55);
	expect_driver_data();
	assert_true(srq.context == context && srq.srq_context == &attr && srq.pd == &pd &&
		    srq.handle == 4321 && srq.events_completed == 0);
	assert_true(attr.attr.max_wr == 255 && attr.attr.max_sge == 7);
	assert_int_equal(pthread_mutex_trylock(&srq.mutex), 0);
	assert_int_equal(pthread_mutex_unlock(&srq.mutex), 0);
}

enum {
	EX_BASIC = IBV_SRQ_INIT_ATTR_PD,
	EX_XRC = IBV_SRQ_INIT_ATTR_PD | IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_XRCD |
		 IBV_SRQ_INIT_ATTR_CQ,
	EX_TM = IBV_SRQ_INIT_ATTR_PD | IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_TM |
		IBV_SRQ_INIT_ATTR_CQ
};

static void srq_create_ex(void **state)
{
	static const struct {
		uint32_t comp_mask;
		enum ibv_srq_type type;
		int err;
	} cases[] = {
		{EX_BASIC, IBV_SRQT_XRC, 0},
		{EX_BASIC | IBV_SRQ_INIT_ATTR_TYPE, IBV_SRQT_BASIC, 0},
		{EX_XRC, IBV_SRQT_XRC, 0},
		{EX_TM, IBV_SRQT_TM, 0},
		{0, IBV_SRQT_BASIC, EINVAL},
		{EX_XRC & ~(uint32_t)IBV_SRQ_INIT_ATTR_PD, IBV_SRQT_XRC, EINVAL},
		{EX_XRC & ~(uint32_t)IBV_SRQ_INIT_ATTR_CQ, IBV_SRQT_XRC, EINVAL},
		{EX_XRC & ~(uint32_t)IBV_SRQ_INIT_ATTR_XRCD, IBV_SRQT_XRC, EINVAL},
		{EX_TM & ~(uint32_t)IBV_SRQ_INIT_ATTR_TM, IBV_SRQT_TM, EINVAL},
		{EX_XRC, (enum ibv_srq_type)3, EINVAL},
		{EX_XRC | IBV_SRQ_INIT_ATTR_RESERVED, IBV_SRQT_XRC, EOPNOTSUPP},
	};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 31};
	struct verbs_xrcd xrcd = {.handle = 41};
	struct ibv_cq cq = {.handle = 51};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct ibv_srq_init_attr_ex attr = {
			.srq_context = &attr,
			.attr = {.max_wr = 100, .max_sge = 4, .srq_limit = 9},
			.comp_mask = cases[i].comp_mask,
			.srq_type = cases[i].type,
			.pd = &pd,
			.xrcd = &xrcd.xrcd,
			.cq = &cq,
			.tm_cap.max_num_tags = 61,
		};
		const bool typed = cases[i].comp_mask & IBV_SRQ_INIT_ATTR_TYPE;
		const enum ibv_srq_type type = typed ? cases[i].type : IBV_SRQT_BASIC;
		const unsigned int before = fake_count();
		struct verbs_srq srq = {0};

		if (!cases[i].err)
			reply_srq_created();
		if (!cases[i].err && type == IBV_SRQT_XRC)
			fake_reply(UVERBS_ATTR_CREATE_SRQ_RESP_SRQ_NUM, &number, sizeof(number));
		assert_int_equal(hf_provider_create_srq_ex(context, &srq, &attr, NULL),
				 cases[i].err);
		if (cases[i].err) {
			assert_int_equal(fake_count(), before);
			continue;
		}
		expect_srq_create(&srq.srq, type);
		if (type == IBV_SRQT_XRC) {
			fake_in_handle(UVERBS_ATTR_CREATE_SRQ_XRCD_HANDLE, 41);
			fake_out(UVERBS_ATTR_CREATE_SRQ_RESP_SRQ_NUM, sizeof(number));
		}
		if (type == IBV_SRQT_TM)
			expect_u32(UVERBS_ATTR_CREATE_SRQ_MAX_NUM_TAGS, 61);
		if (type != IBV_SRQT_BASIC)
			fake_in_handle(UVERBS_ATTR_CREATE_SRQ_CQ_HANDLE, 51);
		fake_no_more();
		assert_int_equal(srq.srq_type, type);
		assert_int_equal(srq.srq_num, type == IBV_SRQT_XRC ? number : 0);
		assert_ptr_equal(srq.xrcd, type == IBV_SRQT_XRC ? &xrcd : NULL);
		assert_ptr_equal(srq.cq, type == IBV_SRQT_BASIC ? NULL : &cq);
		assert_true(attr.attr.max_wr == 255 && attr.attr.max_sge == 7);
	}
}

/* Linux before 5.8. */
static void srq_without_methods(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 31};
	struct verbs_xrcd xrcd = {.handle = 41};
	struct ibv_cq cq = {.handle = 51};
	struct ibv_srq_init_attr attr = {.attr = {.max_wr = 100, .max_sge = 4, .srq_limit = 9}};
	struct ibv_srq_init_attr_ex ex = {
		.attr = attr.attr,
		.comp_mask = EX_XRC,
		.srq_type = IBV_SRQT_XRC,
		.pd = &pd,
		.xrcd = &xrcd.xrcd,
		.cq = &cq,
	};
	const struct ib_uverbs_create_srq_resp created = {4321, 255, 7, 0x77};
	const struct ib_uverbs_destroy_srq_resp counters = {0};
	struct ib_uverbs_destroy_srq destroy = {.srq_handle = 4321};
	struct verbs_srq srq = {0};
	struct ib_uverbs_create_srq basic = {
		.user_handle = (uintptr_t)&srq,
		.pd_handle = 31,
		.max_wr = 100,
		.max_sge = 4,
		.srq_limit = 9,
	};
	struct ib_uverbs_create_xsrq xsrq = {
		.user_handle = (uintptr_t)&srq,
		.srq_type = IBV_SRQT_XRC,
		.pd_handle = 31,
		.max_wr = 100,
		.max_sge = 4,
		.srq_limit = 9,
		.xrcd_handle = 41,
		.cq_handle = 51,
	};

	(void)state;
	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &created, sizeof(created));
	assert_int_equal(hf_provider_create_srq(&pd, &srq.srq, &attr, NULL), 0);
	expect_write(IB_USER_VERBS_CMD_CREATE_SRQ, &basic, sizeof(basic), sizeof(created));
	fake_no_more();
	assert_true(srq.srq.handle == 4321 && attr.attr.max_wr == 255 && attr.attr.max_sge == 7);

	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &created, sizeof(created));
	assert_int_equal(hf_provider_create_srq_ex(context, &srq, &ex, NULL), 0);
	expect_write(IB_USER_VERBS_CMD_CREATE_XSRQ, &xsrq, sizeof(xsrq), sizeof(created));
	fake_no_more();
	assert_int_equal(srq.srq_num, 0x77);

	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	assert_int_equal(hf_provider_destroy_srq(&srq.srq), 0);
	expect_write(IB_USER_VERBS_CMD_DESTROY_SRQ, &destroy, sizeof(destroy), sizeof(counters));
	fake_no_more();
	fake_fail(EPROTONOSUPPORT);
	fake_fail(EIO);
	assert_int_equal(hf_provider_destroy_srq(&srq.srq), 0);
	fake_fail(EPROTONOSUPPORT);
	fake_fail(EBUSY);
	assert_int_equal(hf_provider_destroy_srq(&srq.srq), EBUSY);
}

static void modify_and_query(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_srq srq = {.context = context, .handle = 12};
	struct ibv_srq_attr attr = {.max_wr = 5, .max_sge = 6, .srq_limit = 7};
	struct ib_uverbs_modify_srq modify = {
		.srq_handle = 12, .attr_mask = IBV_SRQ_LIMIT, .srq_limit = 7};
	const struct ib_uverbs_query_srq query = {.srq_handle = 12};
	const struct ib_uverbs_query_srq_resp answer = {
		.max_wr = 21, .max_sge = 22, .srq_limit = 23};

	(void)state;
	assert_int_equal(hf_provider_modify_srq(&srq, &attr, IBV_SRQ_LIMIT, NULL), 0);
	expect_write(IB_USER_VERBS_CMD_MODIFY_SRQ, &modify, sizeof(modify), 0);
	fake_no_more();
	fake_succeed();
	reply_driver_data();
	modify.attr_mask = IBV_SRQ_MAX_WR;
	modify.max_wr = 5;
	modify.srq_limit = 0;
	assert_int_equal(hf_provider_modify_srq(&srq, &attr, IBV_SRQ_MAX_WR, &driver_data), 0);
	expect_write(IB_USER_VERBS_CMD_MODIFY_SRQ, &modify, sizeof(modify), 0);
	expect_driver_data();

	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &answer, sizeof(answer));
	assert_int_equal(hf_provider_query_srq(&srq, &attr, NULL), 0);
	expect_write(IB_USER_VERBS_CMD_QUERY_SRQ, &query, sizeof(query), sizeof(answer));
	fake_no_more();
	assert_true(attr.max_wr == 21 && attr.max_sge == 22 && attr.srq_limit == 23);
}

static void srq_errors(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 31};
	struct ibv_srq_init_attr init = {.attr = {1, 2, 3}};
	struct ibv_srq_attr attr = {1, 2, 3};
	struct ibv_srq srq = {.context = context, .handle = 12};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(failures); i++) {
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_create_srq(&pd, &srq, &init, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_modify_srq(&srq, &attr, 0, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_query_srq(&srq, &attr, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_destroy_srq(&srq),
				 i < DESTROY_FAILURES ? failures[i] : 0);
		assert_true(srq.handle == 12 && init.attr.max_wr == 1 && attr.srq_limit == 3);
	}
	/* A missing operation returns an error. */
	assert_null(ibv_create_srq(&pd, &init));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(ibv_modify_srq(&srq, &attr, 0), EOPNOTSUPP);
	assert_int_equal(ibv_query_srq(&srq, &attr), EOPNOTSUPP);
	assert_int_equal(ibv_destroy_srq(&srq), EOPNOTSUPP);
}

static atomic_bool destroyed;

static void *destroy_srq_thread(void *arg)
{
	assert_int_equal(ibv_destroy_srq(arg), 0);
	atomic_store(&destroyed, true);
	return NULL;
}

static void srq_destroy_waits(void **state)
{
	static const struct verbs_context_ops ops = {.destroy_srq = hf_provider_destroy_srq};
	const struct ib_uverbs_destroy_srq_resp counters = {.events_reported = 1};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 31};
	struct ibv_srq srq = {.handle = 12};
	struct ibv_async_event event = {
		.event_type = IBV_EVENT_SRQ_LIMIT_REACHED,
		.element.srq = &srq,
	};
	pthread_t thread;

	(void)state;
	hf_provider_set_ops(hfi_context_of(context), &ops);
	hf_provider_init_srq(&srq, context, &pd, NULL);
	fake_succeed();
	fake_reply(UVERBS_ATTR_DESTROY_SRQ_RESP, &counters, sizeof(counters));
	assert_int_equal(pthread_create(&thread, NULL, destroy_srq_thread, &srq), 0);
	wait_until_blocked(&destroyed);
	assert_false(atomic_load(&destroyed));
	ibv_ack_async_event(&event);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&destroyed));
	fake_sent(UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_SRQ_HANDLE, 12);
	fake_out(UVERBS_ATTR_DESTROY_SRQ_RESP, sizeof(counters));
	fake_no_more();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srq_create),	       cmocka_unit_test(srq_create_ex),
		cmocka_unit_test(srq_without_methods), cmocka_unit_test(modify_and_query),
		cmocka_unit_test(srq_errors),	       cmocka_unit_test(srq_destroy_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
