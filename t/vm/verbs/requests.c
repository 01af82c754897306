/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests requests: too many, invalid, flushed, and from several threads. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

/* Sends more messages than fit in the ring, in batches that fill it, and then one too many. */
void test_full(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_sge sge = sge_of(from, 0, 32), into = sge_of(to, 0, 32);
	struct ibv_send_wr wr = {.sg_list = &sge,
				 .num_sge = 1,
				 .opcode = IBV_WR_SEND,
				 .send_flags = IBV_SEND_SIGNALED},
			   *bad;
	struct ibv_recv_wr recv = {.sg_list = &into, .num_sge = 1}, *bad_recv = NULL;
	uint64_t id = 0, slots = 0;
	struct ibv_wc wc;
	int ret;

	for (int round = 0; round < 100; round++) {
		const uint64_t first = id;

		for (int i = 0; i < DEPTH; i++)
			post_recv(to, first + (uint64_t)i, 0, 32);
		for (int i = 0; i < DEPTH; i++, id++)
			send_simple(from, id, 0, 32);
		for (uint64_t i = first; i < id; i++) {
			expect(to->cq, i, IBV_WC_RECV, &wc);
			expect(from->cq, i, IBV_WC_SEND, &wc);
		}
	}
	/* The kernel may have enlarged the ring. Then it is full, and *bad is the first that did not fit. */
	while (!(ret = ibv_post_recv(to->qp, &recv, &bad_recv)) && ++slots < 1000)
		;
	CHECK(ret == ENOMEM && bad_recv == &recv && slots >= DEPTH, "%d after %" PRIu64, ret,
	      slots);
	/* A list stops at the invalid request; those before it are sent. */
	{
		struct ibv_send_wr wrong = wr, last = wr;

		wr.next = &wrong;
		wrong.next = &last;
		wrong.num_sge = 1000;
		wr.wr_id = 1;
		bad = NULL;
		ret = ibv_post_send(from->qp, &wr, &bad);
		CHECK(ret == EINVAL && bad == &wrong, "%d", ret);
		expect(from->cq, 1, IBV_WC_SEND, &wc);
		expect_nothing(from->cq);
	}
	pair_free(ends);
}

static void refuse_send(struct end *end, struct ibv_send_wr wr, const char *what)
{
	struct ibv_send_wr *bad = NULL;
	int ret = ibv_post_send(end->qp, &wr, &bad);

	CHECK(ret == EINVAL && bad == &wr, "%s: %d", what, ret);
}

void test_refused(struct rig *rig)
{
	struct end *ends =
		pair_make(rig, &(struct options){.type = IBV_QPT_RC, .unconnected = true});
	struct end *end = &ends[0];
	struct ibv_sge sge = sge_of(end, 0, 100), huge[2] = {sge_of(end, 0, UINT32_MAX), sge};
	struct ibv_send_wr wr = {.sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_SEND}, it;
	struct ibv_recv_wr recv = {.sg_list = &sge, .num_sge = 1}, *bad = NULL;
	int ret;

	refuse_send(end, wr, "in RESET");
	ret = ibv_post_recv(end->qp, &recv, &bad);
	CHECK(ret == EINVAL && bad == &recv, "a receive in RESET: %d", ret);
	pair_connect(rig, ends);
	it = wr;
	it.opcode = (enum ibv_wr_opcode)63;
	refuse_send(end, it, "an unknown opcode");
	it.opcode = IBV_WR_TSO;
	refuse_send(end, it, "an opcode that the driver does not have");
	it = wr;
	it.num_sge = -1;
	refuse_send(end, it, "a negative number of entries");
	it.num_sge = SGES + 1000;
	refuse_send(end, it, "too many entries");
	it = wr;
	it.send_flags = IBV_SEND_INLINE;
	sge.length = BUFFER;
	refuse_send(end, it, "too much inline");
	sge.length = 8;
	it.opcode = IBV_WR_RDMA_READ;
	refuse_send(end, it, "an inline read");
	it = wr;
	it.sg_list = huge;
	it.num_sge = 2;
	refuse_send(end, it, "more than 4 GiB");
	recv.num_sge = SGES + 1000;
	ret = ibv_post_recv(end->qp, &recv, &bad);
	CHECK(ret == EINVAL && bad == &recv, "a receive of too many entries: %d", ret);
	expect_nothing(end->cq);
	pair_free(ends);
}

/* In the error state requests that were posted before and after are flushed. */
void test_flush(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *end = &ends[0];
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};
	struct ibv_qp_init_attr init;
	struct ibv_wc wc;
	int ret;

	post_recv(end, 70, 0, 64);
	post_recv(end, 71, 0, 64);
	ret = ibv_modify_qp(end->qp, &attr, IBV_QP_STATE);
	CHECK(!ret, "to ERR: %s", strerror(ret));
	expect_status(end->cq, 70, IBV_WC_WR_FLUSH_ERR);
	expect_status(end->cq, 71, IBV_WC_WR_FLUSH_ERR);
	post_recv(end, 72, 0, 64);
	expect_status(end->cq, 72, IBV_WC_WR_FLUSH_ERR);
	send_simple(end, 73, 0, 64);
	expect_status(end->cq, 73, IBV_WC_WR_FLUSH_ERR);
	ret = ibv_query_qp(end->qp, &attr, IBV_QP_STATE, &init);
	CHECK(!ret && attr.qp_state == IBV_QPS_ERR, "%d, state %d", ret, attr.qp_state);

	/* Reset and reconnect, while a completion from before has not been polled. */
	post_recv(&ends[1], 76, 0, 64);
	post_recv(&ends[1], 77, 0, 64);
	attr.qp_state = IBV_QPS_ERR;
	ret = ibv_modify_qp(ends[1].qp, &attr, IBV_QP_STATE);
	CHECK(!ret, "the other one to ERR: %s", strerror(ret));
	expect_status(ends[1].cq, 76, IBV_WC_WR_FLUSH_ERR);
	usleep(100000);
	for (int i = 0; i < 2; i++) {
		attr.qp_state = IBV_QPS_RESET;
		ret = ibv_modify_qp(ends[i].qp, &attr, IBV_QP_STATE);
		CHECK(!ret, "to RESET: %s", strerror(ret));
		expect_nothing(ends[i].cq);
	}
	pair_connect(rig, ends);
	post_recv(&ends[1], 74, 0, 64);
	send_simple(end, 75, 0, 64);
	expect(ends[1].cq, 74, IBV_WC_RECV, &wc);
	expect(end->cq, 75, IBV_WC_SEND, &wc);
	pair_free(ends);
}

/* ---- several threads on one QP and one CQ ---- */

enum { THREADS = 3, EACH = 400 };

struct worker {
	pthread_t thread;
	struct end *ends;
	unsigned int number;
	unsigned int sent;
	int ret;
};

static void *work_in_thread(void *arg)
{
	struct worker *worker = arg;
	struct ibv_sge sge = sge_of(&worker->ends[0], 64UL * worker->number, 64);
	struct ibv_send_wr wr = {.sg_list = &sge,
				 .num_sge = 1,
				 .opcode = IBV_WR_RDMA_WRITE,
				 .send_flags = IBV_SEND_SIGNALED | IBV_SEND_INLINE,
				 .wr.rdma = {.remote_addr = (uintptr_t)worker->ends[1].buffer +
							    64UL * worker->number,
					     .rkey = worker->ends[1].mr->rkey}},
			   *bad;
	const uint64_t limit = vm_now_us() + 60000000;

	while (worker->sent < EACH && vm_now_us() < limit) {
		wr.wr_id = (uint64_t)worker->number << 32 | worker->sent;
		worker->ret = ibv_post_send(worker->ends[0].qp, &wr, &bad);
		if (!worker->ret)
			worker->sent++;
		/* The distribution's siw answers -ENOMEM when the send queue is full. */
		else if (abs(worker->ret) == ENOMEM)
			sched_yield();
		else
			break;
	}
	return NULL;
}

void test_threads(struct rig *rig)
{
	/* Large enough for all: a send queue's slots are reused before its completions are polled. */
	struct ibv_cq *cq = ibv_create_cq(rig->context, THREADS * EACH, NULL, NULL, 0);
	struct end *ends;
	struct worker workers[THREADS];
	uint32_t seen[THREADS] = {0};
	unsigned int total = 0;
	const uint64_t limit = vm_now_us() + 60000000;

	if (!cq)
		vm_die("ibv_create_cq: %s", strerror(errno));
	ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC, .cq = cq});
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.ends = ends, .number = i};
		if (pthread_create(&workers[i].thread, NULL, work_in_thread, &workers[i]))
			vm_die("pthread_create");
	}
	while (total < THREADS * EACH && vm_now_us() < limit) {
		struct ibv_wc wc[7];
		int ret = ibv_poll_cq(cq, 7, wc);

		if (!ret)
			sched_yield();
		for (int i = 0; i < ret; i++, total++) {
			const uint32_t number = (uint32_t)(wc[i].wr_id >> 32);

			CHECK(wc[i].status == IBV_WC_SUCCESS && number < THREADS &&
				      (uint32_t)wc[i].wr_id == seen[number]++,
			      "completion %" PRIx64 ", status %d", wc[i].wr_id, wc[i].status);
		}
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		CHECK(workers[i].sent == EACH && seen[i] == EACH,
		      "thread %u: %u of %u, last answer %d", i, seen[i], workers[i].sent,
		      workers[i].ret);
	}
	CHECK(!memcmp(ends[0].buffer, ends[1].buffer, 64UL * THREADS), "data");
	pair_free(ends);
	CHECK(!ibv_destroy_cq(cq), "ibv_destroy_cq");
}
