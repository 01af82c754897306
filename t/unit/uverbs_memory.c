/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The commands to the kernel for memory, address handles, XRC domains and multicast. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "t/lib/fake_uverbs.h"

static const struct hf_driver_data no_data;

/* Driver data of a size that must be inline, and of one that must not. */
static const uint8_t request_data[24] = "and from the driver: abc";
static uint8_t response_data[16];
static const struct hf_driver_data short_data = {.in = request_data, .in_size = 8};
static const struct hf_driver_data both_data = {
	.in = request_data,
	.in_size = sizeof(request_data),
	.out = response_data,
	.out_size = sizeof(response_data),
};

static void expect_data(const struct hf_driver_data *data)
{
	if (data && data->in_size)
		fake_in(UVERBS_ATTR_UHW_IN, data->in, data->in_size);
	if (data && data->out_size)
		fake_out(UVERBS_ATTR_UHW_OUT, data->out_size);
	fake_no_more();
}

static void expect_written(uint32_t cmd, const void *request, size_t size, size_t response_size,
			   const struct hf_driver_data *data)
{
	fake_sent_write(cmd);
	fake_in(UVERBS_ATTR_CORE_IN, request, size);
	if (response_size)
		fake_out(UVERBS_ATTR_CORE_OUT, response_size);
	expect_data(data);
}

/* The errors that each command is made to return, and what the caller must get. */
static const int errors[] = {EINVAL, ENOMEM, EIO, ENODEV, EOPNOTSUPP, EFAULT};

static void uverbs_pd(void **state)
{
	const struct hf_driver_data *const datas[] = {NULL, &no_data, &short_data, &both_data};
	const struct ib_uverbs_alloc_pd_resp response = {.pd_handle = 77};
	struct ibv_context *context = fake_context();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const uint8_t said[16] = "the driver says";
		struct ibv_pd pd = {0};

		memset(response_data, 0, sizeof(response_data));
		fake_succeed();
		fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
		if (datas[i] == &both_data)
			fake_reply(UVERBS_ATTR_UHW_OUT, said, sizeof(said));
		assert_int_equal(hf_provider_alloc_pd(context, &pd, datas[i]), 0);
		expect_written(IB_USER_VERBS_CMD_ALLOC_PD, &(struct ib_uverbs_alloc_pd){0}, 8, 4,
			       datas[i]);
		assert_ptr_equal(pd.context, context);
		assert_int_equal(pd.handle, 77);
		if (datas[i] == &both_data)
			assert_memory_equal(response_data, said, sizeof(said));
		assert_int_equal(hf_provider_dealloc_pd(&pd), 0);
		fake_sent(UVERBS_OBJECT_PD, UVERBS_METHOD_PD_DESTROY);
		fake_in_handle(UVERBS_ATTR_DESTROY_PD_HANDLE, 77);
		fake_no_more();
	}
}

static void uverbs_mr(void **state)
{
	const struct ib_uverbs_reg_mr request = {
		.start = 0x123456789000,
		.length = 4097,
		.hca_va = 0x1000,
		.pd_handle = 5,
		.access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ,
	};
	const struct ib_uverbs_reg_mr_resp response = {
		.mr_handle = 8, .lkey = 0x100, .rkey = 0x101};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	struct verbs_mr mr = {.mr_type = IBV_MR_TYPE_NULL_MR};

	(void)state;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_reg_mr(&pd, (void *)0x123456789000, 4097, 0x1000,
					    (int)request.access_flags, &mr, &both_data),
			 0);
	expect_written(IB_USER_VERBS_CMD_REG_MR, &request, sizeof(request), 12, &both_data);
	assert_ptr_equal(mr.ibv_mr.context, context);
	assert_int_equal(mr.ibv_mr.handle, 8);
	assert_int_equal(mr.ibv_mr.lkey, 0x100);
	assert_int_equal(mr.ibv_mr.rkey, 0x101);
	assert_int_equal(mr.mr_type, IBV_MR_TYPE_MR);
	assert_int_equal(mr.access, request.access_flags);
	assert_int_equal(hf_provider_dereg_mr(&mr), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_MR_HANDLE, 8);
	fake_no_more();
}

static void rereg(void **state)
{
	const int flags = IBV_REREG_MR_CHANGE_PD | IBV_REREG_MR_CHANGE_ACCESS;
	const struct ib_uverbs_rereg_mr request = {
		.mr_handle = 8,
		.flags = IBV_REREG_MR_CHANGE_PD | IBV_REREG_MR_CHANGE_ACCESS,
		.pd_handle = 6,
		.access_flags = IBV_ACCESS_LOCAL_WRITE,
	};
	const struct ib_uverbs_rereg_mr_resp response = {.lkey = 0x200, .rkey = 0x201};
	struct ibv_context *context = fake_context();
	struct ibv_pd other = {.context = context, .handle = 6};
	struct verbs_mr mr = {.ibv_mr = {.context = context, .handle = 8, .lkey = 1}};

	(void)state;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_rereg_mr(&mr, (uint32_t)flags, NULL, 0, 0,
					      IBV_ACCESS_LOCAL_WRITE, &other, NULL),
			 0);
	expect_written(IB_USER_VERBS_CMD_REREG_MR, &request, sizeof(request), 8, NULL);
	assert_int_equal(mr.ibv_mr.lkey, 0x200);
	assert_int_equal(mr.ibv_mr.rkey, 0x201);
	assert_int_equal(mr.access, IBV_ACCESS_LOCAL_WRITE);
	assert_ptr_equal(mr.ibv_mr.pd, &other);
	assert_int_equal(hf_provider_rereg_mr(&mr, (uint32_t)flags, NULL, 0, 0, 0, NULL, NULL),
			 EINVAL);
	assert_int_equal(fake_count(), 1);
}

static void uverbs_dmabuf(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	const uint64_t offset = 8192, length = 4096, iova = 0xabc000;
	const uint32_t lkey = 0x300, rkey = 0x301;
	struct verbs_mr mr = {0};

	(void)state;
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 9);
	fake_reply(UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, &lkey, 4);
	fake_reply(UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, &rkey, 4);
	assert_int_equal(hf_provider_reg_dmabuf_mr(&pd, offset, length, iova, 12,
						   IBV_ACCESS_REMOTE_READ, &mr, NULL),
			 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);
	fake_out(UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0);
	fake_in_handle(UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, 5);
	fake_in(UVERBS_ATTR_REG_DMABUF_MR_OFFSET, &offset, 8);
	fake_in(UVERBS_ATTR_REG_DMABUF_MR_LENGTH, &length, 8);
	fake_in(UVERBS_ATTR_REG_DMABUF_MR_IOVA, &iova, 8);
	fake_in_fd(UVERBS_ATTR_REG_DMABUF_MR_FD, 12);
	fake_in_const(UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, IBV_ACCESS_REMOTE_READ);
	fake_out(UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, 4);
	fake_out(UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, 4);
	fake_no_more();
	assert_int_equal(mr.ibv_mr.handle, 9);
	assert_int_equal(mr.ibv_mr.lkey, 0x300);
	assert_int_equal(mr.ibv_mr.rkey, 0x301);
	assert_int_equal(mr.mr_type, IBV_MR_TYPE_DMABUF_MR);
	assert_int_equal(mr.access, IBV_ACCESS_REMOTE_READ);
}

static void advise(void **state)
{
	const struct ibv_sge list[2] = {{.addr = 0x1000, .length = 16, .lkey = 3},
					{.addr = 0x2000, .length = 17, .lkey = 4}};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};

	(void)state;
	assert_int_equal(hf_provider_advise_mr(&pd, IBV_ADVISE_MR_ADVICE_PREFETCH_WRITE,
					       IBV_ADVISE_MR_FLAG_FLUSH, list, 2),
			 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_ADVISE_MR);
	fake_in_handle(UVERBS_ATTR_ADVISE_MR_PD_HANDLE, 5);
	fake_in_const(UVERBS_ATTR_ADVISE_MR_ADVICE, IBV_ADVISE_MR_ADVICE_PREFETCH_WRITE);
	fake_in_const(UVERBS_ATTR_ADVISE_MR_FLAGS, IBV_ADVISE_MR_FLAG_FLUSH);
	fake_in(UVERBS_ATTR_ADVISE_MR_SGE_LIST, list, sizeof(list));
	fake_no_more();
	/* A length that does not fit the attribute is not sent. */
	assert_int_equal(hf_provider_advise_mr(&pd, 0, 0, list, 0x10000000), EINVAL);
	assert_int_equal(fake_count(), 1);
}

static void uverbs_query_mr(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	struct verbs_mr mr = {.ibv_mr = {.addr = &pd}};
	const uint32_t lkey = 0x400, rkey = 0x401;
	const uint64_t length = 0x100000001;

	(void)state;
	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_MR_RESP_LKEY, &lkey, 4);
	fake_reply(UVERBS_ATTR_QUERY_MR_RESP_RKEY, &rkey, 4);
	fake_reply(UVERBS_ATTR_QUERY_MR_RESP_LENGTH, &length, 8);
	assert_int_equal(hf_provider_query_mr(&pd, &mr, 31), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);
	fake_in_handle(UVERBS_ATTR_QUERY_MR_HANDLE, 31);
	fake_out(UVERBS_ATTR_QUERY_MR_RESP_LKEY, 4);
	fake_out(UVERBS_ATTR_QUERY_MR_RESP_RKEY, 4);
	fake_out(UVERBS_ATTR_QUERY_MR_RESP_LENGTH, 8);
	fake_no_more();
	assert_int_equal(mr.ibv_mr.handle, 31);
	assert_int_equal(mr.ibv_mr.lkey, 0x400);
	assert_int_equal(mr.ibv_mr.rkey, 0x401);
	assert_true(mr.ibv_mr.length == length);
	assert_ptr_equal(mr.ibv_mr.pd, &pd);
	assert_null(mr.ibv_mr.addr);
	assert_int_equal(mr.mr_type, IBV_MR_TYPE_IMPORTED_MR);
}

static void mw(void **state)
{
	const struct ib_uverbs_alloc_mw request = {.pd_handle = 5, .mw_type = IBV_MW_TYPE_2};
	const struct ib_uverbs_alloc_mw_resp response = {.mw_handle = 10, .rkey = 0x500};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	struct ibv_mw mw = {0};

	(void)state;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_alloc_mw(&pd, IBV_MW_TYPE_2, &mw, NULL), 0);
	expect_written(IB_USER_VERBS_CMD_ALLOC_MW, &request, sizeof(request), 8, NULL);
	assert_ptr_equal(mw.context, context);
	assert_ptr_equal(mw.pd, &pd);
	assert_int_equal(mw.handle, 10);
	assert_int_equal(mw.rkey, 0x500);
	assert_int_equal(mw.type, IBV_MW_TYPE_2);
	assert_int_equal(hf_provider_dealloc_mw(&mw), 0);
	fake_sent(UVERBS_OBJECT_MW, UVERBS_METHOD_MW_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_MW_HANDLE, 10);
	fake_no_more();
}

static void xrcd(void **state)
{
	const struct ib_uverbs_open_xrcd request = {.fd = UINT32_MAX, .oflags = O_CREAT};
	const struct ib_uverbs_open_xrcd_resp response = {.xrcd_handle = 11};
	struct ibv_xrcd_init_attr attr = {
		.comp_mask = IBV_XRCD_INIT_ATTR_FD | IBV_XRCD_INIT_ATTR_OFLAGS,
		.fd = -1,
		.oflags = O_CREAT,
	};
	struct ibv_context *context = fake_context();
	struct verbs_xrcd xrcd = {0};

	(void)state;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_open_xrcd(context, &xrcd, &attr, NULL), 0);
	expect_written(IB_USER_VERBS_CMD_OPEN_XRCD, &request, sizeof(request), 4, NULL);
	assert_ptr_equal(xrcd.xrcd.context, context);
	assert_int_equal(xrcd.handle, 11);
	assert_int_equal(xrcd.comp_mask, 1);
	assert_int_equal(hf_provider_close_xrcd(&xrcd), 0);
	fake_sent(UVERBS_OBJECT_XRCD, UVERBS_METHOD_XRCD_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_XRCD_HANDLE, 11);
	fake_no_more();
	attr.comp_mask = IBV_XRCD_INIT_ATTR_FD;
	assert_int_equal(hf_provider_open_xrcd(context, &xrcd, &attr, NULL), EINVAL);
	attr.comp_mask = IBV_XRCD_INIT_ATTR_RESERVED;
	assert_int_equal(hf_provider_open_xrcd(context, &xrcd, &attr, NULL), EOPNOTSUPP);
	assert_int_equal(fake_count(), 2);
}

static void dm(void **state)
{
	const struct ibv_alloc_dm_attr attr = {.length = 0x100000000, .log_align_req = 6};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	const uint64_t offset = 64, size = 128;
	const uint32_t lkey = 0x600, rkey = 0x601;
	struct verbs_dm dm = {0};
	struct verbs_mr mr = {0};

	(void)state;
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_ALLOC_DM_HANDLE, 12);
	assert_int_equal(hf_provider_alloc_dm(context, &attr, &dm, &both_data), 0);
	fake_sent(UVERBS_OBJECT_DM, UVERBS_METHOD_DM_ALLOC);
	fake_out(UVERBS_ATTR_ALLOC_DM_HANDLE, 0);
	fake_in(UVERBS_ATTR_ALLOC_DM_LENGTH, &attr.length, 8);
	fake_in(UVERBS_ATTR_ALLOC_DM_ALIGNMENT, &attr.log_align_req, 4);
	expect_data(&both_data);
	assert_ptr_equal(dm.dm.context, context);
	assert_int_equal(dm.handle, 12);
	assert_int_equal(dm.dm.handle, 12);

	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_REG_DM_MR_HANDLE, 13);
	fake_reply(UVERBS_ATTR_REG_DM_MR_RESP_LKEY, &lkey, 4);
	fake_reply(UVERBS_ATTR_REG_DM_MR_RESP_RKEY, &rkey, 4);
	assert_int_equal(
		hf_provider_reg_dm_mr(&pd, &dm, offset, size, IBV_ACCESS_ZERO_BASED, &mr, NULL), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_DM_MR_REG);
	fake_out(UVERBS_ATTR_REG_DM_MR_HANDLE, 0);
	fake_in(UVERBS_ATTR_REG_DM_MR_OFFSET, &offset, 8);
	fake_in(UVERBS_ATTR_REG_DM_MR_LENGTH, &size, 8);
	fake_in_handle(UVERBS_ATTR_REG_DM_MR_PD_HANDLE, 5);
	fake_in_const(UVERBS_ATTR_REG_DM_MR_ACCESS_FLAGS, IBV_ACCESS_ZERO_BASED);
	fake_in_handle(UVERBS_ATTR_REG_DM_MR_DM_HANDLE, 12);
	fake_out(UVERBS_ATTR_REG_DM_MR_RESP_LKEY, 4);
	fake_out(UVERBS_ATTR_REG_DM_MR_RESP_RKEY, 4);
	fake_no_more();
	assert_int_equal(mr.ibv_mr.handle, 13);
	assert_int_equal(mr.ibv_mr.lkey, 0x600);
	assert_int_equal(mr.ibv_mr.rkey, 0x601);
	assert_int_equal(mr.ibv_mr.length, 128);

	assert_int_equal(hf_provider_free_dm(&dm), 0);
	fake_sent(UVERBS_OBJECT_DM, UVERBS_METHOD_DM_FREE);
	fake_in_handle(UVERBS_ATTR_FREE_DM_HANDLE, 12);
	fake_no_more();
}

static void uverbs_ah(void **state)
{
	const struct ibv_ah_attr attr = {
		.grh = {.dgid.raw = "0123456789abcde",
			.flow_label = 0xfffff,
			.sgid_index = 3,
			.hop_limit = 64,
			.traffic_class = 5},
		.dlid = 6,
		.sl = 7,
		.src_path_bits = 8,
		.static_rate = 9,
		.is_global = 1,
		.port_num = 2,
	};
	struct ib_uverbs_create_ah request = {
		.pd_handle = 5,
		.attr = {.grh = {.dgid = "0123456789abcde",
				 .flow_label = 0xfffff,
				 .sgid_index = 3,
				 .hop_limit = 64,
				 .traffic_class = 5},
			 .dlid = 6,
			 .sl = 7,
			 .src_path_bits = 8,
			 .static_rate = 9,
			 .is_global = 1,
			 .port_num = 2},
	};
	const struct ib_uverbs_create_ah_resp response = {.ah_handle = 14};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	struct ibv_ah ah = {0};

	(void)state;
	request.user_handle = (uintptr_t)&ah;
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_create_ah(&pd, &ah, &attr, &both_data), 0);
	expect_written(IB_USER_VERBS_CMD_CREATE_AH, &request, sizeof(request), 4, &both_data);
	assert_ptr_equal(ah.context, context);
	assert_ptr_equal(ah.pd, &pd);
	assert_int_equal(ah.handle, 14);
	assert_int_equal(hf_provider_destroy_ah(&ah), 0);
	fake_sent(UVERBS_OBJECT_AH, UVERBS_METHOD_AH_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_AH_HANDLE, 14);
	fake_no_more();
}

static void mcast(void **state)
{
	const struct ib_uverbs_attach_mcast request = {
		.gid = {0xff, 0x0e, [15] = 1}, .qp_handle = 20, .mlid = 0xc001};
	const union ibv_gid gid = {.raw = {0xff, 0x0e, [15] = 1}};
	struct ibv_qp qp = {.context = fake_context(), .handle = 20};

	(void)state;
	assert_int_equal(hf_provider_attach_mcast(&qp, &gid, 0xc001), 0);
	expect_written(IB_USER_VERBS_CMD_ATTACH_MCAST, &request, sizeof(request), 0, NULL);
	assert_int_equal(hf_provider_detach_mcast(&qp, &gid, 0xc001), 0);
	expect_written(IB_USER_VERBS_CMD_DETACH_MCAST, &request, sizeof(request), 0, NULL);
	assert_int_equal(fake_count(), 2);
}

/* Every function that creates or destroys something, on the same objects. */
static struct {
	struct ibv_pd pd;
	struct verbs_mr mr;
	struct ibv_mw mw;
	struct verbs_xrcd xrcd;
	struct ibv_ah ah;
	struct ibv_qp qp;
	struct verbs_dm dm;
} set;

static const union ibv_gid group = {.raw = {0xff}};

static int do_alloc_pd(void)
{
	return hf_provider_alloc_pd(set.pd.context, &set.pd, &both_data);
}

static int do_reg_mr(void)
{
	return hf_provider_reg_mr(&set.pd, &set, 8, 0, 0, &set.mr, NULL);
}

static int do_rereg_mr(void)
{
	return hf_provider_rereg_mr(&set.mr, IBV_REREG_MR_CHANGE_ACCESS, NULL, 0, 0, 1, NULL, NULL);
}

static int do_reg_dmabuf(void)
{
	return hf_provider_reg_dmabuf_mr(&set.pd, 0, 8, 0, 3, 0, &set.mr, NULL);
}

static int do_advise(void)
{
	return hf_provider_advise_mr(&set.pd, 0, 0, &(struct ibv_sge){0}, 1);
}

static int do_query(void)
{
	return hf_provider_query_mr(&set.pd, &set.mr, 4);
}

static int do_alloc_mw(void)
{
	return hf_provider_alloc_mw(&set.pd, IBV_MW_TYPE_1, &set.mw, NULL);
}

static int do_open_xrcd(void)
{
	return hf_provider_open_xrcd(set.pd.context, &set.xrcd,
				     &(struct ibv_xrcd_init_attr){.comp_mask = 3}, NULL);
}

static int do_create_ah(void)
{
	return hf_provider_create_ah(&set.pd, &set.ah, &(struct ibv_ah_attr){0}, NULL);
}

static int do_attach(void)
{
	return hf_provider_attach_mcast(&set.qp, &group, 0);
}

static int do_alloc_dm(void)
{
	return hf_provider_alloc_dm(set.pd.context, &(struct ibv_alloc_dm_attr){.length = 1},
				    &set.dm, NULL);
}

static int do_reg_dm(void)
{
	return hf_provider_reg_dm_mr(&set.pd, &set.dm, 0, 1, 0, &set.mr, NULL);
}

static int (*const making[])(void) = {
	do_alloc_pd, do_reg_mr,	   do_rereg_mr,	 do_reg_dmabuf, do_advise,   do_query,
	do_alloc_mw, do_open_xrcd, do_create_ah, do_attach,	do_alloc_dm, do_reg_dm,
};

static int undo_pd(void)
{
	return hf_provider_dealloc_pd(&set.pd);
}

static int undo_mr(void)
{
	return hf_provider_dereg_mr(&set.mr);
}

static int undo_mw(void)
{
	return hf_provider_dealloc_mw(&set.mw);
}

static int undo_xrcd(void)
{
	return hf_provider_close_xrcd(&set.xrcd);
}

static int undo_ah(void)
{
	return hf_provider_destroy_ah(&set.ah);
}

static int undo_attach(void)
{
	return hf_provider_detach_mcast(&set.qp, &group, 0);
}

static int undo_dm(void)
{
	return hf_provider_free_dm(&set.dm);
}

static int (*const taking[])(void) = {undo_pd, undo_mr,	    undo_mw, undo_xrcd,
				      undo_ah, undo_attach, undo_dm};

static void prepare_objects(void)
{
	struct ibv_context *context = fake_context();

	memset(&set, 0x5a, sizeof(set));
	set.pd.context = context;
	set.mr.ibv_mr.context = context;
	set.mw.context = context;
	set.xrcd.xrcd.context = context;
	set.ah.context = context;
	set.qp.context = context;
	set.dm.dm.context = context;
}

static void failures(void **state)
{
	unsigned int checked = 0;

	(void)state;
	prepare_objects();
	for (size_t i = 0; i < sizeof(making) / sizeof(making[0]); i++)
		for (size_t j = 0; j < sizeof(errors) / sizeof(errors[0]); j++) {
			uint8_t before[sizeof(set)];

			prepare_objects();
			memcpy(before, &set, sizeof(set));
			fake_fail(errors[j]);
			assert_int_equal(making[i](), errors[j]);
			assert_int_equal(fake_count(), 1);
			assert_memory_equal(before, &set, sizeof(set));
			checked++;
		}
	for (size_t i = 0; i < sizeof(taking) / sizeof(taking[0]); i++)
		for (size_t j = 0; j < sizeof(errors) / sizeof(errors[0]); j++) {
			bool gone = errors[j] == EIO || errors[j] == ENODEV;

			prepare_objects();
			fake_fail(errors[j]);
			assert_int_equal(taking[i](), gone ? 0 : errors[j]);
			assert_int_equal(fake_count(), 1);
			checked++;
		}
	print_message("%u failures\n", checked);
}

static void dead(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(making) / sizeof(making[0]); i++) {
		prepare_objects();
		atomic_store(&hfi_uverbs_of(set.pd.context)->dead, true);
		assert_int_equal(making[i](), EIO);
		assert_int_equal(fake_count(), 0);
	}
	for (size_t i = 0; i < sizeof(taking) / sizeof(taking[0]); i++) {
		prepare_objects();
		atomic_store(&hfi_uverbs_of(set.pd.context)->dead, true);
		assert_int_equal(taking[i](), 0);
		assert_int_equal(fake_count(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uverbs_pd), cmocka_unit_test(uverbs_mr),
		cmocka_unit_test(rereg),     cmocka_unit_test(uverbs_dmabuf),
		cmocka_unit_test(advise),    cmocka_unit_test(uverbs_query_mr),
		cmocka_unit_test(mw),	     cmocka_unit_test(xrcd),
		cmocka_unit_test(dm),	     cmocka_unit_test(uverbs_ah),
		cmocka_unit_test(mcast),     cmocka_unit_test(failures),
		cmocka_unit_test(dead),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fake_context_end();
	return failed;
}
