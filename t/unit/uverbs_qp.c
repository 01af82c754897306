/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Queue pairs: the commands to the kernel, and what programs get from its answers. */
#include <stdlib.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "core/verbs/operations.h"
#include "t/unit/queues.h"

enum {
	EX_CREATE_QP = IB_USER_VERBS_EX_CMD_CREATE_QP | (int)IB_USER_VERBS_CMD_FLAG_EXTENDED,
	/* The attribute sets that a QP is created from: each with its own objects. */
	PD = 1,
	SEND_CQ = 2,
	RECV_CQ = 4,
	SRQ = 8,
	XRCD = 16,
	TABLE = 32,
};

static const struct ibv_qp_cap asked = {1, 2, 3, 4, 5};
static const struct ib_uverbs_qp_cap asked_wire = {1, 2, 3, 4, 5};
static const struct ib_uverbs_qp_cap granted = {11, 12, 13, 14, 15};
static const uint32_t qp_num = 0x1234;

static struct ibv_pd pd = {.handle = 31};
static struct ibv_cq send_cq = {.handle = 41}, recv_cq = {.handle = 51};
static struct ibv_srq srq = {.handle = 61};
static struct verbs_xrcd xrcd = {.handle = 71};
static struct ibv_rwq_ind_table table = {.ind_tbl_handle = 81};

static struct ibv_context *new_qp_context(void)
{
	struct ibv_context *context = fake_context();

	pd.context = context;
	return context;
}

static void expect_qp_create(const void *qp, uint8_t type, int objects, uint32_t flags)
{
	fake_sent(UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE);
	fake_out(UVERBS_ATTR_CREATE_QP_HANDLE, 0);
	expect_pointer(UVERBS_ATTR_CREATE_QP_USER_HANDLE, qp);
	fake_in(UVERBS_ATTR_CREATE_QP_CAP, &asked_wire, sizeof(asked_wire));
	fake_in_const(UVERBS_ATTR_CREATE_QP_TYPE, type);
	fake_out(UVERBS_ATTR_CREATE_QP_RESP_CAP, sizeof(granted));
	fake_out(UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, sizeof(qp_num));
	if (objects & PD)
		fake_in_handle(UVERBS_ATTR_CREATE_QP_PD_HANDLE, 31);
	if (objects & SEND_CQ)
		fake_in_handle(UVERBS_ATTR_CREATE_QP_SEND_CQ_HANDLE, 41);
	if (objects & RECV_CQ)
		fake_in_handle(UVERBS_ATTR_CREATE_QP_RECV_CQ_HANDLE, 51);
	if (objects & SRQ)
		fake_in_handle(UVERBS_ATTR_CREATE_QP_SRQ_HANDLE, 61);
	if (objects & XRCD)
		fake_in_handle(UVERBS_ATTR_CREATE_QP_XRCD_HANDLE, 71);
	if (objects & TABLE)
		fake_in_handle(UVERBS_ATTR_CREATE_QP_IND_TABLE_HANDLE, 81);
	if (flags)
		expect_u32(UVERBS_ATTR_CREATE_QP_FLAGS, flags);
}

static void reply_qp_created(void)
{
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_QP_HANDLE, 4321);
	fake_reply(UVERBS_ATTR_CREATE_QP_RESP_CAP, &granted, sizeof(granted));
	fake_reply(UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, &qp_num, sizeof(qp_num));
}

static void expect_granted(const struct ibv_qp_cap *cap)
{
	assert_true(cap->max_send_wr == 11 && cap->max_recv_wr == 12 && cap->max_send_sge == 13 &&
		    cap->max_recv_sge == 14 && cap->max_inline_data == 15);
}

static void qp_create(void **state)
{
	struct ibv_context *context = new_qp_context();
	struct ibv_qp_init_attr attr = {
		.qp_context = &attr,
		.send_cq = &send_cq,
		.recv_cq = &recv_cq,
		.srq = &srq,
		.cap = asked,
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = 1,
	};
	struct ibv_qp qp;

	(void)state;
	memset(&qp, 0xaa, sizeof(qp));
	context->async_fd = 55;
	reply_qp_created();
	reply_driver_data();
	assert_int_equal(hf_provider_create_qp(&pd, &qp, &attr, &driver_data), 0);
	expect_qp_create(&qp, IB_UVERBS_QPT_RC, PD | SEND_CQ | RECV_CQ | SRQ,
			 IB_UVERBS_QP_CREATE_SQ_SIG_ALL);
	fake_in_fd(UVERBS_ATTR_CREATE_QP_EVENT_FD, 55);
	expect_driver_data();
	expect_granted(&attr.cap);
	assert_true(qp.context == context && qp.qp_context == &attr && qp.pd == &pd &&
		    qp.send_cq == &send_cq && qp.recv_cq == &recv_cq && qp.srq == &srq &&
		    qp.qp_type == IBV_QPT_RC && qp.state == IBV_QPS_RESET && qp.handle == 4321 &&
		    qp.qp_num == qp_num && qp.events_completed == 0);
	assert_int_equal(pthread_mutex_trylock(&qp.mutex), 0);
	assert_int_equal(pthread_mutex_unlock(&qp.mutex), 0);

	attr.qp_type = IBV_QPT_XRC_RECV;
	assert_int_equal(hf_provider_create_qp(&pd, &qp, &attr, NULL), EINVAL);
}

/*
 * The offsets of the mask and the domain: a release's verbs_qp is 16 bytes longer than its
 * ibv_qp_ex.
 */
static const size_t mask_offsets[] = {344, 352, 360};

enum {
	ON = 0xaa, /* what no command may change */
	ROOM = 512,
};

/* An object of a provider of some release: zeroed within the size of its verbs_qp. */
static struct verbs_qp *new_qp(size_t mask_offset)
{
	unsigned char *bytes = malloc(ROOM);

	assert_non_null(bytes);
	memset(bytes, ON, ROOM);
	memset(bytes, 0, mask_offset + 16);
	return (struct verbs_qp *)(void *)bytes;
}

static void expect_xrcd(const struct verbs_qp *qp, size_t mask_offset, bool set)
{
	const unsigned char *bytes = (const unsigned char *)qp;
	const struct verbs_xrcd *domain;
	uint32_t mask;

	memcpy(&mask, bytes + mask_offset, sizeof(mask));
	memcpy(&domain, bytes + mask_offset + 8, sizeof(domain));
	assert_int_equal(mask, set ? VERBS_QP_XRCD : 0);
	assert_ptr_equal(domain, set ? &xrcd : NULL);
	for (size_t i = sizeof(struct ibv_qp); i < mask_offset; i++)
		assert_int_equal(bytes[i], 0);
	for (size_t i = mask_offset + 16; i < ROOM; i++)
		assert_int_equal(bytes[i], ON);
}

struct ex_case {
	uint32_t comp_mask;
	uint32_t create_flags;
	enum ibv_qp_type type;
	int err;
	int objects;
	uint32_t flags;
};

static const struct ex_case ex_cases[] = {
	{IBV_QP_INIT_ATTR_PD, ~0U, IBV_QPT_UD, 0, PD | SEND_CQ | RECV_CQ | SRQ, 0},
	{IBV_QP_INIT_ATTR_PD, 0, IBV_QPT_XRC_SEND, 0, PD | SEND_CQ, 0},
	{IBV_QP_INIT_ATTR_XRCD, 0, IBV_QPT_XRC_RECV, 0, XRCD, 0},
	{IBV_QP_INIT_ATTR_XRCD | IBV_QP_INIT_ATTR_PD, 0, IBV_QPT_XRC_RECV, 0, XRCD, 0},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS, IBV_QP_CREATE_BLOCK_SELF_MCAST_LB,
	 IBV_QPT_UD, 0, PD | SEND_CQ | RECV_CQ | SRQ, IB_UVERBS_QP_CREATE_BLOCK_MULTICAST_LOOPBACK},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS,
	 IBV_QP_CREATE_SOURCE_QPN | IBV_QP_CREATE_SCATTER_FCS, IBV_QPT_UD, 0,
	 PD | SEND_CQ | RECV_CQ | SRQ, IB_UVERBS_QP_CREATE_SCATTER_FCS},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_IND_TABLE | IBV_QP_INIT_ATTR_RX_HASH, 0,
	 IBV_QPT_RAW_PACKET, 0, PD | SEND_CQ | TABLE, 0},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS | IBV_QP_INIT_ATTR_MAX_TSO_HEADER, 0,
	 IBV_QPT_DRIVER, 0, PD | SEND_CQ | RECV_CQ | SRQ, 0},
	{IBV_QP_INIT_ATTR_PD, 0, IBV_QPT_XRC_RECV, EINVAL, 0, 0},
	{IBV_QP_INIT_ATTR_XRCD, 0, IBV_QPT_RC, EINVAL, 0, 0},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS, IB_UVERBS_QP_CREATE_SQ_SIG_ALL,
	 IBV_QPT_RC, EINVAL, 0, 0},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS, IBV_QP_CREATE_SCATTER_FCS | 1U << 31,
	 IBV_QPT_RC, EINVAL, 0, 0},
	{IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS << 1, 0, IBV_QPT_RC, EOPNOTSUPP, 0,
	 0},
};

static void qp_create_ex(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(ex_cases) * HF_ARRAY_SIZE(mask_offsets); i++) {
		const struct ex_case *this = &ex_cases[i / HF_ARRAY_SIZE(mask_offsets)];
		const size_t offset = mask_offsets[i % HF_ARRAY_SIZE(mask_offsets)];
		struct ibv_context *context = new_qp_context();
		struct ibv_qp_init_attr_ex attr = {
			.send_cq = &send_cq,
			.recv_cq = &recv_cq,
			.srq = &srq,
			.cap = asked,
			.qp_type = this->type,
			.comp_mask = this->comp_mask,
			.pd = &pd,
			.xrcd = &xrcd.xrcd,
			.create_flags = this->create_flags,
			.rwq_ind_tbl = &table,
			.source_qpn = 99,
		};
		struct verbs_qp *qp = new_qp(offset);

		hfi_uverbs_of(context)->qp_mask_offset = offset;
		if (!this->err)
			reply_qp_created();
		assert_int_equal(hf_provider_create_qp_ex(context, qp, &attr, NULL), this->err);
		expect_xrcd(qp, offset, this->objects & XRCD);
		if (this->err) {
			assert_int_equal(fake_count(), 0);
			free(qp);
			continue;
		}
		expect_qp_create(qp, (uint8_t)this->type, this->objects, this->flags);
		if (this->comp_mask & IBV_QP_INIT_ATTR_CREATE_FLAGS &&
		    this->create_flags & IBV_QP_CREATE_SOURCE_QPN)
			expect_u32(UVERBS_ATTR_CREATE_QP_SOURCE_QPN, 99);
		fake_no_more();
		expect_granted(&attr.cap);
		assert_ptr_equal(qp->qp.pd, this->objects & PD ? &pd : NULL);
		assert_ptr_equal(qp->qp.send_cq, this->objects & SEND_CQ ? &send_cq : NULL);
		assert_int_equal(qp->qp.qp_num, qp_num);
		free(qp);
	}
}

/* Without a send queue, an RSS QP has no CQ at all. */
static void create_rss(void **state)
{
	struct ibv_context *context = new_qp_context();
	struct ibv_qp_init_attr_ex attr = {
		.send_cq = &send_cq,
		.qp_type = IBV_QPT_RAW_PACKET,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_IND_TABLE,
		.pd = &pd,
		.rwq_ind_tbl = &table,
	};
	const struct ib_uverbs_qp_cap none = {0};
	struct verbs_qp qp = {0};

	(void)state;
	assert_int_equal(hf_provider_create_qp_ex(context, &qp, &attr, NULL), 0);
	fake_in(UVERBS_ATTR_CREATE_QP_CAP, &none, sizeof(none));
	fake_in_handle(UVERBS_ATTR_CREATE_QP_PD_HANDLE, 31);
	fake_in_handle(UVERBS_ATTR_CREATE_QP_IND_TABLE_HANDLE, 81);
	expect_pointer(UVERBS_ATTR_CREATE_QP_USER_HANDLE, &qp);
	fake_in_const(UVERBS_ATTR_CREATE_QP_TYPE, IBV_QPT_RAW_PACKET);
	fake_out(UVERBS_ATTR_CREATE_QP_HANDLE, 0);
	fake_out(UVERBS_ATTR_CREATE_QP_RESP_CAP, sizeof(none));
	fake_out(UVERBS_ATTR_CREATE_QP_RESP_QP_NUM, sizeof(qp_num));
	fake_no_more();
}

/* Linux before 5.8. */
static void qp_without_methods(void **state)
{
	struct ibv_context *context = new_qp_context();
	struct ibv_qp_init_attr_ex attr = {
		.send_cq = &send_cq,
		.recv_cq = &recv_cq,
		.srq = &srq,
		.cap = asked,
		.qp_type = IBV_QPT_UD,
		.sq_sig_all = 1,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = &pd,
		.create_flags = IBV_QP_CREATE_SOURCE_QPN,
		.rwq_ind_tbl = &table,
		.source_qpn = 99,
	};
	const struct ib_uverbs_create_qp_resp created = {4321, 0x1234, 11, 12, 13, 14, 15, 0};
	struct verbs_qp qp = {0};
	struct ib_uverbs_create_qp plain = {
		.user_handle = (uintptr_t)&qp,
		.pd_handle = 31,
		.send_cq_handle = 41,
		.recv_cq_handle = 51,
		.srq_handle = 61,
		.max_send_wr = 1,
		.max_recv_wr = 2,
		.max_send_sge = 3,
		.max_recv_sge = 4,
		.max_inline_data = 5,
		.sq_sig_all = 1,
		.qp_type = IBV_QPT_UD,
		.is_srq = 1,
	};
	struct ib_uverbs_ex_create_qp extended = {
		.user_handle = (uintptr_t)&qp,
		.pd_handle = 31,
		.send_cq_handle = 41,
		.recv_cq_handle = 51,
		.srq_handle = 61,
		.max_send_wr = 1,
		.max_recv_wr = 2,
		.max_send_sge = 3,
		.max_recv_sge = 4,
		.max_inline_data = 5,
		.sq_sig_all = 1,
		.qp_type = IBV_QPT_UD,
		.is_srq = 1,
		.create_flags = IBV_QP_CREATE_SOURCE_QPN,
		.source_qpn = 99,
	};
	const struct ib_uverbs_destroy_qp destroy = {.qp_handle = 4321};

	(void)state;
	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &created, sizeof(created));
	assert_int_equal(hf_provider_create_qp_ex(context, &qp, &attr, NULL), 0);
	expect_write(IB_USER_VERBS_CMD_CREATE_QP, &plain, sizeof(plain), sizeof(created));
	fake_no_more();
	assert_true(qp.qp.handle == 4321 && qp.qp.qp_num == 0x1234);
	expect_granted(&attr.cap);

	attr.cap = asked;
	attr.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_create_qp_ex(context, &qp, &attr, NULL), 0);
	expect_write((uint32_t)EX_CREATE_QP, &extended, sizeof(extended), sizeof(created) + 8);
	fake_no_more();

	qp.qp.handle = 4321;
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_destroy_qp(&qp.qp), 0);
	expect_write(IB_USER_VERBS_CMD_DESTROY_QP, &destroy, sizeof(destroy), sizeof(uint32_t));
	fake_no_more();
	fake_fail(EPROTONOSUPPORT);
	fake_fail(ENODEV);
	assert_int_equal(hf_provider_destroy_qp(&qp.qp), 0);
	fake_fail(EPROTONOSUPPORT);
	fake_fail(EBUSY);
	assert_int_equal(hf_provider_destroy_qp(&qp.qp), EBUSY);
}

static void qp_open(void **state)
{
	const uint32_t all = IBV_QP_OPEN_ATTR_NUM | IBV_QP_OPEN_ATTR_XRCD | IBV_QP_OPEN_ATTR_TYPE;
	const struct ib_uverbs_create_qp_resp opened = {.qp_handle = 4321, .qpn = 0x77};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(mask_offsets); i++) {
		struct ibv_context *context = new_qp_context();
		struct verbs_qp *qp = new_qp(mask_offsets[i]);
		const struct ib_uverbs_open_qp request = {
			.user_handle = (uintptr_t)qp,
			.pd_handle = 71,
			.qpn = 0x77,
			.qp_type = IBV_QPT_XRC_RECV,
		};
		struct ibv_qp_open_attr attr = {
			.comp_mask = all | IBV_QP_OPEN_ATTR_CONTEXT,
			.qp_num = 0x77,
			.xrcd = &xrcd.xrcd,
			.qp_context = &attr,
			.qp_type = IBV_QPT_XRC_RECV,
		};

		hfi_uverbs_of(context)->qp_mask_offset = mask_offsets[i];
		fake_succeed();
		fake_reply(UVERBS_ATTR_CORE_OUT, &opened, sizeof(opened));
		assert_int_equal(hf_provider_open_qp(context, qp, &attr, NULL), 0);
		expect_write(IB_USER_VERBS_CMD_OPEN_QP, &request, sizeof(request), sizeof(opened));
		fake_no_more();
		expect_xrcd(qp, mask_offsets[i], true);
		assert_true(qp->qp.handle == 4321 && qp->qp.qp_num == 0x77 && !qp->qp.pd &&
			    qp->qp.qp_context == &attr && qp->qp.qp_type == IBV_QPT_XRC_RECV);
		for (uint32_t bit = 1; bit <= all; bit <<= 1) {
			attr.comp_mask = all & ~bit;
			if (attr.comp_mask != all)
				assert_int_equal(hf_provider_open_qp(context, qp, &attr, NULL),
						 EINVAL);
		}
		attr.comp_mask = all | IBV_QP_OPEN_ATTR_RESERVED;
		assert_int_equal(hf_provider_open_qp(context, qp, &attr, NULL), EOPNOTSUPP);
		free(qp);
	}
}

static void qp_errors(void **state)
{
	struct ibv_context *context = new_qp_context();
	struct ibv_qp_init_attr init = {.cap = asked, .send_cq = &send_cq, .recv_cq = &recv_cq};
	struct ibv_qp_open_attr open = {
		.comp_mask = IBV_QP_OPEN_ATTR_NUM | IBV_QP_OPEN_ATTR_XRCD | IBV_QP_OPEN_ATTR_TYPE,
		.xrcd = &xrcd.xrcd,
	};
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};
	struct verbs_qp qp = {.qp = {.context = context, .handle = 12}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(failures); i++) {
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_create_qp(&pd, &qp.qp, &init, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_open_qp(context, &qp, &open, NULL), failures[i]);
		assert_true(qp.comp_mask == 0 && !qp.xrcd);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_modify_qp(&qp.qp, &attr, 0, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_modify_qp_ex(&qp.qp, &attr, 0, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_query_qp(&qp.qp, &attr, 0, &init, NULL), failures[i]);
		fake_fail(failures[i]);
		assert_int_equal(hf_provider_destroy_qp(&qp.qp),
				 i < DESTROY_FAILURES ? failures[i] : 0);
		assert_true(qp.qp.handle == 12 && attr.qp_state == IBV_QPS_ERR);
		assert_memory_equal(&init.cap, &asked, sizeof(asked));
	}
	assert_null(ibv_create_qp(&pd, &init));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(ibv_modify_qp(&qp.qp, &attr, IBV_QP_STATE), EOPNOTSUPP);
	assert_int_equal(qp.qp.state, IBV_QPS_RESET);
	assert_int_equal(ibv_query_qp(&qp.qp, &attr, 0, &init), EOPNOTSUPP);
	assert_int_equal(ibv_destroy_qp(&qp.qp), EOPNOTSUPP);
	assert_int_equal(ibv_query_ece(&qp.qp, &(struct ibv_ece){0}), EOPNOTSUPP);
	assert_int_equal(ibv_set_ece(&qp.qp, &(struct ibv_ece){0}), EOPNOTSUPP);
	assert_int_equal(ibv_set_ece(&qp.qp, &(struct ibv_ece){.vendor_id = 1}), EOPNOTSUPP);
	assert_int_equal(ibv_query_qp_data_in_order(&qp.qp, IBV_WR_RDMA_WRITE, 0), 0);
}

static int op_set_ece(struct ibv_qp *qp, struct ibv_ece *ece)
{
	assert_int_equal(qp->handle, 12);
	ece->options = 77;
	return 0;
}

static void ece(void **state)
{
	static const struct verbs_context_ops with_ece = {.set_ece = op_set_ece};
	struct ibv_context *context = new_qp_context();
	struct ibv_qp qp = {.context = context, .handle = 12};
	struct ibv_ece options = {0};

	(void)state;
	hf_provider_set_ops(hfi_context_of(context), &with_ece);
	assert_int_equal(ibv_set_ece(&qp, &options), EOPNOTSUPP);
	assert_int_equal(options.options, 0);
	options.vendor_id = 1;
	assert_int_equal(ibv_set_ece(&qp, &options), 0);
	assert_int_equal(options.options, 77);
}

static const struct verbs_context_ops ops = {.destroy_qp = hf_provider_destroy_qp};

/* Never called: setting it declares that the provider knows struct ibv_qp_ex. */
static struct ibv_qp *create_no_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr)
{
	(void)context;
	(void)attr;
	return NULL;
}

/* Other providers' objects are smaller than a struct verbs_qp, and followed by other data. */
static void no_qp_ex_of_a_provider_without_them(void **state)
{
	struct ibv_context *context = new_qp_context();
	struct {
		struct ibv_qp qp;
		unsigned char others[sizeof(struct verbs_qp)];
	} object = {.qp.context = context};

	(void)state;
	memset(object.others, 0xff, sizeof(object.others));
	assert_null(ibv_qp_to_qp_ex(&object.qp));
}

static void to_qp_ex(void **state)
{
	const struct verbs_context_ops with = {.create_qp_ex = create_no_qp_ex};
	struct ibv_context *context = new_qp_context();

	(void)state;
	hfi_operations_set(hfi_context_of(context), &with);
	for (size_t i = 0; i < HF_ARRAY_SIZE(mask_offsets); i++) {
		struct verbs_qp *qp = new_qp(mask_offsets[i]);
		uint32_t mask = VERBS_QP_EX;

		hfi_uverbs_of(context)->qp_mask_offset = mask_offsets[i];
		qp->qp.context = context;
		assert_null(ibv_qp_to_qp_ex(&qp->qp));
		memcpy((char *)qp + mask_offsets[i], &mask, sizeof(mask));
		assert_ptr_equal(ibv_qp_to_qp_ex(&qp->qp), qp);
		mask = VERBS_QP_XRCD;
		memcpy((char *)qp + mask_offsets[i], &mask, sizeof(mask));
		assert_null(ibv_qp_to_qp_ex(&qp->qp));
		free(qp);
	}
}

static atomic_bool destroyed;

static void *destroy_qp_thread(void *arg)
{
	assert_int_equal(ibv_destroy_qp(arg), 0);
	atomic_store(&destroyed, true);
	return NULL;
}

static void qp_destroy_waits(void **state)
{
	const struct ib_uverbs_destroy_qp_resp counters = {.events_reported = 2};
	const struct ibv_qp_init_attr init = {0};
	struct ibv_context *context = new_qp_context();
	struct ibv_qp qp = {.handle = 12};
	struct ibv_async_event event = {.event_type = IBV_EVENT_COMM_EST, .element.qp = &qp};
	pthread_t thread;

	(void)state;
	hf_provider_set_ops(hfi_context_of(context), &ops);
	hf_provider_init_qp(&qp, context, &init, &pd);
	fake_succeed();
	fake_reply(UVERBS_ATTR_DESTROY_QP_RESP, &counters, sizeof(counters));
	assert_int_equal(pthread_create(&thread, NULL, destroy_qp_thread, &qp), 0);
	ibv_ack_async_event(&event);
	wait_until_blocked(&destroyed);
	assert_false(atomic_load(&destroyed));
	event.event_type = IBV_EVENT_QP_FATAL;
	ibv_ack_async_event(&event);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&destroyed));
	fake_sent(UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_QP_HANDLE, 12);
	fake_out(UVERBS_ATTR_DESTROY_QP_RESP, sizeof(counters));
	fake_no_more();

	/* Reported events that were not acknowledged do not keep an object of a gone device. */
	atomic_store(&hfi_uverbs_of(context)->dead, true);
	qp.events_completed = 0;
	assert_int_equal(ibv_destroy_qp(&qp), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qp_create),
		cmocka_unit_test(qp_create_ex),
		cmocka_unit_test(create_rss),
		cmocka_unit_test(qp_without_methods),
		cmocka_unit_test(qp_open),
		cmocka_unit_test(qp_errors),
		cmocka_unit_test(ece),
		cmocka_unit_test(to_qp_ex),
		cmocka_unit_test(no_qp_ex_of_a_provider_without_them),
		cmocka_unit_test(qp_destroy_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
