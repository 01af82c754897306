/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attributes of queue pairs: which of them are sent to the kernel, and which it returns. */
#include "t/unit/queues.h"

enum { EX_MODIFY_QP = IB_USER_VERBS_EX_CMD_MODIFY_QP | (int)IB_USER_VERBS_CMD_FLAG_EXTENDED };

static struct ibv_cq send_cq = {.handle = 41}, recv_cq = {.handle = 51};
static struct ibv_srq srq = {.handle = 61};

/* Every attribute has a different value. */
static struct ibv_qp_attr full_attr(void)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.cur_qp_state = IBV_QPS_INIT,
		.path_mtu = IBV_MTU_2048,
		.path_mig_state = IBV_MIG_ARMED,
		.qkey = 101,
		.rq_psn = 102,
		.sq_psn = 103,
		.dest_qp_num = 104,
		.qp_access_flags = 105,
		.ah_attr = {.grh = {.flow_label = 201,
				    .sgid_index = 202,
				    .hop_limit = 203,
				    .traffic_class = 204},
			    .dlid = 205,
			    .sl = 206,
			    .src_path_bits = 207,
			    .static_rate = 208,
			    .is_global = 1,
			    .port_num = 210},
		.alt_ah_attr = {.dlid = 215, .port_num = 220},
		.pkey_index = 106,
		.alt_pkey_index = 107,
		.en_sqd_async_notify = 1,
		.max_rd_atomic = 109,
		.max_dest_rd_atomic = 110,
		.min_rnr_timer = 111,
		.port_num = 112,
		.timeout = 113,
		.retry_cnt = 114,
		.rnr_retry = 115,
		.alt_port_num = 116,
		.alt_timeout = 117,
		.rate_limit = 118,
	};

	memcpy(attr.ah_attr.grh.dgid.raw, "0123456789abcde", 16);
	memcpy(attr.alt_ah_attr.grh.dgid.raw, "fedcba987654321", 16);
	return attr;
}

#define WIRE(...)                            \
	{                                    \
		.qp_handle = 12, __VA_ARGS__ \
	}

static void modify(void **state)
{
	static const struct {
		int mask;
		struct ib_uverbs_modify_qp wire;
	} cases[] = {
		{0, WIRE(.attr_mask = 0)},
		{IBV_QP_STATE, WIRE(.qp_state = IBV_QPS_RTR)},
		{IBV_QP_CUR_STATE, WIRE(.cur_qp_state = IBV_QPS_INIT)},
		{IBV_QP_EN_SQD_ASYNC_NOTIFY, WIRE(.en_sqd_async_notify = 1)},
		{IBV_QP_ACCESS_FLAGS, WIRE(.qp_access_flags = 105)},
		{IBV_QP_PKEY_INDEX, WIRE(.pkey_index = 106)},
		{IBV_QP_PORT, WIRE(.port_num = 112)},
		{IBV_QP_QKEY, WIRE(.qkey = 101)},
		{IBV_QP_AV, WIRE(.dest = {"0123456789abcde", 201, 205, 0, 202, 203, 204, 206, 207,
					  208, 1, 210})},
		{IBV_QP_PATH_MTU, WIRE(.path_mtu = IBV_MTU_2048)},
		{IBV_QP_TIMEOUT, WIRE(.timeout = 113)},
		{IBV_QP_RETRY_CNT, WIRE(.retry_cnt = 114)},
		{IBV_QP_RNR_RETRY, WIRE(.rnr_retry = 115)},
		{IBV_QP_RQ_PSN, WIRE(.rq_psn = 102)},
		{IBV_QP_MAX_QP_RD_ATOMIC, WIRE(.max_rd_atomic = 109)},
		{IBV_QP_ALT_PATH,
		 WIRE(.alt_dest = {.dgid = "fedcba987654321", .dlid = 215, .port_num = 220},
		      .alt_pkey_index = 107, .alt_port_num = 116, .alt_timeout = 117)},
		{IBV_QP_MIN_RNR_TIMER, WIRE(.min_rnr_timer = 111)},
		{IBV_QP_SQ_PSN, WIRE(.sq_psn = 103)},
		{IBV_QP_MAX_DEST_RD_ATOMIC, WIRE(.max_dest_rd_atomic = 110)},
		{IBV_QP_PATH_MIG_STATE, WIRE(.path_mig_state = IBV_MIG_ARMED)},
		{IBV_QP_DEST_QPN, WIRE(.dest_qp_num = 104)},
	};
	const struct ibv_qp_attr attr = full_attr();

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct ibv_qp qp = {.context = fake_context(), .handle = 12};
		struct ib_uverbs_modify_qp wire = cases[i].wire;
		struct ib_uverbs_ex_modify_qp ex;

		wire.attr_mask = (uint32_t)cases[i].mask;
		fake_succeed();
		reply_driver_data();
		assert_int_equal(hf_provider_modify_qp(&qp, &attr, cases[i].mask, &driver_data), 0);
		expect_write(IB_USER_VERBS_CMD_MODIFY_QP, &wire, sizeof(wire), 0);
		expect_driver_data();

		ex = (struct ib_uverbs_ex_modify_qp){.base = wire, .rate_limit = 118};
		ex.base.attr_mask |= IBV_QP_RATE_LIMIT;
		assert_int_equal(hf_provider_modify_qp_ex(&qp, &attr,
							  cases[i].mask | IBV_QP_RATE_LIMIT, NULL),
				 0);
		expect_write((uint32_t)EX_MODIFY_QP, &ex, sizeof(ex),
			     sizeof(struct ib_uverbs_ex_modify_qp_resp));
		fake_no_more();
		assert_int_equal(hf_provider_modify_qp(&qp, &attr, IBV_QP_RATE_LIMIT, NULL),
				 EOPNOTSUPP);
		assert_int_equal(hf_provider_modify_qp_ex(&qp, &attr, IBV_QP_RATE_LIMIT << 1, NULL),
				 EOPNOTSUPP);
		assert_int_equal(hf_provider_modify_qp_ex(&qp, &attr, -1, NULL), EOPNOTSUPP);
	}
}

static void qp_query(void **state)
{
	const struct ib_uverbs_query_qp_resp answer = {
		.dest = {"0123456789abcde", 201, 205, 0, 202, 203, 204, 206, 207, 208, 1, 210},
		.alt_dest = {.dgid = "fedcba987654321", .dlid = 215, .port_num = 220},
		.max_send_wr = 11,
		.max_recv_wr = 12,
		.max_send_sge = 13,
		.max_recv_sge = 14,
		.max_inline_data = 15,
		.qkey = 101,
		.rq_psn = 102,
		.sq_psn = 103,
		.dest_qp_num = 104,
		.qp_access_flags = 105,
		.pkey_index = 106,
		.alt_pkey_index = 107,
		.qp_state = IBV_QPS_RTR,
		.cur_qp_state = IBV_QPS_INIT,
		.path_mtu = IBV_MTU_2048,
		.path_mig_state = IBV_MIG_ARMED,
		.sq_draining = 1,
		.max_rd_atomic = 109,
		.max_dest_rd_atomic = 110,
		.min_rnr_timer = 111,
		.port_num = 112,
		.timeout = 113,
		.retry_cnt = 114,
		.rnr_retry = 115,
		.alt_port_num = 116,
		.alt_timeout = 117,
		.sq_sig_all = 1,
	};
	const struct ib_uverbs_query_qp request = {.qp_handle = 12, .attr_mask = IBV_QP_STATE};
	struct ibv_qp_attr attr = {.en_sqd_async_notify = 1, .rate_limit = 118};
	struct ibv_qp_attr expected = full_attr();
	struct ibv_qp_init_attr init;
	struct ibv_qp qp = {
		.context = fake_context(),
		.handle = 12,
		.qp_context = &attr,
		.send_cq = &send_cq,
		.recv_cq = &recv_cq,
		.srq = &srq,
		.qp_type = IBV_QPT_UC,
	};

	(void)state;
	expected.sq_draining = 1;
	expected.cap = (struct ibv_qp_cap){11, 12, 13, 14, 15};
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &answer, sizeof(answer));
	assert_int_equal(hf_provider_query_qp(&qp, &attr, IBV_QP_STATE, &init, NULL), 0);
	expect_write(IB_USER_VERBS_CMD_QUERY_QP, &request, sizeof(request), sizeof(answer));
	fake_no_more();
	assert_memory_equal(&attr, &expected, sizeof(attr));
	assert_memory_equal(&init.cap, &expected.cap, sizeof(init.cap));
	assert_true(init.qp_context == &attr && init.send_cq == &send_cq &&
		    init.recv_cq == &recv_cq && init.srq == &srq && init.qp_type == IBV_QPT_UC &&
		    init.sq_sig_all == 1);
	assert_int_equal(hf_provider_query_qp(&qp, &attr, IBV_QP_RATE_LIMIT, &init, NULL),
			 EOPNOTSUPP);
}

static int op_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	return hf_provider_modify_qp(qp, attr, mask, NULL);
}

static int op_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		       struct ibv_qp_init_attr *init)
{
	return hf_provider_query_qp(qp, attr, mask, init, NULL);
}

static const struct verbs_context_ops ops = {
	.modify_qp = op_modify_qp,
	.query_qp = op_query_qp,
};

/* The state that programs see follows modify and query calls. */
static void state_follows(void **state)
{
	const struct ib_uverbs_query_qp_resp answer = {.qp_state = IBV_QPS_SQE};
	struct ibv_context *context = fake_context();
	struct ibv_qp qp = {.context = context, .state = IBV_QPS_RESET};
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT};
	struct ibv_qp_init_attr init;

	(void)state;
	hf_provider_set_ops(hfi_context_of(context), &ops);
	fake_fail(EINVAL);
	assert_int_equal(ibv_modify_qp(&qp, &attr, IBV_QP_STATE), EINVAL);
	assert_int_equal(qp.state, IBV_QPS_RESET);
	assert_int_equal(ibv_modify_qp(&qp, &attr, IBV_QP_PORT), 0);
	assert_int_equal(qp.state, IBV_QPS_RESET);
	assert_int_equal(ibv_modify_qp(&qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(qp.state, IBV_QPS_INIT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &answer, sizeof(answer));
	assert_int_equal(ibv_query_qp(&qp, &attr, IBV_QP_STATE, &init), 0);
	assert_int_equal(qp.state, IBV_QPS_SQE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modify),
		cmocka_unit_test(qp_query),
		cmocka_unit_test(state_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
