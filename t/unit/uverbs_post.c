/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Work requests that the kernel posts: how lists become commands, and which request failed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "t/lib/fake_kernel.h"

enum {
	REQUESTS = 5000,
	SGES = 20000,
	COMMAND_FD = 1 << 20, /* a number that no descriptor has: the real write() returns EBADF */
};

/* What was posted by all commands. */
static struct {
	uint32_t cmd, handle;
	unsigned int commands;
	uint32_t wrs, sges;
	struct ib_uverbs_send_wr send[REQUESTS];
	struct ib_uverbs_recv_wr recv[REQUESTS];
	struct ib_uverbs_sge sge[SGES];
	uint32_t refuse; /* the request that is refused, counted from 1 over all commands */
	int err;
	unsigned int writes;
	int write_err; /* what write() returns; 0: success */
} kernel;

static struct verbs_context verbs;
static struct verbs_ex_private private;
static struct ibv_qp qp = {.context = &verbs.context, .handle = 21, .qp_type = IBV_QPT_RC};
static struct ibv_cq cq = {.context = &verbs.context, .handle = 23};
static struct ibv_srq srq = {.context = &verbs.context, .handle = 22};

static int take_posted(const struct ib_uverbs_post_send *head, size_t size, uint32_t *bad_wr)
{
	const char *wqe = (const char *)(head + 1);
	const size_t expected = sizeof(*head) + (size_t)head->wr_count * head->wqe_size +
				head->sge_count * sizeof(struct ib_uverbs_sge);

	assert_int_equal(size, expected);
	kernel.handle = head->qp_handle;
	if (kernel.refuse && kernel.refuse <= kernel.wrs + head->wr_count) {
		*bad_wr = kernel.refuse - kernel.wrs;
		return kernel.err;
	}
	for (uint32_t i = 0; i < head->wr_count; i++, wqe += head->wqe_size) {
		assert_true(kernel.wrs < REQUESTS);
		if (kernel.cmd == IB_USER_VERBS_CMD_POST_SEND)
			memcpy(&kernel.send[kernel.wrs++], wqe, sizeof(kernel.send[0]));
		else
			memcpy(&kernel.recv[kernel.wrs++], wqe, sizeof(kernel.recv[0]));
	}
	assert_true(kernel.sges + head->sge_count <= SGES);
	memcpy(&kernel.sge[kernel.sges], wqe, head->sge_count * sizeof(kernel.sge[0]));
	kernel.sges += head->sge_count;
	return 0;
}

static int answer_post_command(int fd, struct ib_uverbs_ioctl_hdr *header)
{
	const struct ib_uverbs_attr *in, *out;

	assert_int_equal(fd, verbs.context.cmd_fd);
	assert_int_equal(header->method_id, UVERBS_METHOD_INVOKE_WRITE);
	kernel.cmd = (uint32_t)fake_kernel_attr(header, UVERBS_ATTR_WRITE_CMD)->data;
	in = fake_kernel_attr(header, UVERBS_ATTR_CORE_IN);
	out = fake_kernel_attr(header, UVERBS_ATTR_CORE_OUT);
	if (kernel.cmd == IB_USER_VERBS_CMD_REQ_NOTIFY_CQ && in) {
		const struct ib_uverbs_req_notify_cq *notify = (const void *)&in->data;

		assert_true(in->len == sizeof(*notify) && notify->solicited_only == 1);
		kernel.handle = notify->cq_handle;
		kernel.commands++;
		return kernel.err;
	}
	if (!in || !out || out->len != sizeof(uint32_t)) {
		fail_msg("a command without its two buffers");
		return EINVAL;
	}
	kernel.commands++;
	return take_posted((const void *)(uintptr_t)in->data, in->len,
			   (void *)(uintptr_t)out->data);
}

static ssize_t answer_post_write(int fd, const void *buffer, size_t size)
{
	kernel.writes++;
	errno = kernel.write_err;
	return errno ? -1 : fake_kernel_write(fd, buffer, size);
}

static void reset_post_kernel(void)
{
	memset(&kernel, 0, sizeof(kernel));
	verbs.priv = &private;
	verbs.context.cmd_fd = COMMAND_FD;
	fake_kernel_answer(FAKE_KERNEL_EVERY_FD, answer_post_command);
	fake_kernel_answer_write(answer_post_write);
	atomic_store(&private.uverbs.dead, false);
	atomic_store(&private.uverbs.no_write, false);
	qp.qp_type = IBV_QPT_RC;
}

static void sends(void **state)
{
	struct ibv_sge sge[2] = {{1, 2, 3}, {4, 5, 6}};
	struct ibv_ah ah = {.handle = 99};
	struct ibv_send_wr *bad = (void *)1;
	struct ibv_send_wr wr[5] = {
		{.wr_id = 10,
		 .sg_list = sge,
		 .num_sge = 2,
		 .opcode = IBV_WR_SEND_WITH_IMM,
		 .send_flags = IBV_SEND_SIGNALED,
		 .imm_data = 77},
		{.wr_id = 11, .opcode = IBV_WR_RDMA_READ, .wr.rdma = {.remote_addr = 5, .rkey = 6}},
		{.wr_id = 12,
		 .opcode = IBV_WR_ATOMIC_CMP_AND_SWP,
		 .wr.atomic = {.remote_addr = 7, .compare_add = 8, .swap = 9, .rkey = 10}},
		{.wr_id = 13,
		 .sg_list = sge + 1,
		 .num_sge = 1,
		 .opcode = IBV_WR_SEND_WITH_INV,
		 .invalidate_rkey = 55},
		{.wr_id = 14,
		 .opcode = IBV_WR_RDMA_WRITE,
		 .wr.rdma = {.remote_addr = 1, .rkey = 2}},
	};

	(void)state;
	reset_post_kernel();
	for (size_t i = 0; i + 1 < HF_ARRAY_SIZE(wr); i++)
		wr[i].next = &wr[i + 1];
	assert_int_equal(hf_provider_post_send(&qp, wr, &bad), 0);
	assert_ptr_equal(bad, (void *)1);
	assert_true(kernel.commands == 1 && kernel.cmd == IB_USER_VERBS_CMD_POST_SEND &&
		    kernel.handle == 21 && kernel.wrs == 5 && kernel.sges == 3);
	for (unsigned int i = 0; i < 5; i++)
		assert_true(kernel.send[i].wr_id == 10 + i &&
			    kernel.send[i].opcode == wr[i].opcode &&
			    kernel.send[i].num_sge == (uint32_t)wr[i].num_sge &&
			    kernel.send[i].send_flags == wr[i].send_flags);
	assert_memory_equal(kernel.sge, sge, sizeof(sge));
	assert_memory_equal(&kernel.sge[2], &sge[1], sizeof(sge[1]));
	assert_int_equal(kernel.send[0].ex.imm_data, 77);
	assert_true(kernel.send[1].wr.rdma.remote_addr == 5 && kernel.send[1].wr.rdma.rkey == 6);
	assert_true(kernel.send[2].wr.atomic.remote_addr == 7 &&
		    kernel.send[2].wr.atomic.compare_add == 8 &&
		    kernel.send[2].wr.atomic.swap == 9 && kernel.send[2].wr.atomic.rkey == 10);
	assert_int_equal(kernel.send[3].ex.invalidate_rkey, 55);

	reset_post_kernel();
	qp.qp_type = IBV_QPT_UD;
	wr[0].next = NULL;
	wr[0].wr.ud.ah = &ah;
	wr[0].wr.ud.remote_qpn = 41;
	wr[0].wr.ud.remote_qkey = 42;
	assert_int_equal(hf_provider_post_send(&qp, wr, &bad), 0);
	assert_true(kernel.send[0].wr.ud.ah == 99 && kernel.send[0].wr.ud.remote_qpn == 41 &&
		    kernel.send[0].wr.ud.remote_qkey == 42);
}

static void receives(void **state)
{
	struct ibv_sge sge = {1, 2, 3};
	struct ibv_recv_wr second = {.wr_id = 11};
	struct ibv_recv_wr first = {.wr_id = 10, .next = &second, .sg_list = &sge, .num_sge = 1};
	struct ibv_recv_wr *bad = NULL;

	(void)state;
	for (int shared = 0; shared < 2; shared++) {
		reset_post_kernel();
		if (shared)
			assert_int_equal(hf_provider_post_srq_recv(&srq, &first, &bad), 0);
		else
			assert_int_equal(hf_provider_post_recv(&qp, &first, &bad), 0);
		assert_int_equal(kernel.cmd, shared ? IB_USER_VERBS_CMD_POST_SRQ_RECV
						    : IB_USER_VERBS_CMD_POST_RECV);
		assert_int_equal(kernel.handle, shared ? 22 : 21);
		assert_true(kernel.wrs == 2 && kernel.sges == 1 && kernel.recv[0].wr_id == 10 &&
			    kernel.recv[0].num_sge == 1 && kernel.recv[1].wr_id == 11 &&
			    kernel.recv[1].num_sge == 0);
		assert_memory_equal(kernel.sge, &sge, sizeof(sge));
		assert_null(bad);
	}
}

/* A list that is too long for one command is split; a refusal names the right request. */
static void long_lists(void **state)
{
	static const uint32_t refused[] = {0, 1, 2, 300, 1000, 2999, 3000};
	static struct ibv_recv_wr wr[3000];
	struct ibv_sge sge[4] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(wr); i++)
		wr[i] = (struct ibv_recv_wr){
			.wr_id = i,
			.next = i + 1 < HF_ARRAY_SIZE(wr) ? &wr[i + 1] : NULL,
			.sg_list = sge,
			.num_sge = (int)(i % 5),
		};
	for (size_t i = 0; i < HF_ARRAY_SIZE(refused); i++) {
		struct ibv_recv_wr *bad = NULL;

		reset_post_kernel();
		kernel.refuse = refused[i];
		kernel.err = ENOMEM;
		assert_int_equal(hf_provider_post_recv(&qp, wr, &bad), refused[i] ? ENOMEM : 0);
		assert_ptr_equal(bad, refused[i] ? &wr[refused[i] - 1] : NULL);
		if (refused[i])
			continue;
		assert_true(kernel.commands > 1);
		assert_int_equal(kernel.wrs, HF_ARRAY_SIZE(wr));
		for (uint32_t j = 0, k = 0; j < kernel.wrs; j++) {
			assert_int_equal(kernel.recv[j].wr_id, j);
			assert_memory_equal(&kernel.sge[k], sge, (j % 5) * sizeof(sge[0]));
			k += j % 5;
		}
		print_message("%u requests in %u commands\n", kernel.wrs, kernel.commands);
	}
}

static void post_refused(void **state)
{
	struct ibv_sge sge[1] = {{0}};
	struct ibv_send_wr third = {.sg_list = sge, .num_sge = 100000, .opcode = IBV_WR_SEND};
	struct ibv_send_wr second = {.next = &third, .opcode = IBV_WR_SEND};
	struct ibv_send_wr first = {.next = &second, .opcode = IBV_WR_SEND};
	struct ibv_send_wr *bad = NULL;

	(void)state;
	reset_post_kernel();
	/* Two were posted before the third turned out to be invalid. */
	assert_int_equal(hf_provider_post_send(&qp, &first, &bad), EINVAL);
	assert_ptr_equal(bad, &third);
	assert_int_equal(kernel.wrs, 2);
	third.num_sge = -1;
	assert_int_equal(hf_provider_post_send(&qp, &third, &bad), EINVAL);
	assert_ptr_equal(bad, &third);

	/* A number of the kernel's that cannot be is not believed. */
	reset_post_kernel();
	third.num_sge = 0;
	kernel.refuse = 1;
	kernel.err = EFAULT;
	assert_int_equal(hf_provider_post_send(&qp, &second, &bad), EFAULT);
	assert_ptr_equal(bad, &second);

	reset_post_kernel();
	atomic_store(&private.uverbs.dead, true);
	assert_int_equal(hf_provider_post_send(&qp, &first, &bad), EIO);
	assert_ptr_equal(bad, &first);
	assert_int_equal(hf_provider_post_send(&qp, NULL, &bad), EIO);
	assert_int_equal(kernel.commands, 0);
}

struct doorbell {
	struct ib_uverbs_cmd_hdr header;
	struct ib_uverbs_post_send request;
};

static void doorbell(void **state)
{
	struct ibv_send_wr *bad = NULL;
	struct doorbell got;
	int fds[2];

	(void)state;
	reset_post_kernel();
	assert_int_equal(pipe(fds), 0);
	verbs.context.cmd_fd = fds[1];
	assert_int_equal(hf_provider_post_send(&qp, NULL, &bad), 0);
	assert_int_equal(kernel.commands, 0);
	assert_int_equal(read(fds[0], &got, sizeof(got)), sizeof(got));
	assert_int_equal(got.header.command, IB_USER_VERBS_CMD_POST_SEND);
	assert_int_equal(got.header.in_words * 4, sizeof(got));
	assert_int_equal(got.header.out_words * 4, sizeof(uint32_t));
	assert_true(got.request.response && got.request.qp_handle == 21 &&
		    got.request.wr_count == 0 && got.request.sge_count == 0 &&
		    got.request.wqe_size == sizeof(struct ib_uverbs_send_wr));

	close(fds[0]);
	close(fds[1]);
	assert_null(bad);
}

struct notification {
	struct ib_uverbs_cmd_hdr header;
	struct ib_uverbs_req_notify_cq request;
};

static void notification(void **state)
{
	struct notification got;
	int fds[2];

	(void)state;
	reset_post_kernel();
	assert_int_equal(pipe(fds), 0);
	verbs.context.cmd_fd = fds[1];
	assert_int_equal(hf_provider_req_notify_cq(&cq, 4), 0);
	assert_int_equal(kernel.commands, 0);
	assert_int_equal(read(fds[0], &got, sizeof(got)), sizeof(got));
	assert_int_equal(got.header.command, IB_USER_VERBS_CMD_REQ_NOTIFY_CQ);
	assert_int_equal(got.header.in_words * 4, sizeof(got));
	assert_int_equal(got.header.out_words, 0);
	assert_true(got.request.cq_handle == 23 && got.request.solicited_only == 1);
	close(fds[0]);
	close(fds[1]);
}

static int both(unsigned int *commands)
{
	struct ibv_send_wr *bad = NULL;
	int err[2];

	kernel.writes = kernel.commands = 0;
	err[0] = hf_provider_post_send(&qp, NULL, &bad);
	err[1] = hf_provider_req_notify_cq(&cq, 1);
	assert_null(bad);
	assert_int_equal(err[0], err[1]);
	*commands = kernel.commands;
	return err[0];
}

/* If write() fails for any reason, the ioctl decides. */
static void not_written(void **state)
{
	static const int errors[] = {EBADF, EINTR, ENOMEM, EINVAL, EPERM, EIO, EACCES};
	unsigned int commands;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(errors); i++) {
		reset_post_kernel();
		kernel.write_err = errors[i];
		assert_int_equal(both(&commands), 0);
		assert_int_equal(commands, 2);
		/* Only with other credentials than the opener's is write() not tried again. */
		assert_int_equal(kernel.writes, errors[i] == EACCES ? 1 : 2);
		kernel.write_err = EINVAL;
		assert_int_equal(both(&commands), 0);
		assert_int_equal(commands, 2);
		assert_int_equal(kernel.writes, errors[i] == EACCES ? 0 : 2);
	}
	reset_post_kernel();
	kernel.write_err = EIO;
	kernel.err = EINVAL;
	assert_int_equal(hf_provider_req_notify_cq(&cq, 1), EINVAL);

	/* On a dead context nothing is sent by either way. */
	reset_post_kernel();
	atomic_store(&private.uverbs.dead, true);
	assert_int_equal(both(&commands), EIO);
	assert_int_equal(commands, 0);
	assert_int_equal(kernel.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends),       cmocka_unit_test(receives),
		cmocka_unit_test(long_lists),  cmocka_unit_test(post_refused),
		cmocka_unit_test(doorbell),    cmocka_unit_test(notification),
		cmocka_unit_test(not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
