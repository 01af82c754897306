/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel commands of Linux 6.15 to 7: every attribute of each, the answers of a kernel that lacks it, errors, and a
 * device that is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "t/lib/fake_uverbs.h"

/* As <rdma/ib_user_ioctl_cmds.h> of rdma-core 65 has them. */
enum { DMAH = 17, DMABUF, COMP_CNTR };
enum { QUERY_PORT_SPEED = 7, QUERY_CAPS = 8, REG_MR = 5, QP_ATTACH = 2 };

static struct ibv_context *context;
static struct ibv_pd pd;
static struct ibv_qp qp;
static struct verbs_dmah dmah;
static struct verbs_mr mr;
static struct ibv_comp_cntr counter;
static struct ibv_mr_init_attr by_address, by_fd, with_dmah;
static uint64_t value;
static int fd;

static int begin_commands(void **state)
{
	(void)state;
	context = fake_context();
	pd = (struct ibv_pd){.context = context, .handle = 21};
	qp = (struct ibv_qp){.context = context, .handle = 22};
	dmah = (struct verbs_dmah){.dmah.context = context, .handle = 23};
	mr = (struct verbs_mr){.mr_type = IBV_MR_TYPE_NULL_MR};
	counter = (struct ibv_comp_cntr){.context = context, .handle = 24};
	by_address = (struct ibv_mr_init_attr){
		.length = 0x1000,
		.access = IBV_ACCESS_LOCAL_WRITE,
		.comp_mask = IBV_REG_MR_MASK_ADDR,
		.addr = (void *)0x7000,
	};
	by_fd = (struct ibv_mr_init_attr){
		.length = 0x2000,
		.access = IBV_ACCESS_REMOTE_READ,
		.comp_mask = IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA,
		.fd = 55,
		.fd_offset = 0x3000,
		.iova = 0x123456789,
	};
	with_dmah = by_address;
	with_dmah.comp_mask |= IBV_REG_MR_MASK_DMAH | IBV_REG_MR_MASK_IOVA;
	with_dmah.iova = 0x9000;
	with_dmah.dmah = &dmah.dmah;
	value = 4711;
	fd = -7;
	return 0;
}

static int end_commands(void **state)
{
	(void)state;
	fake_context_end();
	return 0;
}

static void in_u64(uint16_t attr, uint64_t wanted)
{
	fake_in(attr, &wanted, sizeof(wanted));
}

static void in_u32(uint16_t attr, uint32_t wanted)
{
	fake_in(attr, &wanted, sizeof(wanted));
}

static void dma_handles(void **state)
{
	const struct ibv_dmah_init_attr nothing = {.cpu_id = 1, .ph = 2, .tph_mem_type = 1};
	struct ibv_dmah_init_attr attr = {.comp_mask = 7, .cpu_id = 0x4321, .ph = 3};
	const uint8_t ph = 3;

	(void)state;
	attr.tph_mem_type = IBV_TPH_MEM_TYPE_PM;
	fake_succeed();
	fake_reply_handle(0, 99);
	assert_int_equal(hf_provider_alloc_dmah(context, &dmah, &attr), 0);
	fake_sent(DMAH, 0);
	fake_out(0, 0);
	in_u32(1, 0x4321);
	fake_in_const(2, IBV_TPH_MEM_TYPE_PM);
	fake_in(3, &ph, sizeof(ph));
	fake_no_more();
	assert_int_equal(dmah.handle, 99);
	assert_ptr_equal(dmah.dmah.context, context);
	assert_int_equal(hf_provider_alloc_dmah(context, &dmah, &nothing), 0);
	fake_sent(DMAH, 0);
	fake_out(0, 0);
	fake_no_more();
	dmah.handle = 99;
	assert_int_equal(hf_provider_free_dmah(&dmah), 0);
	fake_sent(DMAH, 1);
	fake_in_handle(0, 99);
	fake_no_more();
	attr.comp_mask = 8;
	assert_int_equal(hf_provider_alloc_dmah(context, &dmah, &attr), EOPNOTSUPP);
	assert_int_equal(fake_count(), 3);
}

static void registered_as(uint32_t handle, enum ibv_mr_type type, int access)
{
	assert_int_equal(mr.ibv_mr.handle, handle);
	assert_int_equal(mr.ibv_mr.lkey, 0x11);
	assert_int_equal(mr.ibv_mr.rkey, 0x22);
	assert_int_equal(mr.mr_type, type);
	assert_int_equal(mr.access, access);
	assert_ptr_equal(mr.ibv_mr.context, context);
}

static void answer_registration(uint32_t handle)
{
	const uint32_t lkey = 0x11, rkey = 0x22;

	fake_succeed();
	fake_reply_handle(0, handle);
	fake_reply(9, &lkey, sizeof(lkey));
	fake_reply(10, &rkey, sizeof(rkey));
}

static void registrations(void **state)
{
	(void)state;
	answer_registration(31);
	assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &by_address), 0);
	fake_sent(UVERBS_OBJECT_MR, REG_MR);
	fake_out(0, 0);
	fake_in_handle(1, 21);
	in_u64(3, 0x7000);
	in_u64(4, 0x7000);
	in_u64(5, 0x1000);
	fake_in_const(6, IBV_ACCESS_LOCAL_WRITE);
	fake_out(9, 4);
	fake_out(10, 4);
	fake_no_more();
	registered_as(31, IBV_MR_TYPE_MR, IBV_ACCESS_LOCAL_WRITE);

	answer_registration(32);
	assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &by_fd), 0);
	fake_sent(UVERBS_OBJECT_MR, REG_MR);
	fake_out(0, 0);
	fake_in_handle(1, 21);
	in_u64(3, 0x123456789);
	in_u64(5, 0x2000);
	fake_in_const(6, IBV_ACCESS_REMOTE_READ);
	fake_in_fd(7, 55);
	in_u64(8, 0x3000);
	fake_out(9, 4);
	fake_out(10, 4);
	fake_no_more();
	registered_as(32, IBV_MR_TYPE_DMABUF_MR, IBV_ACCESS_REMOTE_READ);

	answer_registration(33);
	assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &with_dmah), 0);
	fake_sent(UVERBS_OBJECT_MR, REG_MR);
	fake_in_handle(2, 23);
	in_u64(3, 0x9000);
	in_u64(4, 0x7000);
	registered_as(33, IBV_MR_TYPE_MR, IBV_ACCESS_LOCAL_WRITE);
}

static void registrations_that_make_no_sense(void **state)
{
	static const struct {
		uint64_t mask;
		int err;
	} wrong[] = {
		{0, EINVAL},
		{IBV_REG_MR_MASK_IOVA, EINVAL},
		{IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_FD, EINVAL},
		{IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_FD_OFFSET, EINVAL},
		{IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET, EINVAL},
		{IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_IOVA, EINVAL},
		{IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_BUF, EOPNOTSUPP},
		{IBV_REG_MR_MASK_ADDR | 64, EOPNOTSUPP},
		{IBV_REG_MR_MASK_ADDR | UINT64_C(1) << 40, EOPNOTSUPP},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++) {
		by_address.comp_mask = wrong[i].mask;
		errno = 0;
		assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &by_address), wrong[i].err);
		assert_int_equal(errno, wrong[i].err);
	}
	assert_int_equal(fake_count(), 0);
	assert_int_equal(mr.mr_type, IBV_MR_TYPE_NULL_MR);
}

/* The older command serves what it can; nothing else is made of it. */
static void registrations_on_older_kernels(void **state)
{
	const struct ib_uverbs_reg_mr_resp response = {.mr_handle = 41, .lkey = 0x11, .rkey = 0x22};

	(void)state;
	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &by_address), 0);
	fake_sent_write(IB_USER_VERBS_CMD_REG_MR);
	registered_as(41, IBV_MR_TYPE_MR, IBV_ACCESS_LOCAL_WRITE);
	assert_int_equal(fake_count(), 2);
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &by_fd), EOPNOTSUPP);
	fake_fail(ENOTTY);
	assert_int_equal(hf_provider_reg_mr_ex(&pd, &mr, &with_dmah), EOPNOTSUPP);
	assert_int_equal(fake_count(), 4);
	registered_as(41, IBV_MR_TYPE_MR, IBV_ACCESS_LOCAL_WRITE);
}

static void dmabuf_and_speed(void **state)
{
	const int64_t descriptor = 77;
	const uint64_t speed = 4000;

	(void)state;
	fake_succeed();
	fake_reply(0, &descriptor, sizeof(descriptor));
	assert_int_equal(hf_provider_export_dmabuf(context, 0x5000, &fd), 0);
	assert_int_equal(fd, 77);
	fake_sent(DMABUF, 0);
	fake_out(0, 0);
	in_u64(1, 0x5000);
	fake_no_more();
	fake_succeed();
	fake_reply(1, &speed, sizeof(speed));
	assert_int_equal(hf_provider_query_port_speed(context, 2, &value), 0);
	assert_int_equal(value, 4000);
	fake_sent(UVERBS_OBJECT_DEVICE, QUERY_PORT_SPEED);
	fake_in_const(0, 2);
	fake_out(1, 8);
	fake_no_more();
}

static void expect_modify(bool error, uint64_t op, uint64_t wanted)
{
	fake_sent(COMP_CNTR, 2);
	fake_in_handle(0, 24);
	fake_in_const(1, error);
	fake_in_const(2, op);
	in_u64(3, wanted);
	fake_no_more();
}

static void completion_counters(void **state)
{
	const struct ibv_qp_attach_comp_cntr_attr attach = {.op_mask = 0x15};
	const struct ibv_qp_attach_comp_cntr_attr unknown = {.comp_mask = 1};
	const uint64_t counted = UINT64_C(1) << 40, max = UINT64_MAX;
	const uint32_t counters = 12, ops = 0x3f;
	struct ibv_comp_cntr made = {0};
	struct ibv_comp_cntr_caps caps = {0};

	(void)state;
	fake_succeed();
	fake_reply_handle(0, 61);
	assert_int_equal(hf_provider_create_comp_cntr(context, &made, NULL), 0);
	fake_sent(COMP_CNTR, 0);
	fake_out(0, 0);
	fake_no_more();
	assert_int_equal(made.handle, 61);
	assert_ptr_equal(made.context, context);
	assert_int_equal(hf_provider_set_comp_cntr(&counter, false, 5), 0);
	expect_modify(false, 0, 5);
	assert_int_equal(hf_provider_set_comp_cntr(&counter, true, 6), 0);
	expect_modify(true, 0, 6);
	assert_int_equal(hf_provider_inc_comp_cntr(&counter, false, 7), 0);
	expect_modify(false, 1, 7);
	assert_int_equal(hf_provider_inc_comp_cntr(&counter, true, 8), 0);
	expect_modify(true, 1, 8);
	fake_succeed();
	fake_reply(2, &counted, sizeof(counted));
	assert_int_equal(hf_provider_read_comp_cntr(&counter, true, &value), 0);
	assert_true(value == counted);
	fake_sent(COMP_CNTR, 3);
	fake_in_handle(0, 24);
	fake_in_const(1, 1);
	fake_out(2, 8);
	fake_no_more();
	assert_int_equal(hf_provider_attach_comp_cntr(&qp, &counter, &attach), 0);
	fake_sent(UVERBS_OBJECT_QP, QP_ATTACH);
	fake_in_handle(0, 22);
	fake_in_handle(1, 24);
	in_u32(2, 0x15);
	fake_no_more();
	assert_int_equal(hf_provider_attach_comp_cntr(&qp, &counter, &unknown), EOPNOTSUPP);
	fake_succeed();
	fake_reply(0, &counters, sizeof(counters));
	fake_reply(1, &max, sizeof(max));
	fake_reply(2, &ops, sizeof(ops));
	assert_int_equal(hf_provider_query_comp_cntr_caps(context, &caps, sizeof(caps)), 0);
	fake_sent(UVERBS_OBJECT_DEVICE, QUERY_CAPS);
	fake_out(0, 4);
	fake_out(1, 8);
	fake_out(2, 4);
	fake_no_more();
	assert_int_equal(caps.max_counters, 12);
	assert_true(caps.max_value == max);
	assert_int_equal(caps.supported_qp_attach_ops, 0x3f);
	assert_int_equal(hf_provider_query_comp_cntr_caps(context, &caps, sizeof(caps) - 1),
			 EINVAL);
	assert_int_equal(hf_provider_destroy_comp_cntr(&counter), 0);
	fake_sent(COMP_CNTR, 1);
	fake_in_handle(0, 24);
	fake_no_more();
}

/* Each command by a number; a destroy is one that succeeds on a gone device. */
enum { COMMANDS = 13, FREE_DMAH = 1, DESTROY_COUNTER = 6 };

static int run_later(unsigned int n)
{
	const struct ibv_dmah_init_attr dmah_attr = {0};
	const struct ibv_qp_attach_comp_cntr_attr attach = {.op_mask = 1};
	struct ibv_comp_cntr_caps caps = {.max_value = 1};
	struct ibv_comp_cntr made = {.handle = 5};
	struct verbs_dmah handle = {.handle = 5};
	int err;

	switch (n) {
	case 0:
		err = hf_provider_alloc_dmah(context, &handle, &dmah_attr);
		assert_true(!err || handle.handle == 5);
		return err;
	case FREE_DMAH:
		return hf_provider_free_dmah(&dmah);
	case 2:
		return hf_provider_reg_mr_ex(&pd, &mr, &by_fd);
	case 3:
		return hf_provider_export_dmabuf(context, 1, &fd);
	case 4:
		return hf_provider_query_port_speed(context, 1, &value);
	case 5:
		err = hf_provider_create_comp_cntr(context, &made, NULL);
		assert_true(!err || made.handle == 5);
		return err;
	case DESTROY_COUNTER:
		return hf_provider_destroy_comp_cntr(&counter);
	case 7:
		return hf_provider_set_comp_cntr(&counter, false, 1);
	case 8:
		return hf_provider_inc_comp_cntr(&counter, true, 1);
	case 9:
		return hf_provider_read_comp_cntr(&counter, false, &value);
	case 10:
		return hf_provider_attach_comp_cntr(&qp, &counter, &attach);
	case 11:
		err = hf_provider_query_comp_cntr_caps(context, &caps, sizeof(caps));
		assert_true(!err || caps.max_value == 1);
		return err;
	default:
		return hf_provider_reg_mr_ex(&pd, &mr, &with_dmah);
	}
}

static bool destroys(unsigned int n)
{
	return n == FREE_DMAH || n == DESTROY_COUNTER;
}

/* The kernel's error goes on to the caller, and what the caller gave is left alone. */
static void every_error(void **state)
{
	static const int errors[] = {EINVAL, ENOMEM, EBUSY, EFAULT, EPERM, EOPNOTSUPP};

	(void)state;
	for (unsigned int n = 0; n < COMMANDS; n++)
		for (size_t i = 0; i < HF_ARRAY_SIZE(errors); i++) {
			begin_commands(NULL);
			fake_fail(errors[i]);
			assert_int_equal(run_later(n), errors[i]);
			assert_int_equal(fake_count(), 1);
			assert_int_equal(mr.mr_type, IBV_MR_TYPE_NULL_MR);
			assert_int_equal(value, 4711);
			assert_int_equal(fd, -7);
		}
}

static void kernels_that_lack_it(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < COMMANDS; n++) {
		if (destroys(n))
			continue;
		fake_fail(EPROTONOSUPPORT);
		errno = 0;
		assert_int_equal(run_later(n), EOPNOTSUPP);
		assert_int_equal(errno, EOPNOTSUPP);
		fake_fail(ENOTTY);
		assert_int_equal(run_later(n), EOPNOTSUPP);
	}
	assert_int_equal(value, 4711);
	assert_int_equal(fd, -7);
}

static void gone_devices(void **state)
{
	static const int answers[] = {EIO, ENODEV};
	unsigned int sent;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(answers); i++) {
		fake_gone(answers[i]);
		for (unsigned int n = 0; n < COMMANDS; n++)
			assert_int_equal(run_later(n), destroys(n) ? 0 : answers[i]);
	}
	/* Once that is known, nothing is sent. */
	atomic_store(&hfi_uverbs_of(context)->dead, true);
	sent = fake_count();
	for (unsigned int n = 0; n < COMMANDS; n++)
		assert_int_equal(run_later(n), destroys(n) ? 0 : EIO);
	assert_int_equal(fake_count(), sent);
	assert_int_equal(value, 4711);
	assert_int_equal(fd, -7);
}

/* What a provider links is never sent by an older command, which would take it for something else. */
static void links_on_older_kernels(void **state)
{
	struct {
		struct ibv_command_buffer buffer;
		struct ib_uverbs_attr attr;
	} link = {
		.buffer = {.next_attr = &link.attr + 1,
			   .last_attr = &link.attr + 1,
			   .uhw_in_idx = HF_UHW_NO_INDEX,
			   .uhw_out_idx = HF_UHW_NO_INDEX},
		.attr = {.attr_id = 15, .len = 8, .data = 1},
	};
	const struct hf_driver_data data = {.link = &link.buffer};
	const struct ibv_cq_init_attr_ex cq_attr = {.cqe = 1};
	struct ibv_qp_init_attr_ex qp_attr = {
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = &pd,
	};
	struct verbs_cq cq = {0};
	struct verbs_qp made = {0};

	(void)state;
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_get_context(hfi_context_of(context), &data), EOPNOTSUPP);
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_create_cq_ex(context, &cq_attr, &cq, &data, 0), EOPNOTSUPP);
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_create_qp_ex(context, &made, &qp_attr, &data), EOPNOTSUPP);
	assert_int_equal(fake_count(), 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_commands, end_commands)
	const struct CMUnitTest tests[] = {
		TEST(dma_handles),
		TEST(registrations),
		TEST(registrations_that_make_no_sense),
		TEST(registrations_on_older_kernels),
		TEST(dmabuf_and_speed),
		TEST(completion_counters),
		TEST(every_error),
		TEST(kernels_that_lack_it),
		TEST(gone_devices),
		TEST(links_on_older_kernels),
	};

	return cmocka_run_group_tests_name("later_commands", tests, NULL, NULL);
}
