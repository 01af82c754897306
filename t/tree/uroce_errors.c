/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Errors of the provider uroce on the direct path: states of QPs, access, memory that is gone, full queues, an unplug. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "t/tree/uroce_bed.h"

static uint64_t remote(const struct uroce_end *end, size_t offset)
{
	return (uintptr_t)end->memory + offset;
}

static void close_both(struct uroce_end ends[2])
{
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
	assert_int_equal(uroce_bed_close(&ends[1]), 0);
}

static void unmap(struct uroce_end *end, size_t offset)
{
	assert_int_equal(munmap(end->memory + offset, BED_SIZE - offset), 0);
	end->mapped = offset;
}

/* IBA 11.2.5.2: what each change needs, and what it may not have. */
static void states_and_attributes(void **state)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT, .port_num = 1};
	const int init = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
	struct uroce_options options = bed_options;
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND};
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	uroce_bed_qp(&end, &options);
	assert_int_equal(uroce_bed_post(&end, &wr, 0, 1), EINVAL);
	assert_int_equal(ibv_modify_qp(end.qp, &attr, init & ~IBV_QP_PORT), EINVAL);
	assert_int_equal(ibv_modify_qp(end.qp, &attr, init | IBV_QP_QKEY), EINVAL);
	attr.port_num = 2;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, init), EINVAL);
	attr.port_num = 1;
	attr.pkey_index = 1;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, init), EINVAL);
	assert_int_equal(uroce_bed_rts(&end, &options), EINVAL);
	assert_int_equal(uroce_bed_state(&end), IBV_QPS_RESET);
	assert_int_equal(uroce_bed_init(&end, &options), 0);
	assert_int_equal(uroce_bed_rts(&end, &options), EINVAL);
	options.min_rnr_timer = 32;
	assert_int_equal(uroce_bed_rtr(&end, end.qp->qp_num, &options), EINVAL);
	options = bed_options;
	assert_int_equal(uroce_bed_rtr(&end, 0x1000000, &options), EINVAL);
	assert_int_equal(uroce_bed_rtr(&end, end.qp->qp_num, &options), 0);
	assert_int_equal(uroce_bed_post(&end, &wr, 0, 1), EINVAL);
	options.retry_cnt = 8;
	assert_int_equal(uroce_bed_rts(&end, &options), EINVAL);
	assert_int_equal(uroce_bed_rts(&end, &bed_options), 0);
	attr = (struct ibv_qp_attr){.qp_state = IBV_QPS_RTS, .cur_qp_state = IBV_QPS_SQD};
	assert_int_equal(ibv_modify_qp(end.qp, &attr, IBV_QP_STATE | IBV_QP_CUR_STATE), EINVAL);
	attr.qp_state = IBV_QPS_RESET;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(uroce_bed_state(&end), IBV_QPS_RESET);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* On RoCE an address is a GID. One that is not ours is nobody's without the wire. */
static void addresses(void **state)
{
	struct ibv_ah_attr address = {.port_num = 1, .dlid = 1};
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	assert_null(ibv_create_ah(end.pd, &address));
	assert_int_equal(errno, EINVAL);
	address.is_global = 1;
	address.grh.sgid_index = 77;
	assert_null(ibv_create_ah(end.pd, &address));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void requests_drain(void **state)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_SQD, .en_sqd_async_notify = 1};
	struct uroce_end ends[2];
	struct ibv_wc wc;

	uroce_bed_pair(*state, ends, &bed_options);
	assert_int_equal(
		ibv_modify_qp(ends[0].qp, &attr, IBV_QP_STATE | IBV_QP_EN_SQD_ASYNC_NOTIFY), 0);
	assert_int_equal(uroce_bed_event(&ends[0]), IBV_EVENT_SQ_DRAINED);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 1, remote(&ends[1], 0),
					ends[1].mr->rkey),
			 0);
	assert_int_equal(ibv_poll_cq(ends[0].cq, 1, &wc), 0);
	attr.qp_state = IBV_QPS_RTS;
	assert_int_equal(ibv_modify_qp(ends[0].qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	close_both(ends);
}

/* IBA 10.3.1.7: requests of both queues are flushed, those posted later as well. */
static void requests_are_flushed(void **state)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};
	struct uroce_end ends[2];

	uroce_bed_pair(*state, ends, &bed_options);
	uroce_bed_recv(&ends[0], 1, 0, 8);
	uroce_bed_recv(&ends[0], 2, 0, 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
	assert_int_equal(ibv_modify_qp(ends[0].qp, &attr, IBV_QP_STATE), 0);
	uroce_bed_recv(&ends[0], 3, 0, 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_READ, 0, 8, 0, 0), 0);
	for (int i = 0; i < 5; i++) {
		static const uint64_t ids[] = {100 + IBV_WR_SEND, 1, 2, 3, 100 + IBV_WR_RDMA_READ};
		const struct ibv_wc wc = uroce_bed_wait(&ends[0]);

		assert_int_equal(wc.wr_id, ids[i]);
		assert_int_equal(wc.status, IBV_WC_WR_FLUSH_ERR);
	}
	close_both(ends);
}

struct access_case {
	int64_t offset; /* of the remote address in the region */
	enum ibv_wr_opcode opcode;
	uint32_t length;
	uint32_t key_change;
	unsigned int access; /* of the peer's QP */
};

/* IBA 9.7.4.1.3: both QPs go to the error state. */
static void remote_access_is_checked(void **state)
{
	static const struct access_case cases[] = {
		{0, IBV_WR_RDMA_WRITE, 8, 1, IBV_ACCESS_REMOTE_WRITE},
		{0, IBV_WR_RDMA_WRITE, 8, 0x10000, IBV_ACCESS_REMOTE_WRITE},
		{BED_SIZE - 7, IBV_WR_RDMA_WRITE, 8, 0, IBV_ACCESS_REMOTE_WRITE},
		{-1, IBV_WR_RDMA_WRITE, 8, 0, IBV_ACCESS_REMOTE_WRITE},
		{0, IBV_WR_RDMA_WRITE, 8, 0, IBV_ACCESS_REMOTE_READ},
		{0, IBV_WR_RDMA_READ, 8, 0, IBV_ACCESS_REMOTE_WRITE},
		{BED_SIZE, IBV_WR_RDMA_READ, 1, 0, IBV_ACCESS_REMOTE_READ},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uroce_options options = bed_options;
		struct uroce_end ends[2];

		options.access = cases[i].access;
		uroce_bed_pair(*state, ends, &options);
		assert_int_equal(uroce_bed_send(&ends[0], cases[i].opcode, 0, cases[i].length,
						remote(&ends[1], 0) + (uint64_t)cases[i].offset,
						ends[1].mr->rkey ^ cases[i].key_change),
				 0);
		assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
		assert_int_equal(uroce_bed_state(&ends[0]), IBV_QPS_ERR);
		assert_int_equal(uroce_bed_event(&ends[1]), IBV_EVENT_QP_ACCESS_ERR);
		assert_int_equal(uroce_bed_state(&ends[1]), IBV_QPS_ERR);
		close_both(ends);
	}
}

static void a_key_ends_with_its_region(void **state)
{
	struct uroce_end ends[2];
	uint32_t rkey;

	uroce_bed_pair(*state, ends, &bed_options);
	rkey = ends[1].mr->rkey;
	assert_int_equal(ibv_dereg_mr(ends[1].mr), 0);
	ends[1].mr = NULL;
	assert_int_equal(
		uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 8, remote(&ends[1], 0), rkey), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
	close_both(ends);
}

static void local_access_is_checked(void **state)
{
	struct ibv_sge sge = {.length = 8};
	struct ibv_send_wr wr = {.sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_SEND}, *bad;
	struct uroce_end ends[2];

	uroce_bed_pair(*state, ends, &bed_options);
	uroce_bed_recv(&ends[1], 1, 0, 8);
	sge.addr = remote(&ends[0], 0);
	sge.lkey = ends[0].mr->lkey + 1;
	assert_int_equal(ibv_post_send(ends[0].qp, &wr, &bad), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_LOC_PROT_ERR);
	assert_int_equal(uroce_bed_state(&ends[1]), IBV_QPS_RTS);
	close_both(ends);
}

/* IBA 9.9.3.1: of a message that is too long both sides are told. */
static void a_message_too_long(void **state)
{
	struct uroce_end ends[2];

	uroce_bed_pair(*state, ends, &bed_options);
	uroce_bed_recv(&ends[1], 1, 0, 8);
	uroce_bed_recv(&ends[1], 2, 0, 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 9, 0, 0), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_INV_REQ_ERR);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_LOC_LEN_ERR);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_WR_FLUSH_ERR);
	close_both(ends);
}

/* Registered memory that was unmapped since: an error and never a signal. */
static void memory_that_is_gone(void **state)
{
	static const struct {
		enum ibv_wr_opcode opcode;
		int who; /* whose memory is gone */
		enum ibv_wc_status status;
	} cases[] = {
		{IBV_WR_SEND, 0, IBV_WC_LOC_PROT_ERR},
		{IBV_WR_SEND, 1, IBV_WC_REM_OP_ERR},
		{IBV_WR_RDMA_WRITE, 0, IBV_WC_LOC_PROT_ERR},
		{IBV_WR_RDMA_WRITE, 1, IBV_WC_REM_ACCESS_ERR},
		{IBV_WR_RDMA_READ, 0, IBV_WC_LOC_PROT_ERR},
		{IBV_WR_RDMA_READ, 1, IBV_WC_REM_ACCESS_ERR},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uroce_end ends[2];

		uroce_bed_pair(*state, ends, &bed_options);
		uroce_bed_recv(&ends[1], 1, 4000, 200);
		unmap(&ends[cases[i].who], 4096);
		assert_int_equal(uroce_bed_send(&ends[0], cases[i].opcode, 4000, 200,
						remote(&ends[1], 4000), ends[1].mr->rkey),
				 0);
		assert_int_equal(uroce_bed_wait(&ends[0]).status, cases[i].status);
		if (cases[i].opcode == IBV_WR_SEND && cases[i].who)
			assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_LOC_PROT_ERR);
		close_both(ends);
	}
}

/*
 * Inline data is put into the receiver's memory when it polls. If that is gone the error is the receiver's alone: the
 * sender was told that the message had arrived, as it had.
 */
static void memory_that_is_gone_from_inline_data(void **state)
{
	const struct ibv_send_wr wr = {.opcode = IBV_WR_SEND, .send_flags = IBV_SEND_INLINE};
	struct uroce_options options = bed_options;
	struct uroce_end ends[2];

	options.access = 0;
	uroce_bed_pair(*state, ends, &options);
	uroce_bed_recv(&ends[1], 1, 4090, 64);
	unmap(&ends[1], 4096);
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 64), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_LOC_PROT_ERR);
	/* Its own thread puts it into the error state. */
	while (uroce_bed_state(&ends[1]) != IBV_QPS_ERR)
		sched_yield();
	close_both(ends);
}

static void memory_that_is_not_there(void **state)
{
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	unmap(&end, 4096);
	assert_null(ibv_reg_mr(end.pd, end.memory, BED_SIZE, 0));
	assert_int_equal(errno, EFAULT);
	assert_null(ibv_reg_mr(end.pd, end.memory, 4096, IBV_ACCESS_REMOTE_WRITE));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void receivers_that_are_not_ready(void **state)
{
	struct uroce_options options = bed_options;
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};
	struct uroce_end ends[2];

	/* IBA 9.7.5.2.8: the first RNR NAK is one too many, or the second one. */
	for (uint8_t retries = 0; retries < 2; retries++) {
		options.rnr_retry = retries;
		uroce_bed_pair(*state, ends, &options);
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
		assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_RNR_RETRY_EXC_ERR);
		assert_int_equal(uroce_bed_state(&ends[1]), IBV_QPS_RTS);
		close_both(ends);
	}
	uroce_bed_pair(*state, ends, &bed_options);
	assert_int_equal(ibv_modify_qp(ends[1].qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
	assert_int_equal(uroce_bed_sleep(&ends[0]).status, IBV_WC_RETRY_EXC_ERR);
	close_both(ends);
}

static void a_cq_overflows(void **state)
{
	struct uroce_options options = bed_options;
	struct uroce_end ends[2];

	options.cqe = 2;
	uroce_bed_pair(*state, ends, &options);
	for (int i = 0; i < 3; i++)
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 8,
						remote(&ends[1], 0), ends[1].mr->rkey),
				 0);
	assert_int_equal(uroce_bed_event(&ends[0]), IBV_EVENT_CQ_ERR);
	assert_int_equal(uroce_bed_event(&ends[0]), IBV_EVENT_QP_FATAL);
	assert_int_equal(uroce_bed_state(&ends[0]), IBV_QPS_ERR);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	close_both(ends);
}

static void objects_in_use(void **state)
{
	struct uroce_end ends[2];

	uroce_bed_pair(*state, ends, &bed_options);
	assert_int_equal(ibv_destroy_cq(ends[0].cq), EBUSY);
	assert_int_equal(ibv_dealloc_pd(ends[0].pd), EBUSY);
	close_both(ends);
}

static void *wait_for_fatal(void *arg)
{
	return uroce_bed_event(arg) == IBV_EVENT_DEVICE_FATAL ? arg : NULL;
}

static struct ibv_mw *bound_window(struct uroce_end *end)
{
	struct ibv_mw *mw = ibv_alloc_mw(end->pd, IBV_MW_TYPE_2);
	struct ibv_send_wr bind = {.opcode = IBV_WR_BIND_MW}, *bad;

	assert_non_null(mw);
	bind.bind_mw.mw = mw;
	bind.bind_mw.rkey = ibv_inc_rkey(mw->rkey);
	bind.bind_mw.bind_info = (struct ibv_mw_bind_info){
		.mr = end->mr,
		.addr = (uintptr_t)end->memory,
		.length = 100,
		.mw_access_flags = IBV_ACCESS_REMOTE_WRITE,
	};
	assert_int_equal(ibv_post_send(end->qp, &bind, &bad), 0);
	assert_int_equal(uroce_bed_wait(end).status, IBV_WC_SUCCESS);
	return mw;
}

/* Waits end, programs that poll get errors, everything can be destroyed: a region before its window too. */
static void an_unplug(void **state)
{
	struct uroce_bed *bed = *state;
	struct ibv_recv_wr recv = {0}, *bad;
	struct uroce_end ends[2];
	struct ibv_mw *window;
	pthread_t thread;
	void *ret;

	uroce_bed_pair(bed, ends, &bed_options);
	window = bound_window(&ends[1]);
	uroce_bed_recv(&ends[0], 1, 0, 8);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_fatal, &ends[0]), 0);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_ptr_equal(ret, &ends[0]);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_WR_FLUSH_ERR);
	while (ibv_post_recv(ends[1].qp, &recv, &bad) != EIO)
		sched_yield();
	assert_int_equal(uroce_bed_send(&ends[1], IBV_WR_SEND, 0, 8, 0, 0), EIO);
	assert_null(ibv_alloc_pd(ends[1].context));
	assert_int_equal(errno, EIO);
	assert_int_equal(ibv_dereg_mr(ends[1].mr), 0);
	ends[1].mr = NULL;
	assert_int_equal(ibv_dealloc_mw(window), 0);
	close_both(ends);
}

static void a_forked_child(void **state)
{
	struct uroce_end ends[2];
	pid_t child;
	int status;

	uroce_bed_pair(*state, ends, &bed_options);
	child = fork();
	if (!child)
		_exit(uroce_bed_close(&ends[0]) + uroce_bed_close(&ends[1]));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	strcpy(ends[0].memory, "parent");
	uroce_bed_recv(&ends[1], 1, 0, 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 7, 0, 0), 0);
	assert_int_equal(uroce_bed_sleep(&ends[1]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_sleep(&ends[0]).status, IBV_WC_SUCCESS);
	assert_string_equal(ends[1].memory, "parent");
	close_both(ends);
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, uroce_bed_setup, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(states_and_attributes),
		WITH_BED(addresses),
		WITH_BED(requests_drain),
		WITH_BED(requests_are_flushed),
		WITH_BED(remote_access_is_checked),
		WITH_BED(a_key_ends_with_its_region),
		WITH_BED(local_access_is_checked),
		WITH_BED(a_message_too_long),
		WITH_BED(memory_that_is_gone),
		WITH_BED(memory_that_is_gone_from_inline_data),
		WITH_BED(memory_that_is_not_there),
		WITH_BED(receivers_that_are_not_ready),
		WITH_BED(a_cq_overflows),
		WITH_BED(objects_in_use),
		WITH_BED(an_unplug),
		WITH_BED(a_forked_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
