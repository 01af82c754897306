/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The frames in which providers of private ABI 34 pass commands for queues: the kernel gets the
 * driver's part as such, and the response is written where the provider reads it.
 */
#include <stddef.h>

#include "compat/private34/queues.h"
#include "t/unit/queues.h"

enum { DRIVER_IN = 24, DRIVER_OUT = 16, FRAME_MAX = 256 };

static struct ibv_context *context;
static struct ibv_pd pd = {.handle = 31};
static struct ibv_cq cq = {.handle = 41};
static struct ibv_srq srq;
static struct verbs_srq the_xsrq;
static struct verbs_xrcd xrcd = {.handle = 71};
static struct verbs_qp qp;
static struct verbs_cq made_cq;

static uint8_t request[FRAME_MAX];
static union {
	uint8_t bytes[FRAME_MAX];
	struct ib_uverbs_create_cq_resp create_cq;
	struct ib_uverbs_ex_create_cq_resp create_cq_ex;
	struct ib_uverbs_resize_cq_resp resize_cq;
	struct ib_uverbs_create_srq_resp create_srq;
	struct ib_uverbs_create_qp_resp create_qp;
	struct ib_uverbs_ex_create_qp_resp create_qp_ex;
	struct ib_uverbs_ex_modify_qp_resp modify_qp_ex;
} response;

static int cmd_create_cq(size_t in, size_t out)
{
	return ibv_cmd_create_cq(context, 10, NULL, 0, &made_cq.cq, request, in,
				 &response.create_cq, out);
}

static int cmd_create_cq_ex(size_t in, size_t out)
{
	const struct ibv_cq_init_attr_ex attr = {.cqe = 10};

	return ibv_cmd_create_cq_ex(context, &attr, &made_cq, request, in, &response.create_cq_ex,
				    out, HF_CREATE_CQ_TS_IGNORED);
}

static int create_cq_ex2(size_t in, size_t out)
{
	const struct ibv_cq_init_attr_ex attr = {.cqe = 10};

	return ibv_cmd_create_cq_ex2(context, &attr, &made_cq, request, in, &response.create_cq_ex,
				     out, HF_CREATE_CQ_TS_IGNORED, NULL);
}

static int cmd_resize_cq(size_t in, size_t out)
{
	return ibv_cmd_resize_cq(&cq, 10, request, in, &response.resize_cq, out);
}

static int cmd_modify_cq(size_t in, size_t out)
{
	struct ibv_modify_cq_attr attr = {.attr_mask = IBV_CQ_ATTR_MODERATE};

	(void)out;
	return ibv_cmd_modify_cq(&cq, &attr, request, in);
}

static int cmd_create_srq(size_t in, size_t out)
{
	struct ibv_srq_init_attr attr = {.attr = {1, 2, 3}};

	return ibv_cmd_create_srq(&pd, &srq, &attr, request, in, &response.create_srq, out);
}

static int cmd_create_srq_ex(size_t in, size_t out)
{
	struct ibv_srq_init_attr_ex attr = {
		.comp_mask = IBV_SRQ_INIT_ATTR_PD | IBV_SRQ_INIT_ATTR_TYPE |
			     IBV_SRQ_INIT_ATTR_XRCD | IBV_SRQ_INIT_ATTR_CQ,
		.srq_type = IBV_SRQT_XRC,
		.pd = &pd,
		.xrcd = &xrcd.xrcd,
		.cq = &cq,
	};

	return ibv_cmd_create_srq_ex(context, &the_xsrq, &attr, request, in, &response.create_srq,
				     out);
}

static int cmd_modify_srq(size_t in, size_t out)
{
	struct ibv_srq_attr attr = {0};

	(void)out;
	return ibv_cmd_modify_srq(&srq, &attr, IBV_SRQ_LIMIT, request, in);
}

static int cmd_query_srq(size_t in, size_t out)
{
	struct ibv_srq_attr attr;

	(void)out;
	return ibv_cmd_query_srq(&srq, &attr, request, in);
}

static int cmd_create_qp(size_t in, size_t out)
{
	struct ibv_qp_init_attr attr = {.send_cq = &cq, .recv_cq = &cq, .qp_type = IBV_QPT_RC};

	return ibv_cmd_create_qp(&pd, &qp.qp, &attr, request, in, &response.create_qp, out);
}

static struct ibv_qp_init_attr_ex qp_attr_ex(void)
{
	return (struct ibv_qp_init_attr_ex){
		.send_cq = &cq,
		.recv_cq = &cq,
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = &pd,
	};
}

static int cmd_create_qp_ex(size_t in, size_t out)
{
	struct ibv_qp_init_attr_ex attr = qp_attr_ex();

	return ibv_cmd_create_qp_ex(context, &qp, &attr, request, in, &response.create_qp, out);
}

static int create_qp_ex2(size_t in, size_t out)
{
	struct ibv_qp_init_attr_ex attr = qp_attr_ex();

	return ibv_cmd_create_qp_ex2(context, &qp, &attr, request, in, &response.create_qp_ex, out);
}

static int cmd_open_qp(size_t in, size_t out)
{
	struct ibv_qp_open_attr attr = {
		.comp_mask = IBV_QP_OPEN_ATTR_NUM | IBV_QP_OPEN_ATTR_XRCD | IBV_QP_OPEN_ATTR_TYPE,
		.qp_num = 77,
		.xrcd = &xrcd.xrcd,
		.qp_type = IBV_QPT_XRC_RECV,
	};

	return ibv_cmd_open_qp(context, &qp, sizeof(qp), &attr, request, in, &response.create_qp,
			       out);
}

static int cmd_modify_qp(size_t in, size_t out)
{
	struct ibv_qp_attr attr = {0};

	(void)out;
	return ibv_cmd_modify_qp(&qp.qp, &attr, IBV_QP_PORT, request, in);
}

static int modify_qp_ex(size_t in, size_t out)
{
	struct ibv_qp_attr attr = {0};

	return ibv_cmd_modify_qp_ex(&qp.qp, &attr, IBV_QP_PORT, request, in, &response.modify_qp_ex,
				    out);
}

static int cmd_query_qp(size_t in, size_t out)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	(void)out;
	return ibv_cmd_query_qp(&qp.qp, &attr, IBV_QP_STATE, &init, request, in);
}

/* Sizes of the core parts that providers were compiled with. */
static const struct frame_case {
	const char *name;
	int (*call)(size_t in, size_t out);
	size_t in, out;
	uint16_t handle_attr; /* for the new object of a native method */
} cases[] = {
	{"create_cq", cmd_create_cq, 40, 8, UVERBS_ATTR_CREATE_CQ_HANDLE},
	{"create_cq_ex", cmd_create_cq_ex, 56, 16, UVERBS_ATTR_CREATE_CQ_HANDLE},
	{"create_cq_ex2", create_cq_ex2, 56, 16, UVERBS_ATTR_CREATE_CQ_HANDLE},
	{"resize_cq", cmd_resize_cq, 24, 8, 0},
	{"modify_cq", cmd_modify_cq, 40, 0, 0},
	{"create_srq", cmd_create_srq, 40, 16, UVERBS_ATTR_CREATE_SRQ_HANDLE},
	{"create_srq_ex", cmd_create_srq_ex, 56, 16, UVERBS_ATTR_CREATE_SRQ_HANDLE},
	{"modify_srq", cmd_modify_srq, 24, 0, 0},
	{"query_srq", cmd_query_srq, 24, 0, 0},
	{"create_qp", cmd_create_qp, 64, 32, UVERBS_ATTR_CREATE_QP_HANDLE},
	{"create_qp_ex", cmd_create_qp_ex, 64, 32, UVERBS_ATTR_CREATE_QP_HANDLE},
	{"create_qp_ex2", create_qp_ex2, 88, 40, UVERBS_ATTR_CREATE_QP_HANDLE},
	{"open_qp", cmd_open_qp, 40, 32, 0},
	{"modify_qp", cmd_modify_qp, 120, 0, 0},
	{"modify_qp_ex", modify_qp_ex, 144, 8, 0},
	{"query_qp", cmd_query_qp, 24, 0, 0},
};

static void start_case(void)
{
	context = fake_context();
	pd.context = context;
	cq.context = context;
	srq.context = context;
	qp = (struct verbs_qp){.qp.context = context};
	for (size_t i = 0; i < sizeof(request); i++)
		request[i] = (uint8_t)i;
	memset(&response, 0xaa, sizeof(response));
}

static void driver_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		const struct frame_case *this = &cases[i];
		const size_t out = this->out ? this->out + DRIVER_OUT : 0;
		uint8_t sent[FRAME_MAX];

		start_case();
		memcpy(sent, request, sizeof(sent));
		fake_succeed();
		if (out)
			fake_reply(UVERBS_ATTR_UHW_OUT, said_out, DRIVER_OUT);
		assert_int_equal(this->call(this->in + DRIVER_IN, out), 0);
		fake_in(UVERBS_ATTR_UHW_IN, sent + this->in, DRIVER_IN);
		if (out) {
			fake_out(UVERBS_ATTR_UHW_OUT, DRIVER_OUT);
			assert_memory_equal(response.bytes + this->out, said_out, DRIVER_OUT);
			assert_int_equal(response.bytes[out], 0xaa);
		}

		/* A driver without data of its own. */
		start_case();
		fake_succeed();
		if (this->handle_attr)
			fake_reply_handle(this->handle_attr, 4321);
		assert_int_equal(this->call(this->in, this->out), 0);
		assert_int_equal(fake_count(), 1);
		if (this->handle_attr)
			assert_int_equal(response.bytes[0] | response.bytes[1] << 8, 4321);
		assert_int_equal(response.bytes[this->out], 0xaa);
		print_message("%s\n", this->name);
	}
}

static void short_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		start_case();
		errno = 0;
		assert_int_equal(cases[i].call(cases[i].in - 1, cases[i].out), EINVAL);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(cases[i].call(0, cases[i].out), EINVAL);
		if (cases[i].out)
			assert_int_equal(cases[i].call(cases[i].in, cases[i].out - 1), EINVAL);
		assert_int_equal(fake_count(), 0);
	}
}

static void cmd_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		for (size_t j = 0; j < HF_ARRAY_SIZE(failures); j++) {
			start_case();
			errno = 0;
			fake_fail(failures[j]);
			assert_int_equal(cases[i].call(cases[i].in, cases[i].out), failures[j]);
			assert_int_equal(errno, failures[j]);
			for (size_t k = 0; k < sizeof(response) && cases[i].handle_attr; k++)
				assert_int_equal(response.bytes[k], 0xaa);
		}
	}
}

/* Providers also read the response in the core's part. */
static void responses(void **state)
{
	const struct ib_uverbs_create_qp_resp opened = {.qp_handle = 4321, .qpn = 77};
	const struct ib_uverbs_resize_cq_resp resized = {.cqe = 127};
	const struct ib_uverbs_qp_cap cap = {11, 12, 13, 14, 15};
	const uint32_t cqe = 63, number = 0x1234, wr = 21, sge = 22;

	(void)state;
	start_case();
	fake_succeed();
	fake_reply(UVERBS_ATTR_CREATE_CQ_RESP_CQE, &cqe, sizeof(cqe));
	assert_int_equal(cmd_create_cq(40, 8), 0);
	assert_int_equal(response.create_cq.cqe, 63);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CREATE_CQ_RESP_CQE, &cqe, sizeof(cqe));
	assert_int_equal(cmd_create_cq_ex(56, 16), 0);
	assert_true(response.create_cq_ex.base.cqe == 63 && response.create_cq_ex.comp_mask == 0 &&
		    response.create_cq_ex.response_length == 16);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &resized, sizeof(resized));
	assert_int_equal(cmd_resize_cq(24, 8), 0);
	assert_int_equal(response.resize_cq.cqe, 127);

	fake_succeed();
	fake_reply(UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR, &wr, sizeof(wr));
	fake_reply(UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE, &sge, sizeof(sge));
	fake_reply(UVERBS_ATTR_CREATE_SRQ_RESP_SRQ_NUM, &number, sizeof(number));
	assert_int_equal(cmd_create_srq_ex(56, 16), 0);
	assert_true(response.create_srq.max_wr == 21 && response.create_srq.max_sge == 22 &&
		    response.create_srq.srqn == 0x1234);

	for (int ex = 0; ex < 2; ex++) {
		fake_succeed();
		fake_reply(UVERBS_ATTR_CREATE_QP_RESP_CAP, &cap, sizeof(cap));
		fake_reply(UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, &number, sizeof(number));
		assert_int_equal(ex ? create_qp_ex2(88, 40) : cmd_create_qp(64, 32), 0);
		assert_true(response.create_qp.qpn == 0x1234 &&
			    response.create_qp.max_send_wr == 11 &&
			    response.create_qp.max_recv_wr == 12 &&
			    response.create_qp.max_send_sge == 13 &&
			    response.create_qp.max_recv_sge == 14 &&
			    response.create_qp.max_inline_data == 15);
	}
	assert_int_equal(response.create_qp_ex.response_length, 40);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &opened, sizeof(opened));
	assert_int_equal(cmd_open_qp(40, 32), 0);
	assert_true(response.create_qp.qp_handle == 4321 && response.create_qp.qpn == 77);
}

/* The distribution's rxe adds nothing to the creation of a CQ, and passes no request. */
static void no_request(void **state)
{
	(void)state;
	start_case();
	assert_int_equal(ibv_cmd_create_cq(context, 10, NULL, 0, &made_cq.cq, NULL, 0,
					   &response.create_cq, 8 + DRIVER_OUT),
			 0);
	fake_sent(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE);
	fake_out(UVERBS_ATTR_UHW_OUT, DRIVER_OUT);
	assert_int_equal(ibv_cmd_create_cq(context, 10, NULL, 0, &made_cq.cq, NULL, 40,
					   &response.create_cq, 8),
			 EINVAL);
}

/* Since rdma-core 53 a CQ's driver part may also be passed as attributes. */
static void linked_cq(void **state)
{
	const struct ibv_cq_init_attr_ex attr = {
		.cqe = 10,
		.comp_vector = 3,
		.comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS,
		.flags = IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN,
	};
	struct {
		struct ibv_command_buffer buffer;
		struct ib_uverbs_attr attrs[2];
	} link = {.attrs = {{.attr_id = 0x1000 + 9,
			     .len = 8,
			     .flags = UVERBS_ATTR_F_MANDATORY,
			     .data = 0x1234}}};

	(void)state;
	start_case();
	link.buffer.next_attr = link.attrs + 1;
	link.buffer.last_attr = link.attrs + 2;
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_CQ_HANDLE, 4321);
	fake_reply(UVERBS_ATTR_UHW_OUT, said_out, DRIVER_OUT);
	assert_int_equal(ibv_cmd_create_cq_ex2(context, &attr, &made_cq, request, 56 + DRIVER_IN,
					       &response.create_cq_ex, 16 + DRIVER_OUT, 0,
					       &link.buffer),
			 0);
	fake_sent(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE);
	fake_in(UVERBS_ATTR_UHW_IN, request + 56, DRIVER_IN);
	fake_out(UVERBS_ATTR_UHW_OUT, DRIVER_OUT);
	fake_in_const(0x1000 + 9, 0x1234);
	expect_u32(UVERBS_ATTR_CREATE_CQ_FLAGS, IB_UVERBS_CQ_FLAGS_IGNORE_OVERRUN);
	expect_u32(UVERBS_ATTR_CREATE_CQ_COMP_VECTOR, 3);
	assert_int_equal(made_cq.cq.handle, 4321);
	assert_int_equal(response.create_cq_ex.base.cq_handle, 4321);
	assert_memory_equal(response.bytes + 16, said_out, DRIVER_OUT);

	/*
	 * A flag of a later private ABI, and a buffer that the provider's attributes did not fit
	 * into.
	 */
	assert_int_equal(ibv_cmd_create_cq_ex2(context, &attr, &made_cq, request, 56,
					       &response.create_cq_ex, 16, 2, &link.buffer),
			 EOPNOTSUPP);
	link.buffer.buffer_error = 1;
	assert_int_equal(ibv_cmd_create_cq_ex2(context, &attr, &made_cq, request, 56,
					       &response.create_cq_ex, 16, 0, &link.buffer),
			 EINVAL);
	assert_int_equal(fake_count(), 1);
}

/* Commands without a frame. */
static void plain(void **state)
{
	struct ibv_send_wr *bad_send = NULL;
	struct ibv_recv_wr *bad_recv = NULL;
	struct ibv_send_wr send = {.opcode = IBV_WR_SEND};
	struct ibv_recv_wr recv = {0};
	struct ibv_wc wc;

	(void)state;
	start_case();
	assert_int_equal(ibv_cmd_poll_cq(&cq, 1, &wc), 0);
	fake_sent_write(IB_USER_VERBS_CMD_POLL_CQ);
	assert_int_equal(ibv_cmd_req_notify_cq(&cq, 0), 0);
	fake_sent_write(IB_USER_VERBS_CMD_REQ_NOTIFY_CQ);
	assert_int_equal(ibv_cmd_post_send(&qp.qp, &send, &bad_send), 0);
	fake_sent_write(IB_USER_VERBS_CMD_POST_SEND);
	assert_int_equal(ibv_cmd_post_recv(&qp.qp, &recv, &bad_recv), 0);
	fake_sent_write(IB_USER_VERBS_CMD_POST_RECV);
	assert_int_equal(ibv_cmd_post_srq_recv(&srq, &recv, &bad_recv), 0);
	fake_sent_write(IB_USER_VERBS_CMD_POST_SRQ_RECV);
	verbs_init_cq(&cq, context, NULL, &wc);
	assert_ptr_equal(cq.cq_context, &wc);
	assert_int_equal(ibv_cmd_destroy_cq(&cq), 0);
	fake_sent(UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY);
	assert_int_equal(ibv_cmd_destroy_srq(&srq), 0);
	fake_sent(UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY);
	assert_int_equal(ibv_cmd_destroy_qp(&qp.qp), 0);
	fake_sent(UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY);
	fake_fail(EBUSY);
	errno = 0;
	assert_int_equal(ibv_cmd_destroy_qp(&qp.qp), EBUSY);
	assert_int_equal(errno, EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(driver_parts), cmocka_unit_test(short_frames),
		cmocka_unit_test(cmd_errors),	cmocka_unit_test(responses),
		cmocka_unit_test(plain),	cmocka_unit_test(no_request),
		cmocka_unit_test(linked_cq),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
