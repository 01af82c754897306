/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The calls of libibverbs 1.15 to 1.18: with a provider that has the operation, with one that has not, on contexts that
 * are closed, and with each allocation and system call failing once.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/verbs/operations.h"
#include "shared/attr.h"
#include "t/lib/fake_uverbs.h"

/* The linker wraps these. */
int __wrap_ibv_dontfork_range(void *base, size_t size);
int __wrap_ibv_dofork_range(void *base, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

static struct ibv_context *context;
static struct ibv_pd pd, other_pd;
static unsigned int protected, fail_calloc;
static int fork_err;

int __wrap_ibv_dontfork_range(void *base, size_t size)
{
	(void)base;
	(void)size;
	protected += !fork_err;
	return fork_err;
}

int __wrap_ibv_dofork_range(void *base, size_t size)
{
	(void)base;
	(void)size;
	protected--;
	return 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (fail_calloc && !--fail_calloc) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(count, size);
}

/* What the provider was asked last. */
static struct {
	const char *op;
	struct ibv_mr_init_attr attr;
	void *addr;
	uint64_t iova, offset, value;
	size_t length;
	int fd, access, err;
	struct ibv_buf *freed;
} asked;

static struct verbs_mr given_mr;
static struct ibv_buf given_buf;

static struct ibv_mr *give_mr(void)
{
	memset(&given_mr, 0, sizeof(given_mr));
	if (!asked.err)
		return &given_mr.ibv_mr;
	errno = asked.err;
	return NULL;
}

static struct ibv_mr *op_reg_mr(struct ibv_pd *domain, void *addr, size_t length, uint64_t iova,
				int access)
{
	(void)domain;
	asked.op = "reg_mr";
	asked.addr = addr;
	asked.length = length;
	asked.iova = iova;
	asked.access = access;
	return give_mr();
}

static struct ibv_mr *op_reg_dmabuf_mr(struct ibv_pd *domain, uint64_t offset, size_t length,
				       uint64_t iova, int fd, int access)
{
	(void)domain;
	asked.op = "reg_dmabuf_mr";
	asked.offset = offset;
	asked.length = length;
	asked.iova = iova;
	asked.fd = fd;
	asked.access = access;
	return give_mr();
}

static struct ibv_mr *op_reg_mr_ex(struct ibv_pd *domain, struct ibv_mr_init_attr *attr)
{
	(void)domain;
	asked.op = "reg_mr_ex";
	memcpy(&asked.attr, attr, sizeof(asked.attr));
	return give_mr();
}

static int op_dereg_mr(struct verbs_mr *mr)
{
	(void)mr;
	return 0;
}

static void *op_alloc_buf(struct ibv_pd *domain, size_t size, struct ibv_buf **buf)
{
	if (asked.err) {
		errno = asked.err > 0 ? asked.err : errno;
		return NULL;
	}
	given_buf = (struct ibv_buf){
		.addr = (void *)0x10000, .size = size, .pd = domain, .dmabuf_fd = asked.fd};
	*buf = &given_buf;
	return given_buf.addr;
}

static void op_free_buf(struct ibv_buf *buf)
{
	asked.freed = buf;
}

static const struct verbs_context_ops ops = {
	.reg_mr = op_reg_mr,
	.reg_dmabuf_mr = op_reg_dmabuf_mr,
	.dereg_mr = op_dereg_mr,
};

static const struct hf_later_ops memory_ops = {
	.reg_mr_ex = op_reg_mr_ex,
	.alloc_buf = op_alloc_buf,
	.free_buf = op_free_buf,
};

static int begin_later(void **state)
{
	(void)state;
	context = fake_context();
	hfi_operations_set(hfi_context_of(context), &ops);
	pd = other_pd = (struct ibv_pd){.context = context};
	memset(&asked, 0, sizeof(asked));
	asked.fd = -1;
	protected = fail_calloc = 0;
	fork_err = 0;
	return 0;
}

static int end_later(void **state)
{
	(void)state;
	fake_context_end();
	assert_int_equal(protected, 0);
	return 0;
}

static void have_memory_ops(void)
{
	hf_provider_set_later_ops(hfi_context_of(context), &memory_ops, sizeof(memory_ops));
}

static void memory_by_older_calls(void **state)
{
	struct ibv_mr_init_attr attr = {
		.length = 100,
		.access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_RELAXED_ORDERING,
		.comp_mask = IBV_REG_MR_MASK_ADDR,
		.addr = &asked,
		.iova = 1, /* and the rest: not named, so not read */
		.fd = 2,
		.dmah = (void *)3,
		.buf = (void *)4,
	};
	struct ibv_mr *mr;

	(void)state;
	mr = ibv_reg_mr_ex(&pd, &attr);
	assert_ptr_equal(mr, &given_mr.ibv_mr);
	assert_string_equal(asked.op, "reg_mr");
	assert_int_equal(asked.iova, (uintptr_t)&asked);
	assert_int_equal(asked.access, IBV_ACCESS_LOCAL_WRITE);
	assert_ptr_equal(mr->addr, &asked);
	assert_int_equal(mr->length, 100);
	assert_ptr_equal(mr->pd, &pd);
	assert_ptr_equal(mr->context, context);
	assert_int_equal(protected, 1);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(protected, 0);
	attr.comp_mask |= IBV_REG_MR_MASK_IOVA;
	attr.access = IBV_ACCESS_ON_DEMAND;
	mr = ibv_reg_mr_ex(&pd, &attr);
	assert_non_null(mr);
	assert_int_equal(asked.iova, 1);
	assert_int_equal(protected, 0);
	attr.comp_mask = IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA;
	attr.fd_offset = 0x3000;
	mr = ibv_reg_mr_ex(&pd, &attr);
	assert_non_null(mr);
	assert_string_equal(asked.op, "reg_dmabuf_mr");
	assert_int_equal(asked.fd, 2);
	assert_int_equal(asked.offset, 0x3000);
	assert_int_equal(asked.iova, 1);
	assert_ptr_equal(mr->addr, (void *)0x3000);
	assert_int_equal(given_mr.mr_type, IBV_MR_TYPE_DMABUF_MR);
	attr.comp_mask = IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_DMAH;
	assert_null(ibv_reg_mr_ex(&pd, &attr));
	assert_int_equal(errno, EOPNOTSUPP);
}

static void memory_by_the_operation(void **state)
{
	struct ibv_mr_init_attr attr = {
		.length = 100,
		.access = IBV_ACCESS_LOCAL_WRITE,
		.comp_mask = IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_DMAH,
		.addr = &asked,
		.iova = 1,
		.dmah = (void *)3,
	};
	struct ibv_mr *mr;

	(void)state;
	have_memory_ops();
	mr = ibv_reg_mr_ex(&pd, &attr);
	assert_non_null(mr);
	assert_string_equal(asked.op, "reg_mr_ex");
	assert_int_equal(asked.attr.comp_mask, IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_DMAH);
	assert_ptr_equal(asked.attr.dmah, (void *)3);
	assert_int_equal(asked.attr.iova, 0);
	assert_int_equal(protected, 1);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	asked.err = ENOMEM;
	assert_null(ibv_reg_mr_ex(&pd, &attr));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(protected, 0);
	fork_err = -1;
	errno = EAGAIN;
	asked.op = "nothing";
	assert_null(ibv_reg_mr_ex(&pd, &attr));
	assert_string_equal(asked.op, "nothing");
}

/* A mask that makes no sense is refused before anyone is asked, with either kind of provider. */
static void wrong_masks(void **state)
{
	struct ibv_mr_init_attr attr = {.length = 1, .addr = &asked};
	unsigned int refused = 0;

	(void)state;
	for (int with = 0; with < 2; with++) {
		if (with)
			have_memory_ops();
		for (uint64_t mask = 0; mask < 32; mask++) {
			const bool by_fd = mask & IBV_REG_MR_MASK_FD;
			const bool right = by_fd ? !(mask & IBV_REG_MR_MASK_ADDR) &&
							   mask & IBV_REG_MR_MASK_FD_OFFSET &&
							   mask & IBV_REG_MR_MASK_IOVA
						 : mask & IBV_REG_MR_MASK_ADDR &&
							   !(mask & IBV_REG_MR_MASK_FD_OFFSET);

			if (right && !(mask & IBV_REG_MR_MASK_DMAH))
				continue;
			attr.comp_mask = mask;
			errno = 0;
			assert_null(ibv_reg_mr_ex(&pd, &attr));
			/* A handle that is NULL is none. */
			assert_int_equal(errno, EINVAL);
			refused++;
		}
		attr.comp_mask = IBV_REG_MR_MASK_ADDR | 64;
		assert_null(ibv_reg_mr_ex(&pd, &attr));
		assert_int_equal(errno, EOPNOTSUPP);
	}
	assert_null(asked.op);
	print_message("%u masks refused\n", refused);
}

static void buffers_of_ordinary_memory(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ibv_buf *buf = NULL;
	struct ibv_mr *mr;
	char *memory;

	(void)state;
	memory = ibv_alloc_buf(&pd, page + 1, &buf);
	assert_non_null(memory);
	assert_non_null(buf);
	assert_int_equal((uintptr_t)memory % page, 0);
	memset(memory, 1, page + 1);
	mr = ibv_reg_buf_mr(&pd, buf, memory + 1, page, IBV_ACCESS_LOCAL_WRITE);
	assert_non_null(mr);
	assert_string_equal(asked.op, "reg_mr");
	assert_ptr_equal(asked.addr, memory + 1);
	assert_ptr_equal(mr->addr, memory + 1);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	asked.op = NULL;
	assert_null(ibv_reg_buf_mr(&pd, buf, memory + 1, page + 1, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(ibv_reg_buf_mr(&pd, buf, memory - 1, 1, 0));
	assert_null(ibv_reg_buf_mr(&pd, buf, memory + page + 2, 0, 0));
	assert_null(ibv_reg_buf_mr(&pd, buf, memory, SIZE_MAX, 0));
	assert_null(ibv_reg_buf_mr(&other_pd, buf, memory, 1, 0));
	assert_null(ibv_reg_buf_mr(&pd, NULL, memory, 1, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(asked.op);
	assert_int_equal(ibv_export_buf_dmabuf_fd(buf), -1);
	assert_int_equal(errno, ENODATA);
	ibv_free_buf(buf);
	ibv_free_buf(NULL);
	assert_null(ibv_alloc_buf(&pd, 0, &buf));
	assert_int_equal(errno, EINVAL);
	assert_null(ibv_alloc_buf(&pd, SIZE_MAX / 2, &buf));
	/* valgrind's own answer is another one. */
	if (!getenv("HF_VALGRIND"))
		assert_int_equal(errno, ENOMEM);
	fail_calloc = 1;
	assert_null(ibv_alloc_buf(&pd, 1, &buf));
	assert_int_equal(errno, ENOMEM);
}

static void buffers_of_the_provider(void **state)
{
	struct ibv_mr_init_attr attr = {
		.length = 0x100,
		.comp_mask = IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_BUF | IBV_REG_MR_MASK_IOVA,
		.addr = (void *)0x10010,
	};
	int fds[2], copy;
	struct ibv_buf *buf;
	struct ibv_mr *mr;

	(void)state;
	have_memory_ops();
	assert_int_equal(pipe(fds), 0);
	asked.fd = fds[0];
	assert_ptr_equal(ibv_alloc_buf(&pd, 0x1000, &buf), (void *)0x10000);
	mr = ibv_reg_buf_mr(&pd, buf, (void *)0x10010, 0xff0, IBV_ACCESS_LOCAL_WRITE);
	assert_non_null(mr);
	assert_string_equal(asked.op, "reg_mr_ex");
	assert_int_equal(asked.attr.comp_mask,
			 IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA);
	assert_int_equal(asked.attr.fd, fds[0]);
	assert_int_equal(asked.attr.fd_offset, 0x10);
	assert_int_equal(asked.attr.iova, 0x10010);
	assert_ptr_equal(mr->addr, (void *)0x10010);
	assert_int_equal(given_mr.mr_type, IBV_MR_TYPE_DMABUF_MR);
	assert_int_equal(protected, 0);
	attr.buf = buf;
	assert_null(ibv_reg_mr_ex(&pd, &attr));
	assert_int_equal(errno, EINVAL);
	attr.comp_mask = IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_BUF | IBV_REG_MR_MASK_FD;
	assert_null(ibv_reg_mr_ex(&pd, &attr));
	assert_int_equal(errno, EINVAL);
	copy = ibv_export_buf_dmabuf_fd(buf);
	assert_true(copy >= 0 && copy != fds[0]);
	assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	close(copy);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(ibv_export_buf_dmabuf_fd(buf), -1);
	assert_int_equal(errno, EBADF);
	/* Its domain may be gone with its device. */
	memset(&pd, 0xff, sizeof(pd));
	ibv_free_buf(buf);
	assert_ptr_equal(asked.freed, &given_buf);
	pd = other_pd;
	asked.err = EPERM;
	assert_null(ibv_alloc_buf(&pd, 1, &buf));
	assert_int_equal(errno, EPERM);
	asked.err = -1; /* and does not say why */
	assert_null(ibv_alloc_buf(&pd, 1, &buf));
	assert_int_equal(errno, ENOMEM);
}

/* A provider that is no longer there is not called: not for its own context, nor for another at that address. */
static void buffers_after_the_context(void **state)
{
	struct ibv_buf *buf, *ordinary;

	(void)state;
	assert_non_null(ibv_alloc_buf(&pd, 1, &ordinary));
	have_memory_ops();
	assert_non_null(ibv_alloc_buf(&pd, 1, &buf));
	hfi_live_remove(context);
	ibv_free_buf(buf);
	assert_null(asked.freed);
	assert_true(hfi_live_add(context));
	assert_non_null(ibv_alloc_buf(&pd, 1, &buf));
	hfi_context_of(context)->priv->serial++;
	ibv_free_buf(buf);
	assert_null(asked.freed);
	hfi_live_remove(context);
	memset(&pd, 0xff, sizeof(pd));
	ibv_free_buf(ordinary);
	assert_true(hfi_live_add(context));
}

static int counter_op(struct ibv_comp_cntr *counter, uint64_t value)
{
	(void)counter;
	asked.value = value;
	return 12;
}

static int counter_error_op(struct ibv_comp_cntr *counter, uint64_t value)
{
	(void)counter;
	asked.value = value;
	return 13;
}

static int counter_read(struct ibv_comp_cntr *counter, uint64_t *value)
{
	(void)counter;
	*value = 14;
	return 0;
}

static int caps_op(struct ibv_context *asking, struct ibv_comp_cntr_caps *caps, size_t size)
{
	(void)asking;
	assert_int_equal(caps->max_value, 0);
	caps->max_counters = (uint32_t)size;
	return 0;
}

static struct ibv_comp_cntr given_counter;
static struct ibv_dmah given_dmah;

static struct ibv_comp_cntr *create_op(struct ibv_context *asking,
				       struct ibv_comp_cntr_init_attr *attr)
{
	(void)asking;
	asked.value = attr->type;
	return &given_counter;
}

static struct ibv_dmah *alloc_op(struct ibv_context *asking, struct ibv_dmah_init_attr *attr)
{
	(void)asking;
	asked.value = attr->cpu_id;
	return &given_dmah;
}

static int dmah_op(struct ibv_dmah *dmah)
{
	return dmah == &given_dmah ? 15 : 0;
}

static int destroy_op(struct ibv_comp_cntr *counter)
{
	return counter == &given_counter ? 16 : 0;
}

static int attach_op(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
		     struct ibv_qp_attach_comp_cntr_attr *attr)
{
	(void)qp;
	(void)counter;
	return (int)attr->op_mask;
}

static int export_op(struct ibv_dm *dm)
{
	(void)dm;
	return 17;
}

static const struct hf_later_ops other_ops = {
	.alloc_dmah = alloc_op,
	.create_comp_cntr = create_op,
	.dealloc_dmah = dmah_op,
	.destroy_comp_cntr = destroy_op,
	.dm_export_dmabuf_fd = export_op,
	.inc_comp_cntr = counter_op,
	.inc_err_comp_cntr = counter_error_op,
	.qp_attach_comp_cntr = attach_op,
	.query_comp_cntr_caps = caps_op,
	.read_comp_cntr = counter_read,
	.read_err_comp_cntr = counter_read,
	.set_comp_cntr = counter_op,
	.set_err_comp_cntr = counter_error_op,
};

/* Each of the calls that have no other way to be served, with `err` if it is not 0. */
static void check_unserved(int err)
{
	struct ibv_qp_attach_comp_cntr_attr attach = {.op_mask = 18};
	struct ibv_comp_cntr_init_attr counter_attr = {.type = IBV_COMP_CNTR_TYPE_BYTES};
	struct ibv_dmah_init_attr dmah_attr = {.cpu_id = 19};
	struct ibv_comp_cntr counter = {.context = context};
	struct ibv_comp_cntr_caps caps = {.max_value = 1, .max_counters = 1};
	struct ibv_dmah dmah = {.context = context};
	struct ibv_dm dm = {.context = context};
	struct ibv_qp qp = {.context = context};
	uint64_t value = 0;

	errno = 0;
	given_dmah.context = given_counter.context = NULL;
	assert_ptr_equal(ibv_alloc_dmah(context, &dmah_attr), err ? NULL : &given_dmah);
	assert_int_equal(errno, err);
	errno = 0;
	assert_ptr_equal(ibv_create_comp_cntr(context, &counter_attr), err ? NULL : &given_counter);
	assert_int_equal(errno, err);
	errno = 0;
	assert_int_equal(ibv_dm_export_dmabuf_fd(&dm), err ? -1 : 17);
	assert_int_equal(errno, err);
	assert_int_equal(ibv_dealloc_dmah(err ? &dmah : &given_dmah), err ? err : 15);
	assert_int_equal(ibv_destroy_comp_cntr(err ? &counter : &given_counter), err ? err : 16);
	assert_int_equal(ibv_set_comp_cntr(&counter, 1), err ? err : 12);
	assert_int_equal(ibv_inc_comp_cntr(&counter, 2), err ? err : 12);
	assert_int_equal(ibv_set_err_comp_cntr(&counter, 3), err ? err : 13);
	assert_int_equal(ibv_inc_err_comp_cntr(&counter, 4), err ? err : 13);
	assert_true(err || asked.value == 4);
	assert_int_equal(ibv_read_comp_cntr(&counter, &value), err);
	assert_int_equal(value, err ? 0 : 14);
	assert_int_equal(ibv_read_err_comp_cntr(&counter, &value), err);
	assert_int_equal(ibv_qp_attach_comp_cntr(&qp, &counter, &attach), err ? err : 18);
	assert_int_equal(_ibv_query_comp_cntr_caps(context, &caps, sizeof(caps)), err);
	assert_int_equal(caps.max_counters, err ? 0 : sizeof(caps));
	assert_int_equal(caps.max_value, 0);
	if (!err) {
		assert_ptr_equal(given_dmah.context, context);
		assert_ptr_equal(given_counter.context, context);
	}
}

static void the_others(void **state)
{
	(void)state;
	check_unserved(EOPNOTSUPP);
	hf_provider_set_later_ops(hfi_context_of(context), &other_ops, sizeof(other_ops));
	/* A provider of an older struct leaves the rest alone, one of a newer one is cut. */
	hf_provider_set_later_ops(hfi_context_of(context), &memory_ops, sizeof(void *));
	check_unserved(0);
	hfi_live_remove(context);
	check_unserved(EBADF);
	assert_null(ibv_reg_mr_ex(&pd, NULL));
	assert_int_equal(errno, EBADF);
	assert_null(ibv_alloc_buf(&pd, 1, NULL));
	assert_int_equal(errno, EBADF);
	assert_int_equal(ibv_query_port_speed(context, 1, NULL), EBADF);
	assert_true(hfi_live_add(context));
}

static struct {
	uint8_t width, speed;
	uint32_t speed_ex;
	int err, speed_err;
} port;

static int op_query_port(struct ibv_context *asking, uint8_t number, struct ibv_port_attr *attr)
{
	(void)asking;
	(void)number;
	attr->active_width = port.width;
	attr->active_speed = port.speed;
	hfi_take_active_speed_ex(attr, port.speed_ex);
	return port.err;
}

static int op_query_port_speed(struct ibv_context *asking, uint32_t number, uint64_t *speed)
{
	(void)asking;
	if (!port.speed_err)
		*speed = (uint64_t)number * 1000;
	return port.speed_err;
}

static void port_speeds(void **state)
{
	static const struct {
		uint8_t width, speed;
		uint32_t speed_ex;
		uint64_t wanted; /* 0: it cannot be told */
	} facts[] = {
		{1, 1, 0, 25},	     {2, 1, 0, 100},   {2, 4, 0, 400},	 {2, 8, 0, 400},
		{2, 16, 0, 560},     {2, 32, 0, 1000}, {2, 64, 0, 2000}, {2, 128, 128, 4000},
		{2, 128, 256, 8000}, {8, 32, 0, 3000}, {4, 2, 0, 400},	 {16, 64, 0, 1000},
	};
	const struct verbs_context_ops with_port = {.query_port = op_query_port};
	const struct hf_later_ops with_speed = {.query_port_speed = op_query_port_speed};
	uint64_t speed;

	(void)state;
	hfi_operations_set(hfi_context_of(context), &with_port);
	for (int with = 0; with < 2; with++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(facts); i++) {
			port.width = facts[i].width;
			port.speed = facts[i].speed;
			port.speed_ex = facts[i].speed_ex;
			assert_int_equal(ibv_query_port_speed(context, 1, &speed), 0);
			assert_int_equal(speed, facts[i].wanted);
		}
		speed = 5;
		port.err = EIO;
		assert_int_equal(ibv_query_port_speed(context, 1, &speed), EIO);
		port.err = 0;
		assert_int_equal(ibv_query_port_speed(context, 0, &speed), EINVAL);
		assert_int_equal(ibv_query_port_speed(context, 256, &speed), EINVAL);
		assert_int_equal(speed, 5);
		/* A provider whose kernel does not have the command. */
		port.speed_err = EPROTONOSUPPORT;
		hf_provider_set_later_ops(hfi_context_of(context), &with_speed, sizeof(with_speed));
	}
	port.speed_err = ENOMEM;
	assert_int_equal(ibv_query_port_speed(context, 2, &speed), ENOMEM);
	port.speed_err = 0;
	assert_int_equal(ibv_query_port_speed(context, 2, &speed), 0);
	assert_int_equal(speed, 2000);
}

static int in_order;

static int op_in_order(struct ibv_qp *qp, enum ibv_wr_opcode op, uint32_t flags)
{
	(void)qp;
	(void)op;
	asked.value = flags;
	return in_order;
}

static void data_in_order(void **state)
{
	const struct verbs_context_ops with = {.query_qp_data_in_order = op_in_order};
	struct ibv_qp qp = {.context = context};

	(void)state;
	hfi_operations_set(hfi_context_of(context), &with);
	/* What the provider says, without and with IBV_QUERY_QP_DATA_IN_ORDER_RETURN_CAPS. */
	static const int said[][3] = {{0, 0, 0}, {1, 1, 3}, {2, 0, 2}, {3, 1, 3}};

	for (size_t i = 0; i < HF_ARRAY_SIZE(said); i++) {
		in_order = said[i][0];
		assert_int_equal(ibv_query_qp_data_in_order(&qp, IBV_WR_SEND, 0), said[i][1]);
		assert_int_equal(ibv_query_qp_data_in_order(&qp, IBV_WR_SEND, 2), said[i][1]);
		assert_int_equal(asked.value, 2);
		assert_int_equal(ibv_query_qp_data_in_order(&qp, IBV_WR_SEND, 1), said[i][2]);
		assert_int_equal(ibv_query_qp_data_in_order(&qp, IBV_WR_SEND, 3), said[i][2]);
		assert_int_equal(ibv_query_qp_data_in_order(&qp, IBV_WR_SEND, 4), 0);
	}
	assert_string_equal(ibv_event_type_str(IBV_EVENT_DEVICE_SPEED_CHANGE),
			    "Device link speed change");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_later, end_later)
	const struct CMUnitTest tests[] = {
		TEST(memory_by_older_calls),
		TEST(memory_by_the_operation),
		TEST(wrong_masks),
		TEST(buffers_of_ordinary_memory),
		TEST(buffers_of_the_provider),
		TEST(buffers_after_the_context),
		TEST(the_others),
		TEST(port_speeds),
		TEST(data_in_order),
	};

	return cmocka_run_group_tests_name("later_verbs", tests, NULL, NULL);
}
