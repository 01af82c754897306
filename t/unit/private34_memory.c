/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The frames of private ABI 34 for memory, address handles, XRC domains and multicast, filled like
 * the distribution's providers fill them: header, core payload, driver data; and the responses.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "compat/private34/memory.h"
#include "core/registry/registry.h"
#include "t/lib/fake_uverbs.h"

/* Each with 16 bytes of driver data. */
#define REQUEST(type)                         \
	struct {                              \
		struct ib_uverbs_cmd_hdr hdr; \
		struct type core;             \
		uint8_t driver[16];           \
	}
#define RESPONSE(type)              \
	struct {                    \
		struct type core;   \
		uint8_t driver[16]; \
	}

static const uint8_t question[16] = "what drivers say", said[16] = "and are told....";

/* The sizes that pabi34 gives for frames without driver data. */
static void sizes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(REQUEST(ib_uverbs_alloc_pd)) - 16, 16);
	assert_int_equal(sizeof(REQUEST(ib_uverbs_reg_mr)) - 16, 48);
	assert_int_equal(sizeof(REQUEST(ib_uverbs_rereg_mr)) - 16, 56);
	assert_int_equal(sizeof(REQUEST(ib_uverbs_alloc_mw)) - 16, 24);
	assert_int_equal(sizeof(REQUEST(ib_uverbs_open_xrcd)) - 16, 24);
}

/* Sets the answer to the next command, with its own driver data. */
static void reply(const void *core, size_t size)
{
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, core, size);
	fake_reply(UVERBS_ATTR_UHW_OUT, said, sizeof(said));
}

static void expect_cmd_write(uint32_t cmd, const void *core, size_t size, size_t out_size)
{
	fake_sent_write(cmd);
	fake_in(UVERBS_ATTR_CORE_IN, core, size);
	fake_out(UVERBS_ATTR_CORE_OUT, out_size);
	fake_in(UVERBS_ATTR_UHW_IN, question, sizeof(question));
	fake_out(UVERBS_ATTR_UHW_OUT, sizeof(said));
	fake_no_more();
}

static void cmd_pd(void **state)
{
	const struct ib_uverbs_alloc_pd_resp answer = {.pd_handle = 31};
	REQUEST(ib_uverbs_alloc_pd) request = {0};
	RESPONSE(ib_uverbs_alloc_pd_resp) response = {0};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {0};

	(void)state;
	memcpy(request.driver, question, sizeof(question));
	reply(&answer, sizeof(answer));
	assert_int_equal(ibv_cmd_alloc_pd(context, &pd, (void *)&request, sizeof(request),
					  &response.core, sizeof(response)),
			 0);
	expect_cmd_write(IB_USER_VERBS_CMD_ALLOC_PD, &request.core, 8, 4);
	assert_int_equal(pd.handle, 31);
	assert_int_equal(response.core.pd_handle, 31);
	assert_memory_equal(response.driver, said, sizeof(said));
	assert_int_equal(ibv_cmd_dealloc_pd(&pd), 0);
	fake_sent(UVERBS_OBJECT_PD, UVERBS_METHOD_PD_DESTROY);
	/* Frames that end within the core's part. */
	errno = 0;
	assert_int_equal(ibv_cmd_alloc_pd(context, &pd, (void *)&request, 15, &response.core, 4),
			 EINVAL);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibv_cmd_alloc_pd(context, &pd, (void *)&request, 16, &response.core, 3),
			 EINVAL);
	assert_int_equal(fake_count(), 2);
	/* Frames without driver data. */
	assert_int_equal(ibv_cmd_alloc_pd(context, &pd, (void *)&request, 16, &response.core, 4),
			 0);
	fake_sent_write(IB_USER_VERBS_CMD_ALLOC_PD);
	fake_in(UVERBS_ATTR_CORE_IN, &request.core, 8);
	fake_out(UVERBS_ATTR_CORE_OUT, 4);
	fake_no_more();
}

static void cmd_mr(void **state)
{
	const struct ib_uverbs_reg_mr_resp answer = {.mr_handle = 32, .lkey = 1, .rkey = 2};
	const struct ib_uverbs_rereg_mr_resp again = {.lkey = 3, .rkey = 4};
	REQUEST(ib_uverbs_reg_mr) request = {0};
	RESPONSE(ib_uverbs_reg_mr_resp) response = {0};
	REQUEST(ib_uverbs_rereg_mr) rerequest = {0};
	RESPONSE(ib_uverbs_rereg_mr_resp) reresponse = {0};
	struct ibv_pd pd = {.context = fake_context(), .handle = 5};
	struct verbs_mr mr = {0};

	(void)state;
	memcpy(request.driver, question, sizeof(question));
	memcpy(rerequest.driver, question, sizeof(question));
	reply(&answer, sizeof(answer));
	assert_int_equal(ibv_cmd_reg_mr(&pd, &mr, 10, 11, 1, &mr, (void *)&request, sizeof(request),
					&response.core, sizeof(response)),
			 0);
	expect_cmd_write(IB_USER_VERBS_CMD_REG_MR,
			 &(struct ib_uverbs_reg_mr){.start = (uintptr_t)&mr,
						    .length = 10,
						    .hca_va = 11,
						    .pd_handle = 5,
						    .access_flags = 1},
			 40, 12);
	assert_memory_equal(&response.core, &answer, sizeof(answer));
	assert_memory_equal(response.driver, said, sizeof(said));
	assert_int_equal(mr.ibv_mr.lkey, 1);

	reply(&again, sizeof(again));
	assert_int_equal(ibv_cmd_rereg_mr(&mr, IBV_REREG_MR_CHANGE_PD, NULL, 0, 0, 0, &pd,
					  (void *)&rerequest, sizeof(rerequest), &reresponse.core,
					  sizeof(reresponse)),
			 0);
	expect_cmd_write(IB_USER_VERBS_CMD_REREG_MR,
			 &(struct ib_uverbs_rereg_mr){
				 .mr_handle = 32, .flags = IBV_REREG_MR_CHANGE_PD, .pd_handle = 5},
			 48, 8);
	assert_memory_equal(&reresponse.core, &again, sizeof(again));
	assert_int_equal(ibv_cmd_dereg_mr(&mr), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_MR_HANDLE, 32);
}

static void mw_xrcd_ah(void **state)
{
	const struct ib_uverbs_alloc_mw_resp mw_answer = {.mw_handle = 33, .rkey = 5};
	const struct ib_uverbs_open_xrcd_resp xrcd_answer = {.xrcd_handle = 34};
	const struct ib_uverbs_create_ah_resp ah_answer = {.ah_handle = 35};
	struct ibv_xrcd_init_attr attr = {.comp_mask = 3, .fd = -1, .oflags = O_CREAT};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	REQUEST(ib_uverbs_alloc_mw) request = {0};
	RESPONSE(ib_uverbs_alloc_mw_resp) response = {0};
	REQUEST(ib_uverbs_open_xrcd) open = {0};
	RESPONSE(ib_uverbs_open_xrcd_resp) opened = {0};
	RESPONSE(ib_uverbs_create_ah_resp) created = {0};
	struct verbs_xrcd xrcd = {0};
	struct ibv_ah_attr ah_attr = {.dlid = 3};
	struct ibv_mw mw = {0};
	struct ibv_ah ah = {0};

	(void)state;
	memcpy(request.driver, question, sizeof(question));
	memcpy(open.driver, question, sizeof(question));
	reply(&mw_answer, sizeof(mw_answer));
	assert_int_equal(ibv_cmd_alloc_mw(&pd, IBV_MW_TYPE_1, &mw, (void *)&request,
					  sizeof(request), &response.core, sizeof(response)),
			 0);
	expect_cmd_write(IB_USER_VERBS_CMD_ALLOC_MW,
			 &(struct ib_uverbs_alloc_mw){.pd_handle = 5, .mw_type = 1}, 16, 8);
	assert_memory_equal(&response.core, &mw_answer, sizeof(mw_answer));
	assert_int_equal(ibv_cmd_dealloc_mw(&mw), 0);

	reply(&xrcd_answer, sizeof(xrcd_answer));
	assert_int_equal(ibv_cmd_open_xrcd(context, &xrcd, sizeof(xrcd), &attr, (void *)&open,
					   sizeof(open), &opened.core, sizeof(opened)),
			 0);
	expect_cmd_write(IB_USER_VERBS_CMD_OPEN_XRCD,
			 &(struct ib_uverbs_open_xrcd){.fd = UINT32_MAX, .oflags = O_CREAT}, 16, 4);
	assert_int_equal(opened.core.xrcd_handle, 34);
	assert_int_equal(ibv_cmd_close_xrcd(&xrcd), 0);

	reply(&ah_answer, sizeof(ah_answer));
	assert_int_equal(ibv_cmd_create_ah(&pd, &ah, &ah_attr, &created.core, sizeof(created)), 0);
	fake_sent_write(IB_USER_VERBS_CMD_CREATE_AH);
	fake_out(UVERBS_ATTR_UHW_OUT, sizeof(said));
	assert_int_equal(created.core.ah_handle, 35);
	assert_memory_equal(created.driver, said, sizeof(said));
	assert_int_equal(ibv_cmd_destroy_ah(&ah), 0);
}

/* A provider's own attributes: two linked buffers, the second with an output. */
static void linked(void **state)
{
	const struct ibv_alloc_dm_attr attr = {.length = 64, .log_align_req = 3};
	struct {
		struct ibv_command_buffer buffer;
		struct ib_uverbs_attr attrs[3];
	} first = {0}, second = {0};
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 5};
	uint64_t type = 9, offset = 0;
	const uint64_t answer = 0x1122334455667788;
	struct verbs_dm dm = {0};
	struct verbs_mr mr = {0};

	(void)state;
	first.buffer.next = &second.buffer;
	first.buffer.next_attr = first.attrs + 1;
	first.buffer.last_attr = first.attrs + 3;
	first.attrs[0] = (struct ib_uverbs_attr){
		.attr_id = 0x1000 + 5, .len = 8, .flags = UVERBS_ATTR_F_MANDATORY, .data = type};
	second.buffer.next_attr = second.attrs + 2;
	second.buffer.last_attr = second.attrs + 3;
	second.attrs[0] = (struct ib_uverbs_attr){.attr_id = 0x1000 + 6,
						  .len = 8,
						  .flags = UVERBS_ATTR_F_MANDATORY,
						  .data = (uintptr_t)&offset};
	second.attrs[1] = (struct ib_uverbs_attr){.attr_id = 0x1000 + 7, .data = 3};

	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_ALLOC_DM_HANDLE, 36);
	fake_reply(0x1000 + 6, &answer, sizeof(answer));
	assert_int_equal(ibv_cmd_alloc_dm(context, &attr, &dm, &first.buffer), 0);
	fake_sent(UVERBS_OBJECT_DM, UVERBS_METHOD_DM_ALLOC);
	fake_out(UVERBS_ATTR_ALLOC_DM_HANDLE, 0);
	fake_in(UVERBS_ATTR_ALLOC_DM_LENGTH, &attr.length, 8);
	fake_in(UVERBS_ATTR_ALLOC_DM_ALIGNMENT, &attr.log_align_req, 4);
	fake_in_const(0x1000 + 5, type);
	fake_out(0x1000 + 6, 8);
	fake_in_handle(0x1000 + 7, 3);
	fake_no_more();
	assert_int_equal(dm.handle, 36);
	assert_true(offset == answer);
	assert_false(first.attrs[0].flags & UVERBS_ATTR_F_VALID_OUTPUT);
	assert_true(second.attrs[0].flags & UVERBS_ATTR_F_VALID_OUTPUT);

	assert_int_equal(ibv_cmd_reg_dm_mr(&pd, &dm, 0, 8, 0, &mr, NULL), 0);
	assert_int_equal(ibv_cmd_free_dm(&dm), 0);
	/* A buffer that overflowed, one with a bad pointer, and an endless chain. */
	second.buffer.buffer_error = 1;
	assert_int_equal(ibv_cmd_alloc_dm(context, &attr, &dm, &first.buffer), EINVAL);
	second.buffer.buffer_error = 0;
	second.buffer.next_attr = second.buffer.last_attr + 1;
	assert_int_equal(ibv_cmd_alloc_dm(context, &attr, &dm, &first.buffer), EINVAL);
	second.buffer.next_attr = second.attrs + 2;
	second.buffer.next = &first.buffer;
	assert_int_equal(ibv_cmd_alloc_dm(context, &attr, &dm, &first.buffer), EINVAL);
	assert_int_equal(fake_count(), 3);
}

/* Providers of version 54 and later pass a buffer; older ones leave the argument undefined. */
static void cmd_dmabuf(void **state)
{
	struct hf_provider provider = {0};
	struct ibv_pd pd = {.context = fake_context(), .handle = 5};
	struct hf_device *device = hfi_context_of(pd.context)->priv->device;
	struct {
		struct ibv_command_buffer buffer;
		struct ib_uverbs_attr attrs[1];
	} link = {0};
	struct verbs_mr mr = {0};

	(void)state;
	link.attrs[0] = (struct ib_uverbs_attr){
		.attr_id = 0x1000 + 1, .len = 8, .flags = UVERBS_ATTR_F_MANDATORY, .data = 1};
	link.buffer.next_attr = link.attrs + 1;
	link.buffer.last_attr = link.attrs + 1;
	assert_int_equal(ibv_cmd_reg_dmabuf_mr(&pd, 0, 4096, 0, 3, 1, &mr, (void *)8), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR);
	device->provider = &provider;
	assert_int_equal(ibv_cmd_reg_dmabuf_mr(&pd, 0, 4096, 0, 3, 1, &mr, (void *)8), 0);
	provider.dmabuf_buffer = true;
	assert_int_equal(ibv_cmd_reg_dmabuf_mr(&pd, 0, 4096, 0, 3, 1, &mr, &link.buffer), 0);
	fake_in_const(0x1000 + 1, 1);
	assert_int_equal(ibv_cmd_reg_dmabuf_mr(&pd, 0, 4096, 0, 3, 1, &mr, NULL), 0);
	assert_int_equal(fake_count(), 4);
}

static void without_frames(void **state)
{
	struct ibv_sge list[2] = {{0}};
	struct ibv_qp qp = {.context = fake_context(), .handle = 40};
	struct ibv_pd pd = {.context = qp.context, .handle = 5};
	const union ibv_gid gid = {.raw = {0xff}};
	struct verbs_mr mr = {0};

	(void)state;
	assert_int_equal(ibv_cmd_advise_mr(&pd, 0, 1, list, 2), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_ADVISE_MR);
	assert_int_equal(ibv_cmd_query_mr(&pd, &mr, 3), 0);
	fake_sent(UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR);
	assert_int_equal(ibv_cmd_attach_mcast(&qp, &gid, 1), 0);
	fake_sent_write(IB_USER_VERBS_CMD_ATTACH_MCAST);
	assert_int_equal(ibv_cmd_detach_mcast(&qp, &gid, 1), 0);
	fake_sent_write(IB_USER_VERBS_CMD_DETACH_MCAST);
	fake_fail(EBUSY);
	errno = 0;
	assert_int_equal(ibv_cmd_attach_mcast(&qp, &gid, 1), EBUSY);
	assert_int_equal(errno, EBUSY);
	/* The command is not sent at all. */
	atomic_store(&hfi_uverbs_of(qp.context)->dead, true);
	errno = 0;
	assert_int_equal(ibv_cmd_attach_mcast(&qp, &gid, 1), EIO);
	assert_int_equal(errno, EIO);
	assert_int_equal(ibv_cmd_detach_mcast(&qp, &gid, 1), 0);
	assert_int_equal(ibv_cmd_dereg_mr(&mr), 0);
	assert_int_equal(fake_count(), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),	  cmocka_unit_test(cmd_pd),
		cmocka_unit_test(cmd_mr),	  cmocka_unit_test(mw_xrcd_ah),
		cmocka_unit_test(linked),	  cmocka_unit_test(cmd_dmabuf),
		cmocka_unit_test(without_frames),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fake_context_end();
	return failed;
}
